"""Latin hypercubes: plain, optimised for discrepancy, optimised for separation."""

import numpy as np
from numba import njit
from scipy.stats import qmc

from tilesearch.samplers.base import BELOW_ONE, Sampler

OPTIMIZATIONS = (None, "random-cd")

# The annealing of small designs is so fast that it gets this many swaps at least.
FEWEST_SWAPS = 50_000


class LHS(Sampler):
    """Latin hypercube: each of the n slices of every axis holds exactly one point.

    `scipy.stats.qmc.LatinHypercube` under the argument checks of this package.

    Parameters
    ----------
    d : int
        Dimension.
    optimization : {None, "random-cd"}
        "random-cd": scipy swaps coordinates at random and keeps what lowers the centred
        discrepancy. (Its "lloyd" is not offered: it would leave the slices.)
    rng : None, int or numpy.random.Generator
        Source of randomness.

    References
    ----------
    M. D. McKay, R. J. Beckman & W. J. Conover, Technometrics 21 (1979) 239-245. G. Damblin,
    M. Couplet & B. Iooss, J. Simulation 7 (2013) 276-289 (optimised).

    Examples
    --------
    >>> from tilesearch.samplers import LHS
    >>> points = LHS(2, rng=1).random(5)
    >>> sorted((points[:, 0] * 5).astype(int).tolist())
    [0, 1, 2, 3, 4]
    """

    uniform_marginals = True

    def __init__(self, d: int, *, optimization: str | None = None, rng=None):
        if optimization not in OPTIMIZATIONS:
            raise ValueError(f"optimization is {optimization!r}, it must be None or 'random-cd'")
        super().__init__(d, rng=rng)
        self.optimization = optimization

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        engine = qmc.LatinHypercube(self.d, optimization=self.optimization, rng=self.rng)
        return np.minimum(engine.random(n), BELOW_ONE)


@njit(cache=True, fastmath=True)
def _energies(points, row, axis, value, out):
    # out[k] = distance(row, k)^-16, with coordinate `axis` of `row` set to `value`; 0 for k = row.
    # 16: even, so that squaring takes the place of powers, and high enough that the closest
    # pairs decide.
    d, n = points.shape
    out[:] = 0.0
    for a in range(d):
        x = value if a == axis else points[a, row]
        for k in range(n):
            out[k] += (points[a, k] - x) ** 2
    out[row] = 1.0
    for k in range(n):
        inverse = 1.0 / max(out[k], 1e-30)
        inverse *= inverse
        inverse *= inverse
        inverse *= inverse
        out[k] = inverse
    out[row] = 0.0


@njit(cache=True)
def _total_energy(points, row_energy, buffer):
    # Sum over pairs of distance^-16; row_energy[i] becomes the part of row i.
    n = points.shape[1]
    for i in range(n):
        _energies(points, i, 0, points[0, i], buffer)
        row_energy[i] = buffer.sum()
    return row_energy.sum() / 2.0


@njit(cache=True)
def _anneal(points, axes, rows, others, thresholds):
    # Swap coordinates in place; `thresholds` hold the rise of log(sum) that each step may take.
    n = points.shape[1]
    row_energy, buffer = np.empty(n), np.empty(n)
    new_i, new_j, old_i, old_j = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    total = _total_energy(points, row_energy, buffer)
    best, best_total = points.copy(), total
    for step in range(axes.size):
        a, i, j = axes[step], rows[step], others[step]
        x_i, x_j = points[a, i], points[a, j]
        _energies(points, i, a, x_j, new_i)
        _energies(points, j, a, x_i, new_j)
        # A swap leaves the distance of the two rows as it is; the arrays still hold the old
        # position of the other row.
        pair = 0.0
        for b in range(points.shape[0]):
            pair += (points[b, i] - points[b, j]) ** 2
        pair = max(pair, 1e-30) ** -8
        new_i[j] = pair
        new_j[i] = pair
        rise = new_i.sum() + new_j.sum() - row_energy[i] - row_energy[j]
        if total + rise <= 0.0 or np.log1p(rise / total) < thresholds[step]:
            _energies(points, i, a, x_i, old_i)
            _energies(points, j, a, x_j, old_j)
            row_energy += new_i + new_j - old_i - old_j
            row_energy[i] = new_i.sum()
            row_energy[j] = new_j.sum()
            points[a, i], points[a, j] = x_j, x_i
            total += rise
            if total <= 0.0 or step % n == 0:
                # Running sums lose digits when a huge term leaves them.
                total = _total_energy(points, row_energy, buffer)
            if total < best_total:
                best_total = total
                best[:] = points
    points[:] = best


class MaximinLHS(Sampler):
    """Latin hypercube whose smallest distance between two points is made large.

    A plain Latin hypercube fixes n values per axis, one in each slice; simulated annealing then
    swaps values between points along one axis, so the hypercube stays Latin and its marginals
    uniform. What falls is phi_p = (sum over pairs of distance^-p)^(1/p) with p = 16, which
    follows the smallest distance (Morris & Mitchell 1995). A swap that raises p log(phi_p)
    by less than -T log(u), u uniform, is taken; T falls geometrically. One of the two points of a
    swap is taken at random, so is the other; the best design on the way is returned. The number
    of swaps tried is `effort` n d, and at least 50,000.

    Parameters
    ----------
    d : int
        Dimension.
    effort : int
        Swaps tried per coordinate of the design, at least 1.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Notes
    -----
    The time grows as effort n^2 d^2.

    References
    ----------
    M. D. Morris & T. J. Mitchell, Exploratory designs for computational experiments, J. Stat.
    Plan. Inference 43 (1995) 381-402. R. Jin, W. Chen & A. Sudjianto, J. Stat. Plan. Inference
    134 (2005) 268-287 (swaps along one axis, updates of phi_p).

    Examples
    --------
    >>> from tilesearch.samplers import MaximinLHS
    >>> points = MaximinLHS(2, rng=1).random(6)
    >>> sorted((points[:, 1] * 6).astype(int).tolist())
    [0, 1, 2, 3, 4, 5]
    """

    uniform_marginals = True

    def __init__(self, d: int, *, effort: int = 200, rng=None):
        if isinstance(effort, bool) or not isinstance(effort, (int, np.integer)) or effort < 1:
            raise ValueError(f"effort is {effort!r}, it must be an integer of at least 1")
        super().__init__(d, rng=rng)
        self.effort = int(effort)

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        points = qmc.LatinHypercube(self.d, rng=self.rng).random(n)
        if self.d > 1 and n > 2:
            columns = np.ascontiguousarray(points.T)
            _anneal(columns, *self._proposals(n))
            points = np.ascontiguousarray(columns.T)
        return np.minimum(points, BELOW_ONE)

    def _proposals(self, n: int) -> tuple[np.ndarray, ...]:
        steps = max(self.effort * n * self.d, FEWEST_SWAPS)
        # In units of log(sum of distance^-16). The sum is over more pairs the more points there
        # are, and the best start found by trial falls about as 1 / n; the end is next to nothing.
        hot = min(1.0, 30.0 / n)
        temperatures = hot * 1e-3 ** (np.arange(steps) / steps)
        axes = self.rng.integers(self.d, size=steps)
        rows = self.rng.integers(n, size=steps)
        others = (rows + self.rng.integers(1, n, size=steps)) % n
        return axes, rows, others, -temperatures * np.log1p(-self.rng.random(steps))
