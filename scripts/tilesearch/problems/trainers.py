"""Opening the trainer of one batch from the files of a study."""

import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tilesearch.batches import PARTS
from tilesearch.errors import InputError
from tilesearch.files import read_json, sha256
from tilesearch.problems import module
from tilesearch.problems.base import Batch, Trainer
from tilesearch.problems.polynomial import true_coefficients
from tilesearch.problems.table import TARGET
from tilesearch.seeds import seed_for
from tilesearch.training.journal import fingerprint


def spare_sklearn() -> None:
    """Let nothing import scikit-learn in this process: for jobs that train, at their start.

    LightGBM and Keras import it for classes that no job uses, which takes a second of every job;
    without it they do without. It stays where it is imported already.
    """
    sys.modules.setdefault("sklearn", None)


@dataclass(frozen=True)
class Opened:
    """A batch ready to train.

    Parameters
    ----------
    fingerprint : str
        Hash of all that determines a loss besides the point.
    trainer : callable
        Makes the trainer.
    stand_in : str
        Label of stand-in data, or "".
    """

    fingerprint: str
    trainer: Callable[[], Trainer]
    stand_in: str


def read_table(path: str, what: str, rows: np.ndarray | None = None, **options) -> pd.DataFrame:
    """Read one of the study's own Parquet files; a broken one is named, with the remedy.

    Parameters
    ----------
    path : path
    what : str
        What the file is, for the message.
    rows : ndarray of int, optional
        Only these rows, in this order: of a large table they take little memory.
    **options
        As for `pandas.read_parquet`.
    """
    try:
        if rows is not None:
            return pq.read_table(path, **options).take(rows).to_pandas()
        return pd.read_parquet(path, **options)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{what} '{path}' cannot be read ({str(error).splitlines()[0]}), delete it and start "
            "again: it is made anew"
        ) from error


def batch_rows(path: str, batch: int) -> dict[str, np.ndarray]:
    """Row numbers of the parts of one batch."""
    table = read_table(path, "batch table", filters=[("batch", "==", batch)])
    return {part: table.loc[table["part"] == part, "row"].to_numpy() for part in PARTS}


def open_boosting(
    data: str,
    facts: str,
    selected: str,
    tuned: str,
    batches: str,
    batch: int,
    *,
    model: Mapping,
    seed: int,
    problem: str,
    space: str,
    coefficients: int = 0,
    predict: bool = False,
) -> Opened:
    """Open one batch of a problem that is trained by LightGBM.

    Parameters
    ----------
    data, facts, selected, tuned, batches : path
        Files that the stages before wrote.
    batch : int
    model : mapping
        Section `model` of the problem.
    seed : int
        Study seed.
    problem, space : str
        Names of the problem and of the space.
    coefficients : int
        Number of coefficients of the odd polynomial that the space searches.
    predict : bool
        With coefficients: the points name none of them, and outcomes tell the predictions.
    """
    about = read_json(facts)
    names = read_json(selected)["features"]
    settings = read_json(tuned)
    rows = batch_rows(batches, batch)
    stream = seed_for(seed, problem, "model", batch)
    true = true_coefficients(coefficients, seed, problem, space, batch)

    def trainer() -> Trainer:
        from tilesearch.training.boosting import (
            BoostingTrainer,
            PolynomialTrainer,
            PredictionTrainer,
        )

        used = np.concatenate(list(rows.values()))
        table = read_table(data, "data table", used, columns=[*names, TARGET])
        x, categorical = matrix(table[names])
        y = table[TARGET].to_numpy()
        cuts = np.cumsum([len(index) for index in rows.values()])[:-1]
        split = zip(rows, np.split(x, cuts), np.split(y, cuts), strict=True)
        parts = {part: {"x": own_x, "y": own_y} for part, own_x, own_y in split}
        options = {
            "task": about["task"],
            "settings": model,
            "tuned": settings,
            "categorical": categorical,
            "classes": len(about.get("classes", [])),
            "seed": stream,
        }
        if coefficients:
            chosen = PredictionTrainer if predict else PolynomialTrainer
            return chosen(Batch(**parts), true=true, **options)
        return BoostingTrainer(Batch(**parts), **options)

    mark = fingerprint(
        about["sha256"],
        names,
        settings,
        dict(model),
        *rows.values(),
        stream,
        true,
        version("lightgbm"),
        *(["predictions"] if predict and coefficients else []),
    )
    return Opened(mark, trainer, about["stand_in"] or "")


def target_of(data: str, batches: str, batch: int) -> tuple[np.ndarray, float]:
    """What predictions of a mangled target are compared with, and what it was divided by.

    Returns
    -------
    truth : ndarray, shape (rows,)
        The target of the test part of the batch, in its own units.
    scale : float
        Largest size of the target in the other parts.
    """
    rows = batch_rows(batches, batch)
    y = read_table(data, "data table", columns=[TARGET])[TARGET].to_numpy()
    known = np.concatenate([y[rows["train"]], y[rows["validation"]]])
    return y[rows["test"]], float(np.abs(known).max())


def open_network(
    kind: str,
    data: str,
    facts: str,
    batches: str,
    batch: int,
    *,
    model: Mapping,
    seed: int,
    problem: str,
    threads: int,
    embedded: str | None = None,
    tuned: str | None = None,
) -> Opened:
    """Open one batch of a problem that is trained as fused networks.

    Parameters
    ----------
    kind : str
        A key of `tilesearch.problems.KINDS`.
    data, facts, batches : path
        Files that the stages before wrote.
    batch : int
    model : mapping
        Section `model` of the problem.
    seed : int
        Study seed.
    problem : str
        Name of the problem.
    threads : int
        Cores to use.
    embedded, tuned : path, optional
        Where the kind embeds its data or tunes its network.
    """
    about = read_json(facts)
    settings = read_json(tuned) if tuned else {}
    rows = batch_rows(batches, batch)
    stream = seed_for(seed, problem, "model", batch)

    def trainer() -> Trainer:
        arrays = {**read_arrays(data), **(read_arrays(embedded) if embedded else {})}
        parts = {
            part: {name: values[index] for name, values in arrays.items()}
            for part, index in rows.items()
        }
        return module(kind).trainer(
            Batch(**parts), about, settings, dict(model), seed=stream, threads=threads
        )

    mark = fingerprint(
        about["sha256"],
        sha256(embedded) if embedded else "",
        settings,
        dict(model),
        *rows.values(),
        stream,
        version("keras"),
        os.environ.get("KERAS_BACKEND", "tensorflow"),
    )
    return Opened(mark, trainer, about["stand_in"] or "")


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """Arrays of one of the study's own ``.npz`` files; a broken one is named, with the remedy."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"arrays '{path}' cannot be read ({str(error).splitlines()[0]}), delete the file and "
            "start again: it is made anew"
        ) from error


def matrix(table: pd.DataFrame) -> tuple[np.ndarray, list[int]]:
    """Features as one float matrix, and the columns that hold category codes.

    Missing values and missing categories are NaN.
    """
    columns, categorical = [], []
    for index, name in enumerate(table.columns):
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy(dtype=float)
            columns.append(np.where(codes < 0, np.nan, codes))
            categorical.append(index)
        else:
            columns.append(column.to_numpy(dtype=float))
    return np.column_stack(columns), categorical
