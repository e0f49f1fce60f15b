"""The `table` problem: any CSV or Parquet file with a target column."""

import csv
import gzip
import logging
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tilesearch.errors import InputError

log = logging.getLogger(__name__)

TASKS = ("regression", "classification")
TARGET = "target"
#: A text column keeps its most frequent values; the rest become one value of their own.
MOST_CATEGORIES = 255
OTHER = "(other)"
#: Bytes of a file that is not read whole when a study is planned.
LARGE = 50_000_000
#: Most features that come of one column: the parts of a date.
MOST_PARTS = 6

#: What a date begins with; the forms below then read it or not.
DATE = re.compile(
    r"\d{4}-\d{2}|\d{8}T\d|\d{1,4}([-/.])\d{1,2}\1\d{2,4}|\d{1,2}[ -][A-Za-z]{3,}[ -]\d{4}"
    r"|[A-Za-z]{3,} \d{1,2}, \d{4}"
)
DAY_FORMS = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y"),
)
TIME_FORMS = ("", " %H:%M", " %H:%M:%S")


def read_table(
    path: str | Path, columns: list[str] | None = None, rows: int | None = None
) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    path : path
        A file ending in ``.csv``, ``.csv.gz``, ``.txt``, ``.tsv`` or ``.parquet``. The separator
        of a text file (comma, semicolon, tab or bar) is found from its first lines.
    columns : list of str, optional
        Read only these.
    rows : int, optional
        Read only so many rows of a text file.

    Returns
    -------
    DataFrame
        Rows numbered from 0; a named index of a Parquet file becomes a column.

    Raises
    ------
    InputError
        If the file does not exist, has another ending, or is not what its ending says.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"data file '{path}' does not exist, correct the path")
    ending = ("".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix).lower()
    try:
        if ending == ".parquet":
            table = pd.read_parquet(path, columns=columns)
            return table.reset_index(drop=table.index.names == [None])
        if ending in (".csv", ".csv.gz", ".txt", ".tsv"):
            table = pd.read_csv(path, sep=_separator(path), usecols=columns, nrows=rows)
            if table.shape[1] == 0 or "\x00" in "".join(map(str, table.columns)):
                raise ValueError("no columns")
            return table
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"data file '{path}' cannot be read as {ending[1:]} ({reason}), "
            "mend the file or its ending"
        ) from error
    raise InputError(
        f"data file '{path}' ends in '{ending}', it must be a .csv, .csv.gz, .tsv, .txt or "
        ".parquet file"
    )


def _separator(path: Path) -> str:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as stream:
        head = "".join(line for _, line in zip(range(20), stream, strict=False))
    if "\x00" in head:
        raise ValueError("it holds binary data")
    if not head.strip():
        raise ValueError("it is empty")
    try:
        return csv.Sniffer().sniff(head, delimiters=",;\t|").delimiter
    except csv.Error:
        return ","  # one column, or a header alone


