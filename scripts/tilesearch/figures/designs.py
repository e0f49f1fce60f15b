"""The designs of one batch in two dimensions, side by side."""

import pandas as pd
from matplotlib.figure import Figure

from tilesearch.figures import style
from tilesearch.figures.results import sampler_order


def designs_2d(designs: pd.DataFrame, title: str) -> Figure:
    """Points in the unit square: a row per size, a column per sampler.

    Parameters
    ----------
    designs : DataFrame
        Columns ``sampler``, ``n``, ``u1`` and ``u2``; one batch.
    title : str
    """
    samplers = sampler_order(designs["sampler"])
    sizes = sorted(designs["n"].unique())
    if len(sizes) > 3:
        sizes = [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    with style.apply():
        figure = style.new_figure(2.2 * len(samplers) + 0.8, 2.25 * len(sizes) + 1.0)
        grid = figure.subplots(len(sizes), len(samplers), squeeze=False)
        for row, n in zip(grid, sizes, strict=True):
            for axes, sampler in zip(row, samplers, strict=True):
                points = designs[(designs["sampler"] == sampler) & (designs["n"] == n)]
                look = style.point_style(sampler)
                axes.scatter(points["u1"], points["u2"], s=22, clip_on=False, zorder=3, **look)
                axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[], yticks=[])
                axes.spines[["top", "right"]].set_visible(True)
            row[0].set_ylabel(f"N = {n}")
        for axes, sampler in zip(grid[0], samplers, strict=True):
            axes.set_title(style.look(sampler).label)
        figure.suptitle(title)
    return figure
