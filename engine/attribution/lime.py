"""LIME: a linear model of the model, near one input (ribeiro2016why)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch

from engine.attribution.baselines import find_baselines, score_ends
from engine.attribution.coalitions import Game
from engine.attribution.lime_fit import Line, drawn_keep, fit_line
from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.sampling import sampled
from engine.execution.cost import Cost
from engine.masking.fills.registry import PICTURE_FILLS, with_fills
from engine.masking.predict import masked_outputs
from engine.masking.regions import REGIONS, find_regions
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value

_PICTURE_SAMPLES = 512


class Lime(Method):
    """Coefficients of a linear model of the score, by whether each part of the input stays.

    Each part stays with probability ½. In pictures these are superpixels (achanta2012slic) or the
    cells of a grid; a hidden one gets what the fill puts there, and a region's pixels carry its
    whole coefficient. In tables they are columns: one that goes becomes that of another row, and
    the score is the mean over all rows of the background (our definition; the paper draws around
    what it changes). A sample with h parts changed weighs exp(−h / (2 (width² c))), as LIME has
    it for tables, where c is how many parts there are (of columns, those that differ from x
    somewhere in the background); in units of the score.
    """

    name = "lime"
    title = "LIME"
    summary = "Fits a linear model to the scores of inputs like this one with some parts changed."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "samples",
            "Samples",
            "int",
            1000,
            "Inputs that are put together; of a row, each with all rows of the background.",
            low=10,
            high=100_000,
        ),
        Parameter(
            "width",
            "Width",
            "float",
            0.75,
            "How far the kernel reaches, in roots of the number of parts.",
            low=0.05,
            high=10,
        ),
        Parameter(
            "ridge",
            "Ridge",
            "float",
            1.0,
            "How strongly coefficients are drawn towards 0.",
            low=0,
            high=10_000,
        ),
        Parameter(
            "regions", "Regions", "choice", "superpixels", "How it is divided.", choices=REGIONS
        ),
        Parameter("cells", "Cells", "int", 8, "Grid cells along each side.", low=2, high=64),
        Parameter("segments", "Segments", "int", 60, "Superpixels at the most.", low=10, high=1000),
        Parameter(
            "fill", "Fill", "choice", "mean", "What stands in a region.", choices=PICTURE_FILLS
        ),
    )
    paper = "ribeiro2016why"
    caveat = "Only as good as its fit: look at R² before reading the values; they need not add up."
    fold = "mean"
    takes_background = True

    def accepts_background(self, model: LoadedModel) -> bool:
        """Only for tables: in pictures a fill stands where they are hidden."""
        return model.family == "tabular"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Regions and fills for pictures, and fewer samples; for rows only what concerns these."""
        samples, width, ridge, regions, cells, segments, fill = self.parameters
        shape = model.spec.shape
        if len(shape) != 3:
            return samples, width, ridge
        side = min(shape[-2:])
        cells = replace(cells, default=min(8, side), high=min(64, side))
        samples = replace(samples, default=_PICTURE_SAMPLES, help="Masks that are tried.")
        return samples, width, ridge, regions, cells, segments, with_fills(fill, model)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass for each sample and each row of the background, and one for each end."""
        samples = int(parameters["samples"])
        if "regions" in parameters:
            return Cost(samples + 1)
        return Cost(samples * (rows or 1) + (rows or 1) + 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values with their standard errors, and how well they fit.

        Of the shape of the prepared input, or per column.
        """
        return _of_regions(run) if "regions" in run.parameters else _of_columns(run)


def _of_columns(run: Run) -> Evidence:
    """Explain a row by its columns."""
    baselines = find_baselines(run)
    ends = score_ends(run, baselines.rows)
    game = Game.of(run, baselines.rows)

    def scores(keep: torch.Tensor) -> torch.Tensor:
        # The mean over all rows: a drawn one would add spread that no coefficient explains.
        return game.scores_of_all_rows(keep).mean(dim=1)

    def evidence(line: Line) -> Evidence:
        total = float(line.values.sum())
        told = ends.told(total, line.error_of_sum)
        told["completeness"]["residual"] = ends.at_x - line.base - total
        told |= {"base": line.base, "fit": line.fit, "background": baselines.told}
        return Evidence(game.per_column(line.values), game.per_column(line.errors), told)

    return _fitted(run, game.players, scores, evidence)


def _of_regions(run: Run) -> Evidence:
    """Explain a picture by its regions."""
    labels = find_regions(run.model, run.x, run.parameters)  # (1, rows, columns)
    count = int(labels.max()) + 1
    with torch.no_grad():
        at_x = float(run.score(run.x))

    def scores(keep: torch.Tensor) -> torch.Tensor:
        outputs = masked_outputs(
            run.passes,
            run.chunks,
            run.x,
            len(keep),
            lambda start, stop: keep[start:stop][:, labels],  # (n, 1, rows, columns)
            run.fill,
        )
        return run.readout(outputs).double().cpu()

    def evidence(line: Line) -> Evidence:
        shape = run.x.shape[1:]
        total = float(line.values.sum())
        told = {
            "regions": count,
            "base": line.base,
            "fit": line.fit,
            "residual": at_x - line.base - total,
        }
        values, errors = (one[labels].expand(shape) for one in (line.values, line.errors))
        return Evidence(values, errors, told)

    return _fitted(run, count, scores, evidence)


def _fitted(
    run: Run,
    parts: int,
    scores_of: Callable[[torch.Tensor], torch.Tensor],
    evidence: Callable[[Line], Evidence],
) -> Evidence:
    """Draw what stays, score it, and fit; on the way as well.

    Args:
        run: what is computed.
        parts: how many may stay or go.
        scores_of: scores what stays, bool ``(n, parts)`` → float64 ``(n,)``.
        evidence: what a line says.
    """
    kept: list[torch.Tensor] = []
    scores: list[torch.Tensor] = []

    def work(start: int, stop: int) -> None:
        keep = drawn_keep(run.seed, parts, start, stop)
        scores.append(scores_of(keep))
        kept.append(keep)

    def so_far() -> Evidence:
        return evidence(fit_line(run, torch.cat(kept), torch.cat(scores)))

    return sampled(run, int(run.parameters["samples"]), work, so_far)
