"""Tabulated landscapes: a batch's loss on a fine lattice, from which any design is read.

A table costs as many trainings as the lattice has cells, however many designs are then compared:
a thousand replicates of every sampler and number of points, at no further training. The domain
is laid out with nodes, the outermost on its ends, where a grid has most of its points; a point gets
the loss of the model that was trained at the nearest node. An int axis that has room for it has one
node per value. Nothing is interpolated: the losses keep the noise of real
trainings, and a minimum over a design is the minimum of losses that models really had.

Further parameters may be coefficients of the odd polynomial (`PolynomialTable`), which change no
training: then the predictions are tabulated and the polynomial is applied on top.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from tilesearch.adaptive import ADAPTIVE, check_adaptive
from tilesearch.analysis.scores import usable
from tilesearch.problems.polynomial import COEFFICIENT_RANGE, unmangle
from tilesearch.samplers import make
from tilesearch.seeds import rng_for
from tilesearch.space import Parameter, Space, cells

#: Most numbers of one block of unmangling.
BLOCK = 2_000_000


def nodes(parameter: Parameter, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the nodes of one axis lie in [0, 1], and the borders between their cells.

    Returns
    -------
    places : ndarray, shape (n,)
        The middles of an int's values where each has a node; else even steps from 0 to 1.
    borders : ndarray, shape (n - 1,)

    Examples
    --------
    >>> places, borders = nodes(Parameter("rate", 0.0, 1.0), 3)
    >>> places.tolist(), borders.tolist()
    ([0.0, 0.5, 1.0], [0.25, 0.75])
    >>> nodes(Parameter("depth", 1, 2, "int"), 3)[0].tolist()
    [0.25, 0.75]
    """
    n = cells(parameter, levels)
    whole = parameter.type == "int" and parameter.scale == "linear"
    if n == 1 or (whole and n == int(parameter.high - parameter.low) + 1):
        return (np.arange(n) + 0.5) / n, np.arange(1, n) / n
    return np.linspace(0, 1, n), (np.arange(n - 1) + 0.5) / (n - 1)


def lattice(space: Space, levels: int) -> np.ndarray:
    """All nodes in the unit cube, the last axis running fastest.

    Parameters
    ----------
    space : Space
        The parameters that need a training.
    levels : int
        Cells per axis, at most.

    Returns
    -------
    ndarray, shape (m, d)

    Examples
    --------
    >>> space = Space("d2", (Parameter("rate", 0.0, 1.0), Parameter("depth", 1, 2, "int")))
    >>> lattice(space, 2).tolist()
    [[0.0, 0.25], [0.0, 0.75], [1.0, 0.25], [1.0, 0.75]]
    """
    axes = [nodes(parameter, levels)[0] for parameter in space.parameters]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, space.d)


def borders(space: Space, levels: int) -> tuple[np.ndarray, ...]:
    """Borders between the cells of every axis: a table's shape is one more than their numbers."""
    return tuple(nodes(parameter, levels)[1] for parameter in space.parameters)


