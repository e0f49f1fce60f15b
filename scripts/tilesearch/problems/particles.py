"""Images of particles as a microscope sees them in melted ice cores: drawn, not photographed.

The images stand in for the ice-core insolubles, whose photographs are not public as a whole: dark
bodies before a bright field, out of focus by a random amount, in five classes that differ by the
outline and by the pattern inside it. Nothing in them is measured; they only have to be a task of
the same kind: some classes are told apart at a glance, others (a shard and a grain of dust) only
by corners and size.
"""

import numpy as np
from scipy import ndimage

from tilesearch.errors import InputError

CLASSES = ("ash shard", "mineral dust", "pollen", "fibre", "diatom")
CHUNK = 512  # images drawn at a time: bounds the memory whatever the number asked for


def _column(values: np.ndarray) -> np.ndarray:
    """One number per image, shaped to broadcast over its pixels."""
    return values[:, None, None]


def _frames(rng: np.random.Generator, n: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of all pixels in the frame of each particle: shifted, turned and
    magnified at random."""
    axis = (np.arange(size) + 0.5) * 2 / size - 1
    zoom = _column(rng.uniform(0.6, 0.9, n))
    x = zoom * (axis[None, None, :] - _column(rng.uniform(-0.2, 0.2, n)))
    y = zoom * (axis[None, :, None] - _column(rng.uniform(-0.2, 0.2, n)))
    turn = _column(rng.uniform(0, 2 * np.pi, n))
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)


def _texture(rng: np.random.Generator, n: int, size: int, grain: float) -> np.ndarray:
    """Noise of unit variance that is smooth over `grain` pixels, apart for each image."""
    noise = ndimage.gaussian_filter(rng.standard_normal((n, size, size)), (0, grain, grain))
    return noise / noise.std()


def _shards(rng, u, v):
    """Polygons of straight edges; every other one broken along a gas bubble."""
    n, size = len(u), u.shape[-1]
    sides = rng.integers(3, 7, n)
    radius = rng.uniform(0.22, 0.48, n)
    stretch = rng.uniform(1.0, 1.8, n)
    v = v * _column(stretch)
    distance = np.full(u.shape, -np.inf)
    for side in range(6):
        # Gaps stay below half a turn, so that every polygon is closed; one of fewer sides cuts
        # some of its corners a second time.
        angle = 2 * np.pi * (side % sides) / sides + rng.uniform(-0.3, 0.3, n)
        reach = radius * rng.uniform(0.7, 1.0, n)
        edge = u * _column(np.cos(angle)) + v * _column(np.sin(angle)) - _column(reach)
        distance = np.maximum(distance, edge)
    bubble = _column(rng.uniform(0.2, 0.4, n)) - np.hypot(
        u - _column(radius + rng.uniform(-0.05, 0.15, n)), v
    )
    broken = _column(rng.random(n) < 0.5)
    distance = np.where(broken, np.maximum(distance, bubble), distance)
    return distance, 0.65 + 0.2 * _texture(rng, n, size, size / 20)


def _dust(rng, u, v):
    """Small rough grains: a circle whose radius wavers with the angle."""
    n, size = len(u), u.shape[-1]
    angle = np.arctan2(v, u)
    outline = np.ones_like(u)
    for order in range(2, 8):
        height = _column(rng.uniform(0.0, 0.5 / order, n))
        outline += height * np.cos(order * angle + _column(rng.uniform(0, 2 * np.pi, n)))
    distance = np.hypot(u, v) - _column(rng.uniform(0.12, 0.34, n)) * outline
    return distance, 0.7 + 0.2 * _texture(rng, n, size, size / 32)


def _pollen(rng, u, v):
    """Spheres with a dark wall and a clear inside; most of them carry spines."""
    n = len(u)
    r, angle = np.hypot(u, v), np.arctan2(v, u)
    radius = _column(rng.uniform(0.2, 0.45, n))
    spines = _column(rng.integers(7, 15, n))
    height = _column(rng.uniform(0.05, 0.3, n) * (rng.random(n) < 0.7))
    distance = r - radius * (1 + height * (0.5 + 0.5 * np.cos(spines * angle)) ** 3)
    wall = np.exp(-(((r - 0.9 * radius) / (0.15 * radius)) ** 2))
    return distance, 0.35 + 0.5 * wall


def _fibres(rng, u, v):
    """Long thin bent threads, of clothing or of a filter."""
    n = len(u)
    bend, wave = _column(rng.uniform(-0.5, 0.5, n)), _column(rng.uniform(0, 0.12, n))
    phase = _column(rng.uniform(0, 2 * np.pi, n))
    middle = bend * u**2 + wave * np.sin(4 * u + phase)
    slope = 2 * bend * u + 4 * wave * np.cos(4 * u + phase)
    across = np.abs(v - middle) / np.sqrt(1 + slope**2) - _column(rng.uniform(0.03, 0.09, n))
    along = np.abs(u) - _column(rng.uniform(0.4, 1.0, n))
    return np.maximum(across, along), np.full_like(u, 0.6)


def _diatoms(rng, u, v):
    """Boat-shaped shells of glass: a thin wall, a rib along the middle and regular stripes."""
    n = len(u)
    length = _column(rng.uniform(0.35, 0.7, n))
    width = length * _column(rng.uniform(0.25, 0.7, n))
    distance = (np.hypot(u / length, v / width) - 1) * width
    stripes = np.cos(u * _column(rng.uniform(14, 24, n)) + _column(rng.uniform(0, 2 * np.pi, n)))
    wall = np.exp(-((distance / (0.2 * width)) ** 2))
    rib = np.exp(-((v / (0.12 * width)) ** 2))
    return distance, 0.3 + 0.15 * stripes + 0.35 * np.maximum(wall, rib)


_BODIES = (_shards, _dust, _pollen, _fibres, _diatoms)


def _draw(rng: np.random.Generator, label: int, n: int, size: int) -> np.ndarray:
    """`n` images of one class: (n, size, size), grey values in [0, 1]."""
    distance, darkness = _BODIES[label](rng, *_frames(rng, n, size))
    blur = _column(rng.uniform(0.3, 1.2, n)) / size
    cover = 1 / (1 + np.exp(np.clip(distance / blur, -40, 40)))
    tilt = _column(rng.uniform(-0.1, 0.1, n)) * np.linspace(-1, 1, size)[None, :, None]
    field = _column(rng.uniform(0.65, 0.9, n)) + tilt
    contrast = _column(rng.uniform(0.5, 0.9, n))
    noise = _column(rng.uniform(0.01, 0.05, n)) * rng.standard_normal(cover.shape)
    return np.clip(field * (1 - contrast * cover * darkness) + noise, 0, 1)


def particle_images(
    rows: int, size: int, seed: int, mislabelled: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw grey images of five kinds of particles, as many of each kind.

    Parameters
    ----------
    rows : int
        Number of images, 1 or more.
    size : int
        Pixels per side, 8 or more.
    seed : int
        Seed; the same seed, rows and size give the same images.
    mislabelled : float
        Share of images, in [0, 1), whose label is drawn anew at random, as if the expert who
        sorted them had not been sure.

    Returns
    -------
    images : ndarray of float32, shape (rows, size, size)
        Grey values in [0, 1]; the field is bright, the particles are dark.
    labels : ndarray of int64, shape (rows,)
        Positions in `CLASSES`; counts differ by at most one (before mislabelling).

    Raises
    ------
    InputError
        If an argument lies outside its range.

    Examples
    --------
    >>> images, labels = particle_images(10, 32, seed=1)
    >>> images.shape, sorted(labels.tolist())
    ((10, 32, 32), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    """
    if rows < 1:
        raise InputError(f"stand_in.rows is {rows}, it must be 1 or more")
    if size < 8:
        raise InputError(f"image_size is {size}, it must be 8 or more to show a particle")
    if not 0 <= mislabelled < 1:
        raise InputError(f"stand_in.mislabelled is {mislabelled}, it must lie in [0, 1)")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % len(CLASSES))
    images = np.empty((rows, size, size), np.float32)
    for label in range(len(CLASSES)):
        places = np.flatnonzero(labels == label)
        for start in range(0, len(places), CHUNK):
            chunk = places[start : start + CHUNK]
            images[chunk] = _draw(rng, label, len(chunk), size)
    unsure = rng.random(rows) < mislabelled
    labels[unsure] = rng.integers(0, len(CLASSES), unsure.sum())
    return images, labels
