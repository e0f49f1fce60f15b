"""Batches: random parts of a data set, each split into train, validation and test."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tilesearch.errors import InputError
from tilesearch.seeds import rng_for

PARTS = ("train", "validation", "test")
#: More rows than any table here; beyond it a typing error is likelier.
MOST_ROWS = 10**12
SIZE = re.compile(r"^(normal|uniform|equal)(?:\(([^)]*)\))?$")


def parse_size(text: str) -> tuple[str, list[float]]:
    """Distribution of the batch sizes and its numbers.

    Parameters
    ----------
    text : str
        ``normal(mean, sd)``, ``uniform(low, high)``, ``equal(rows)``, or ``equal``: all rows
        shared out evenly.

    Raises
    ------
    InputError
        If the text is none of these, or a number is out of range.

    Examples
    --------
    >>> parse_size("normal(1000, 100)")
    ('normal', [1000.0, 100.0])
    """
    wanted = {"normal": (2,), "uniform": (2,), "equal": (0, 1)}
    match = SIZE.match(text.replace(" ", ""))
    try:
        name = match[1]
        numbers = [float(v) for v in match[2].split(",")] if match[2] else []
        if len(numbers) not in wanted[name] or not np.isfinite(numbers).all():
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"batches.size is '{text}', write normal(mean, sd), uniform(low, high), "
            "equal(rows) or equal"
        ) from None
    if name == "normal" and not (numbers[0] >= 1 and numbers[1] >= 0):
        raise InputError(f"batches.size is '{text}', the mean must be >= 1 and the sd >= 0")
    if name == "uniform" and not 1 <= numbers[0] <= numbers[1]:
        raise InputError(f"batches.size is '{text}', it must be 1 <= low <= high")
    if name == "equal" and numbers and numbers[0] < 1:
        raise InputError(f"batches.size is '{text}', rows must be >= 1")
    if name != "normal" and any(number != int(number) for number in numbers):
        raise InputError(f"batches.size is '{text}', rows must be whole numbers")
    if any(number > MOST_ROWS for number in numbers):
        raise InputError(f"batches.size is '{text}', at most {MOST_ROWS:.0e} rows are possible")
    return name, numbers


def sizes(size: str, number: int, rows: int, seed: int, *names: object) -> np.ndarray:
    """Sizes of `number` batches of a data set of `rows` rows, each at least 1.

    The size of a batch hangs on the seed and its own number only: a study of more batches
    keeps the sizes of the first ones.
    """
    distribution, numbers = parse_size(size)
    if distribution == "equal":
        return np.full(number, int(numbers[0]) if numbers else rows // number)
    drawn = []
    for batch in range(number):
        rng = rng_for(seed, *names, "size", batch)
        if distribution == "normal":
            drawn.append(round(rng.normal(*numbers)))
        else:
            drawn.append(int(rng.integers(numbers[0], numbers[1], endpoint=True)))
    return np.maximum(drawn, 1)


def check(settings: Mapping, rows: int, seed: int, problem: str) -> np.ndarray:
    """Sizes of the batches, if the data set has rows enough for them.

    Parameters
    ----------
    settings : mapping
        Section `batches`: ``number``, ``size``, ``overlap``, ``fractions``.
    rows : int
        Rows of the data set.
    seed : int
        Study seed.
    problem : str
        Name of the problem.

    Returns
    -------
    ndarray of int, shape (number,)

    Raises
    ------
    InputError
        If more rows are asked for than there are (in all where batches are disjoint, in one
        batch where they overlap), or a part of a batch would be empty.
    """
    drawn = sizes(settings["size"], settings["number"], rows, seed, problem)
    if drawn.min() < 1:  # only `equal` shares out fewer rows than batches
        raise InputError(
            f"problems.{problem}.batches.number is {settings['number']}, but the data has {rows} "
            "rows, ask for fewer batches"
        )
    asked = int(drawn.max() if settings["overlap"] else drawn.sum())
    if asked > rows:
        what = "a batch" if settings["overlap"] else f"the {settings['number']} batches"
        raise InputError(
            f"problems.{problem}.batches: {what} of size {settings['size']} ask for {asked} rows "
            f"and the data has {rows}, ask for fewer or smaller batches"
            + ("" if settings["overlap"] else " or set overlap: true")
        )
    # Every size, not only the smallest: the rounding of the parts is not monotone.
    for size in np.unique(drawn).tolist():
        counts = part_counts(size, settings["fractions"])
        for part, fraction in settings["fractions"].items():
            if fraction > 0 and counts[part] < 1:
                raise InputError(
                    f"problems.{problem}.batches: a batch of {size} rows leaves no row "
                    f"for the {part} part ({fraction}), ask for larger batches"
                )
    return drawn


def part_counts(size: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Rows of each part of a batch; rounding goes to the train part.

    Examples
    --------
    >>> part_counts(11, {"train": 0.6, "validation": 0.2, "test": 0.2})
    {'train': 7, 'validation': 2, 'test': 2}
    """
    counts = {part: round(size * fractions.get(part, 0.0)) for part in PARTS[1:]}
    return {"train": size - sum(counts.values()), **counts}


def split(settings: Mapping, rows: int, seed: int, problem: str) -> pd.DataFrame:
    """Assign rows to batches and parts.

    Disjoint batches are cut from one random order of all rows; overlapping ones are each drawn
    without replacement from all rows.

    Parameters
    ----------
    settings, rows, seed, problem
        As for `check`.

    Returns
    -------
    DataFrame
        Columns ``batch``, ``part`` ("train", "validation", "test") and ``row``, in the order
        in which a trainer sees the rows.

    Raises
    ------
    InputError
        As `check`.
    """
    drawn = check(settings, rows, seed, problem)
    order = rng_for(seed, problem, "rows").permutation(rows)
    starts = np.concatenate([[0], np.cumsum(drawn)])
    tables = []
    for batch, size in enumerate(drawn):
        if settings["overlap"]:
            chosen = rng_for(seed, problem, "rows", batch).choice(rows, size, replace=False)
        else:
            chosen = order[starts[batch] : starts[batch + 1]]
        counts = part_counts(int(size), settings["fractions"])
        parts = np.repeat(list(counts), list(counts.values()))
        tables.append(pd.DataFrame({"batch": batch, "part": parts, "row": chosen}))
    table = pd.concat(tables, ignore_index=True)
    return table.astype({"batch": "int32", "part": "category", "row": "int64"})
