"""Studies of missing parts as lines on the terminal, and as one JSON object."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.mask_results import LimeByFill, Linearity, MissingnessStudy, ShapeLeak
from engine.results import Result


def as_object(result: Result, out: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints: the manifest, and what was found of each fill."""
    shares = result.shares.tolist() if isinstance(result, MissingnessStudy) else None
    return {
        **result.manifest,
        "out": out,
        "found": found_of(result),
        **({} if shares is None else {"shares": [round(share, 6) for share in shares]}),
    }


def found_of(result: Result) -> dict[str, Any]:
    """Return what was found of each fill, as plain numbers; None where there is nothing."""
    if isinstance(result, MissingnessStudy):
        names = [name for name in result.arrays if name.startswith(("acc", "entr", "unch"))]
        return {
            fill: {name: _plain(getattr(result, name)[row]) for name in names}
            for row, fill in enumerate(result.fills)
        }
    if isinstance(result, ShapeLeak):
        rows = [
            {"object_hidden": _share(gone), "shape_hidden_elsewhere": _share(moved)}
            for gone, moved in result.right
        ]
    elif isinstance(result, Linearity):
        rows = [
            {"cosine": _mean(cosine), "distance": _mean(distance)}
            for cosine, distance in zip(result.cosine, result.distance, strict=True)
        ]
    else:
        assert isinstance(result, LimeByFill)
        known = result.labels >= 0
        rows = [
            {
                "cosine": _mean(result.cosine[row]),
                "overlap": _mean(result.overlap[row]),
                "right_without_top": _share((answers == result.labels)[known]),
            }
            for row, answers in enumerate(result.predicted)
        ]
    return dict(zip(result.fills, rows, strict=True))


def tell(result: Result, out: str | None) -> None:
    """Print what was found, one line for each fill."""
    if isinstance(result, MissingnessStudy):
        _tell_curves(result)
    else:
        _tell_rows(result)
    left_out = len(result.manifest["outcome"]["skipped"])
    if left_out:
        first = result.manifest["outcome"]["skipped"][0][1]
        print(f"Left out: {left_out} pictures; the first: {first}")
    if out:
        print(f"Written: {out}")


def _tell_curves(study: MissingnessStudy) -> None:
    from components import study_words
    from components.study_lines import TITLES, measures

    print(study_words.about(study))
    for measure in measures(study):
        factor, unit = (1, "bits") if measure == "entropy" else (100, "%")
        shares = "".join(f"{100 * share:7.0f}" for share in study.shares)
        print(f"\n{f'{TITLES[measure]} ({unit}), % hidden':34}{shares}")
        for title, values in zip(study.titles, getattr(study, measure), strict=True):
            cells = "".join(f"{factor * value:7.{2 if unit == 'bits' else 1}f}" for value in values)
            print(f"  {title:32}{cells}")
    said = (study_words.kept_sentence, study_words.bias_sentence, study_words.leak_sentence)
    print("\n" + "\n".join(filter(None, (say(study) for say in said))))


def _tell_rows(result: Any) -> None:
    source = result.manifest["source"]
    kept = len(source["pictures"])
    print(f"{source['model_title']} · {kept} pictures of {source['images']}")
    titles = dict(zip(result.fills, result.titles, strict=True))
    for fill, row in found_of(result).items():
        told = ", ".join(f"{name.replace('_', ' ')} {_said(one)}" for name, one in row.items())
        print(f"  {titles[fill]:22}{told}")


def _said(one: dict[str, Any]) -> str:
    if one["value"] is None:
        return "unknown"
    if "interval" in one:
        low, high = one["interval"]
        return f"{100 * one['value']:.1f} % ({100 * low:.1f} – {100 * high:.1f})"
    error = one["error"]
    return f"{one['value']:.2f}" + ("" if error is None else f" ± {2 * error:.2f}")


def _share(right: np.ndarray) -> dict[str, Any]:
    from engine.scores import share_of

    found = share_of(right)
    value = found.value if found.count else None
    return {"value": value, "interval": [found.low, found.high], "count": found.count}


def _mean(values: np.ndarray) -> dict[str, Any]:
    there = values[np.isfinite(values)].astype(np.float64)
    error = float(there.std(ddof=1) / np.sqrt(len(there))) if len(there) > 1 else None
    return {
        "value": float(there.mean()) if len(there) else None,
        "error": error,
        "count": len(there),
    }


def _plain(values: np.ndarray) -> Any:
    """Return numbers as JSON knows them: no NaN."""
    if values.ndim > 1:
        return [_plain(one) for one in values]
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]
