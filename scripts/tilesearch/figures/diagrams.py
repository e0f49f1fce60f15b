"""Diagrams that need no results: why not a grid, the protocol, the odd polynomial."""

import textwrap
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from tilesearch.figures import style
from tilesearch.problems.polynomial import mangle, true_coefficients, unmangle
from tilesearch.samplers import make
from tilesearch.seeds import rng_for


def _important(x: np.ndarray) -> np.ndarray:
    """A loss that hangs on an important parameter: flat, with one narrow valley."""
    return 1.0 - 0.85 * np.exp(-0.5 * ((x - 0.68) / 0.075) ** 2) - 0.1 * np.sin(3 * x)


def _unimportant(y: np.ndarray) -> np.ndarray:
    """A loss that hardly hangs on the other parameter."""
    return 0.06 * np.cos(4 * y)


def important_unimportant(seed: int = 0, n: int = 9) -> Figure:
    """Why not a grid: one parameter matters, the other does not (Bergstra & Bengio 2012).

    Each panel shows `n` points of one sampler in the square, the loss along the important
    parameter above and along the unimportant one at the right, and the points' projections on
    both. A regular grid of R × R points tries only R values of what matters.

    Parameters
    ----------
    seed : int
        Seed of the random designs.
    n : int
        Number of points, at least 2.

    Examples
    --------
    >>> len(important_unimportant(seed=1).axes)
    9
    """
    names = ("grid", "random", "lhs")
    with style.apply():
        figure = style.new_figure(13.5, 5.6)
        parts = figure.subfigures(1, len(names))
        for part, name in zip(parts, names, strict=True):
            points = make(name, 2, rng=rng_for(seed, "important", name)).random(n)
            _important_panel(part, points, name)
        figure.suptitle(f"{n} trials: how many values of the important parameter do they try?")
    return figure


def _important_panel(part, points: np.ndarray, name: str) -> None:
    grid = part.subplots(
        2, 2, width_ratios=[4, 1.1], height_ratios=[1.3, 4], sharex="col", sharey="row"
    )
    (top, corner), (square, side) = grid
    corner.remove()
    look = style.look(name)
    line = np.linspace(0, 1, 400)
    above, beside = _important(line), _unimportant(line)
    tried = len(np.unique(points[:, 0].round(9)))
    top.fill_between(line, above.min() - 0.1, above, color=style.SKY, alpha=0.35, lw=0)
    top.plot(line, above, color=style.BLUE)
    top.scatter(
        points[:, 0], _important(points[:, 0]), color=look.color, s=34, zorder=4, clip_on=False
    )
    top.set_title(f"{look.label}: {tried} values")
    side.fill_betweenx(line, -0.3, beside, color=style.YELLOW, alpha=0.5, lw=0)
    side.plot(beside, line, color=style.ORANGE)
    side.scatter(
        _unimportant(points[:, 1]), points[:, 1], color=look.color, s=34, zorder=4, clip_on=False
    )
    side.set_xlim(-0.3, 0.7)
    square.vlines(points[:, 0], points[:, 1], 1, color=look.color, lw=0.8, alpha=0.5)
    square.hlines(points[:, 1], points[:, 0], 1, color=look.color, lw=0.8, alpha=0.5)
    square.scatter(*points.T, s=70, clip_on=False, zorder=5, **style.point_style(name))
    square.set(xlim=(0, 1), ylim=(0, 1))
    square.set_xlabel("important", labelpad=9)
    square.set_ylabel("unimportant", labelpad=9)
    square.spines[:].set_visible(True)
    for axes in (top, side, square):
        axes.set(xticks=[], yticks=[])
    for axes in (top, side):
        axes.spines[:].set_visible(False)
    best = points[np.argmin(_important(points[:, 0])), 0]
    top.scatter([best], [_important(best)], s=150, facecolors="none", edgecolors=look.color, lw=2)
    top.set_ylabel("loss")


#: the stages of the protocol: name, what happens
STAGES = (
    ("data", "features that matter: Optuna tunes, SHAP ranks"),
    ("batches", "random parts of the data, the unit of replication"),
    ("scan", "each batch's minimum is looked for on a grid"),
    ("screen", "the domain grows; batches with a minimum on its edge are dropped"),
    (
        "designs",
        "every sampler places its N\xa0=\xa0$R^d$\xa0points",
    ),
    ("train", "one model per point and batch gives one loss"),
    ("minimum", "the smallest loss of a design in a batch"),
    ("normalise", "divided by the best loss of all designs in that batch"),
    ("average", "over batches, with its uncertainty; paired tests, ranks, budgets"),
)


