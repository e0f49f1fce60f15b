"""One look for all figures: colours, markers and names of samplers, fonts, and how files are saved.

Nothing here touches `matplotlib.pyplot`: a figure is made with `new_figure` inside `apply()` and
saved with `save`, so no state leaks from one figure into the next, and no display is needed.

    >>> with apply():
    ...     figure = new_figure(4, 3)
    ...     axes = figure.subplots()
    ...     line = axes.plot([2, 3], [1.2, 1.1], **line_style("rsa"))
    >>> line[0].get_label()
    'RSA'
"""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# The eight colours of Okabe & Ito, Color Universal Design (2008): told apart with every common
# kind of colour blindness.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#767676"

#: the eight colours in the order in which a figure without samplers should take them
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, YELLOW, BLACK)


@dataclass(frozen=True)
class Look:
    """How one sampler is drawn, everywhere."""

    label: str
    color: str
    marker: str | tuple[int, int, int]
    linestyle: str = "-"


#: sampler name -> look. The five designs of the study have full lines and a hue each; a peer has
#: a marker of its own and, where hues run out, that of its nearest relative with a broken line.
LOOKS: dict[str, Look] = {
    "grid": Look("grid", BLACK, "s"),
    "random": Look("random", ORANGE, "o"),
    "lhs": Look("LHS", BLUE, "D"),
    "rsa": Look("RSA", VERMILION, "^"),
    "hypertiling": Look("hypertiling", GREEN, "p"),
    "grid-centred": Look("grid, centred", GREY, "P", "--"),
    "lhs-optimised": Look("LHS, optimised", SKY, "d", "--"),
    "lhs-maximin": Look("LHS, maximin", SKY, "X", ":"),
    "sobol": Look("Sobol", PURPLE, "v", "--"),
    "halton": Look("Halton", PURPLE, "<", ":"),
    "hammersley": Look("Hammersley", PURPLE, ">", "-."),
    "rd": Look("R_d", "#8B6508", "h", "--"),
    "blue-noise": Look("blue noise", "#3B2E8C", "8", "--"),
    "lhs-rsa": Look("LHS–RSA", "#7A1F5C", "*", "-."),
    "rsa-periodic": Look("RSA, periodic", "#F28E6B", "2", "--"),
    "hypertiling-intersections": Look("hypertiling, intersections", "#66C2A5", "H", "--"),
}

# Filled, so that they are seen on error bars.
_SPARE_MARKERS = ((3, 1, 0), (3, 1, 180), (4, 1, 0), (4, 1, 45), (6, 1, 0), (7, 0, 0), (8, 1, 0))


def look(sampler: str) -> Look:
    """The look of `sampler`; one that has none yet gets a stable grey one under its own name."""
    if sampler in LOOKS:
        return LOOKS[sampler]
    # Not `hash`, which differs from run to run.
    marker = _SPARE_MARKERS[sum(sampler.encode()) % len(_SPARE_MARKERS)]
    return Look(sampler, GREY, marker, ":")


def line_style(sampler: str) -> dict:
    """Keywords for `Axes.plot` and `Axes.errorbar`: colour, marker, line style and label."""
    chosen = look(sampler)
    return {
        "color": chosen.color,
        "marker": chosen.marker,
        "linestyle": chosen.linestyle,
        "label": chosen.label,
    }


def point_style(sampler: str) -> dict:
    """Keywords for `Axes.scatter`: colour, marker and label."""
    chosen = look(sampler)
    return {"color": chosen.color, "marker": chosen.marker, "label": chosen.label}


def rc() -> dict:
    """The matplotlib settings of all figures; type is large enough to read on a slide."""
    return {
        "font.family": "DejaVu Sans",  # comes with matplotlib, hence the same everywhere
        "font.size": 13,
        "axes.titlesize": 15,
        "axes.labelsize": 14,
        "xtick.labelsize": 12,
        "ytick.labelsize": 12,
        "legend.fontsize": 12,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
        "lines.linewidth": 1.8,
        "lines.markersize": 7,
        "errorbar.capsize": 3,
        "image.cmap": "cividis",
        "figure.constrained_layout.use": True,
        "savefig.dpi": 150,
        "savefig.facecolor": "white",
        # The same figure gives the same bytes: ids in an SVG are hashed with a fixed salt.
        "svg.hashsalt": "tilesearch",
        "svg.fonttype": "path",
    }


@contextmanager
def apply():
    """Context in which figures are drawn with the settings of `rc`."""
    with matplotlib.rc_context(rc()):
        yield


def new_figure(width: float = 8.0, height: float = 5.0) -> Figure:
    """An empty figure of `width` by `height` inches that belongs to no pyplot state."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, stem: str | Path, *, dpi: int = 150) -> list[Path]:
    """Write `figure` as PNG and as SVG.

    Neither file holds a date, so that the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    stem : str or Path
        Path without suffix; its folder is made where it is missing. A suffix ``.png`` or
        ``.svg`` is cut off.
    dpi : int
        Resolution of the PNG, at least 150.

    Returns
    -------
    list of Path
        The PNG and the SVG.

    Raises
    ------
    ValueError
        If `dpi` is below 150.
    """
    if dpi < 150:
        raise ValueError(f"dpi is {dpi}, it must be at least 150")
    stem = Path(stem)
    if stem.suffix in (".png", ".svg"):
        stem = stem.with_suffix("")
    stem.parent.mkdir(parents=True, exist_ok=True)
    png, svg = (stem.with_name(stem.name + suffix) for suffix in (".png", ".svg"))
    with apply():
        # `Software` names the matplotlib version: an upgrade must not change every file.
        figure.savefig(png, dpi=dpi, metadata={"Software": None})
        # The places are found: finding them again takes as long as drawing.
        figure.set_layout_engine("none")
        figure.savefig(svg, metadata={"Date": None, "Creator": None})
    return [png, svg]


def stand_in_note(figure: Figure, label: str) -> None:
    """Write "stand-in data: `label`" across the foot of `figure`.

    For figures whose data are generated, or smaller than the real thing. An empty label (the data
    are the real ones) writes nothing.

    Examples
    --------
    >>> figure = new_figure()
    >>> stand_in_note(figure, "generated house sales")
    >>> figure.get_supxlabel()
    'stand-in data: generated house sales'
    """
    if not label:
        return
    # As the figure's super-label it takes part in the layout and covers nothing.
    figure.supxlabel(f"stand-in data: {label}", fontsize=12, color=VERMILION, style="italic")
