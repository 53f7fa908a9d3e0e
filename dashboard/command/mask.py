"""``haloscope mask``: hide parts of a picture, and see what a model says then."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.command import mask_lines
from dashboard.command.computing import kept_or_computed
from dashboard.command.pairs import pairs
from dashboard.command.places import check_places
from dashboard.running import keeping
from engine.errors import HaloscopeError, ParameterError, nearest
from engine.inputs.arrays import is_array_file
from engine.inputs.images import FITS

if TYPE_CHECKING:
    from engine.mask_results import MaskPreview

_GENERATOR = "uniform"
_DRAWN = "drawn"
_HIDDEN = 0.5


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("mask", help="hide parts of a picture, and see what is said then")
    add = parser.add_argument
    add("--model", metavar="REF", help="a model for pictures; `haloscope models` lists them")
    add("--image", metavar="FILE", help="a picture, sample:NAME, or a prepared .npy")
    add("--generator", metavar="NAME", help="uniform (default); `haloscope mask --list` has all")
    add("--hidden", type=float, metavar="R", help="share to hide, 0 to 1 (default ½)")
    add("--fill", default="mean", metavar="NAME", help="what stands there (default mean); --list")
    add("--count", type=int, default=1, metavar="N", help="how many masks (default 1)")
    add("--grid", metavar="ROWSxCOLUMNS", help="cells (default: a transformer's patches, or 14x14)")
    add("--param", action="append", default=[], metavar="k=v", help="parameter of the generator")
    add(
        "--guide", metavar="METHOD|FILE",
        help="for generators that want one: a method, attention, difficulty, superpixels, a "
        "result of `explain`, scores as .npy, or a label image",
    )  # fmt: skip
    add("--mask", metavar="FILE", help="a drawn mask, a picture: what is white stays")
    add("--fit", default="crop", metavar="HOW", help="crop (default) or letterbox")
    add("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default 0)")
    add("--device", default=argparse.SUPPRESS, help="auto, cpu, cuda or mps")
    add("--out", metavar="FILE", help="write the result (safetensors)")
    add("--png", metavar="FILE", help="write picture, mask and masked picture")
    add("--no-cache", action="store_true", help="compute even what is kept, and keep nothing")
    add("--json", action="store_true", help="print one JSON object")
    add("--list", action="store_true", help="list the generators, their parameters, and the fills")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, tell, write."""
    if options.list:
        return mask_lines.list_generators(as_json=options.json)
    _check(options)
    from engine.inputs.samples import load_named
    from engine.masking.fills.registry import find_fill
    from engine.masking.generators.registry import find_generator
    from engine.parameters import check_all

    # Wrong names are told before the model is loaded.
    name = options.generator or (_DRAWN if options.mask else _GENERATOR)
    generator = find_generator(name)
    parameters = pairs(options.param, "--param")
    check_all(parameters, generator.parameters, generator.name)
    find_fill(options.fill)
    grid = grid_of(options.grid)
    picture = load_named(options.image, fit=options.fit)
    from engine.missingness.preview import plan_preview
    from engine.models.loading import load_model

    model = load_model(options.model, device=getattr(options, "device", "auto"))
    planned = plan_preview(
        model,
        picture,
        generator.name,
        _HIDDEN if options.hidden is None else options.hidden,
        options.fill,
        seed=options.seed,
        count=options.count,
        grid=grid,
        guide=_guide(options, model, picture, generator.guide),
        **parameters,
    )
    preview, kept = kept_or_computed(
        planned, generator.title, keeping.find_preview, use_kept=not options.no_cache
    )
    if options.out:
        preview.save(options.out)
    if options.png:
        _draw(preview, model, picture, options.png)
    if options.json:
        print(json.dumps(mask_lines.as_object(preview, options, cached=kept), sort_keys=True))
        return 0
    mask_lines.tell(preview, (options.out, options.png))
    if kept:
        print("Computed earlier and kept; --no-cache computes it again.")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Tell what is missing or does not go together before the work."""
    if not options.model or not options.image:
        raise HaloscopeError("name a model with --model and a picture with --image; or --list")
    if options.fit not in FITS:
        raise ParameterError(f"no fit {options.fit!r}; {nearest(options.fit, FITS)}")
    if options.mask and options.generator not in (None, _DRAWN):
        raise ParameterError(f"--mask is for the generator drawn; {options.generator} takes none")
    if options.mask and options.guide:
        raise ParameterError("--mask and --guide are both given; a drawn mask takes no guide")
    if options.mask and options.hidden is not None:
        raise ParameterError("--mask and --hidden are both given; a drawn mask hides what it draws")
    if options.generator == _DRAWN and not options.mask:
        raise ParameterError("the generator drawn needs a drawing: --mask FILE")
    check_places(options.out, options.png)
    if options.png and is_array_file(options.image):
        raise HaloscopeError(f"--png: {options.image} is no picture; write the result with --out")
    if options.png and Path(options.png).suffix.lower() != ".png":
        raise HaloscopeError(f"--png {options.png}: the picture is a PNG file; name it so")
    if options.out and options.png and Path(options.out).absolute() == Path(options.png).absolute():
        raise HaloscopeError("--out and --png name the same file; name two")


def grid_of(text: str | None) -> tuple[int, int] | None:
    """Read rows and columns: "14x14", or one number for both."""
    if text is None:
        return None
    rows, cross, columns = text.lower().replace("×", "x").partition("x")
    if not rows.strip().isdigit() or not (columns if cross else rows).strip().isdigit():
        raise ParameterError(f"--grid {text!r}: write it as ROWSxCOLUMNS, 14x14")
    return int(rows), int(columns if cross else rows)


def _guide(options: argparse.Namespace, model: Any, picture: Any, kind: str) -> Any:
    """Return what --guide or --mask names: a name, an array, or a saved map."""
    from engine.inputs.images import load_image
    from engine.missingness.drawings import drawn_mask, label_image

    if options.mask:
        return drawn_mask(model, picture, load_image(options.mask))
    given = options.guide
    if given is None or not Path(given).is_file():
        return given
    if Path(given).suffix == ".safetensors":
        from engine.results import Attribution, load_result

        found = load_result(given)
        if not isinstance(found, Attribution):
            raise ParameterError(f"--guide {given}: a result of `haloscope explain` is wanted")
        return found
    if is_array_file(given):
        from engine.inputs.arrays import load_array

        values = load_array(given).values
        whole = kind == "regions" and (values == values.round()).all()
        return values.astype(int) if whole else values
    if kind != "regions":
        raise ParameterError(
            f"--guide {given}: a picture is a label image, for region-complete; scores come as "
            ".npy, or as a result of `haloscope explain`"
        )
    return label_image(model, picture, load_image(given))


def _draw(preview: MaskPreview, model: Any, picture: Any, path: str) -> None:
    from components import export, mask_sheet
    from engine.results import write_whole

    sheet = mask_sheet.sheet(preview, model.spec.fitted(picture))
    write_whole(Path(path), export.png(sheet))
