"""Names of torch's functions by what they do, in all spellings alike (see ``calls``)."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# Of one number each, and used as non-linearities of networks; a second argument (a bound, a
# slope) must be a constant.
ACTIVATIONS = words("""
    relu relu6 leaky_relu prelu rrelu elu selu celu softplus sigmoid tanh gelu silu mish hardswish
    hardsigmoid hardtanh clamp clip clamp_min clamp_max threshold logsigmoid log_sigmoid softsign
    tanhshrink softshrink hardshrink maximum minimum fmax fmin
""")
# Of one number each as well.
FUNCTIONS = words("""
    exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square pow rpow reciprocal rdiv rtruediv abs
    absolute sin cos atan arctan erf erfc
""")
