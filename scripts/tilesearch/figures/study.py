"""Figures of a whole study: what is trained, where the minima lie, where the points lie."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilesearch.figures import style
from tilesearch.figures.results import counted, sampler_order, say


def coverage(counts: pd.DataFrame) -> Figure:
    """Table of dimension by resolution: which problems, and how many models they ask for.

    Parameters
    ----------
    counts : DataFrame
        Columns ``problem``, ``space``, ``d``, ``unimportant``, ``resolution`` (or NA), ``n`` and
        ``trainings``.

    Examples
    --------
    >>> rows = pd.DataFrame({"problem": "own", "space": "d2", "d": 2, "unimportant": 0,
    ...     "resolution": [2, 3], "n": [4, 9], "trainings": [40, 90]})
    >>> coverage(rows).get_suptitle()
    'trainings by dimension and resolution: 130 in all'
    """
    counts = counts.assign(
        row=[_row_label(r) for r in counts.itertuples()],
        column=[_column_label(r) for r in counts.itertuples()],
    )
    order = counts.sort_values(["unimportant", "d"])["row"].unique()
    sizes = counts.assign(key=[_column_key(r) for r in counts.itertuples()])
    columns = sizes.sort_values("key")["column"].unique()
    problems = list(dict.fromkeys(counts["problem"]))
    cells = dict(list(counts.groupby(["row", "column"])))
    # Every problem keeps its line within a row, whatever the cell.
    lines = [[p for p in problems if p in set(counts.loc[counts["row"] == r, "problem"])]
             for r in order]  # fmt: skip
    tops = np.concatenate([[0], np.cumsum([0.35 * len(names) + 0.3 for names in lines])])
    with style.apply():
        width = 2.9 + 1.75 * len(columns)
        figure = style.new_figure(max(width, 7), 1.6 + 1.05 * tops[-1])
        axes = figure.subplots()
        axes.set(xlim=(-0.02, len(columns)), ylim=(tops[-1], 0))
        for i, row in enumerate(order):
            for j, column in enumerate(columns):
                if (row, column) in cells:
                    places = np.linspace(tops[i], tops[i + 1], len(lines[i]) + 2)[1:-1]
                    where = dict(zip(lines[i], places, strict=True))
                    _cell(axes, cells[row, column], problems, where, j)
        axes.hlines(tops, 0, len(columns), color="0.8", lw=0.8)
        axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
        axes.set_yticks((tops[1:] + tops[:-1]) / 2, order)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        figure.suptitle(
            f"trainings by dimension and resolution: {counts['trainings'].sum():,} in all"
        )
        figure.supxlabel("all samplers and batches, before batches are screened", fontsize=12)
    return figure


def _cell(axes, part: pd.DataFrame, problems: list[str], where: Mapping, column: int) -> None:
    for name, total in part.groupby("problem")["trainings"].sum().items():
        color = style.PALETTE[problems.index(name) % len(style.PALETTE)]
        # Yellow letters cannot be read on white.
        color = style.GREY if color == style.YELLOW else color
        text = f"{name} {total:,}"
        axes.text(
            column + 0.5, where[name], text, ha="center", va="center", fontsize=11, color=color
        )


def _row_label(row) -> str:
    extra = f"\n({row.unimportant} unimportant)" if row.unimportant else ""
    return f"d = {row.d}{extra}"


def _column_label(row) -> str:
    return f"N = {row.n}" if pd.isna(row.resolution) else f"R = {row.resolution}"


def _column_key(row) -> tuple:
    return (1, int(row.n)) if pd.isna(row.resolution) else (0, int(row.resolution))


def moving_minimum(
    screened: Mapping, parameters: Mapping[str, Mapping], problem: str, *, stand_in: str = ""
) -> Figure:
    """Where the minimum of each batch lies: it moves, and on the edge a batch is dropped.

    Parameters
    ----------
    screened : mapping
        What screening wrote: ``domain``, ``kept``, ``minima``.
    parameters : mapping of str to mapping
        The two searched parameters, in order; ``scale`` "log" makes an axis logarithmic.
    problem : str
    stand_in : str
    """
    x, y = list(parameters)[:2]
    minima = pd.DataFrame([{"batch": m["batch"], **m["values"]} for m in screened["minima"]])
    kept = minima["batch"].isin(screened["kept"])
    with style.apply():
        figure = style.new_figure(8, 6)
        axes = figure.subplots()
        (x0, x1), (y0, y1) = screened["domain"][x], screened["domain"][y]
        axes.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color=style.GREY, label="domain")
        looks = {
            "kept": (kept, {"color": style.BLUE, "marker": "o"}),
            "dropped: on the edge or beyond": (~kept, {"color": style.VERMILION, "marker": "s"}),
        }
        for name, (chosen, look) in looks.items():
            rows = minima[chosen]
            if rows.empty:
                continue
            # Minima lie on the lattice of the scan: a ring round a dot tells how many coincide.
            places = rows.groupby([x, y]).size().reset_index(name="count")
            label = f"{name} ({len(rows)})"
            axes.scatter(places[x], places[y], s=70 * places["count"], alpha=0.7, label=label,
                         zorder=3, **look)  # fmt: skip
            for place in places[places["count"] > 1].itertuples(index=False):
                axes.annotate(
                    str(place.count), (place[0], place[1]), color="white", ha="center",
                    va="center", fontsize=11, zorder=4,
                )  # fmt: skip
        for axis, name in (("x", x), ("y", y)):
            if parameters[name].get("scale") == "log":
                axes.set(**{f"{axis}scale": "log"})
        axes.margins(0.12)
        axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
        batches = counted([len(minima)], "batch", "batches")
        figure.suptitle(f"{problem}: the minimum of each of {batches}")
        figure.legend(loc="outside lower center", ncols=3)
        # The legend has the foot of the figure: the note goes above the axes.
        if stand_in:
            axes.set_title(
                f"stand-in data: {stand_in}", fontsize=12, color=style.VERMILION, style="italic"
            )
    return figure


def edge_effects(designs: pd.DataFrame, problem: str, space: str, *, shells: int = 8) -> Figure:
    """How densely each sampler places its points near the edge of the cube.

    The cube is cut into shells of equal volume, from the edge inwards; 1 is the density of
    uniform points. One panel per number of points (smallest, middle, largest).

    Parameters
    ----------
    designs : DataFrame
        Columns ``batch``, ``sampler``, ``n`` and the coordinates ``u1``, ``u2``, …
    problem, space : str
    shells : int
        Number of shells.

    Examples
    --------
    >>> rows = pd.DataFrame({"batch": 0, "sampler": "grid", "n": 2, "u1": [0.01, 0.99]})
    >>> figure = edge_effects(rows, "own", "d1", shells=2)
    >>> figure.axes[0].lines[0].get_ydata().tolist()
    [2.0, 0.0]
    """
    axes_names = [c for c in designs.columns if c[0] == "u" and c[1:].isdigit()]
    samplers = sampler_order(designs["sampler"])
    sizes = sorted(designs["n"].unique())
    if len(sizes) > 3:
        sizes = [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    with style.apply():
        figure = style.new_figure(4.4 * len(sizes) + 2.2, 5)
        grid = figure.subplots(1, len(sizes), squeeze=False, sharey=True)[0]
        for axes, n in zip(grid, sizes, strict=True):
            part = designs[designs["n"] == n]
            for sampler in samplers:
                points = part.loc[part["sampler"] == sampler, axes_names].to_numpy()
                if len(points):
                    middle = (np.arange(shells) + 0.5) / shells
                    axes.plot(middle, _shell_density(points, shells), **style.line_style(sampler))
            if part.empty:
                say(axes, "no design")
            axes.axhline(1, color=style.GREY, lw=0.8, zorder=0)
            batches = counted([part["batch"].nunique()], "batch", "batches")
            axes.set_title(f"N = {n}, {batches}", fontsize=13)
            axes.set_xlim(0, 1)
        grid[0].set_ylabel("density of points\n(1 = uniform)")
        figure.supxlabel("share of the cube's volume, from the edge (0) to the middle (1)")
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
        figure.suptitle(f"{problem}, {space}: edge effects of the designs")
    return figure


def _shell_density(points: np.ndarray, shells: int) -> np.ndarray:
    """Share of the points in each shell of equal volume, times the number of shells."""
    distance = np.minimum(points, 1 - points).min(axis=1)
    # The volume that lies nearer to the edge than the point.
    volume = 1 - (1 - 2 * distance) ** points.shape[1]
    shell = np.minimum((volume * shells).astype(int), shells - 1)
    return np.bincount(shell, minlength=shells) * shells / len(points)
