"""What models say of inputs, computed once for all sessions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from dashboard.running import explanations
from dashboard.running.models import identity

if TYPE_CHECKING:
    from engine.inputs.images import ImageInput
    from engine.inputs.tables import Row
    from engine.models.loaded import LoadedModel
    from engine.results import Prediction

_KEPT = 128

_lock = threading.Lock()
_known: OrderedDict[tuple[str, str, str], Prediction] = OrderedDict()


def prediction(model: LoadedModel, given: ImageInput | Row) -> Prediction:
    """Return what a model says of a picture or a row.

    Raises:
        HaloscopeError: the input does not suit the model.
    """
    from engine.execution.cost import Cost
    from engine.execution.predict import predict

    key = (identity(model), given.digest, getattr(given, "fit", "row"))
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    found = predict(model, given)
    if len(model.spec.shape) > 1:  # one row of a table says little: they go through together
        explanations.pace().learn(model.digest, Cost(forward=1), found.seconds)
    with _lock:
        _known[key] = found
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found
