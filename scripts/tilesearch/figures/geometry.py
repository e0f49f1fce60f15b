"""The geometry of designs: one figure per dimension and number of points, over all samplers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from tilesearch.figures.style import apply, look, new_figure


@dataclass(frozen=True)
class Panel:
    """One measure and how it is drawn; in fewer than `lowest_d` dimensions it tells nothing."""

    measure: str
    title: str
    better: str
    log: bool = False
    lowest_d: int = 1


#: the measures that are shown, from left to right; the covering radius leads
PANELS = (
    Panel("covering_radius", "covering radius", "low"),
    Panel("separation", "separation", "high"),
    Panel("mesh_ratio", "mesh ratio", "low", log=True),
    Panel("discrepancy_cd", "centred discrepancy", "low", log=True),
    Panel("slices_hit", "slices hit (1-d)", "high"),
    Panel("covering_radius_2d", "covering radius (2-d)", "low", lowest_d=3),
)


def geometry_figure(rows: Iterable[Mapping], d: int, n: int) -> Figure:
    """Dot plot of the geometry of n points in d dimensions.

    One row per sampler, the smallest covering radius on top; one panel per measure of `PANELS`
    that is defined for this d and n. Dots are means over seeds, bars standard errors. Where the
    covering radius is known between bounds only (d > 4), a thin line runs from the mean lower to
    the mean upper bound.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of `tilesearch.geometry.table`; other dimensions and numbers are passed over.
    d, n : int
        Dimension and number of points.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If no row has this d and n.
    """
    found: dict[str, dict[str, Mapping]] = {}
    for row in rows:
        if (row["d"], row["n"]) == (d, n):
            found.setdefault(row["sampler"], {})[row["measure"]] = row
    if not found:
        raise ValueError(f"there are no rows with d = {d} and n = {n}, measure such designs first")
    # Drawn from the bottom up, so the best comes last.
    names = sorted(found, key=lambda name: -found[name]["covering_radius"]["mean"])
    panels = [panel for panel in PANELS if d >= panel.lowest_d and _shown(panel, found)]
    with apply():
        figure = new_figure(2.6 + 2.55 * len(panels), 1.9 + 0.34 * len(names))
        all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel, [(name, found[name]) for name in names])
        all_axes[0].set_yticks(range(len(names)), [look(name).label for name in names])
        seeds = max(measures["covering_radius"]["seeds"] for measures in found.values())
        figure.suptitle(f"{n} points in {d} dimension{'s' if d > 1 else ''}", fontsize=16)
        note = f"mean and standard error over {seeds} seed{'s' if seeds > 1 else ''}"
        if _bounded(found):
            note += "; thin line: bounds of the covering radius"
        figure.supxlabel(note, fontsize=12)
    return figure


def _shown(panel: Panel, found: Mapping[str, Mapping[str, Mapping]]) -> bool:
    return any(
        panel.measure in measures and isfinite(measures[panel.measure]["mean"])
        for measures in found.values()
    )


def _bounded(found: Mapping[str, Mapping[str, Mapping]]) -> bool:
    return any(
        measures["covering_upper"]["mean"] - measures["covering_lower"]["mean"] > 1e-9
        for measures in found.values()
    )


def _few_ticks(axes: Axes) -> None:
    # Matplotlib labels 2, 3, 4 and 6 of a short logarithmic axis, one over the other.
    low, high = axes.get_xlim()
    if high < 10 * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_panel(axes: Axes, panel: Panel, samplers: list[tuple[str, Mapping]]) -> None:
    for y, (name, measures) in enumerate(samplers):
        row = measures[panel.measure]
        if not isfinite(row["mean"]):
            axes.annotate(
                "not finite",
                (0.98, y),
                xycoords=("axes fraction", "data"),
                va="center",
                ha="right",
                fontsize=10,
                color=look(name).color,
            )
            continue
        if panel.measure == "covering_radius":
            ends = [measures["covering_lower"]["mean"], measures["covering_upper"]["mean"]]
            axes.plot(ends, [y, y], color=look(name).color, linewidth=1.0, zorder=1)
        error = row["error"] if isfinite(row["error"]) else None
        axes.errorbar(
            row["mean"],
            y,
            xerr=error,
            color=look(name).color,
            marker=look(name).marker,
            linestyle="none",
        )
    if panel.log:
        axes.set_xscale("log")
        _few_ticks(axes)
    else:
        axes.margins(x=0.12)
        axes.locator_params(axis="x", nbins=4)
    axes.set_ylim(-0.6, len(samplers) - 0.4)
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_title(panel.title, fontsize=13)
    axes.set_xlabel(f"{'←' if panel.better == 'low' else '→'} better", fontsize=12)
