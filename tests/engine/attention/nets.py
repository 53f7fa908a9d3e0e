"""Transformers of several makes, small and with known weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo


class Block(nn.Module):
    """Attention by torch's function, without MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, tokens, width / heads)
        mixed = F.scaled_dot_product_attention(2 * q, 2 * k, v)
        return x + self.out(mixed.transpose(1, 2).flatten(2))


class Vit(nn.Module):
    """``prefix`` tokens before the patches; the score is read from the first, or from all."""

    def __init__(self, prefix: int = 1, depth: int = 3, patch: tuple[int, int] = (4, 4)) -> None:
        super().__init__()
        self.prefix = prefix
        self.patches = nn.Conv2d(3, 8, patch, stride=patch)
        self.tokens = nn.Parameter(torch.randn(1, prefix, 8))
        self.blocks = nn.Sequential(*(Block(8, 2) for _ in range(depth)))
        self.head = nn.Linear(8, 3)

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        return torch.cat([self.tokens.expand(len(x), -1, -1), patches], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.embedded(x))
        return self.head(x[:, 0] if self.prefix else x.mean(dim=1))


class Encoder(Vit):
    """The same with torch's own encoder, which has a fast path of its own."""

    def __init__(self, prefix: int = 1) -> None:
        super().__init__(prefix)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2)


class Windowed(Vit):
    """Attends within windows of four tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.embedded(x)  # (n, 16, 8)
        mixed = self.blocks(tokens.reshape(-1, 4, 8)).reshape(tokens.shape)
        return self.head(mixed.mean(dim=1))


class Pooling(Vit):
    """Has fewer tokens after the first block."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *others = self.blocks
        x = first(self.embedded(x))[:, ::2]
        for block in others:
            x = block(x)
        return self.head(x.mean(dim=1))


class Linear(Vit):
    """Cuts patches without a convolution; the tokens make no map anywhere."""

    def __init__(self, side: int = 4) -> None:
        super().__init__()
        self.side = side
        self.patches = nn.Linear(3 * 16 * 16 // side**2, 8)

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        size = 16 // self.side
        cut = x.unfold(2, size, size).unfold(3, size, size)  # (n, 3, side, side, size, size)
        patches = self.patches(cut.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2))
        return torch.cat([self.tokens.expand(len(x), -1, -1), patches], dim=1)


class Multihead(Block):
    """Attention by torch's module."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        del self.qkv, self.out
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = self.norm(x)
        return x + self.attention(normal, normal, normal, need_weights=False)[0]


class Weighing(Multihead):
    """The same, asking for the weights."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = self.norm(x)
        return x + self.attention(normal, normal, normal)[0]


class Einsum(Block):
    """Attention by softmax, with the heads' features interleaved."""

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nqdh,nkdh->nhqk", q, k).softmax(dim=-1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, -1, self.heads)).unbind(2)
        mixed = torch.einsum("nhqk,nkdh->nqdh", self.weights(q, k), v)
        return x + self.projected(mixed.flatten(2))

    def projected(self, mixed: torch.Tensor) -> torch.Tensor:
        return self.out(mixed)


class Unprojected(Einsum):
    """Heads go straight to the sum."""

    def projected(self, mixed: torch.Tensor) -> torch.Tensor:
        return mixed


class Renormed(Unprojected):
    """What goes on is divided by its own size, so that no head stands for itself."""

    def projected(self, mixed: torch.Tensor) -> torch.Tensor:
        return F.normalize(mixed, dim=-1)


class Exponential(Einsum):
    """Softmax by hand."""

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        raised = torch.einsum("nqdh,nkdh->nhqk", q, k).exp()
        return raised / raised.sum(dim=-1, keepdim=True)


class FiveAxes(Einsum):
    """Softmax over (n, 1, heads, q, k)."""

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nqdh,nkdh->nhqk", q, k)[:, None].softmax(dim=-1)[:, 0]


class Talking(Einsum):
    """A linear layer over the heads after the softmax."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.talk = nn.Linear(heads, heads)

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return self.talk(super().weights(q, k).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Convolved(Talking):
    """The same as a convolution."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.talk = nn.Conv2d(heads, heads, 1)

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return self.talk(Einsum.weights(self, q, k))


class Blended(Talking):
    """The same as a product with a matrix, as in DeepViT."""

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nhqk,hg->ngqk", Einsum.weights(self, q, k), self.talk.weight)


