"""Shorter ways to switch heads off give what whole passes give, in fewer blocks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from engine.attention.sites import attention_sites
from engine.errors import Cancelled, MethodError, ModelError
from engine.execution.passes import Passes
from engine.heads.ablation import Ablation, Reuse, all_heads
from engine.heads.judging import head_scores, plan_heads
from engine.heads.prefix import FULL, PARTIAL
from engine.heads.reuse import find_reuse
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.counting import hooks_on
from tests.engine.heads.helping import (
    ALL,
    WHOLE,
    Remembering,
    Sets,
    Skipping,
    hooked,
    load,
    one_by_one,
    outputs,
)
from tests.engine.refusals import expect_refusal

READ_ROWS = {
    "transformers-vit": (0,),
    "transformers-deit": (0,),
    "transformers-deit-pair": (0, 1),
    "torchvision-vit": (0,),
    "timm-vit": (0,),
    "timm-deit": (0, 1),
    "Vit": (0,),
    "Encoder": (0,),
    "Multihead": (0,),
    "InPlace": (0,),
    "Last": (16,),
}


def sets_for(model: LoadedModel) -> Sets:
    """Single heads of each layer, heads alone in their layer, none, all, some across layers."""
    sites = attention_sites(model).sites
    heads = all_heads(sites)
    ends = [(site.index, head) for site in sites for head in (0, site.heads - 1)]
    kept = [[one for one in heads if one[0] == layer and one[1] != head] for layer, head in ends]
    return [*([head] for head in ends), *kept[1::3], [], heads, [heads[1], heads[-2], heads[-1]]]


def log_p(logits: torch.Tensor) -> torch.Tensor:
    return logits.double().log_softmax(dim=-1)


@pytest.mark.parametrize("name", ALL)
def test_shorter_ways_are_the_naive_loop(name: str) -> None:
    model = load(name)
    x, sets = zoo.noise(model, 2), sets_for(model)
    reuse = find_reuse(model)
    wanted = log_p(one_by_one(model, x, sets))
    assert reuse.blocks
    assert reuse.rows == READ_ROWS.get(name, ())
    prefix = Reuse(reuse.blocks)
    for ways, size, samples in ((reuse, 7, x), (reuse, 5, x[:1]), (prefix, 64, x), (WHOLE, 7, x)):
        said, found, _ = outputs(model, samples, sets, ways, size)
        own = wanted[:, : len(samples)]
        assert (found - own).abs().max() <= 1e-5 * own.abs().max()
        assert torch.allclose(said.log_p, own[sets.index([])], rtol=1e-5, atol=1e-5)
    single = sum(len(one) == 1 for one in sets[: 2 * len(attention_sites(model).sites)])
    effects = (wanted - wanted[sets.index([])]).abs().amax(dim=(1, 2))
    assert (effects[:single] > 1e-4).all()
    _, found, _ = outputs(model, x[:1], sets, prefix, 1)
    assert torch.equal(found[:, 0], wanted[:, 0])  # one by one it is equal to the bit


def test_timm_swin_of_version_two_with_norms_of_one() -> None:
    """Its norms after attention start at zero, which would hide every head."""

    def build() -> nn.Module:
        return timm.create_model("swinv2_tiny_window8_256", **library.SWIN2)

    module = zoo.seeded(build)
    spec = ImageSpec(32, 32, mean=(0.5,) * 3, std=(0.25,) * 3)
    for name, part in module.named_modules():
        if name.endswith(("norm1", "norm2")):
            nn.init.ones_(part.weight)
    model = load_model(module, input_spec=spec, device="cpu")
    x = zoo.noise(model, 2)
    sets = [[head] for head in all_heads(attention_sites(model).sites)]
    _, found, _ = outputs(model, x, sets, find_reuse(model), 16)
    wanted = log_p(one_by_one(model, x, sets))
    plain = log_p(model.forward(x).detach())
    assert ((wanted - plain).abs().amax(dim=(1, 2)) > 1e-4).all()
    assert (found - wanted).abs().max() < 1e-5 * wanted.abs().max()
    scores = head_scores(model, x, "cross-entropy")
    assert scores.heads == (2, 2, 4, 4)
    assert scores.manifest["display"]["windowed"]


@pytest.mark.parametrize("kind", [Skipping, Remembering])
def test_what_cannot_be_started_in_the_middle_is_run_whole(kind: type[nets.Vit]) -> None:
    model = nets.load(kind)
    reuse = find_reuse(model)
    assert not reuse.blocks
    assert reuse.reason
    scores = head_scores(model, zoo.noise(model, 2), "cross-entropy")
    outcome = scores.manifest["outcome"]
    assert outcome["reused"] == "nothing: whole passes"
    assert outcome["not_reused"] == reuse.reason
    assert outcome["block_passes"] == {FULL: 2 * 3 * 7}
    assert hooks_on(model.module) == 0


def test_one_layer_in_the_network_itself_has_no_block() -> None:
    model = zoo.load("tiny-vit")
    assert find_reuse(model).reason == "attention 0 stands in no block of its own"
    scores = head_scores(model, zoo.noise(model, 2), "divergence")
    assert scores.values.shape == (1, 2)


def test_block_passes_are_those_that_ran() -> None:
    model = nets.load(nets.Vit)  # three layers of two heads, of which the class token is read
    reuse = find_reuse(model)
    x, sets = zoo.noise(model, 2), [[head] for head in all_heads(attention_sites(model).sites)]
    ran = {FULL: 0, PARTIAL: 0}
    attended: list[int] = []

    def projecting(given: torch.Tensor) -> None:
        ran[FULL if given.shape[1] == 17 else PARTIAL] += len(given)

    handles = [hooked(block.out, projecting) for block in model.module.blocks]
    handles += [hooked(model.module.blocks[2].qkv, lambda given: attended.append(given.shape[1]))]
    _, _, ablation = outputs(model, x, sets, reuse, 64)
    # As it is 3 blocks; layer 0: 2 heads × 2 blocks, layer 1: 2 × 1; and 6 times the read token.
    assert ran == {FULL: 2 * (3 + 4 + 2), PARTIAL: 2 * 6}
    assert dict(ablation.counted) == ran
    assert attended == [17, 17, 1, 17, 1, 17, 1]
    ran.update({FULL: 0, PARTIAL: 0})
    _, _, ablation = outputs(model, x, sets, Reuse(reuse.blocks), 64)
    assert ran == {FULL: 2 * (3 + 2 * (3 + 2 + 1)), PARTIAL: 0}
    assert dict(ablation.counted) == {FULL: ran[FULL]}
    ran.update({FULL: 0, PARTIAL: 0})
    _, _, ablation = outputs(model, x, sets, WHOLE, 64)
    assert dict(ablation.counted) == {FULL: ran[FULL]} == {FULL: 2 * 3 * 7}
    for handle in handles:
        handle.remove()


class Together(nets.Vit):
    """A sample beside others is another than alone: the mean of all is taken from each."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embedded(x)
        return self.head(self.blocks(x - x.mean(dim=0, keepdim=True) / 2)[:, 0])


