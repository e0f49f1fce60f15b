"""Regular grids."""

import numpy as np

from tilesearch.samplers.base import BELOW_ONE, Sampler


def axis_values(levels: int, *, ends: bool = True) -> np.ndarray:
    """`levels` equally spaced positions in [0, 1).

    Parameters
    ----------
    levels : int
        Number of positions, at least 1.
    ends : bool
        True: from 0 to (the float below) 1, as `numpy.linspace`; one level alone is 0.5.
        False: the centres of `levels` equal cells.

    Returns
    -------
    ndarray, shape (levels,)
    """
    if ends and levels > 1:
        return np.minimum(np.linspace(0.0, 1.0, levels), BELOW_ONE)
    return (np.arange(levels) + 0.5) / levels


def levels_for(n: int, d: int) -> int:
    """The smallest number of levels R with R^d >= n, in exact integer arithmetic."""
    levels = max(1, round(n ** (1.0 / d)))
    while levels**d < n:
        levels += 1
    while levels > 1 and (levels - 1) ** d >= n:
        levels -= 1
    return levels


class Grid(Sampler):
    """Regular grid.

    For n = R^d these are the R^d points of the full grid, in lexicographic order. For any other
    n, the smallest full grid that holds n points is thinned by a seeded shuffle: n of its points
    are kept, drawn without replacement, still in lexicographic order.

    Parameters
    ----------
    d : int
        Dimension, 1 to 62 (the cells of a grid are counted in 64 bits).
    ends : bool
        True (default): the outermost points lie on the boundary, as in `numpy.linspace`.
        False: the points are the centres of R^d equal cells.
    rng : None, int or numpy.random.Generator
        Used for thinning only: for n = R^d every seed gives the same grid, so the marginals are
        not uniform.

    Examples
    --------
    >>> from tilesearch.samplers import Grid
    >>> Grid(2, ends=False).random(4).tolist()
    [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]
    """

    highest_d = 62

    def __init__(self, d: int, *, ends: bool = True, rng=None):
        if not isinstance(ends, bool):
            raise ValueError(f"ends is {ends!r}, it must be True or False")
        super().__init__(d, rng=rng)
        self.ends = ends

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        levels = levels_for(n, self.d)
        total = levels**self.d
        # `choice` never lists the cells it does not take: 2^30 of them cost no memory.
        cells = np.arange(n) if total == n else np.sort(self.rng.choice(total, n, replace=False))
        index = np.stack(np.unravel_index(cells, (levels,) * self.d), axis=1)
        return axis_values(levels, ends=self.ends)[index]
