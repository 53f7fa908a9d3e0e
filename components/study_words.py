"""Sentences about a study of missing parts: what keeps the answers, what misleads."""

from __future__ import annotations

import numpy as np

from components.saying import counted, joined, named, number, share
from components.study_lines import Line, Measure, lines
from engine.mask_results import MissingnessStudy

_BITS = 0.5  # of entropy; less is no collapse (our definition)
_ERRORS = 2  # standard errors that make a difference (our definition)
_ORDERS = {
    "random": "at random",
    "most-salient": "what matters most first",
    "least-salient": "what matters least first",
}


def kept_sentence(study: MissingnessStudy, at: float = 0.5) -> str:
    """Say which fill keeps the most answers when a share is hidden, and which the fewest.

    Answers that are right, or without labels those that stay as for the whole picture. Fills
    that differ from the best by less than two standard errors, picture by picture, are told
    with it.
    """
    measure: Measure = "accuracy" if study.labelled else "unchanged"
    stay = "are right" if study.labelled else "stay as they were"
    level = study.level(at)
    found = sorted(lines(study, measure), key=lambda line: -float(line.values[level]))
    begin = f"With {share(float(study.shares[level]))} hidden {_order(study)}"
    of = f"of {counted(study.labelled or study.count, 'answer')}"
    best, worst = found[0], found[-1]
    if len(found) == 1:
        return f"{begin}, with {best.inside}, {_ends(best, level)} {of} {stay}."
    even = [line for line in found if not _apart(study, best, line, level)]
    top, bottom = (share(float(line.values[level]) / 100) for line in (best, worst))
    if len(even) == len(found):
        return (
            f"{begin}, it makes no measurable difference what stands there: {bottom} to {top} "
            f"{of} {stay}."
        )
    names = joined([line.inside for line in even])
    least = share(float(even[-1].values[level]) / 100)
    first = _ends(best, level) if len(even) == 1 else f"from {least} to {top}"
    return (
        f"{begin}, the most answers {stay} with {names}: {first} {of}; the fewest with "
        f"{worst.inside}: {_ends(worst, level)}."
    )


def bias_sentence(study: MissingnessStudy, at: float = 0.5) -> str:
    """Say whether a fill drives the answers to few classes: it then speaks for them itself."""
    level = study.level(at)
    found = lines(study, "entropy")
    whole = _whole_entropy(study)
    collapsed = [
        line for line in found if line.high[level] < whole and line.values[level] < whole - _BITS
    ]
    if not collapsed:
        low = min(float(line.values[level]) for line in found)
        return (
            f"No fill drives the answers to few classes: they stay at {number(low, 2)} bits or "
            f"more, of {number(whole, 2)} for whole pictures."
        )
    worst = min(collapsed, key=lambda line: float(line.values[level]))
    answers = study.predicted[study.fills.index(worst.fills[0]), level]
    counts = np.bincount(answers)
    name = named(study.manifest["display"]["classes"][int(counts.argmax())])
    rest = joined([line.inside for line in collapsed if line is not worst])
    more = f" The same goes for {rest}." if rest else ""
    return (
        f"What stands there is itself taken for evidence: with {worst.inside}, "
        f"{share(float(counts.max() / len(answers)))} of the answers are {name}, and the class "
        f"entropy falls from {number(whole, 2)} to {number(float(worst.values[level]), 2)} bits."
        f"{more}"
    )


def leak_sentence(study: MissingnessStudy) -> str:
    """Say which fills still tell the answer with all hidden; nothing where none does.

    Fills that are right measurably more often than the most frequent label would be (our
    definition).
    """
    if not study.labelled or study.shares[-1] < 1:
        return ""
    known = study.labels[study.labels >= 0]
    guessed = 100 * float(np.bincount(known).max()) / len(known)
    telling = [line for line in lines(study, "accuracy") if line.low[-1] > guessed]
    if not telling:
        return ""
    told = joined([f"{line.inside} ({share(float(line.values[-1]) / 100)})" for line in telling])
    return (
        f"Not all that is hidden is gone: with the whole picture hidden, answers are still right "
        f"with {told}; the fill itself shows what it covers."
    )


def about(study: MissingnessStudy) -> str:
    """Say in one line what was done."""
    request, source = study.manifest["request"], study.manifest["source"]
    rows, columns = request["grid"]
    cells = (
        f"{rows} × {columns} blocks" if request["cells"] == "blocks"
        else f"up to {rows * columns} superpixels"
    )  # fmt: skip
    left_out = len(study.manifest["outcome"]["skipped"])
    parts = (
        source["model_title"],
        f"{counted(study.count, 'picture')} of {source['images']}",
        f"{cells}, {_order(study)}",
        "the same masks for all fills",
        f"seed {request['seed']}",
        *([f"{counted(left_out, 'picture')} left out"] if left_out else []),
    )
    return " · ".join(parts)


def _apart(study: MissingnessStudy, best: Line, other: Line, level: int) -> bool:
    """Whether a line has measurably fewer answers right, or unchanged, than the best one."""
    known = study.labels >= 0
    wanted = study.labels[known] if study.labelled else study.whole
    rows = [study.predicted[study.fills.index(line.fills[0]), level] for line in (best, other)]
    first, second = ((row[known] if study.labelled else row) == wanted for row in rows)
    more = first.astype(float) - second
    error = more.std(ddof=1) / np.sqrt(len(more)) if len(more) > 1 else np.inf
    return bool(more.mean() > _ERRORS * error)


def _whole_entropy(study: MissingnessStudy) -> float:
    """Return the entropy of the answers to whole pictures, bits."""
    part = np.bincount(study.whole) / study.count
    part = part[part > 0]
    return float(-(part * np.log2(part)).sum())


def _order(study: MissingnessStudy) -> str:
    return _ORDERS[study.manifest["request"]["order"]]


def _ends(line: Line, level: int) -> str:
    low, high = (number(float(end[level]), 2) for end in (line.low, line.high))
    return f"{share(float(line.values[level]) / 100)} ({low} – {high})"
