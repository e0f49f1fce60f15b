"""Low-discrepancy sequences and sets, each with a random scramble or shift.

For the use that this package makes of them, see Bousquet et al., Critical Hyper-Parameters: No
Random, No Cry, 2017, arXiv:1706.03200.
"""

from abc import abstractmethod

import numpy as np
from scipy.stats import qmc

from tilesearch.samplers.base import BELOW_ONE, Sampler


class _ScipySequence(Sampler):
    # A sequence of scipy's under the argument checks of this package.
    uniform_marginals = True
    continues = True

    def __init__(self, d: int, *, rng=None):
        super().__init__(d, rng=rng)
        self._engine = self._make_engine()

    @abstractmethod
    def _make_engine(self) -> qmc.QMCEngine:
        """The engine of scipy that draws the points."""

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        return np.minimum(self._engine.random(n), BELOW_ONE)

    def reset(self):
        """Go back to the first point of the sequence."""
        super().reset()
        self._engine.reset()
        return self


class Sobol(_ScipySequence):
    """Scrambled Sobol' sequence.

    `scipy.stats.qmc.Sobol` (linear matrix scramble and digital shift) for any n, without scipy's
    warning where n is no power of 2. The warning is about integration: only 2^m points hit every
    dyadic box of volume 2^-m equally often. A search asks for no such balance: any stretch of the
    sequence is a valid design of distinct points with uniform marginals, and n is set by the
    budget.

    Parameters
    ----------
    d : int
        Dimension, 1 to 21201.
    rng : None, int or numpy.random.Generator
        Source of the scramble.

    References
    ----------
    I. M. Sobol', USSR Comput. Math. Math. Phys. 7 (1967) 86-112. S. Joe & F. Y. Kuo, SIAM J. Sci.
    Comput. 30 (2008) 2635-2654.

    Examples
    --------
    >>> from tilesearch.samplers import Sobol
    >>> points = Sobol(2, rng=1).random(5)
    >>> sampler = Sobol(2, rng=1)
    >>> bool((np.concatenate([sampler.random(3), sampler.random(2)]) == points).all())
    True
    """

    highest_d = qmc.Sobol.MAXDIM

    def _make_engine(self) -> qmc.QMCEngine:
        return qmc.Sobol(self.d, scramble=True, rng=self.rng)

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        # scipy checks n only when it draws the first points. So the first point comes alone
        # (1 is a power of 2), which is thread-safe, unlike a filter on warnings.
        if self._engine.num_generated == 0 and n > 1:
            return np.concatenate([super()._random(1), super()._random(n - 1)])
        return super()._random(n)


class Halton(_ScipySequence):
    """Scrambled Halton sequence: `scipy.stats.qmc.Halton` with Owen's scramble.

    A. B. Owen, A randomized Halton algorithm in R, 2017, arXiv:1706.02808.

    Examples
    --------
    >>> from tilesearch.samplers import Halton
    >>> Halton(3, rng=1).random(4).shape
    (4, 3)
    """

    def _make_engine(self) -> qmc.QMCEngine:
        return qmc.Halton(self.d, scramble=True, rng=self.rng)


class Hammersley(Sampler):
    """Scrambled Hammersley set with a random shift.

    The first coordinate of point i is (i + u) / n with one u uniform in [0, 1) for the whole set;
    the other d - 1 coordinates are a scrambled Halton sequence. One axis is thus perfectly even.
    A set belongs to its n: a second call draws a new one.

    J. M. Hammersley, Ann. N.Y. Acad. Sci. 86 (1960) 844-874; with scramble and shift in Bousquet
    et al. 2017, arXiv:1706.03200.

    Examples
    --------
    >>> from tilesearch.samplers import Hammersley
    >>> points = Hammersley(2, rng=1).random(4)
    >>> (points[:, 0] * 4).astype(int).tolist()
    [0, 1, 2, 3]
    """

    uniform_marginals = True

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        points = np.empty((n, self.d))
        points[:, 0] = (np.arange(n) + self.rng.random()) / n
        if self.d > 1:
            points[:, 1:] = qmc.Halton(self.d - 1, scramble=True, rng=self.rng).random(n)
        return np.minimum(points, BELOW_ONE)


def generalised_golden_ratio(d: int) -> float:
    """The real root above 1 of x^(d+1) = x + 1.

    Examples
    --------
    >>> round(generalised_golden_ratio(1), 6), round(generalised_golden_ratio(2), 6)
    (1.618034, 1.324718)
    """
    root = 2.0
    # x = (1 + x)^(1 / (d + 1)) contracts by at least 1/2 a step, so 64 steps reach rounding.
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (d + 1))
    return root


class Rd(Sampler):
    """R_d sequence with a random shift.

    Point k = 0, 1, ... is u + (k + 1) (g^-1, ..., g^-d) modulo 1, with g the root above 1 of
    x^(d+1) = x + 1 (the golden ratio for d = 1) and u uniform in the cube. A lattice of low
    discrepancy that can be stopped anywhere.

    M. Roberts, The Unreasonable Effectiveness of Quasirandom Sequences, 2018,
    https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/

    Examples
    --------
    >>> from tilesearch.samplers import Rd
    >>> Rd(2, rng=1).random(3).shape
    (3, 2)
    """

    uniform_marginals = True
    continues = True

    def __init__(self, d: int, *, rng=None):
        super().__init__(d, rng=rng)
        self._step = generalised_golden_ratio(d) ** -np.arange(1.0, d + 1)
        self._shift = self.rng.random(d)

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        k = self.num_generated + np.arange(1, n + 1)[:, None]
        return np.minimum((self._shift + k * self._step) % 1.0, BELOW_ONE)
