"""Scores: the smallest loss of each design, normalised within its batch, averaged over batches."""

import numpy as np
import pandas as pd

#: What a batch is called: losses are only compared inside one.
BATCH = ["problem", "space", "batch"]
#: What a row of the minima is called.
DESIGN = ["problem", "space", "d", "batch", "sampler", "resolution", "n"]
#: What a row of the scores is called.
GROUP = ["problem", "space", "d", "sampler", "resolution", "n"]
#: Columns of an evaluation that are no parameter.
EVALUATION = [*DESIGN, "point", "loss", "status", "reason", "training", "seconds", "stand_in"]


def _need(table: pd.DataFrame, columns: list[str], what: str) -> None:
    absent = [c for c in columns if c not in table.columns]
    if absent:
        raise ValueError(
            f"the {what} lack the column(s) {', '.join(absent)}, give a table that has them"
        )


def joined(statements) -> str:
    """The distinct statements that say something, in order, as one text.

    Examples
    --------
    >>> joined(["one batch", "", "one batch", "2 failed"])
    'one batch; 2 failed'
    """
    return "; ".join(dict.fromkeys(s for s in statements if isinstance(s, str) and s))


def usable(evaluations: pd.DataFrame) -> pd.Series:
    """Which rows count: status "ok" and a finite loss.

    Examples
    --------
    >>> rows = pd.DataFrame({"loss": [0.1, np.inf, 0.2], "status": ["ok", "ok", "failed"]})
    >>> usable(rows).tolist()
    [True, False, False]
    """
    return (evaluations["status"] == "ok") & np.isfinite(evaluations["loss"].astype(float))


def parameters_of(evaluations: pd.DataFrame) -> list[str]:
    """Names of the parameter columns: the numeric ones that are not among `EVALUATION`."""
    return [
        c
        for c in evaluations.columns
        if c not in EVALUATION
        and pd.api.types.is_numeric_dtype(evaluations[c])
        and not pd.api.types.is_bool_dtype(evaluations[c])
    ]


def _note(row) -> str:
    notes = []
    if row.ok == 0:
        notes.append(f"no usable point ({row.failed} failed)")
    elif row.failed:
        notes.append(f"{row.failed} of {row.n} points failed")
    if row.missing:
        notes.append(f"{row.missing} of {row.n} points are missing")
    if row.ok and not row.best_of_batch > 0:
        notes.append(
            f"not normalised: the smallest loss in the batch is {row.best_of_batch:g}, "
            "a ratio needs one above 0"
        )
    return joined(notes)


def minima(evaluations: pd.DataFrame, parameters: list[str] | None = None) -> pd.DataFrame:
    """The smallest loss of each design in each batch, raw and normalised.

    Within a batch, each minimum is divided by the smallest loss that any design at any number
    of points reached in the same problem, space and batch (EXPERIMENTS.md, section 3.6 of the
    protocol); the scaled loss is that ratio minus 1 and never below 0.

    Parameters
    ----------
    evaluations : DataFrame
        One row per trained point, with the columns of `EVALUATION` and one per parameter.
    parameters : list of str, optional
        The parameter columns; by default all numeric columns that are not in `EVALUATION`.

    Returns
    -------
    DataFrame
        One row per `DESIGN`, sorted by it: ``minimum``, ``point`` (the first that reached it),
        ``ok``, ``failed`` and ``missing`` (numbers of points), ``normalised`` (1 or more),
        ``scaled`` (0 or more), ``best_<parameter>`` at the minimum, ``stand_in``, ``note``.
        A design without a usable point, and a batch whose smallest loss is 0 or below, stay in
        the table with NaN and a note that says why.

    Raises
    ------
    ValueError
        If a column is absent, or a design has the same point twice.

    Examples
    --------
    >>> rows = pd.DataFrame({"problem": "p", "space": "d1", "d": 1, "batch": 0,
    ...     "sampler": ["grid", "grid", "random", "random"], "resolution": 2, "n": 2,
    ...     "point": [0, 1, 0, 1], "x": [0.2, 0.8, 0.5, 0.1], "loss": [4.0, 3.0, 2.0, 5.0],
    ...     "status": "ok", "reason": "", "training": ["a", "b", "c", "d"], "seconds": 0.1,
    ...     "stand_in": ""})
    >>> minima(rows)[["sampler", "minimum", "normalised", "best_x"]].to_string(index=False)
    'sampler  minimum  normalised  best_x\\n   grid      3.0         1.5     0.8\\n random      2.0         1.0     0.5'
    """  # noqa: E501
    _need(evaluations, [*DESIGN, "point", "loss", "status"], "evaluations")
    if parameters is None:
        parameters = parameters_of(evaluations)
    _need(evaluations, parameters, "evaluations")
    rows = evaluations.assign(_usable=usable(evaluations))
    doubled = rows.duplicated([*DESIGN, "point"])
    if doubled.any():
        first = rows.loc[doubled, [*DESIGN, "point"]].iloc[0].to_dict()
        raise ValueError(
            f"the evaluations hold {int(doubled.sum())} point(s) twice, the first is {first}; "
            "drop the repeated rows"
        )

    counts = rows.groupby(DESIGN, dropna=False, as_index=False).agg(
        ok=("_usable", "sum"), rows=("_usable", "size")
    )
    counts["failed"] = counts["rows"] - counts["ok"]
    counts["missing"] = counts["n"] - counts["rows"]

    best = (
        rows[rows["_usable"]]
        .sort_values(["loss", "point"], kind="stable")
        .drop_duplicates(DESIGN)[[*DESIGN, "loss", "point", *parameters]]
        .rename(columns={"loss": "minimum", **{p: f"best_{p}" for p in parameters}})
    )
    table = counts.drop(columns="rows").merge(best, on=DESIGN, how="left")
    table["point"] = table["point"].astype("Int64")
    table["best_of_batch"] = table.groupby(BATCH)["minimum"].transform("min")
    # A ratio to 0 or to a negative loss means nothing: NaN here, words in the note.
    yardstick = table["best_of_batch"].where(table["best_of_batch"] > 0)
    table["normalised"] = table["minimum"] / yardstick
    table["scaled"] = table["normalised"] - 1
    if "stand_in" in rows:
        stand_in = rows.groupby(DESIGN, dropna=False)["stand_in"].agg(joined)
        table = table.merge(stand_in.reset_index(), on=DESIGN, how="left")
    else:
        table["stand_in"] = ""
    table["note"] = [_note(row) for row in table.itertuples()]
    front = [*DESIGN, "minimum", "ok", "failed", "missing", "normalised", "scaled", "point"]
    back = [f"best_{p}" for p in parameters]
    return table[[*front, *back, "stand_in", "note"]].sort_values(DESIGN).reset_index(drop=True)


