"""Samplers on tabulated landscapes, with adaptive searches as reference lines."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilesearch.figures import style
from tilesearch.figures.results import counted, dodge, sampler_order, say, selected, stand_in_of

#: Searches that choose each point after the last one was trained.
ADAPTIVE = {
    "tpe": {"label": "TPE (adaptive)", "color": style.PURPLE, "marker": "v", "linestyle": "--"},
    "gp": {"label": "GP (adaptive)", "color": style.SKY, "marker": "X", "linestyle": "--"},
}


def tabulated_plot(scores: pd.DataFrame, problem: str, space: str, baseline: str) -> Figure:
    """Mean normalised minimum, and its paired difference to the baseline, against N.

    Parameters
    ----------
    scores : DataFrame
        One row per sampler and n: ``batches``, ``mean``, ``error``, ``difference`` and
        ``difference_error`` (of logarithms), ``problem``, ``space``, ``stand_in``.
    problem, space : str
        What to draw.
    baseline : str
        The sampler that the differences are taken to.

    Returns
    -------
    matplotlib.figure.Figure
        What is not finite is not drawn; without any difference the right panel says so.
    """
    rows = selected(scores, "tabulated scores", problem=problem, space=space)
    rows = rows.assign(
        percent=100 * np.expm1(rows["difference"].astype(float)),
        percent_error=100 * rows["difference_error"].astype(float),
    )
    with style.apply():
        figure = style.new_figure(13, 5.2)
        left, right = figure.subplots(1, 2)
        batches = counted(rows["batches"], "batch", "batches")
        figure.suptitle(f"{problem}, {space}: tabulated landscapes of {batches}")
        style.stand_in_note(figure, stand_in_of(rows))
        _lines(left, rows, "mean", "error")
        left.set_ylabel("mean normalised minimum loss\n(1 = smallest loss known in the batch)")
        look = style.look(baseline).label
        _lines(right, rows[rows["sampler"] != baseline], "percent", "percent_error")
        right.axhline(0, color=style.look(baseline).color, zorder=0)
        right.set_ylabel(f"difference to {look} in the same batch (%)")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
    return figure


def _lines(axes, rows: pd.DataFrame, value: str, error: str) -> None:
    drawn = rows[np.isfinite(rows[value].astype(float))]
    if drawn.empty:
        say(axes, "nothing to draw: no usable value")
        return
    sizes = sorted(drawn["n"].unique())
    place = {n: i for i, n in enumerate(sizes)}
    samplers = sampler_order(drawn["sampler"])
    for sampler, offset in zip(samplers, dodge(len(samplers), 0.4), strict=True):
        line = drawn[drawn["sampler"] == sampler].sort_values("n")
        axes.errorbar(
            line["n"].map(place) + offset,
            line[value],
            # One batch has no error, hence no bar.
            yerr=line[error].astype(float).fillna(0),
            **ADAPTIVE.get(sampler) or style.line_style(sampler),
        )
    axes.set_xticks(range(len(sizes)), [str(n) for n in sizes])
    axes.set_xlim(-0.5, len(sizes) - 0.5)
    axes.set_xlabel("number of points N")
