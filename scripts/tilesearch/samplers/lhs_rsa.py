"""Latin hypercubes whose points keep a distance: LHS and RSA in one."""

from math import sqrt

import numpy as np
from numba import njit

from tilesearch.samplers.base import Sampler
from tilesearch.samplers.rsa import expected_diameter, largest_diameter
from tilesearch.samplers.voxels import STEP, _mix, _uniform

#: Proposals for a rook before another one is evicted.
TRIES = 32
#: Evictions, as a multiple of n, before a diameter counts as too large.
EVICTIONS = 8
# A point keeps this share of a cell away from the cell's edge, far above the rounding of x * n.
EDGE = 1e-9


@njit(cache=True, nogil=True)
def _place_rooks(n, d, diameter, key, tries, evictions):  # pragma: no cover - compiled
    """Place n rooks that keep the diameter; return their points and True if all found a place."""
    state = key
    points = np.empty((n, d))
    slices = np.empty((n, d), np.int64)  # of the placed rooks
    unused = np.empty((d, n), np.int64)  # the slices left on each axis, in front
    for k in range(d):
        unused[k] = np.arange(n)
    pick = np.empty(d, np.int64)
    point = np.empty(d)
    best_pick = np.empty(d, np.int64)
    best_point = np.empty(d)
    diameter2 = diameter * diameter
    placed = 0
    while placed < n:
        left = n - placed
        fewest = n + 1
        for _ in range(tries):
            for k in range(d):
                state += STEP
                pick[k] = min(int(_uniform(_mix(state)) * left), left - 1)
                state += STEP
                jitter = EDGE + (1.0 - 2.0 * EDGE) * _uniform(_mix(state))
                point[k] = (unused[k, pick[k]] + jitter) / n
            conflicts = 0
            for rook in range(placed):
                distance = 0.0
                for k in range(d):
                    distance += (point[k] - points[rook, k]) ** 2
                    if distance >= diameter2:
                        break
                if distance < diameter2:
                    conflicts += 1
                    if conflicts >= fewest:
                        break
            if conflicts < fewest:
                fewest = conflicts
                best_pick[:] = pick
                best_point[:] = point
            if conflicts == 0:
                break
        if fewest > evictions:
            return points, False
        if fewest > 0:
            # no place found: the proposal in the way of the fewest rooks takes their place; another
            # rook goes too, or the two would only take turns
            evictions -= fewest + 1
            state += STEP
            other = min(int(_uniform(_mix(state)) * placed), placed - 1)
            rook = placed - 1
            while rook >= 0:
                distance = 0.0
                for k in range(d):
                    distance += (best_point[k] - points[rook, k]) ** 2
                if distance < diameter2 or rook == other:
                    for k in range(d):
                        unused[k, n - placed] = slices[rook, k]
                    placed -= 1
                    points[rook] = points[placed]
                    slices[rook] = slices[placed]
                rook -= 1
        left = n - placed
        for k in range(d):
            # evicted slices were put behind the others, so that the pick still stands
            slices[placed, k] = unused[k, best_pick[k]]
            unused[k, best_pick[k]] = unused[k, left - 1]
            points[placed, k] = best_point[k]
        placed += 1
    return points, True


class LHSRSA(Sampler):
    """Latin hypercube by sequential addition of rooks that keep a distance.

    Every axis is cut into n equal slices, and each slice holds exactly one point. Rooks are put
    on the board one after the other: a proposal is uniform over the slices that are still unused
    on every axis, and over the cell where they cross; it is taken if it is at least
    ``2 * radius`` from all others.

    The last rooks have hardly a choice, and with pure sequential addition they would keep the
    radius small. So when a number of proposals has found no place, the one that is in the way of
    the fewest rooks is taken, and these and one more are evicted and placed anew later. The
    radius is the largest, by bisection, at which all n rooks find a place within a fixed number of
    evictions: 0.6 (8-d) to 0.9 (2-d) of that of RSA.

    Parameters
    ----------
    d : int
        Dimension, 1 to 8.
    tolerance : float
        Relative tolerance of the radius, in (0, 1).
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Attributes
    ----------
    radius : float or None
        Half of the distance that the points of the last draw keep, None before the first. For a
        single point half the diagonal of the cube.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Each of the n slices of an axis holds exactly one point, so that the marginals are uniform to
    1/n; within a slice the distances that are kept bend them a little. The time grows with n
    squared.

    Examples
    --------
    >>> from tilesearch.samplers.lhs_rsa import LHSRSA
    >>> points = LHSRSA(2, rng=1).random(8)
    >>> sorted((points[:, 1] * 8).astype(int).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """

    highest_d = 8

    def __init__(self, d: int, *, tolerance: float = 1e-2, rng=None):
        if not isinstance(tolerance, (int, float, np.number)) or not 0 < tolerance < 1:
            raise ValueError(f"tolerance is {tolerance!r}, it must lie between 0 and 1")
        super().__init__(d, rng=rng)
        self.tolerance = float(tolerance)
        self.radius = None

    def reset(self):
        """Reset the sampler to its state before the first draw."""
        self.radius = None
        return super().reset()

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        key = np.uint64(self.rng.integers(2**63))
        highest = largest_diameter(self.d, periodic=False)
        if n == 1:
            self.radius = highest / 2.0
            return _place_rooks(1, self.d, 0.0, key, TRIES, 0)[0]
        # A diameter of 0 always succeeds; spheres that saturate the cube leave rooks no room.
        low, points = 0.0, None
        high = min(1.2 * expected_diameter(n, self.d), highest)
        diameter = 0.6 * high
        while points is None or high > low * (1.0 + self.tolerance):
            attempt, complete = _place_rooks(n, self.d, diameter, key, TRIES, EVICTIONS * n)
            if complete:
                low, points = diameter, attempt
            else:
                high = diameter
            diameter = sqrt(low * high) if low > 0.0 else 0.7 * high
        self.radius = low / 2.0
        return points
