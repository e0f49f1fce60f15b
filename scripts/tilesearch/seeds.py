"""Random streams seeded by name, never by the order of execution."""

import hashlib

import numpy as np


def seed_for(seed: int, *names: object) -> int:
    """Seed of the random stream that belongs to `names` in the study seeded with `seed`.

    The seed is the BLAKE2b hash of the study seed and the names, so it is the same on every
    machine, in every process and in any order of execution.

    Parameters
    ----------
    seed : int
        The study seed.
    *names : object
        What the stream belongs to, from the general to the particular, for example
        ``"housing", "d2", "rsa", 16, 3`` (problem, space, sampler, points, batch). Each is
        hashed by its `str`.

    Returns
    -------
    int
        A number in [0, 2**63).

    Examples
    --------
    >>> seed_for(1, "housing", "d2") == seed_for(1, "housing", "d2")
    True
    >>> seed_for(1, "housing", "d2") == seed_for(1, "housing", "d3")
    False
    """
    text = "\x1f".join(str(name) for name in (seed, *names))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def rng_for(seed: int, *names: object) -> np.random.Generator:
    """Random generator seeded with `seed_for(seed, *names)`.

    Examples
    --------
    >>> float(rng_for(1, "a").random()) == float(rng_for(1, "a").random())
    True
    """
    return np.random.default_rng(seed_for(seed, *names))