def scores(minima: pd.DataFrame) -> pd.DataFrame:
    """Mean over batches of the normalised minimum, with its Gaussian uncertainty.

    Parameters
    ----------
    minima : DataFrame
        As `minima` returns it. Several rows of one design and batch (replicates) are averaged
        first: the batch is the unit of replication.

    Returns
    -------
    DataFrame
        One row per problem, space, d, sampler, resolution and n, sorted by problem, space, n
        and sampler: ``batches`` (used; the n of all that follows), ``mean``, ``std`` (ddof 1),
        ``error`` (std / sqrt(batches)), ``median``, ``best`` (number of batches in which no
        design did better), ``failed`` (points that failed), ``unusable`` (batches without a
        normalised minimum), ``stand_in``, ``note``. With one batch std and error are NaN and
        the note says so; without any the mean is NaN too.

    Examples
    --------
    >>> rows = pd.DataFrame({"problem": "p", "space": "d2", "d": 2, "batch": [0, 1],
    ...     "sampler": "lhs", "resolution": 2, "n": 4, "normalised": [1.0, 1.2], "failed": 0,
    ...     "stand_in": "", "note": ""})
    >>> scores(rows)[["batches", "mean", "error"]].round(3).iloc[0].to_dict()
    {'batches': 2.0, 'mean': 1.1, 'error': 0.1}
    """
    _need(minima, [*DESIGN, "normalised", "failed"], "minima")
    # A minimum without a ratio: the batch's smallest loss is 0 or below.
    unscaled = minima.reindex(columns=["minimum"])["minimum"].notna() & minima["normalised"].isna()
    batches = (
        minima.assign(_unscaled=unscaled)
        .groupby(DESIGN, dropna=False, as_index=False)
        .agg(
            normalised=("normalised", "mean"),
            failed=("failed", "sum"),
            _unscaled=("_unscaled", "any"),
        )
    )
    # 1 + 4 ulp: the design that set the yardstick has a ratio of exactly 1.
    batches["_best"] = batches["normalised"] <= 1 + 1e-15
    table = batches.groupby(GROUP, dropna=False, as_index=False).agg(
        batches=("normalised", "count"),
        rows=("normalised", "size"),
        mean=("normalised", "mean"),
        std=("normalised", "std"),
        median=("normalised", "median"),
        best=("_best", "sum"),
        failed=("failed", "sum"),
        unscaled=("_unscaled", "sum"),
    )
    table["error"] = table["std"] / np.sqrt(table["batches"])
    table["unusable"] = table.pop("rows") - table["batches"]
    extra = minima.reindex(columns=[*GROUP, "stand_in"]).fillna({"stand_in": ""})
    stand_in = extra.groupby(GROUP, dropna=False)["stand_in"].agg(joined).reset_index()
    table = table.merge(stand_in, on=GROUP, how="left")
    table["note"] = [_score_note(row) for row in table.itertuples()]
    order = ["batches", "mean", "std", "error", "median", "best", "failed", "unusable"]
    return (
        table[[*GROUP, *order, "stand_in", "note"]]
        .sort_values(["problem", "space", "n", "resolution", "sampler"])
        .reset_index(drop=True)
    )


def _score_note(row) -> str:
    notes = []
    if row.batches == 0:
        notes.append("no batch with a normalised minimum: no mean")
    elif row.batches == 1:
        notes.append("one batch: no uncertainty")
    if row.batches and row.unusable:
        notes.append(f"{row.unusable} of {row.unusable + row.batches} batches not usable")
    if row.unscaled:
        notes.append(f"{row.unscaled} batches whose smallest loss is 0 or below: no ratio to it")
    if row.failed:
        notes.append(f"{row.failed} points failed")
    return joined(notes)
