"""The result plot: normalised minimum against resolution, a line with error bars per sampler."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilesearch.figures import style


def sampler_order(names) -> list[str]:
    """The distinct `names` in the order of `style.LOOKS`; those without a look follow, sorted.

    Examples
    --------
    >>> sampler_order(["zeta", "rsa", "grid", "rsa"])
    ['grid', 'rsa', 'zeta']
    """
    known = list(style.LOOKS)
    return sorted(set(names), key=lambda s: (known.index(s) if s in known else len(known), s))


def dodge(count: int, width: float) -> np.ndarray:
    """Offsets, centred on 0 and `width` wide in all, that keep `count` error bars apart.

    Examples
    --------
    >>> dodge(3, 0.2).tolist()
    [-0.1, 0.0, 0.1]
    """
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(count)


def say(axes, text: str) -> None:
    """Put the plain statement `text` in the middle of `axes` in place of data."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", wrap=True)


def selected(table: pd.DataFrame, what: str, **keys) -> pd.DataFrame:
    """The rows of `table` that have the values `keys`.

    Raises
    ------
    ValueError
        If there are none; the message names the values.
    """
    rows = table
    for column, value in keys.items():
        rows = rows[rows[column] == value]
    if rows.empty:
        named = ", ".join(f"{k} '{v}'" for k, v in keys.items())
        raise ValueError(f"the {what} have no row with {named}, take values that they hold")
    return rows


def stand_in_of(rows: pd.DataFrame) -> str:
    """The distinct stand-in labels of `rows`, as one text; "" where all data are real."""
    if "stand_in" not in rows:
        return ""
    return "; ".join(dict.fromkeys(s for s in rows["stand_in"] if isinstance(s, str) and s))


def _positions(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """`rows` with a column ``_x``, and the label of that axis: R, or N if one has no R."""
    d = int(rows["d"].iloc[0])
    if rows["resolution"].notna().all():
        x = rows["resolution"].astype(float)
        return rows.assign(_x=x), f"resolution R   (N = R$^{{{d}}}$ points)"
    return rows.assign(_x=rows["n"].astype(float)), "number of points N"


def counted(numbers, one: str, many: str) -> str:
    """The range of `numbers` in words.

    Examples
    --------
    >>> counted([8, 8], "batch", "batches"), counted([7, 8], "batch", "batches")
    ('8 batches', '7–8 batches')
    """
    low, high = int(min(numbers)), int(max(numbers))
    return f"{high} {one if high == 1 else many}" if low == high else f"{low}–{high} {many}"


def result_plot(
    scores: pd.DataFrame,
    problem: str,
    space: str,
    *,
    error: str = "error",
    excess: bool = False,
    title: str | None = None,
) -> Figure:
    """Normalised minimum against resolution R (or N), with error bars, one line per sampler.

    Parameters
    ----------
    scores : DataFrame
        As `tilesearch.analysis.scores.scores` returns it.
    problem, space : str
        What to draw.
    error : str
        The column of `scores` that holds the half-length of the bars: ``error`` (Gaussian) or
        ``chosen_error`` of `tilesearch.analysis.uncertainty.uncertainties`.
    excess : bool
        Draw the mean minus 1 on a logarithmic axis, which keeps high resolutions apart.
    title : str, optional
        By default the problem, the space and the number of batches.

    Returns
    -------
    matplotlib.figure.Figure
        A mean that is not finite is not drawn; one without an error has no bar; both are said
        in the figure.

    Raises
    ------
    ValueError
        If there is no row of that problem and space.
    """
    rows, label = _positions(selected(scores, "scores", problem=problem, space=space))
    samplers = sampler_order(rows["sampler"])
    rows = rows.assign(_y=rows["mean"].astype(float) - (1.0 if excess else 0.0))
    drawn = rows[np.isfinite(rows["_y"]) & ((rows["_y"] > 0) | (not excess))]
    with style.apply():
        figure = style.new_figure(9.5 if len(samplers) > 6 else 8, 5)
        axes = figure.subplots()
        axes.set_title(title or f"{problem}, {space}: {_batches(rows)}")
        axes.set_xlabel("\n".join([label, *_remarks(rows, drawn, error)]))
        axes.set_ylabel(
            "mean normalised minimum loss − 1"
            if excess
            else "normalised minimum loss\n(1 = best found in the batch)"
        )
        style.stand_in_note(figure, stand_in_of(rows))
        if drawn.empty:
            say(axes, "no batch has a normalised minimum: nothing to draw")
            return figure
        ticks = np.unique(drawn["_x"])
        gap = np.diff(ticks).min() if len(ticks) > 1 else 1.0
        for sampler, offset in zip(samplers, dodge(len(samplers), 0.3 * gap), strict=True):
            line = drawn[drawn["sampler"] == sampler].sort_values("_x")
            if not line.empty:
                _line(axes, line, offset, error, excess)
        if excess:
            axes.set_yscale("log")
        else:
            axes.axhline(1.0, color=style.GREY, linewidth=0.8, zorder=0)
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.set_xlim(ticks[0] - 0.5 * gap, ticks[-1] + 0.5 * gap)
        _legend(figure, axes, len(samplers))
    return figure


def _batches(rows: pd.DataFrame) -> str:
    return counted(rows["batches"], "batch", "batches")


def _line(axes, line: pd.DataFrame, offset: float, error: str, excess: bool) -> None:
    y = line["_y"].to_numpy()
    bars = np.nan_to_num(line[error].astype(float).to_numpy(), nan=0.0, posinf=0.0)
    # A logarithmic axis has no room for a bar that reaches 0.
    down = np.minimum(bars, 0.9 * y) if excess else bars
    axes.errorbar(
        line["_x"] + offset,
        y,
        yerr=[down, bars],
        capsize=3,
        elinewidth=1.4,
        **style.line_style(line["sampler"].iloc[0]),
    )


def _legend(figure: Figure, axes, count: int) -> None:
    if count > 6:
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper")
    else:
        axes.legend(ncols=2 if count > 3 else 1)


def _remarks(rows: pd.DataFrame, drawn: pd.DataFrame, error: str) -> list[str]:
    remarks = []
    if (~np.isfinite(drawn[error].astype(float))).any():
        remarks.append("without error bar: one batch, so no uncertainty")
    lost = rows[~rows.index.isin(drawn.index)]
    for sampler in sampler_order(lost["sampler"]):
        at = ", ".join(f"{x:g}" for x in lost.loc[lost["sampler"] == sampler, "_x"])
        remarks.append(f"not drawn, no usable value: {style.look(sampler).label} at {at}")
    return remarks