def protocol() -> Figure:
    """The protocol, stage by stage, from the data to the answer.

    Examples
    --------
    >>> len(protocol().axes)
    1
    """
    columns = 3
    with style.apply():
        figure = style.new_figure(13.5, 6.4)
        axes = figure.subplots()
        axes.set(xlim=(0, 3), ylim=(0, 3))
        axes.set_axis_off()
        axes.set_title("from the data to the answer", fontsize=17)
        centres = []
        for i, (name, text) in enumerate(STAGES):
            row, column = divmod(i, columns)
            # Boustrophedon: every second row runs backwards, so that no arrow is long.
            column = columns - 1 - column if row % 2 else column
            centres.append((column + 0.5, 2.5 - row))
            _box(axes, centres[-1], f"{i + 1}  {name}", text, PHASES[i // columns])
        for start, end in pairwise(centres):
            _arrow(axes, np.array(start), np.array(end))
    return figure


#: a colour for each row of the protocol: data, points, answer
PHASES = ("#DCEBF5", "#E3F1EA", "#FBEBDD")
_WIDTH, _HEIGHT = 0.8, 0.66


def _box(axes: Axes, centre: tuple[float, float], name: str, text: str, color: str) -> None:
    x, y = centre
    corner = (x - _WIDTH / 2, y - _HEIGHT / 2)
    shape = "round,pad=0,rounding_size=0.05"
    box = FancyBboxPatch(corner, _WIDTH, _HEIGHT, boxstyle=shape, fc=color, ec=style.GREY)
    axes.add_patch(box)
    axes.text(x, y + 0.17, name, ha="center", va="center", fontsize=17, fontweight="bold")
    axes.text(x, y - 0.09, textwrap.fill(text, 30), ha="center", va="center", fontsize=13)


def _arrow(axes: Axes, start: np.ndarray, end: np.ndarray) -> None:
    half = np.array([_WIDTH / 2, _HEIGHT / 2])
    way = np.sign(end - start)
    ends = (start + way * half, end - way * half)
    arrow = FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=22, lw=2, color=style.GREY)
    axes.add_patch(arrow)


def odd_polynomial(seed: int = 0, coefficients: int = 3) -> Figure:
    """More dimensions from one training: the target is mangled by an odd polynomial and back.

    On the left P of the true coefficients and of wrong ones, which are all bijections; on the
    right the root mean squared error of a perfect model whose predictions are unmangled with one
    wrong coefficient: it is smallest at the true one.

    Parameters
    ----------
    seed : int
        Seed of the true coefficients.
    coefficients : int
        Their number, at least 1.

    Examples
    --------
    >>> len(odd_polynomial(seed=1).axes)
    2
    """
    true = true_coefficients(coefficients, seed, "diagram")
    y = np.linspace(-1, 1, 401)
    with style.apply():
        figure = style.new_figure(13, 5.4)
        left, right = figure.subplots(1, 2)
        for k in range(coefficients):
            searched = np.linspace(0.5, 1.5, 81)
            losses = []
            for value in searched:
                wrong = true.copy()
                wrong[k] = value
                losses.append(np.sqrt(np.mean((unmangle(mangle(y, true), wrong) - y) ** 2)))
            line = right.plot(searched, losses, label=f"$c_{k + 1}$ searched, the others true")
            right.axvline(true[k], color=line[0].get_color(), lw=1, ls=":")
        spread = [np.full(coefficients, 0.5), np.full(coefficients, 1.5)]
        left.fill_between(
            y, mangle(y, spread[0]), mangle(y, spread[1]), color=style.SKY, alpha=0.3, lw=0,
            label="all $c$ that are searched",
        )  # fmt: skip
        left.plot(y, mangle(y, true), color=style.BLUE, label="true coefficients $c^*$")
        _mangle_arrows(left, true)
        powers = " + ".join(
            f"$c_{k + 1}y$" if k == 0 else f"$c_{k + 1}y^{{{2 * k + 1}}}$"
            for k in range(coefficients)
        )
        left.set(xlabel="target y, scaled to [−1, 1]", ylabel="mangled target P(y)")
        left.set_title(f"P(y) = {powers}: odd, rising, a bijection", fontsize=14)
        left.legend(loc="upper left")
        right.set(xlabel="searched coefficient", ylabel="root mean squared error after unmangling")
        right.set_title("the error is smallest at the true coefficients (dotted)", fontsize=14)
        right.set_ylim(0, 1.35 * right.get_ylim()[1])
        right.legend(loc="upper left")
    return figure


def _mangle_arrows(axes: Axes, true: np.ndarray) -> None:
    """One target on its way to the mangled one, along the curve."""
    y = 0.7
    value = float(mangle(y, true))
    bottom = axes.get_ylim()[0]
    for start, end in (((y, bottom), (y, value)), ((y, value), (-1.0, value))):
        arrow = FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=16, color=style.VERMILION, lw=1.4,
            shrinkA=0, shrinkB=0,
        )  # fmt: skip
        axes.add_patch(arrow)
    axes.text(y - 0.03, bottom * 0.75, "train on P(y)", color=style.VERMILION, ha="right")
    axes.text(-0.95, value * 1.07, "predict, then invert P", color=style.VERMILION)
    axes.margins(x=0)
    axes.set_ylim(bottom)