def test_a_network_that_looks_at_its_neighbours_is_asked_one_at_a_time() -> None:
    model = nets.load(Together)
    x = zoo.noise(model, 2)
    sets = [[head] for head in all_heads(attention_sites(model).sites)]
    wanted = log_p(one_by_one(model, x, sets))
    plain = log_p(torch.cat([model.forward(sample[None]) for sample in x]).detach())
    label = plain.argmax(dim=-1)
    rises = (plain - wanted).gather(-1, label.expand(len(sets), -1)[..., None])[..., 0]
    found = head_scores(model, x, "cross-entropy")
    assert found.manifest["outcome"]["chunk"] == 1
    assert torch.allclose(
        torch.tensor(found.values).double().ravel(), rises.mean(dim=1), rtol=1e-5, atol=1e-6
    )


def test_a_head_that_is_not_there() -> None:
    model = nets.load(nets.Vit)
    with expect_refusal(MethodError, "no head 2 in layer 0: there are 3 layers of 2, 2, 2 heads"):
        outputs(model, zoo.noise(model), [[(0, 2)]], WHOLE, 4)


def left(model: LoadedModel) -> list[list[str]]:
    return [sorted(vars(part)) for part in model.module.modules()]


def test_nothing_is_left_after_a_cancel_or_an_error() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    plain, before = model.forward(x), left(model)
    find_reuse(model)
    assert left(model) == before
    for stop in range(4):
        cancel = threading.Event()

        def progress(
            done: int, _total: int, stop: int = stop, event: threading.Event = cancel
        ) -> None:
            if done > stop:
                event.set()

        with pytest.raises(Cancelled):
            plan_heads(model, x, "divergence").run(progress, cancel)
        assert left(model) == before

    def failing(_module: nn.Module, _args: object) -> None:
        raise ZeroDivisionError

    handle = model.module.blocks[2].register_forward_pre_hook(failing)
    ablation = Ablation(Passes(model), attention_sites(model).sites, find_reuse(model))
    with pytest.raises(ModelError, match="ZeroDivisionError"):
        ablation.outputs(x, [[(0, 0)]], 4)
    handle.remove()
    _, others = ablation.outputs(x, [[(0, 0)]], 4)
    handle = model.module.blocks[2].register_forward_pre_hook(failing)
    with pytest.raises(ModelError, match="ZeroDivisionError"):
        next(others)
    handle.remove()
    assert left(model) == before
    assert hooks_on(model.module) == 0
    assert torch.equal(model.forward(x), plain)


