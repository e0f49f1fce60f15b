"""What the data look like: example images of every class, an example event."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tilesearch.figures import style
from tilesearch.figures.results import say
from tilesearch.seeds import rng_for


def class_images(
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[object],
    problem: str,
    *,
    stand_in: str = "",
    seed: int = 0,
    each: int = 6,
) -> Figure:
    """Example images of every class, drawn at random: a column per class.

    Parameters
    ----------
    images : ndarray, shape (rows, height, width, channels)
        uint8, or floats in [0, 1]; one channel (grey) or three (RGB).
    labels : ndarray of int, shape (rows,)
        Positions in `classes`.
    classes : sequence
        Names of the classes.
    problem : str
    stand_in : str
        What stands in for the data; "" for the real ones.
    seed : int
    each : int
        Images per class, at most.

    Examples
    --------
    >>> images = np.zeros((4, 8, 8, 1))
    >>> len(class_images(images, np.array([0, 1, 1, 0]), ["a", "b"], "own", each=2).axes)
    4
    """
    rng = rng_for(seed, problem, "examples")
    with style.apply():
        figure = style.new_figure(max(1.25 * len(classes) + 0.4, 7), 1.25 * each + 1.6)
        grid = figure.subplots(each, len(classes), squeeze=False)
        for column, name in enumerate(classes):
            rows = np.flatnonzero(labels == column)
            chosen = rng.permutation(rows)[:each]
            for axes, row in zip(grid[:, column], chosen, strict=False):
                picture = images[row]
                grey = picture.shape[-1] == 1
                axes.imshow(
                    picture[..., 0] if grey else picture, cmap="gray" if grey else None,
                    vmin=0, vmax=255 if picture.dtype == np.uint8 else 1,
                )  # fmt: skip
            for axes in grid[:, column]:
                axes.set_axis_off()
            # A long name takes two lines: the columns are narrow.
            title = str(name).replace(" ", "\n")
            grid[0, column].set_title(f"{title}\n({len(rows)})", fontsize=12)
            if not len(chosen):
                say(grid[0, column], "no image")
        height, width = images.shape[1:3]
        figure.suptitle(f"{problem}: images of every class, {width} × {height} pixels")
        style.stand_in_note(figure, stand_in)
    return figure


def event(
    hits: np.ndarray, counts: np.ndarray, zenith: np.ndarray, metres: float, *, stand_in: str = ""
) -> Figure:
    """One event in the detector: the sensors that saw light, coloured by time.

    The event with the most hits is shown (the first of them), over all sensors that were ever
    hit; the size of a dot grows with its charge.

    Parameters
    ----------
    hits : ndarray, shape (events, hits, 5)
        x, y, z and time in units of `metres`, logarithm of the charge to base 10.
    counts : ndarray of int, shape (events,)
        How many rows of an event are hits.
    zenith : ndarray, shape (events,)
        Angle in radians.
    metres : float
        The unit of length.
    stand_in : str

    Examples
    --------
    >>> hits = np.random.default_rng(1).normal(size=(2, 4, 5))
    >>> len(event(hits, np.array([4, 3]), np.array([1.0, 2.0]), 400.0).axes)
    2
    """
    chosen = int(np.argmax(counts))
    seen = hits[chosen, : counts[chosen]]
    real = np.arange(hits.shape[1]) < counts[:, None]
    sensors = np.unique(hits[..., :3][real].round(4), axis=0) * metres
    x, y, z = (seen[:, i] * metres for i in range(3))
    # Times are the way of light in units of length; light goes 0.299792458 metres in 1 ns.
    time = (seen[:, 3] - seen[:, 3].min()) * metres / 0.299792458
    angle = np.degrees(zenith[chosen])
    with style.apply():
        figure = style.new_figure(8.5, 7)
        axes = figure.add_subplot(projection="3d")
        axes.scatter(*sensors.T, s=2, color="#BBBBBB", alpha=0.5, depthshade=False)
        dots = axes.scatter(
            x, y, z, c=time, s=45 + 120 * np.clip(seen[:, 4], 0, None), cmap="plasma",
            edgecolors="black", linewidths=0.5, depthshade=False,
        )  # fmt: skip
        axes.set(xlabel="x (m)", ylabel="y (m)")
        axes.set_zlabel("z (m)")
        axes.set_box_aspect(None, zoom=0.9)
        figure.colorbar(dots, ax=axes, label="time after the first hit (ns)", shrink=0.65, pad=0.1)
        axes.set_title(
            f"icecube: an event of {counts[chosen]} hits, zenith {angle:.0f}°\n"
            f"grey: the {len(sensors):,} sensors that any event hit",
            fontsize=14,
        )
        style.stand_in_note(figure, stand_in)
    return figure
