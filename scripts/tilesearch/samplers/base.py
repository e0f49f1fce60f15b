"""What all samplers share: the argument checks of a `QMCEngine` that draws designs."""

import numpy as np
from scipy.stats import qmc

#: the largest float below 1: what a coordinate that was rounded up to 1 becomes
BELOW_ONE = np.nextafter(1.0, 0.0)


def check_dimension(d, highest: int | None = None) -> None:
    """Raise ValueError unless `d` is an int from 1 to `highest`."""
    if isinstance(d, (bool, np.bool_)) or not isinstance(d, (int, np.integer)) or d < 1:
        raise ValueError(f"d is {d!r}, it must be an integer of at least 1")
    if highest is not None and d > highest:
        raise ValueError(f"d is {d}, it must be at most {highest}")


def check_count(n) -> None:
    """Raise ValueError unless `n` is an int of at least 1."""
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"n is {n!r}, it must be an integer of at least 1")


class Sampler(qmc.QMCEngine):
    """Base of the samplers: a `scipy.stats.qmc.QMCEngine` with checked arguments.

    A subclass implements ``_random(n, workers=1)`` and draws from ``self.rng``. Most samplers
    draw *sets*: the n points of one call belong together, and a second call draws a new set.

    Parameters
    ----------
    d : int
        Dimension, at least 1 and at most `highest_d` where a subclass sets one.
    rng : None, int or numpy.random.Generator
        Source of randomness, as in scipy.

    Raises
    ------
    ValueError
        If `d`, or the `n` of a call, is not a whole number in its range.

    Notes
    -----
    Class attributes say what a sampler promises, and the tests hold it to that:

    highest_d : int or None
        The highest dimension; None for no limit.
    uniform_marginals : bool
        True: over the randomness of the sampler, a coordinate of a point drawn at random from
        the set is uniform in [0, 1).
    continues : bool
        True: the points are a sequence, so that ``random(3)`` then ``random(2)`` gives the
        points of ``random(5)``. False: each call draws a new set.
    """

    highest_d: int | None = None
    uniform_marginals: bool = False
    continues: bool = False

    def __init__(self, d: int, *, rng=None):
        check_dimension(d, self.highest_d)
        super().__init__(d=d, rng=rng)

    def random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        """Draw `n` points.

        Parameters
        ----------
        n : int
            Number of points, at least 1.
        workers : int
            Ignored; part of scipy's interface.

        Returns
        -------
        ndarray, shape (n, d)
            Points in [0, 1).
        """
        check_count(n)
        return super().random(int(n), workers=workers)

    def fast_forward(self, n: int) -> "Sampler":
        """Skip `n` points of a sequence, or one set of `n` points; `n` is at least 1."""
        check_count(n)
        return super().fast_forward(int(n))
