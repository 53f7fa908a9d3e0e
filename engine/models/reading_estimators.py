"""Estimators from skops files, which run no code when they are read."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from engine.errors import WeightsError, one_line

# What skops leaves for us to trust: data without code of its own.
_KNOWN = re.compile(
    r"numpy\.dtype|collections\.(OrderedDict|defaultdict)"
    r"|xgboost\.core\.Booster|xgboost\.sklearn\.XGB\w+"
    r"|lightgbm\.basic\.Booster|lightgbm\.sklearn\.LGBM\w+"
)


def read_skops(content: bytes, name: str) -> Any:
    """Read an estimator from the content of a skops file.

    Only classes of scikit-learn, XGBoost and LightGBM are let in. None runs code of the file's;
    but the trees of a file that was made to harm can still make the process crash.

    Args:
        content: of the file.
        name: of the file, for errors.

    Raises:
        WeightsError: skops is missing, the file is damaged, or it asks for other code than that
            of the well-known libraries.
    """
    try:
        from skops import io
    except ModuleNotFoundError:
        raise WeightsError(
            "reading a skops file needs the package skops; pip install skops"
        ) from None
    try:
        asked = io.get_untrusted_types(data=content)
        unknown = [kind for kind in asked if not _is_known(kind)]
        if unknown:
            raise WeightsError(
                f"{name} needs code that is not trusted ({', '.join(unknown[:3])}); load it in "
                "Python and pass the estimator"
            )
        return io.loads(content, trusted=asked)
    except WeightsError:
        raise
    except ModuleNotFoundError as error:
        raise WeightsError(f"{name} needs {error.name}, which is not installed") from None
    except Exception as error:  # whatever a foreign or damaged file provokes
        raise WeightsError(f"{name} is not a skops file, or damaged ({one_line(error)})") from None


def _is_known(kind: str) -> bool:
    """Whether a type is data, or a class that scikit-learn itself defines.

    A function is none, nor is a class of another package that a module there imports.
    """
    if _KNOWN.fullmatch(kind):
        return True
    module, _, name = kind.rpartition(".")
    if not module.startswith("sklearn."):
        return False
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.startswith("sklearn.")
