"""Independent uniform points."""

import numpy as np

from tilesearch.samplers.base import Sampler


class Random(Sampler):
    """Independent uniform points, as in random search.

    Bergstra & Bengio, Random Search for Hyper-Parameter Optimization, JMLR 13 (2012) 281-305.

    Examples
    --------
    >>> from tilesearch.samplers import Random
    >>> Random(3, rng=1).random(4).shape
    (4, 3)
    """

    uniform_marginals = True

    def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
        return self.rng.random((n, self.d))
