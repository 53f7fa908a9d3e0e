"""Hiding parts of an input: what to hide (``keep``), what to put there (fills), what comes out.

One polarity everywhere: a mask is boolean and named ``keep``; True = stays. Inside the engine
a mask may also hold shares in [0, 1]: 1 = stays.
"""

from engine.masking.fills.fill import Fill
from engine.masking.fills.registry import FILLS, fills_for, find_fill
from engine.masking.predict import predict_masked

__all__ = ["FILLS", "Fill", "fills_for", "find_fill", "predict_masked"]
