"""Blue noise by sample elimination."""

import numpy as np
from numba import njit

from tilesearch.samplers.base import Sampler
from tilesearch.samplers.rsa import BOUNDARIES, ball_volume, check_boundary

# Yuksel's constants
ALPHA, BETA, GAMMA = 8, 0.65, 1.5


@njit(cache=True, nogil=True)
def _change_weights(points, alive, weights, i, sign, low, high, periodic):  # pragma: no cover
    """Add (sign 1) or take away (-1) the weights between point `i` and the others alive."""
    m, d = points.shape
    high2 = high * high
    total = 0.0
    for j in range(m):
        if j == i or not alive[j]:
            continue
        distance2 = 0.0
        for k in range(d):
            gap = abs(points[i, k] - points[j, k])
            if periodic and gap > 0.5:
                gap = 1.0 - gap
            distance2 += gap * gap
            if distance2 >= high2:
                break
        if distance2 < high2:
            weight = (1.0 - max(np.sqrt(distance2), low) / high) ** ALPHA
            weights[j] += sign * weight
            total += weight
    return total


@njit(cache=True, nogil=True)
def _eliminate(points, n, low, high, periodic):  # pragma: no cover - compiled
    """Positions of the `n` points that are left when the heaviest is taken out again and again."""
    m = points.shape[0]
    alive = np.zeros(m, np.bool_)
    weights = np.zeros(m)
    for i in range(m):
        weights[i] = _change_weights(points, alive, weights, i, 1.0, low, high, periodic)
        alive[i] = True
    for _ in range(m - n):
        heaviest = -1
        for i in range(m):
            if alive[i] and (heaviest < 0 or weights[i] > weights[heaviest]):
                heaviest = i
        alive[heaviest] = False
        _change_weights(points, alive, weights, heaviest, -1.0, low, high, periodic)
    return np.flatnonzero(alive)


class BlueNoise(Sampler):
    """Blue-noise points by weighted sample elimination.

    Of `surplus` times n uniform points the one with the most and nearest neighbours is taken out,
    again and again, until n are left. A neighbour at distance x weighs (1 - x / (2 r))^8, where r
    is the radius of n spheres in the densest packing (d = 2, 3) or of n spheres that fill the cube
    (other d); distances below a share of it count as that share. Yuksel, Sample elimination for
    generating Poisson disk sample sets, Computer Graphics Forum 34 (2015) 25-32.

    Parameters
    ----------
    d : int
        Dimension, at least 1.
    surplus : int
        Number of candidates per point, at least 2.
    boundary : {"free", "periodic"}
        "periodic": distances are those on the torus.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    With a free boundary the points are denser near the faces, where neighbours are missing on one
    side; with a periodic one the marginals are uniform. The time grows with n squared.

    Examples
    --------
    >>> from scipy.spatial.distance import pdist
    >>> from tilesearch.samplers.blue_noise import BlueNoise
    >>> points = BlueNoise(2, rng=1).random(50)
    >>> points.shape, bool(pdist(points).min() > 0.08)
    ((50, 2), True)
    """

    def __init__(self, d: int, *, surplus: int = 5, boundary: str = BOUNDARIES[0], rng=None):
        check_boundary(boundary)
        if isinstance(surplus, bool) or not isinstance(surplus, (int, np.integer)) or surplus < 2:
            raise ValueError(f"surplus is {surplus!r}, it must be an integer of at least 2")
        super().__init__(d, rng=rng)
        self.surplus = int(surplus)
        self.boundary = boundary

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        candidates = self.rng.random((self.surplus * n, self.d))
        high = 2.0 * densest_radius(n, self.d)
        low = high * BETA * (1.0 - (1.0 / self.surplus) ** GAMMA)
        kept = _eliminate(candidates, n, low, high, self.boundary == "periodic")
        return candidates[kept]


def densest_radius(n: int, d: int) -> float:
    """Radius of `n` spheres in the unit cube at the density of the densest packing.

    That density is known for d = 2 and 3; elsewhere 1 is taken, as in Yuksel's paper (for d = 1
    that is exact).
    """
    if d == 2:
        return (1.0 / (2.0 * np.sqrt(3.0) * n)) ** 0.5
    if d == 3:
        return (1.0 / (4.0 * np.sqrt(2.0) * n)) ** (1.0 / 3.0)
    return (1.0 / (n * ball_volume(d))) ** (1.0 / d)