def check_target(values: pd.Series, name: str, task: str, path: str | Path) -> None:
    """Raise InputError if `values` cannot be the target of `task`.

    A target must have rows, must not have missing or infinite values, must vary, and must be
    numeric for a regression.
    """
    where = f"target column '{name}' of '{path}'"
    if len(values) == 0:
        raise InputError(f"{where} has no rows, give a table with rows")
    if missing := int(values.isna().sum()):
        raise InputError(f"{where} has {missing} missing values (NaN), drop or fill those rows")
    if values.nunique() < 2:
        raise InputError(f"{where} is constant, choose a target that varies")
    if task == "regression":
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise InputError(
                f"{where} is of type {values.dtype}, a regression needs numbers "
                "(or set task: classification)"
            )
        if not np.isfinite(values.to_numpy(dtype=float)).all():
            raise InputError(f"{where} has infinite values, drop or mend those rows")
    elif values.nunique() > max(2, len(values) // 5):
        raise InputError(
            f"{where} has {values.nunique()} classes in {len(values)} rows, "
            "set task: regression or choose another target"
        )


def column_names(path: str | Path) -> list[str]:
    """Names of the columns of a CSV or Parquet file, without its rows.

    Raises
    ------
    InputError
        As `read_table`.
    """
    path = Path(path)
    if path.suffix.lower() == ".parquet" and path.is_file():
        try:
            return [n for n in pq.read_schema(path).names if not n.startswith("__index_level_")]
        except (ValueError, OSError):
            pass  # the whole reader says what is wrong
    return list(read_table(path, rows=0).columns)


def check(data: dict) -> tuple[int, int]:
    """Check the `data` section of a table problem against its file.

    This runs whenever a study is planned. Of a file of more than `LARGE` bytes only the target is
    read, and the number of features is bounded, not counted.

    Returns
    -------
    rows, features : int
        Number of rows, and the number of the features that `load` will give (of a large file the
        largest number that it can give).

    Raises
    ------
    InputError
        As `read_table` and `check_target`; if the target or a column of ``drop`` is not there;
        if no feature is left.
    """
    path, target = Path(data["path"]), data["target"]
    if not path.is_file() or path.stat().st_size <= LARGE:
        features, _ = _open(data)
        return features.shape
    names = column_names(path)
    _check_names(data, names)
    values = read_table(path, [target])[target]
    check_target(values, target, data["task"], path)
    return len(values), MOST_PARTS * (len(names) - 1 - len(data.get("drop", [])))


def _check_names(data: dict, names: list) -> None:
    """Raise InputError if the target or a column of ``drop`` is not among `names`."""
    path, target = data["path"], data["target"]
    if target not in names:
        shown = ", ".join(map(str, names[:12])) + (", …" if len(names) > 12 else "")
        raise InputError(
            f"data.target is '{target}', but '{path}' has no such column, take one of {shown}"
        )
    absent = [name for name in data.get("drop", []) if name not in names]
    if absent:
        raise InputError(
            f"data.drop names '{absent[0]}', but '{path}' has no such column, remove it"
        )


def _open(data: dict) -> tuple[pd.DataFrame, pd.Series]:
    """Features and target of the file that the `data` section names."""
    path, target, drop = data["path"], data["target"], data.get("drop", [])
    raw = read_table(path)
    _check_names(data, list(raw.columns))
    check_target(raw[target], target, data["task"], path)
    features = features_of(raw.drop(columns=[target, *drop]))
    if features.shape[1] == 0:
        raise InputError(f"'{path}' has no column left to learn from, give it features")
    return features, raw[target]


def date_features(dates: pd.Series, name: str) -> dict[str, np.ndarray]:
    """Year, month, day of the month, of the week and of the year, and days since the first date.

    Missing dates give NaN.

    Examples
    --------
    >>> parts = date_features(pd.Series(pd.to_datetime(["2014-05-02", "2014-05-04"])), "sold")
    >>> parts["sold_days"].tolist(), parts["sold_weekday"].tolist()
    ([0.0, 2.0], [4.0, 6.0])
    """
    day = (dates - dates.min()) / pd.Timedelta(days=1)
    parts = {
        "year": dates.dt.year,
        "month": dates.dt.month,
        "day": dates.dt.day,
        "weekday": dates.dt.day_of_week,
        "yearday": dates.dt.day_of_year,
        "days": np.floor(day),
    }
    return {f"{name}_{part}": v.to_numpy(dtype=float, na_value=np.nan) for part, v in parts.items()}


def as_dates(column: pd.Series) -> pd.Series | None:
    """`column` as datetimes without time zone if it holds dates, else None.

    All texts of a column must be of one form, ISO 8601 or one of `DAY_FORMS`: a parser that
    guesses for each text swaps day and month within a column, and gives a time of day without
    a date the date of today. 03/02/2014 is the 2nd of March unless another text of its column
    has no such month.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None)
    known = column.dropna()
    if known.empty or pd.api.types.is_numeric_dtype(column):
        return None
    first = str(known.iloc[0])
    if not DATE.match(first):
        return None
    for form in ("ISO8601", *(day + time for day in DAY_FORMS for time in TIME_FORMS)):
        try:
            pd.to_datetime(first, format=form, utc=True)
            return pd.to_datetime(column, format=form, utc=True).dt.tz_localize(None)
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def features_of(table: pd.DataFrame) -> pd.DataFrame:
    """Columns that LightGBM takes: floats and categories.

    Numbers and truth values become float64 (infinite values missing), dates become
    `date_features`, everything else a category of its text (at most `MOST_CATEGORIES` values,
    the rarer ones together). Constant and all-missing columns are dropped with a log line.

    Parameters
    ----------
    table : DataFrame
        Raw columns, without the target.

    Returns
    -------
    DataFrame
        Same rows, columns named by their origin.
    """
    columns: dict[str, object] = {}
    taken = set(map(str, table.columns))
    for name, column in table.items():
        if pd.api.types.is_float_dtype(column):
            column = column.where(~np.isinf(column.to_numpy(dtype=float, na_value=np.nan)))
        if _values(column, str(name)) == 0:
            log.info("column '%s' is dropped: all its values are missing", name)
        elif column.nunique(dropna=False) == 1:
            log.info("column '%s' is dropped: it is constant", name)
        elif pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            columns[str(name)] = column.to_numpy(dtype=float, na_value=np.nan)
        elif (dates := as_dates(column)) is not None:
            parts = date_features(dates, str(name))
            parts = {k: v for k, v in parts.items() if len(np.unique(v[~np.isnan(v)])) > 1}
            if not parts:
                log.info("column '%s' is dropped: all its times are of one day", name)
            for part, values in parts.items():
                columns[_free(part, taken)] = values
        else:
            columns[str(name)] = _category(column)
    return pd.DataFrame(columns, index=table.index)


def _values(column: pd.Series, name: str) -> int:
    """Number of different values of a column."""
    try:
        return column.nunique()
    except TypeError:
        raise InputError(
            f"column '{name}' holds values that are no numbers, dates or texts, "
            "name it in data.drop"
        ) from None


def _free(name: str, taken: set[str]) -> str:
    """`name`, or the first of name_2, name_3, … that is not taken yet; it is taken then."""
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _category(column: pd.Series) -> pd.Series:
    text = column.astype("object").map(str, na_action="ignore")
    counts = text.value_counts()
    if len(counts) > MOST_CATEGORIES:
        # By frequency, then by name: the choice must not hang on the order of the rows.
        ranked = sorted(counts.index, key=lambda value: (-counts[value], value))
        kept = set(ranked[:MOST_CATEGORIES])
        text = text.where(text.isna() | text.isin(kept), OTHER)
    return text.astype(pd.CategoricalDtype(sorted(text.dropna().unique())))


def standardised(values: np.ndarray) -> tuple[np.ndarray, dict]:
    """`values` shifted and scaled to mean 0 and standard deviation 1, and the two numbers."""
    values = np.asarray(values, dtype=float)
    centre, spread = float(values.mean()), float(values.std())
    return (values - centre) / spread, {"mean": centre, "sd": spread}


def load(data: dict, seed: int) -> tuple[pd.DataFrame, dict]:
    """Load a table problem.

    Parameters
    ----------
    data : dict
        Section `data` of the problem: ``path``, ``target``, ``task`` and ``drop`` (names of
        columns that are not used).
    seed : int
        Not used; part of the interface.

    Returns
    -------
    table : DataFrame
        Features as `features_of` gives them, and the column `TARGET`: standardised for a
        regression, class numbers from 0 for a classification.
    facts : dict
        ``source``, ``stand_in`` (None), ``task``, ``classes`` (names, classification only),
        ``target`` (mean and sd, regression only).

    Raises
    ------
    InputError
        As `check`.
    """
    features, target = _open(data)
    facts: dict = {"source": str(data["path"]), "stand_in": None, "task": data["task"]}
    if data["task"] == "regression":
        values, facts["target"] = standardised(target.to_numpy(dtype=float))
    else:
        classes = sorted(target.unique(), key=lambda c: (str(type(c)), c))
        facts["classes"] = [str(c) for c in classes]
        values = target.map({c: i for i, c in enumerate(classes)}).to_numpy(dtype=np.int64)
    # A feature may be called 'target' itself.
    if TARGET in features:
        other = _free(f"{TARGET}_feature", set(features.columns))
        features = features.rename(columns={TARGET: other})
    return features.assign(**{TARGET: values}), facts