def shape(edges: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Cells of every axis, from the `borders` between them."""
    return tuple(len(edge) + 1 for edge in edges)


def open_table(
    rows: pd.DataFrame, edges: Sequence[np.ndarray], coefficients: int = 0, target=None
) -> "LossTable | PolynomialTable":
    """The table of one batch, from the rows that were trained for it.

    Parameters
    ----------
    rows : DataFrame
        One row per cell in the order of `lattice`: ``loss``, ``status`` and, with coefficients,
        ``prediction``.
    edges : sequence of ndarray
        As `borders` gives them.
    coefficients : int
        Number of coefficients of the odd polynomial.
    target : tuple of (ndarray, float), optional
        With coefficients: the true target of the test part, and what it was divided by.

    Raises
    ------
    ValueError
        If the rows are not as many as the cells.
    """
    counts = shape(edges)
    if len(rows) != np.prod(counts):
        raise ValueError(
            f"the table has {len(rows)} rows for {np.prod(counts)} cells, delete it and start "
            "again: it is made anew"
        )
    if not coefficients:
        losses = rows["loss"].where(usable(rows)).to_numpy(float)
        return LossTable(losses.reshape(counts), tuple(edges))
    truth, scale = target
    lost = np.full(len(truth), np.nan)
    found = [p if ok else lost for p, ok in zip(rows["prediction"], usable(rows), strict=True)]
    predictions = np.array(found, dtype=float).reshape(*counts, len(truth))
    return PolynomialTable(predictions, truth, scale, coefficients, tuple(edges))


class Landscape(Protocol):
    """What gives the losses of points of the unit cube without a training."""

    def loss(self, unit: np.ndarray) -> np.ndarray:
        """Losses of points, shape (n, d) -> (n,)."""


def _cell(unit: np.ndarray, edges: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Index of the cell of every point, by axis."""
    unit = np.asarray(unit, dtype=float)
    return tuple(np.searchsorted(edge, unit[:, i], side="right") for i, edge in enumerate(edges))


def _even(counts: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Borders between cells of equal size."""
    return tuple(np.arange(1, n) / n for n in counts)


def cell_numbers(unit: np.ndarray, edges: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers of the cells of points, in the order of `lattice`; further columns do not count.

    Examples
    --------
    >>> cell_numbers(np.array([[0.1, 0.9], [0.9, 0.1]]), ([0.5], [0.3, 0.6])).tolist()
    [2, 3]
    """
    return np.ravel_multi_index(_cell(unit, edges), shape(edges))


@dataclass(frozen=True)
class LossTable:
    """Losses of one batch on the lattice.

    Parameters
    ----------
    losses : ndarray, shape of the cells
        As `lattice` orders them; NaN where a training failed. Further columns of a point are
        parameters without influence.
    edges : tuple of ndarray, optional
        Borders between the cells of every axis; by default the cells are of equal size.

    Examples
    --------
    >>> table = LossTable(np.array([3.0, 1.0]))
    >>> table.loss(np.array([[0.1], [0.9], [1.0]])).tolist()
    [3.0, 1.0, 1.0]
    """

    losses: np.ndarray
    edges: tuple[np.ndarray, ...] | None = None

    def loss(self, unit: np.ndarray) -> np.ndarray:
        """Losses of points, shape (n, d) -> (n,)."""
        return self.losses[_cell(unit, self.edges or _even(self.losses.shape))]


@dataclass(frozen=True)
class PolynomialTable:
    """Predictions of one batch on the lattice, scored with the coefficients of each point.

    The columns of a point are the trained parameters, then the coefficients, then parameters
    without influence.

    Parameters
    ----------
    predictions : ndarray, shape of the cells + (rows,)
        Predictions of the mangled target, which was scaled to [-1, 1] before.
    truth : ndarray, shape (rows,)
        The target of the test part in its own units.
    scale : float
        What the target was divided by.
    coefficients : int
        Number of coefficients.
    edges : tuple of ndarray, optional
        Borders between the cells of every axis; by default the cells are of equal size.
    """

    predictions: np.ndarray
    truth: np.ndarray
    scale: float
    coefficients: int
    edges: tuple[np.ndarray, ...] | None = None

    def loss(self, unit: np.ndarray) -> np.ndarray:
        """Mean squared errors of the unmangled predictions, shape (n, d) -> (n,)."""
        unit = np.asarray(unit, dtype=float)
        counts = self.predictions.shape[:-1]
        own = unit[:, len(counts) : len(counts) + self.coefficients]
        low, high = COEFFICIENT_RANGE
        searched = low + own * (high - low)
        mangled = self.predictions[_cell(unit, self.edges or _even(counts))]
        found = np.empty(len(unit))
        step = max(1, BLOCK // len(self.truth))
        for start in range(0, len(unit), step):
            part = slice(start, start + step)
            again = unmangle(mangled[part], searched[part, None, :]) * self.scale
            found[part] = np.mean((again - self.truth) ** 2, axis=1)
        return found


def _smallest(losses: np.ndarray) -> float:
    return float(np.nanmin(losses)) if np.isfinite(losses).any() else float("nan")


def replicates(
    tables: Mapping[int, Landscape],
    samplers: Iterable[str],
    sizes: Iterable[int],
    d: int,
    *,
    count: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Smallest tabulated loss of many designs of every sampler, size and batch.

    The same `count` designs are read from the table of every batch: drawing them is what costs
    time. So the mean over designs has, in each batch, the same draw of designs; the batch stays
    the unit of replication (`tilesearch.analysis.scores.scores` averages a batch's rows first).

    Parameters
    ----------
    tables : mapping of batch to Landscape
    samplers : iterable of str
    sizes : iterable of int
        Numbers of points.
    d : int
        Dimensions of the designs.
    count : int
        Designs of each sampler and size.
    seed : int

    Returns
    -------
    DataFrame
        One row per batch, sampler, size and replicate: ``batch``, ``sampler``, ``n``,
        ``replicate``, ``minimum``.

    Examples
    --------
    >>> found = replicates({0: LossTable(np.array([3.0, 1.0]))}, ["random"], [1], 1, count=4)
    >>> len(found), set(found["minimum"]) <= {1.0, 3.0}
    (4, True)
    """
    if count < 1:
        raise ValueError(f"count is {count}, give 1 or more")
    parts = []
    for sampler in samplers:
        for n in sizes:
            names = ("tabulated", sampler, d, n)
            drawn = [make(sampler, d, rng=rng_for(seed, *names, k)).random(n)
                     for k in range(count)]  # fmt: skip
            points = np.concatenate(drawn)
            for batch, table in tables.items():
                losses = table.loss(points).reshape(count, n)
                part = {
                    "batch": batch,
                    "sampler": sampler,
                    "n": n,
                    "replicate": np.arange(count),
                    "minimum": [_smallest(row) for row in losses],
                }
                parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def agreement(
    direct: pd.DataFrame,
    tabulated: pd.DataFrame,
    *,
    trained: int,
    table_trainings: int,
    baseline: str = "random",
) -> pd.DataFrame:
    """Do tabulated and direct minima agree? Paired differences over the same batches.

    Parameters
    ----------
    direct : DataFrame
        Columns ``batch``, ``sampler``, ``n`` and ``minimum``: one direct design each.
    tabulated : DataFrame
        As `replicates` returns it.
    trained, table_trainings : int
        Trainings of one batch: those of all direct designs, and those of its table.
    baseline : str
        The sampler that paired differences are taken to.

    Returns
    -------
    DataFrame
        One row per sampler and n: ``batches``, ``difference`` (mean over batches of
        log(direct) - mean of log(tabulated)), ``error`` (std / sqrt(batches)), ``z`` (their
        ratio), ``replicates``, ``saved`` (by which factor tabulating has fewer trainings than
        as many direct replicates), and ``direct_error`` and ``tabulated_error``: the standard
        errors over the batches of the paired difference to `baseline`, with one design a batch
        and with all replicates (0 for the baseline, NaN without one).

    Examples
    --------
    >>> direct = pd.DataFrame({"batch": [0, 1], "sampler": "rsa", "n": 4, "minimum": [1.0, 2.0]})
    >>> many = pd.DataFrame({"batch": [0, 1] * 2, "sampler": "rsa", "n": 4,
    ...     "minimum": [1.0, 2.0, 1.0, 2.0]})
    >>> agreement(direct, many, trained=10, table_trainings=5).iloc[0]["saved"].item()
    4.0
    """
    keys = ["batch", "sampler", "n"]
    counts = tabulated.groupby(keys).size().groupby(["sampler", "n"]).max()
    # Logarithms are averaged: that of a mean is larger, the more so the wider replicates scatter.
    logs = tabulated.assign(tabulated=np.log(tabulated["minimum"]))
    means = logs.groupby(keys, as_index=False)["tabulated"].mean()
    single = direct[[*keys, "minimum"]].assign(direct=np.log(direct["minimum"]))
    both = single.merge(means, on=keys)
    if both.empty:
        raise ValueError("no batch, sampler and n is in both tables, give tables of one space")
    both["difference"] = both["direct"] - both["tabulated"]
    table = both.groupby(["sampler", "n"], as_index=False)["difference"].agg(
        batches="count", difference="mean", std="std"
    )
    table["error"] = table.pop("std") / np.sqrt(table["batches"])
    # Equal designs differ by rounding only.
    error = table["error"].where(table["error"] > 1e-12)
    table["z"] = table["difference"] / error
    table["replicates"] = [counts[row.sampler, row.n] for row in table.itertuples()]
    table["saved"] = table["replicates"] * trained / table_trainings
    for column in ("direct", "tabulated"):
        table[f"{column}_error"] = _paired_errors(both, column, baseline, table)
    return table


def _paired_errors(both: pd.DataFrame, column: str, baseline: str, table: pd.DataFrame) -> list:
    """Standard error over batches of the difference of logarithms to the baseline, by row."""
    logs = both.pivot_table(index=["n", "batch"], columns="sampler", values=column)
    if baseline not in logs:
        return [float("nan")] * len(table)
    errors = logs.sub(logs[baseline], axis=0).groupby("n").sem()
    return [errors.loc[row.n, row.sampler] for row in table.itertuples()]


def adaptive(
    tables: Mapping[int, Landscape],
    sizes: Iterable[int],
    d: int,
    *,
    names: Iterable[str] = tuple(ADAPTIVE),
    count: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """What one gives up by fixing all points: Optuna's samplers, one trial after the other.

    One run of the largest size gives all smaller ones: an adaptive search of n trials is the
    beginning of a longer one. (Each has its own start-up phase of independent trials: 10.)

    Parameters
    ----------
    tables : mapping of batch to Landscape
    sizes : iterable of int
        Numbers of trials.
    d : int
    names : iterable of str
        Keys of `tilesearch.adaptive.ADAPTIVE`.
    count : int
        Runs of each sampler in each batch.
    seed : int

    Returns
    -------
    DataFrame
        Columns ``batch``, ``sampler``, ``n``, ``replicate``, ``minimum``.

    Raises
    ------
    InputError
        If a name is unknown, or its sampler needs a package that is not installed.
    """
    import optuna

    sizes = sorted(sizes)
    axes = {f"u{i + 1}": optuna.distributions.FloatDistribution(0, 1) for i in range(d)}
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = []
    try:
        for name in names:
            sampler = _adaptive_sampler(name)
            for batch, table in tables.items():
                for k in range(count):
                    stream = int(rng_for(seed, "adaptive", name, batch, k).integers(2**31))
                    found = np.minimum.accumulate(_search(table, sampler(stream), axes, sizes[-1]))
                    rows += [
                        {"batch": batch, "sampler": name, "n": n, "replicate": k,
                         "minimum": found[n - 1]}
                        for n in sizes
                    ]  # fmt: skip
    finally:
        optuna.logging.set_verbosity(level)
    return pd.DataFrame(rows)


def _adaptive_sampler(name: str) -> Callable:
    """What makes an Optuna sampler from a seed."""
    import optuna

    check_adaptive([name])
    chosen = {"tpe": optuna.samplers.TPESampler, "gp": optuna.samplers.GPSampler}[name]
    return lambda seed: chosen(seed=seed)


def _search(table: Landscape, sampler, axes: Mapping, trials: int) -> np.ndarray:
    """Losses of a search in the order of its trials; a failed training counts as infinite."""
    import optuna

    study = optuna.create_study(sampler=sampler)
    losses = []
    for _ in range(trials):
        trial = study.ask(dict(axes))
        unit = np.array([[trial.params[name] for name in axes]])
        loss = float(table.loss(unit)[0])
        if np.isfinite(loss):
            study.tell(trial, loss)
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        losses.append(loss if np.isfinite(loss) else np.inf)
    return np.array(losses)
