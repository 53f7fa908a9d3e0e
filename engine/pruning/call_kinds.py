"""What torch's functions do to channels, by their names (see ``engine.execution.call_names``)."""

from __future__ import annotations

from engine.execution.call_names import ACTIVATIONS, FUNCTIONS, words

# Each number of what comes out is made of the numbers at its own place.
ELEMENTWISE = (
    ACTIVATIONS
    | FUNCTIONS
    | words("""
        add sub subtract mul multiply div divide true_divide truediv radd rsub rmul neg negative
        floor ceil round sign where masked_fill addcmul addcdiv lerp identity
        gt lt ge le eq ne greater less logical_and logical_or logical_not invert and or isnan
        isfinite isinf nan_to_num
        dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout native_dropout
        to type type_as float half double bfloat16 long int bool clone detach contiguous
        requires_grad cpu cuda iadd imul
        zeros_like ones_like full_like
    """)
)
# Numbers are brought to other places.
MOVES = words("""
    view reshape view_as reshape_as flatten unflatten permute transpose swapaxes swapdims movedim
    moveaxis t squeeze unsqueeze expand expand_as broadcast_to repeat tile repeat_interleave
    chunk split split_with_sizes tensor_split unsafe_chunk unsafe_split unbind select narrow
    getitem index_select roll flip rot90 fliplr flipud cat concat concatenate stack hstack vstack
    dstack pixel_shuffle pixel_unshuffle channel_shuffle unfold diagonal get tril triu
    take_along_dim gather atleast_1d atleast_2d atleast_3d
""")
# Each channel's map is made of that channel's map: name → number of axes after the channels.
MAPS = {
    **dict.fromkeys(words("""
        max_pool1d avg_pool1d adaptive_avg_pool1d adaptive_max_pool1d lp_pool1d
        max_pool1d_with_indices
    """), 1),
    **dict.fromkeys(words("""
        max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d lp_pool2d boolean_dispatch
        fractional_max_pool2d max_pool2d_with_indices
    """), 2),
    **dict.fromkeys(words("""
        max_pool3d avg_pool3d adaptive_avg_pool3d adaptive_max_pool3d
    """), 3),
}  # fmt: skip
# The same for (n, channels, …) of any number of axes.
RESIZES = words("interpolate upsample upsample_bilinear upsample_nearest grid_sample")
# Axes go, and what lies along them is put together.
REDUCES = words("""
    mean sum amax amin max min var std var_mean std_mean logsumexp prod nansum norm argmax argmin
    any all median vector_norm linalg_vector_norm softmin
""")
# What lies along an axis is seen together, and keeps its places.
NORMALISES = words("softmax log_softmax normalize cumsum sort")
CONVOLUTIONS = {"conv1d": 1, "conv2d": 2, "conv3d": 3}
TRANSPOSED = {"conv_transpose1d": 1, "conv_transpose2d": 2, "conv_transpose3d": 3}
PRODUCTS = words("matmul bmm mm baddbmm rmatmul mul_matmul")