class Channels(Block):
    """Attention between channels, as in XCiT."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 4, 1)  # each (n, heads, width / heads, tokens)
        mixed = (q @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return x + self.out(mixed.flatten(1, 2).transpose(1, 2))


class WideChannels(Channels):
    """The same with more channels than tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.qkv = nn.Linear(width, 3 * heads * 20)
        self.out = nn.Linear(heads * 20, width)


class Blurred(Block):
    """Neighbours are mixed before they are attended to."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.blur = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + super().forward(self.blur(x.transpose(1, 2)).transpose(1, 2))


class BlurredAfter(Blurred):
    """Neighbours are mixed by what comes after the attention."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = Block.forward(self, x)
        return mixed + self.blur(mixed.transpose(1, 2)).transpose(1, 2)


class Idle(Block):
    """Attends, and takes no notice."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0 * super().forward(x)


class Shifted(Block):
    """Keys are those of each token's neighbour: rows and columns are not the same tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k.roll(1, 2), v.roll(1, 2))
        return x + self.out(mixed.transpose(1, 2).flatten(2))


class Of(Vit):
    """Blocks of another kind."""

    def __init__(self, block: type[Block], prefix: int = 1, depth: int = 2) -> None:
        super().__init__(prefix)
        self.blocks = nn.Sequential(*(block(8, 2) for _ in range(depth)))


class Last(Vit):
    """The class token comes after the patches."""

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        return super().embedded(x).roll(-1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embedded(x))[:, -1])


class Averaged(Vit):
    """The head reads the mean of all tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embedded(x)).mean(dim=1))


class Chosen(Vit):
    """The head reads all but the first of the tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embedded(x))[:, 1:].mean(dim=1))


class Between(Vit):
    """Tokens are mixed between the blocks."""

    def __init__(self) -> None:
        super().__init__(0)
        self.blur = nn.Conv1d(8, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks[0](self.embedded(x))
        x = self.blur(x.transpose(1, 2)).transpose(1, 2)
        return self.head(self.blocks[1](x).mean(dim=1))


class Columns(Vit):
    """Patches lie column by column."""

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        return self.patches(x).mT.flatten(2).transpose(1, 2)


class Deaf(Vit):
    """The picture does not come through."""

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        return super().embedded(torch.ones_like(x))


class Inside(nn.Module):
    """Hands tokens to a block in another shape than it takes them."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.block = Block(8, 2)
        self.order = Shuffled.ORDER

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "maps":  # (n, rows, columns, channels)
            return self.block(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
        if self.kind == "channels first":
            return self.block(x.flatten(2).mT).mT.unflatten(2, x.shape[2:])
        if self.kind == "sequence first":
            return self.block(x.transpose(0, 1)).transpose(0, 1)
        ordered = x[:, self.order].reshape(-1, 4, 8)
        return self.block(ordered).reshape(x.shape)[:, self.order.argsort()]


class Shaped(Vit):
    """Blocks that take something else than ``(n, tokens, channels)``."""

    kind: str

    def __init__(self, prefix: int = 0) -> None:
        super().__init__(prefix)
        self.blocks = nn.Sequential(*(Inside(self.kind) for _ in range(3)))


class Maps(Shaped):
    kind = "maps"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.patches(x).permute(0, 2, 3, 1)).mean(dim=(1, 2)))


class ChannelsFirst(Shaped):
    kind = "channels first"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.patches(x)).mean(dim=(2, 3)))


class SequenceFirst(Shaped):
    kind = "sequence first"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embedded(x).transpose(0, 1)).mean(dim=0))


class InPlace(Vit):
    """What blocks return is overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.randn(1, 17, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embedded(x)
        for block in self.blocks:
            x += self.places
            x = block(x)
            x *= 2
        return self.head(x[:, 0])


class Turned(Vit):
    """Tokens change their places in place, between the blocks."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks[0](self.embedded(x))
        x.copy_(x.roll(5, 1))
        return self.head(self.blocks[1](x).mean(dim=1))


class Shuffled(Shaped):
    """Windows of tokens picked at random."""

    kind = "shuffled"
    ORDER = torch.randperm(16, generator=torch.Generator().manual_seed(3))


def load(module: type[nn.Module], *args: object) -> LoadedModel:
    """A network of one of these kinds; a kind of block stands in a ``Vit`` of two."""
    of_blocks = issubclass(module, Block)
    built = zoo.seeded(lambda: Of(module, *args) if of_blocks else module(*args))
    return load_model(built, input_spec=zoo.PICTURE, device="cpu")
