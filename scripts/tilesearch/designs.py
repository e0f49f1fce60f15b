"""Designs: the points that every sampler gives for every size and batch of a space."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from tilesearch.samplers import make
from tilesearch.seeds import rng_for
from tilesearch.space import Space
from tilesearch.study import SpaceStudy

#: Coordinates in the unit cube are the columns u1, u2, …
AXIS = "u"


def unit_columns(d: int) -> list[str]:
    """Names of the columns that hold the coordinates in the unit cube.

    >>> unit_columns(2)
    ['u1', 'u2']
    """
    return [f"{AXIS}{i + 1}" for i in range(d)]


def designs(space: SpaceStudy, batches: Iterable[int], seed: int) -> pd.DataFrame:
    """All designs of a space.

    The random stream of a design hangs on problem, space, sampler, N and batch, so that adding
    a sampler, a size or a batch leaves all other designs as they are.

    Parameters
    ----------
    space : SpaceStudy
    batches : iterable of int
    seed : int
        Study seed.

    Returns
    -------
    DataFrame
        One row a point: ``batch``, ``sampler``, ``resolution`` (nullable), ``n``, ``point``
        (from 0) and the coordinates ``u1`` … ``ud`` in [0, 1).
    """
    columns = unit_columns(space.d)
    tables = []
    for batch in batches:
        for sampler in space.samplers:
            for size in space.sizes:
                rng = rng_for(seed, space.problem, space.name, sampler, size.n, batch)
                points = make(sampler, space.d, rng=rng).random(size.n)
                table = pd.DataFrame(points, columns=columns)
                table.insert(0, "batch", batch)
                table.insert(1, "sampler", sampler)
                table.insert(2, "resolution", size.resolution)
                table.insert(3, "n", size.n)
                table.insert(4, "point", np.arange(size.n))
                tables.append(table.astype({"resolution": "Int64"}))
    return pd.concat(tables, ignore_index=True)


def keyed(points: pd.DataFrame, space: Space, problem: str) -> pd.DataFrame:
    """Keys and values of evaluations: the columns that stand before what was found.

    Parameters
    ----------
    points : DataFrame
        Rows of `designs`.
    space : Space
        Of as many dimensions as the points have coordinates.
    problem : str
        Name of the problem.

    Returns
    -------
    DataFrame
        One row a point: ``problem``, ``space``, ``d``, ``batch``, ``sampler``, ``resolution``,
        ``n``, ``point``, then the value of every parameter under its name.
    """
    table = points[["batch", "sampler", "resolution", "n", "point"]].reset_index(drop=True)
    table.insert(0, "problem", problem)
    table.insert(1, "space", space.name)
    table.insert(2, "d", space.d)
    values = pd.DataFrame(space.values(points[unit_columns(space.d)].to_numpy()))
    return pd.concat([table, values], axis=1)


def chunks(first_coordinate: np.ndarray, points_per_job: int) -> np.ndarray:
    """Training job of every point of one batch.

    The jobs are as even as they can be, but points that may share a training (those that agree in
    their first coordinate) stay together, so that no training is done twice. With one point per job
    every point is a job of its own.

    Parameters
    ----------
    first_coordinate : ndarray, shape (n,)
    points_per_job : int

    Returns
    -------
    ndarray of int, shape (n,)
        Numbers from 0 to ceil(n / points_per_job) - 1; a job may be larger than asked for, and
        the next one empty.

    Examples
    --------
    >>> chunks(np.array([0.5, 0.1, 0.5, 0.9]), 2).tolist()
    [0, 0, 0, 1]
    >>> chunks(np.array([0.5, 0.1, 0.6, 0.9]), 3).tolist()
    [0, 0, 1, 1]
    >>> chunks(np.array([0.5, 0.1, 0.5, 0.9]), 1).tolist()
    [1, 0, 2, 3]
    """
    order = np.argsort(first_coordinate, kind="stable")
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    if points_per_job > 1:
        _, group = np.unique(first_coordinate, return_inverse=True)
        first = np.full(group.max() + 1, len(rank))
        np.minimum.at(first, group, rank)
        rank = first[group]
    jobs = -(-len(rank) // points_per_job)
    return rank * jobs // len(rank)
