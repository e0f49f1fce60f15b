"""How much a study asks for: points, trainings after sharing, jobs, hours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import exp, log, prod

from tilesearch.batches import parse_size
from tilesearch.samplers.grid import axis_values
from tilesearch.space import cells
from tilesearch.study import ProblemStudy, SpaceStudy, Study

#: Samplers whose points lie on a lattice, with the place of its outermost points.
LATTICES = {"grid": True, "grid-centred": False}


@dataclass(frozen=True)
class Row:
    """Counts of one space over all its batches.

    Parameters
    ----------
    problem, space : str
    d, batches : int
    points : dict of Size to int
        Trainings asked for, by size of design: samplers × N × batches.
    trained : int
        Models that are really trained, after points that share a training are counted once.
    jobs : int
        Training jobs.
    hours : float
        Estimate on one core, NaN where no seconds per training are known.
    """

    problem: str
    space: str
    d: int
    batches: int
    points: dict
    trained: int
    jobs: int
    hours: float

    @property
    def total(self) -> int:
        """Trainings asked for, over all sizes."""
        return sum(self.points.values())


def trainings(space: SpaceStudy, trained: Iterable[str]) -> int:
    """Models trained in one batch, if equal trained parameters share one training.

    A grid repeats its trained parameters for every value of the others, and grids of different
    resolution share points. The points of every other sampler are all different (an int
    parameter may still make some of them equal, which is not counted here). A table has one
    training per cell, whatever the designs.

    Parameters
    ----------
    space : SpaceStudy
    trained : iterable of str
        Parameters that change a training.

    Examples
    --------
    >>> from tilesearch.space import Parameter, Space
    >>> from tilesearch.study import Size, SpaceStudy
    >>> axes = tuple(Parameter(name, 0.0, 1.0) for name in ("rate", "depth", "c1"))
    >>> study = SpaceStudy(
    ...     "housing", "d3", Space("d3", axes), ("rate", "depth"), ("c1",), (), ("grid",),
    ...     (Size(5**3, 5),), 1000,
    ... )
    >>> study.points, trainings(study, ("rate", "depth"))
    (125, 25)
    """
    if space.levels is not None:
        return prod(cells(p, space.levels) for p in space.table_space.parameters)
    axes = sum(name in trained for name in space.searched)
    total = 0
    for sampler in space.samplers:
        lattice: set = set()
        for size in space.sizes:
            if sampler in LATTICES and size.resolution:
                levels = axis_values(size.resolution, ends=LATTICES[sampler]).tolist()
                lattice |= set(product(levels, repeat=axes))
            else:
                total += size.n
        total += len(lattice)
    return total


def mean_rows(problem: ProblemStudy) -> float | None:
    """Mean number of rows of a batch; None where the data's size decides (size: equal)."""
    name, numbers = parse_size(problem.settings["batches"]["size"])
    if not numbers:
        return None
    return sum(numbers) / 2 if name == "uniform" else numbers[0]


def seconds_at(rows: float | None, measured: Mapping[float, float]) -> float:
    """Seconds of one training on one core at a batch size.

    Parameters
    ----------
    rows : float or None
        Rows of the batch; None takes the largest measured size.
    measured : mapping of rows to seconds
        A power of the rows is laid through the smallest and the largest size; with one size,
        seconds grow in proportion.

    Returns
    -------
    float
        NaN if nothing was measured.

    Examples
    --------
    >>> round(seconds_at(2000, {1000: 0.1, 10000: 1.0}), 3)
    0.2
    """
    if not measured:
        return float("nan")
    small, large = min(measured), max(measured)
    power = log(measured[large] / measured[small]) / log(large / small) if small < large else 1.0
    return measured[large] * exp(power * log((rows or large) / large))


def count(study: Study, seconds: Mapping[str, Mapping[float, float]]) -> list[Row]:
    """Counts of every space of a study.

    Parameters
    ----------
    study : Study
    seconds : mapping of kind to mapping of rows to seconds
        Measured seconds of one training on one core.

    Returns
    -------
    list of Row
    """
    rows = []
    for problem in study.problems.values():
        batches = len(problem.batches)
        kind = problem.settings["kind"]
        each = seconds_at(mean_rows(problem), seconds.get(kind, {}))
        for space in problem.spaces.values():
            points = {size: len(space.samplers) * size.n * batches for size in space.sizes}
            trained = trainings(space, problem.kind.trained) * batches
            hours = trained * each / 3600
            jobs = (space.chunks if space.levels is None else 1) * batches
            rows.append(
                Row(problem.name, space.name, space.d, batches, points, trained, jobs, hours)
            )
    return rows


def as_text(rows: list[Row]) -> str:
    """The counts as a table, one line a space, and a line of sums.

    Columns: trainings by resolution (or number of points), their sum, models really trained,
    training jobs, hours on one core.
    """
    sizes = sorted({size for row in rows for size in row.points}, key=_order)
    header = ["problem", "space", "d", "batches"]
    header += [f"R={s.resolution}" if s.resolution else f"N={s.n}" for s in _by_label(sizes)]
    header += ["trainings", "trained", "jobs", "core hours"]
    labels = [_label(s) for s in _by_label(sizes)]
    lines = [header]
    for row in rows:
        cells = {_label(size): value for size, value in row.points.items()}
        lines.append(
            [row.problem, row.space, str(row.d), str(row.batches)]
            + [f"{cells[label]:,}" if label in cells else "" for label in labels]
            + [f"{row.total:,}", f"{row.trained:,}", f"{row.jobs:,}", _hours(row.hours)]
        )
    known = [row.hours for row in rows if row.hours == row.hours]
    sums = [sum(row.total for row in rows), sum(row.trained for row in rows)]
    sums.append(sum(row.jobs for row in rows))
    missing = "" if len(known) == len(rows) else " (in part)"
    lines.append(
        ["sum", "", "", ""]
        + [""] * len(labels)
        + [f"{value:,}" for value in sums]
        + [_hours(sum(known)) + missing]
    )
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    rows_of_text = []
    for line in lines:
        cells = [
            c.ljust(w) if i < 2 else c.rjust(w)
            for i, (c, w) in enumerate(zip(line, widths, strict=True))
        ]
        rows_of_text.append("  ".join(cells).rstrip())
    return "\n".join(rows_of_text)


def _label(size) -> str:
    return f"R={size.resolution}" if size.resolution else f"N={size.n}"


def _order(size) -> tuple:
    return (size.resolution is None, size.resolution or size.n)


def _by_label(sizes: list) -> list:
    """One size per column: R = 2 is one column, whatever N it gives in each dimension."""
    return list({_label(size): size for size in sizes}.values())


def _hours(hours: float) -> str:
    return "unknown" if hours != hours else f"{hours:.2f}" if hours < 10 else f"{hours:.0f}"
