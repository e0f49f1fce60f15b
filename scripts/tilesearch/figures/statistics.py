"""Figures of the statistics: histograms, ranks, normalisation, budgets, geometry against loss."""

import matplotlib.lines
import matplotlib.ticker
import numpy as np
import pandas as pd
import scikit_posthocs
from matplotlib.figure import Figure
from scipy import stats

from tilesearch.analysis.comparison import Ranks
from tilesearch.analysis.correlation import joined_tables
from tilesearch.figures import style
from tilesearch.figures.results import (
    counted,
    dodge,
    sampler_order,
    say,
    selected,
    stand_in_of,
)


def _sizes(rows: pd.DataFrame) -> list[tuple[int, str]]:
    """The numbers of points in `rows` with their names: "R = 3", or "N = 10" without R."""
    sizes = rows.drop_duplicates("n").sort_values("n")
    return [
        (int(n), f"N = {n}" if pd.isna(r) else f"R = {r}  (N = {n})")
        for n, r in zip(sizes["n"], sizes["resolution"], strict=True)
    ]


def _p_text(p_value: float) -> str:
    if not np.isfinite(p_value):
        return "no p-value"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def scaled_histograms(
    minima: pd.DataFrame, uncertainties: pd.DataFrame, problem: str, space: str, *, bins: int = 10
) -> Figure:
    """Histograms of the scaled minima with their exponential fits: samplers by resolutions.

    Each panel says the mean, its error and the p-value of the fit, and which uncertainty, the
    Gaussian or the exponential, that p-value chose.

    Parameters
    ----------
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it.
    uncertainties : DataFrame
        As `tilesearch.analysis.uncertainty.uncertainties` returns it for them.
    problem, space : str
        What to draw.
    bins : int
        Number of bins of equal width; panels of one column share them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = selected(minima, "minima", problem=problem, space=space)
    fits = selected(uncertainties, "uncertainties", problem=problem, space=space)
    samplers, sizes = sampler_order(rows["sampler"]), _sizes(rows)
    with style.apply():
        width, height = max(2.7 * len(sizes) + 1.0, 7.0), 2.1 * len(samplers) + 1.4
        figure = style.new_figure(width, height)
        grid = figure.subplots(len(samplers), len(sizes), squeeze=False, sharex="col")
        for column, (n, name) in enumerate(sizes):
            part = rows[rows["n"] == n]
            largest = np.nanmax([part["scaled"].astype(float).max(), 0.0])
            # All scaled minima 0: a column still needs an axis.
            edges = np.linspace(0, largest if largest > 0 else 1.0, bins + 1)
            for line, sampler in enumerate(samplers):
                axes = grid[line, column]
                values = part.loc[part["sampler"] == sampler, "scaled"].astype(float).dropna()
                fit = fits[(fits["n"] == n) & (fits["sampler"] == sampler)]
                _histogram(axes, values.to_numpy(), fit, edges, style.look(sampler).color)
                if column == 0:
                    axes.set_ylabel(style.look(sampler).label)
            # The panels' own titles hold the numbers: the resolution stands above them.
            grid[0, column].annotate(
                name, (0.5, 1), xycoords="axes fraction", xytext=(0, 38),
                textcoords="offset points", ha="center", fontsize=15,
            )  # fmt: skip
        figure.suptitle(f"{problem}, {space}: scaled minimum loss, {_batches(fits)}")
        figure.supylabel("number of batches")
        note = stand_in_of(rows)
        style.stand_in_note(figure, note)
        for axes in grid[-1]:
            axes.set_xlabel("minimum / best − 1")
    return figure


def _batches(rows: pd.DataFrame) -> str:
    return counted(rows["batches"], "batch", "batches")


def _histogram(axes, values: np.ndarray, fit: pd.DataFrame, edges: np.ndarray, color: str) -> None:
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3, integer=True))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3))
    axes.tick_params(labelsize=10)
    if fit.empty:
        say(axes, "no such design")
        return
    if not values.size:
        say(axes, "no usable\nminimum")
        return
    counts, _, _ = axes.hist(values, edges, color=color, alpha=0.45)
    row = fit.iloc[0]
    top = counts.max()
    if np.isfinite(row["scale"]) and row["scale"] > 0:
        x = np.linspace(0, edges[-1], 200)
        expected = len(values) * np.diff(edges)[0] * stats.expon.pdf(x, scale=row["scale"])
        axes.plot(x, expected, color=style.GREY if color == style.BLACK else style.BLACK, lw=1.3)
        # A steep fit may start far above its first bin: the bins are what must stay readable.
        top = max(top, min(expected.max(), 1.6 * top))
    axes.set_ylim(0, 1.15 * top)
    axes.set_title(_fit_text(values, row), fontsize=10, loc="right")


def _fit_text(values: np.ndarray, row: pd.Series) -> str:
    if np.isfinite(row["chosen_error"]):
        kind = "Gaussian" if row["chosen"] == "gaussian" else "exponential"
        text = f"mean {measured(values.mean(), row['chosen_error'])} ({kind})"
    else:
        text = f"mean {_plain(values.mean())}, one batch: no error"
    return f"{text}\nexponential fit: {_p_text(row['p_value'])}"


def measured(mean: float, error: float) -> str:
    """A mean and its error: two digits of the error, and as many decimals of the mean.

    Examples
    --------
    >>> measured(0.0503, 0.00544), measured(12.3, 2.0), measured(0.0, 0.0)
    ('0.0503 ± 0.0054', '12.3 ± 2.0', '0 ± 0')
    """
    if not 1e-6 < error < 1e6:
        return f"{_plain(mean)} ± {_plain(error)}"
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{mean:.{decimals}f} ± {error:.{decimals}f}"


def _plain(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-4 or value == 0 else f"{value:.0e}"


def critical_difference(ranks: Ranks, title: str, *, stand_in: str = "") -> Figure:
    """Critical-difference diagram: average ranks, and bars over samplers not told apart.

    Parameters
    ----------
    ranks : tilesearch.analysis.comparison.Ranks
    title : str
        Goes before the number of batches and the Friedman test.
    stand_in : str
        What the data stand in for.

    Returns
    -------
    matplotlib.figure.Figure
        Without a test (fewer than three samplers or two batches) the average ranks, and why.
    """
    with style.apply():
        figure = style.new_figure(8.5, 1.9 + 0.2 * max(len(ranks.mean), 3))
        axes = figure.subplots()
        style.stand_in_note(figure, stand_in)
        batches = counted([ranks.batches], "batch", "batches")
        if ranks.mean.empty:
            axes.set_title(title)
            say(axes, ranks.note or "nothing to rank")
            return figure
        names = {s: style.look(s).label for s in ranks.mean.index}
        colors = {style.look(s).label: style.look(s).color for s in ranks.mean.index}
        tested = np.isfinite(ranks.critical_difference)
        second = (
            f"Friedman {_p_text(ranks.p_value)}; critical difference "
            f"{ranks.critical_difference:.2f} at level {ranks.alpha:g}"
            if tested
            else ranks.note
        )
        axes.set_title(f"{title}: average rank (1 = best), {batches}\n{second}", fontsize=13)
        # Without a test nothing is told apart: every pair gets p = 1.
        pairwise = ranks.pairwise.rename(index=names, columns=names)
        if not tested:
            labels = list(names.values())
            pairwise = pd.DataFrame(1.0, index=labels, columns=labels)
        drawn = scikit_posthocs.critical_difference_diagram(
            ranks.mean.rename(names),
            pairwise,
            alpha=ranks.alpha,
            ax=axes,
            label_fmt_left="{label}  {rank:.2f} ",
            label_fmt_right=" {rank:.2f}  {label}",
            color_palette=colors,
            crossbar_props={"color": style.GREY, "linewidth": 4} if tested else {"alpha": 0},
            text_h_margin=0.03,
        )
        # A bar's samplers come as a set, whose order changes from run to run: left to right.
        for bar in (line for lines in drawn["crossbars"] for line in lines):
            bar.set_xdata(sorted(bar.get_xdata()))
    return figure


def before_after(minima: pd.DataFrame, problem: str, space: str) -> Figure:
    """Minimum losses of all designs before and after normalisation, by batch and in all.

    Parameters
    ----------
    minima : DataFrame
        As `tilesearch.analysis.scores.minima` returns it.
    problem, space : str
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        On the left the losses, on the right the same divided by the batch's smallest; each with
        a dot per design and a histogram of all.
    """
    rows = selected(minima, "minima", problem=problem, space=space)
    order = rows.groupby("batch")["minimum"].median().sort_values(na_position="last").index
    place = {batch: i for i, batch in enumerate(order)}
    with style.apply():
        figure = style.new_figure(13, 4.8)
        grid = figure.subplots(1, 4, width_ratios=[3, 1, 3, 1])
        for pair, column, label in (
            (grid[:2], "minimum", "minimum loss"),
            (grid[2:], "normalised", "normalised minimum loss"),
        ):
            _by_batch(*pair, rows, column, label, place)
        grid[0].set_title("before normalisation")
        grid[2].set_title("after normalisation")
        _sampler_legend(figure, sampler_order(rows["sampler"]))
        batches = counted([len(place)], "batch", "batches")
        title = f"{problem}, {space}: {len(rows)} designs in {batches}"
        lost = int(rows["normalised"].isna().sum())
        if lost:
            title += f"\nnot drawn, no usable value: {lost} design{'s' if lost > 1 else ''}"
        figure.suptitle(title)
        style.stand_in_note(figure, stand_in_of(rows))
    return figure


def _sampler_legend(figure: Figure, samplers: list[str]) -> None:
    """A legend of markers, right of the axes: below them is the place of the stand-in note."""
    handles = [matplotlib.lines.Line2D([], [], ls="", **style.point_style(s)) for s in samplers]
    figure.legend(handles=handles, loc="outside right upper")


def _by_batch(axes, side, rows: pd.DataFrame, column: str, label: str, place: dict) -> None:
    values = rows[column].astype(float)
    known = rows[np.isfinite(values)]
    if known.empty:
        say(axes, "no value to draw")
        side.set_axis_off()
        return
    samplers = sampler_order(known["sampler"])
    for sampler, offset in zip(samplers, dodge(len(samplers), 0.5), strict=True):
        part = known[known["sampler"] == sampler]
        axes.scatter(
            part["batch"].map(place) + offset,
            part[column].astype(float),
            s=14,
            alpha=0.75,
            **style.point_style(sampler),
        )
    axes.set(xlabel="batch, by its median", ylabel=label, xticks=[])
    heights = known[column].astype(float)
    if heights.min() > 0 and heights.max() > 20 * heights.min():
        axes.set_yscale("log")
        bins = np.geomspace(heights.min(), heights.max(), 31)
    else:
        bins = 30
    side.sharey(axes)
    side.hist(heights, bins, orientation="horizontal", color=style.GREY)
    side.set_xlabel("designs")
    side.tick_params(labelleft=False)


def budget_plot(budgets: pd.DataFrame, problem: str, space: str) -> Figure:
    """Equivalent random budget of each sampler: random points per point of the design.

    Above 1 a sampler is worth more points than it has. An open marker with an arrow is a bound:
    upwards the pool of random points is used up, downwards one random point is better.

    Parameters
    ----------
    budgets : DataFrame
        As `tilesearch.analysis.budget.budgets` returns it.
    problem, space : str
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = selected(budgets, "budgets", problem=problem, space=space)
    known = rows[rows["budget"].notna()]
    with style.apply():
        samplers = sampler_order(rows["sampler"])
        figure = style.new_figure(9.5 if len(samplers) > 6 else 8.5, 5.2)
        axes = figure.subplots()
        axes.set_title(f"{problem}, {space}: equivalent random budget, {_batches(rows)}")
        style.stand_in_note(figure, stand_in_of(rows))
        if known.empty:
            say(axes, "no pool of random points: no budget")
            return figure
        sizes = sorted(known["n"].unique())
        # Numbers of points are placed side by side: on a true scale small ones would crowd.
        place = {n: i for i, n in enumerate(sizes)}
        beyond = np.zeros(2, dtype=bool)
        for sampler, offset in zip(samplers, dodge(len(samplers), 0.5), strict=True):
            part = known[known["sampler"] == sampler].sort_values("n")
            if not part.empty:
                beyond |= _budget_line(axes, part, part["n"].map(place) + offset, sampler)
        axes.axhline(1, color=style.GREY, lw=0.9, zorder=0)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: f"{v:g}"))
        axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(10, subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
        axes.set_xticks(range(len(sizes)), [str(n) for n in sizes])
        axes.set_xlim(-0.6, len(sizes) - 0.4)
        axes.set_ylabel("random points to match,\nper point of the design")
        label = "number of points N"
        if beyond[0]:
            label += "\narrow up: more than all the random points there are"
        if beyond[1]:
            label += "\narrow down: a single random point is better on average"
        if np.isposinf(known["high"].astype(float)).any():
            label += "\nsome bars are cut where the random points end"
        without = [s for s in samplers if s not in set(known["sampler"])]
        if without:
            names = ", ".join(style.look(s).label for s in without)
            label += f"\nno budget, for want of a usable minimum or pool: {names}"
        axes.margins(y=0.12)
        axes.set_xlabel(label)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def _budget_line(axes, part: pd.DataFrame, x: pd.Series, sampler: str) -> np.ndarray:
    """Draw one sampler; whether any of its values is beyond the pool, or below one point."""
    n, pool = part["n"].to_numpy(float), part["pool"].to_numpy(float)
    floor, ceiling = 1 / n, pool / n
    budget = part["budget"].to_numpy(float) / n
    up, down = np.isposinf(budget), np.isneginf(budget)
    y = np.where(up, ceiling, np.where(down, floor, budget))
    ends = [
        np.clip(np.nan_to_num(part[end].to_numpy(float) / n, nan=np.nan), floor, ceiling)
        for end in ("low", "high")
    ]
    # Without an interval (one batch) there is no bar.
    low, high = (np.where(np.isnan(end), y, end) for end in ends)
    look = style.line_style(sampler)
    color, marker = look["color"], look["marker"]
    axes.errorbar(
        x, y, yerr=[np.maximum(y - low, 0), np.maximum(high - y, 0)], capsize=3, elinewidth=1.2,
        **{**look, "linestyle": "none"},
    )  # fmt: skip
    x = x.to_numpy(float)
    for beyond, length in ((up, 20), (down, -20)):
        if beyond.any():
            axes.plot(
                x[beyond], y[beyond], ls="", marker=marker, color="white", mec=color, mew=1.5,
                zorder=3,
            )  # fmt: skip
            for px, py in zip(x[beyond], y[beyond], strict=True):
                axes.annotate(
                    "", (px, py), xytext=(0, length), textcoords="offset points",
                    arrowprops={"arrowstyle": "<-", "color": color},
                )  # fmt: skip
    return np.array([up.any(), down.any()])


def geometry_scatter(
    geometry: pd.DataFrame,
    minima: pd.DataFrame,
    correlations: pd.DataFrame,
    problem: str,
    space: str,
    measures: list[str],
) -> Figure:
    """Geometry of each design against its normalised minimum: a row per N, a column per measure.

    Small dots are designs, large markers the means of a sampler; each panel says Spearman's rank
    correlation with its interval.

    Parameters
    ----------
    geometry, minima : DataFrame
        As `tilesearch.analysis.correlation.correlations` takes them.
    correlations : DataFrame
        As it returns them.
    problem, space : str
        What to draw.
    measures : list of str
        Columns of `geometry`.

    Returns
    -------
    matplotlib.figure.Figure
        The smallest, the middle and the largest number of points.
    """
    table = joined_tables(geometry, minima)
    rows = selected(table, "geometry", problem=problem, space=space)
    found = selected(correlations, "correlations", problem=problem, space=space)
    sizes = sorted(rows["n"].unique())
    if len(sizes) > 3:
        sizes = [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    samplers = sampler_order(rows["sampler"])
    with style.apply():
        figure = style.new_figure(3.4 * len(measures) + 2.5, 2.9 * len(sizes) + 1.5)
        grid = figure.subplots(len(sizes), len(measures), squeeze=False)
        for line, n in enumerate(sizes):
            for axes, measure in zip(grid[line], measures, strict=True):
                part = rows[(rows["n"] == n) & rows["normalised"].notna()]
                part = part[np.isfinite(part[measure].astype(float))]
                _scatter(axes, part, measure, samplers)
                rho = found[(found["n"] == n) & (found["measure"] == measure)]
                axes.set_title(_rho_text(rho), fontsize=11)
                axes.set_xlabel(measure.replace("_", " "))
            grid[line, 0].set_ylabel(f"N = {n}\nnormalised minimum loss")
        _sampler_legend(figure, samplers)
        figure.suptitle(f"{problem}, {space}: geometry of the designs against their minimum")
        style.stand_in_note(figure, stand_in_of(minima[minima["problem"] == problem]))
    return figure


def _scatter(axes, part: pd.DataFrame, measure: str, samplers: list[str]) -> None:
    if part.empty:
        say(axes, "no usable design")
        return
    for sampler in samplers:
        some = part[part["sampler"] == sampler]
        if some.empty:
            continue
        look = style.point_style(sampler)
        x, y = some[measure].astype(float), some["normalised"].astype(float)
        axes.scatter(x, y, s=8, alpha=0.35, color=look["color"], linewidths=0)
        axes.scatter([x.mean()], [y.mean()], s=70, edgecolors="white", zorder=3, **look)
    axes.tick_params(labelsize=10)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))


def _rho_text(rho: pd.DataFrame) -> str:
    if rho.empty or not np.isfinite(rho["rho"].iloc[0]):
        return "no correlation: no variation"
    row = rho.iloc[0]
    text = f"ρ = {row['rho']:.2f}"
    if np.isfinite(row["low"]):
        text += f"  ({row['low']:.2f} to {row['high']:.2f})"
    return f"{text},  {row['designs']} designs"
