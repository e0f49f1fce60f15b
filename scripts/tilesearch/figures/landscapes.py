"""Loss landscapes: what the loss looks like over the two searched parameters."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import Locator, LogLocator, MaxNLocator

from tilesearch.figures import style
from tilesearch.figures.results import stand_in_of

LOSS = "loss / smallest loss of the batch"


def landscapes(
    scans: pd.DataFrame,
    screened: Mapping,
    parameters: Mapping[str, Mapping],
    problem: str,
    most: int = 12,
) -> Figure:
    """Scanned loss of the batches, each with its minimum marked, and the domain.

    Parameters
    ----------
    scans : DataFrame
        Columns ``batch``, the two parameters, ``loss`` and ``stand_in``.
    screened : mapping
        What screening wrote: ``domain``, ``kept``, ``minima``.
    parameters : mapping of str to mapping
        The two parameters, in order; ``scale`` "log" makes an axis logarithmic.
    problem : str
    most : int
        At most so many batches are drawn, the first ones.
    """
    x, y = list(parameters)[:2]
    batches = sorted(scans["batch"].unique())[:most]
    columns = min(4, len(batches))
    rows = -(-len(batches) // columns)
    minima = {m["batch"]: m["values"] for m in screened["minima"]}
    smallest = scans.groupby("batch")["loss"].transform("min")
    # A smallest loss of 0 is 1 as well; all other losses of its batch are beyond the scale then.
    ratio = (scans["loss"] / smallest).where(scans["loss"] != smallest, 1.0)
    scaled = scans.assign(ratio=ratio)
    # Outside the domain trainings may all but diverge: the colours are for what is searched.
    searched = np.isfinite(ratio)
    for name, (low, high) in screened["domain"].items():
        searched &= scans[name].between(low, high)
    ranged = ratio[searched] if searched.any() else ratio[np.isfinite(ratio)]
    norm = LogNorm(1.0, float(np.quantile(ranged, 0.98)) + 1e-6)
    with style.apply():
        figure = style.new_figure(3.3 * columns + 1.4, 3.1 * rows + 1.0)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        mesh = None
        for axes, batch in zip(grid.flat, batches, strict=False):
            part = scaled[scaled["batch"] == batch]
            table = part.pivot_table(index=y, columns=x, values="ratio", dropna=False)
            edges = [
                _edges(table.columns.to_numpy(float), parameters[x]),
                _edges(table.index.to_numpy(float), parameters[y]),
            ]
            axes.patch.set(hatch="///", edgecolor=style.GREY)  # seen where no loss is
            mesh = axes.pcolormesh(*edges, table.to_numpy(), norm=norm, cmap="cividis")
            (x0, x1), (y0, y1) = screened["domain"][x], screened["domain"][y]
            line = {"color": "white", "linewidth": 1.5, "clip_on": False}
            line["path_effects"] = [withStroke(linewidth=3, foreground="black")]
            axes.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], **line)
            where = minima[batch]
            marker = {"color": style.VERMILION, "markersize": 15, "mec": "white"}
            axes.plot(where[x], where[y], "*", clip_on=False, zorder=5, **marker)
            state = "" if batch in screened["kept"] else " (dropped)"
            axes.set_title(f"batch {batch}{state}")
            for axis, name in (("x", x), ("y", y)):
                if parameters[name].get("scale") == "log":
                    axes.set(**{f"{axis}scale": "log"})
        for axes in grid.flat[len(batches) :]:
            axes.set_visible(False)
        # The lowest axes of every column carry the label; a note takes the figure's own.
        for axes in grid.flat[max(len(batches) - columns, 0) : len(batches)]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(x.replace("_", " "))
        figure.supylabel(y.replace("_", " "))
        ticks = _ticks(norm.vmax)
        bar = figure.colorbar(mesh, ax=grid, label=LOSS, extend="max", ticks=ticks, format="%g")
        bar.minorticks_off()
        shown = f", the first {len(batches)}" if len(batches) < scans["batch"].nunique() else ""
        drawn = scans[scans["batch"].isin(batches)]
        failed = "; hatched: the training failed" if drawn["loss"].isna().any() else ""
        figure.suptitle(
            f"{problem}: loss landscapes of {scans['batch'].nunique()} batches{shown}\n"
            f"star: the batch's minimum; white box: the domain that is searched{failed}"
        )
        style.stand_in_note(figure, stand_in_of(scans))
    return figure


def _ticks(largest: float) -> Locator:
    """Where numbers stand on a logarithmic scale from 1 to `largest`."""
    if largest < 5:
        return MaxNLocator(6, steps=(1, 2, 5, 10))
    return LogLocator(subs=(1, 2, 5) if largest < 100 else (1,), numticks=8)


def _edges(centres: np.ndarray, parameter: Mapping) -> np.ndarray:
    """Edges of the cells round the lattice lines, on the parameter's scale."""
    log = parameter.get("scale") == "log"
    values = np.log(centres) if log else centres
    # The outermost cells end where the scan ended.
    edges = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    return np.exp(edges) if log else edges