def test_a_forward_that_the_user_has_replaced_stays() -> None:
    model = nets.load(nets.Vit)
    block = model.module.blocks[1]
    plain = block.forward
    block.forward = lambda x: 2 * plain(x)
    own = block.forward
    x, sets = zoo.noise(model, 2), [[(0, 1)], [(1, 0)], [(2, 1)]]
    _, found, _ = outputs(model, x, sets, find_reuse(model), 8)
    assert torch.allclose(found, log_p(one_by_one(model, x, sets)), rtol=1e-5, atol=1e-5)
    assert block.forward is own


def test_two_threads_get_the_numbers_of_one() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model, 2)
    plain = model.forward(x).detach()
    wanted = {top: plan_heads(model, x[top : top + 1], "divergence").run().values for top in (0, 1)}

    def one(index: int) -> bool:
        if index % 3 == 2:
            with torch.no_grad():
                return torch.equal(model.forward(x), plain)
        picture = x[index % 3 : index % 3 + 1]
        work = replace(plan_heads(model, picture, "divergence"), fresh=True)
        return work.run().values.tobytes() == wanted[index % 3].tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(36)))


def test_memory_that_runs_out_halves_the_chunk() -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model, 5)
    wanted = head_scores(model, x, "divergence")
    most: list[int] = []

    def greedy(given: torch.Tensor) -> None:
        most.append(len(given))
        if len(given) > 3:
            raise RuntimeError("DefaultCPUAllocator: not enough memory")

    handle = hooked(model.module.blocks[2].out, greedy)
    work = replace(plan_heads(model, x, "divergence"), fresh=True)
    found = work.run()
    handle.remove()
    outcome = found.manifest["outcome"]
    assert max(most) > 3
    assert outcome["chunk"] <= 4
    assert outcome["passes"]["forward"] == 5 * 7 == work.cost.forward
    assert outcome["images"] == 5
    assert torch.allclose(torch.tensor(found.values), torch.tensor(wanted.values), atol=1e-6)
