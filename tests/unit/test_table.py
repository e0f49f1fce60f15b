"""The `table` problem: what people's files look like, and what is refused."""

import datetime
import gzip
import logging

import numpy as np
import pandas as pd
import pytest

from tilesearch.errors import InputError
from tilesearch.problems import table
from tilesearch.problems.table import as_dates, check, features_of, load, read_table
from tilesearch.problems.trainers import matrix
from tilesearch.problems.trainers import read_table as read_rows

ROWS = 40


def frame(**columns):
    rng = np.random.default_rng(5)
    base = {"area": rng.normal(100, 20, ROWS).round(3), "price": rng.normal(3, 1, ROWS).round(4)}
    return pd.DataFrame(base | columns)


def data(path, target="price", task="regression", **more):
    return {"path": str(path), "target": target, "task": task, **more}


def refused(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    return text


# Reading


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", [".csv", ".txt", ".tsv", ".csv.gz", ".CSV"])
def test_text_files_with_any_separator(tmp_path, separator, ending):
    written = frame(kind=["a", "b, c", "it's", 'say "x"'] * (ROWS // 4))
    path = tmp_path / f"t{ending}"
    written.to_csv(path, sep=separator, index=False)
    pd.testing.assert_frame_equal(read_table(path), written, check_dtype=False)


@pytest.mark.parametrize(
    "text",
    [
        "x\n1\n2\n",
        "name;note\nO'Neil;x, y\nD'Arcy;z\n",
        '"a";"b"\n"1, 2";3\n"4, 5";6\n',
        "a,b\r\n1,2\r\n3,4\r\n",
        "\ufeffa,b\n1,2\n",
    ],
)
def test_separators_that_are_hard_to_guess(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    separator = ";" if ";" in text.split("\n")[0] else ","
    names = text.strip("\ufeff").splitlines()[0].replace('"', "").split(separator)
    assert list(read_table(path).columns) == names


def test_parquet_keeps_its_index_as_columns_or_drops_it(tmp_path):
    indexed = frame().set_index("price")
    indexed.to_parquet(tmp_path / "i.parquet")
    assert check(data(tmp_path / "i.parquet")) == (ROWS, 1)
    doubled = frame(kind=["a", "b"] * (ROWS // 2))
    doubled.index = [0, 1] * (ROWS // 2)
    doubled.to_parquet(tmp_path / "d.parquet")
    loaded, _ = load(data(tmp_path / "d.parquet"), 0)
    assert list(loaded.columns) == ["area", "kind", "target"]
    assert loaded["kind"].tolist() == doubled["kind"].tolist()


BROKEN = {
    "junk.csv": bytes(range(256)) * 8,
    "nul.csv": b"a,b\n\x00\x00,1\n",
    "late.csv": b"a,b\n" + b"1,2\n" * 30 + b"\xff\xfe,1\n",
    "ragged.csv": b"a,b\n" + b"1,2\n" * 30 + b"1,2,3,4\n",
    "empty.csv": b"",
    "blank.csv": b"\n\n",
    "empty.parquet": b"",
    "text.parquet": b"area,price\n1,2\n",
    "cut.csv.gz": gzip.compress(b"a,b\n" + bytes(range(48, 122)) * 200)[:60],
    "text.csv.gz": b"a,b\n1,2\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_not_what_its_ending_says(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    for function in (read_table, lambda p: check(data(p)), lambda p: load(data(p), 0)):
        text = refused(function, path)
        assert str(path) in text
        assert "mend the file or its ending" in text


def test_a_parquet_file_cut_short_is_named(tmp_path):
    path = tmp_path / "t.parquet"
    frame().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    assert str(path) in refused(check, data(path))


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.gz", "t.csv.zip"])
def test_other_endings_are_refused(tmp_path, name):
    (tmp_path / name).write_text("a,b\n1,2\n")
    assert "it must be a .csv" in refused(check, data(tmp_path / name))


@pytest.mark.parametrize("name", ["no.csv", "no.parquet", "."])
def test_a_missing_file_is_named(tmp_path, name):
    text = refused(check, data(tmp_path / name))
    assert str(tmp_path / name) in text
    assert "does not exist" in text


# Target


@pytest.fixture(params=[".csv", ".parquet"])
def written(request, tmp_path):
    def write(table):
        path = tmp_path / f"t{request.param}"
        table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
        return path

    return write


def test_an_absent_target_names_the_columns(written):
    text = refused(check, data(written(frame()), "cost"))
    assert "data.target is 'cost'" in text
    assert "area, price" in text


@pytest.mark.parametrize(
    ("values", "task", "why"),
    [
        ([1.5] * ROWS, "regression", "is constant"),
        (["a"] * ROWS, "classification", "is constant"),
        ([np.nan, *range(ROWS - 1)], "regression", "has 1 missing values"),
        ([None, *["a", "b", "c"] * 13], "classification", "has 1 missing values"),
        ([np.inf, *range(ROWS - 1)], "regression", "has infinite values"),
        (["a", "b"] * (ROWS // 2), "regression", "a regression needs numbers"),
        ([True, False] * (ROWS // 2), "regression", "a regression needs numbers"),
        (list(range(ROWS)), "classification", "has 40 classes in 40 rows"),
    ],
)
def test_a_target_that_cannot_be_used(written, values, task, why):
    path = written(frame(price=pd.Series(values)))
    for function in (check, lambda d: load(d, 0)):
        text = refused(function, data(path, task=task))
        assert why in text
        assert "'price'" in text
        assert str(path) in text


def test_a_table_without_rows_says_so(written):
    assert "has no rows" in refused(check, data(written(frame().head(0))))


def test_a_regression_target_is_standardised_and_can_be_undone(written):
    raw = frame()
    loaded, facts = load(data(written(raw)), 0)
    target = loaded["target"]
    assert (target.mean(), target.std(ddof=0)) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    back = target * facts["target"]["sd"] + facts["target"]["mean"]
    np.testing.assert_allclose(back, raw["price"])
    assert facts["task"] == "regression"
    assert facts["stand_in"] is None


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["no", "yes", "maybe", "no"], ["maybe", "no", "yes"]),
        ([3, 10, 2, 3], ["2", "3", "10"]),
        ([False, True, True, False], ["False", "True"]),
    ],
)
def test_classes_are_numbered_in_order(written, values, classes):
    loaded, facts = load(data(written(frame(price=values * 10)), task="classification"), 0)
    assert facts["classes"] == classes
    assert [facts["classes"][i] for i in loaded["target"]] == list(map(str, values)) * 10
    assert loaded["target"].dtype == np.int64


def test_a_feature_named_target_stays_a_feature(written):
    raw = frame(target=np.arange(ROWS) / 7.0, target_feature=np.arange(ROWS)[::-1] / 3.0)
    loaded, _ = load(data(written(raw)), 0)
    assert loaded.columns.is_unique
    assert loaded.shape[1] == 4
    features = loaded.drop(columns="target")
    for name in ("target", "target_feature"):
        assert any(np.array_equal(features[c], raw[name]) for c in features)
    np.testing.assert_allclose(loaded["target"].std(ddof=0), 1)


def test_the_target_may_be_named_target(written):
    loaded, _ = load(data(written(frame().rename(columns={"price": "target"})), "target"), 0)
    assert list(loaded.columns) == ["area", "target"]


def test_dropped_columns_are_not_used(written):
    path = written(frame(code=range(ROWS)))
    loaded, _ = load(data(path, drop=["code"]), 0)
    assert list(loaded.columns) == ["area", "target"]
    assert check(data(path, drop=["code"])) == (ROWS, 1)
    assert "data.drop names 'cod'" in refused(check, data(path, drop=["cod"]))


def test_nothing_left_to_learn_from_is_refused_before_the_first_job(written):
    path = written(frame(area=1.0))
    for function in (check, lambda d: load(d, 0)):
        assert "has no column left to learn from" in refused(function, data(path))


def test_check_counts_what_load_gives(written):
    raw = frame(
        sold=pd.date_range("2014-01-01", periods=ROWS, freq="17D").astype(str),
        constant=1,
        missing=[None] * ROWS,
        kind=["a", "b"] * (ROWS // 2),
    )
    path = written(raw)
    loaded, _ = load(data(path), 0)
    assert check(data(path)) == (ROWS, loaded.shape[1] - 1)


# Features


def test_numbers_truth_values_and_missing_ones(written):
    some = [1, None, 3, 4] * (ROWS // 4)
    raw = frame(
        some=pd.array(some, dtype="Int64"),
        flag=[True, False] * (ROWS // 2),
        maybe=[True, None, False, False] * (ROWS // 4),
        wild=[np.inf, -np.inf, 1.0, 2.0] * (ROWS // 4),
    )
    loaded, _ = load(data(written(raw)), 0)
    x, categorical = matrix(loaded.drop(columns="target"))
    assert x.dtype == np.float64
    assert np.array_equal(x[:4, 1], [1, np.nan, 3, 4], equal_nan=True)
    assert np.array_equal(x[:2, 2], [1, 0])
    assert np.array_equal(np.isnan(x[:4, 3]), [False, True, False, False])
    assert x[0, 3] != x[2, 3]
    assert np.array_equal(x[:4, 4], [np.nan, np.nan, 1, 2], equal_nan=True)
    assert set(categorical) <= {3}


def test_columns_without_information_are_dropped_with_a_log_line(caplog):
    raw = pd.DataFrame(
        {
            "same": [1] * 4,
            "text": ["a"] * 4,
            "none": [None] * 4,
            "nan": [np.nan] * 4,
            "wild": [np.inf, -np.inf, np.inf, np.nan],
            "one_or_missing": [1, None, 1, None],
            "one_day": pd.to_datetime(["2014-05-02 10:00", "2014-05-02 11:00"] * 2),
            "kept": [1, 2, 1, 1],
        }
    )
    with caplog.at_level(logging.INFO, "tilesearch"):
        assert list(features_of(raw).columns) == ["one_or_missing", "kept"]
    for name in ("same", "text", "none", "nan", "wild", "one_day"):
        lines = [m for m in caplog.messages if f"'{name}' is dropped" in m]
        assert len(lines) == 1, name


def test_categories_keep_missing_apart_and_do_not_hang_on_the_order():
    column = pd.Series(["b", None, "a", "b"] * 10)
    codes = matrix(features_of(pd.DataFrame({"kind": column})))[0][:, 0]
    assert np.array_equal(codes[:4], [1, np.nan, 0, 1], equal_nan=True)
    backwards = matrix(features_of(pd.DataFrame({"kind": column[::-1]})))[0][:, 0]
    assert np.array_equal(backwards, codes[::-1], equal_nan=True)


def test_text_with_many_values_keeps_the_most_frequent():
    often = [f"often {i:03d}" for i in range(table.MOST_CATEGORIES)]
    rare = [f"rare {i}" for i in range(100)]
    column = pd.Series([*often, *often, *rare, None])
    kind = features_of(pd.DataFrame({"kind": column}))["kind"]
    assert set(kind.cat.categories) == {*often, table.OTHER}
    assert (kind[-101:-1] == table.OTHER).all()
    assert kind.isna().tolist() == column.isna().tolist()


def test_other_types_of_parquet(tmp_path):
    days = [datetime.date(2014, 5, 2) + datetime.timedelta(days=i) for i in range(ROWS)]
    stamps = pd.date_range("2014-05-02", periods=ROWS, freq="D", tz="Europe/Copenhagen")
    raw = frame(
        day=days,
        stamp=stamps,
        kind=pd.Categorical(["3", "1"] * (ROWS // 2)),
        spans=pd.to_timedelta(np.arange(ROWS), unit="h"),
        text=pd.array(["x", None] * (ROWS // 2), dtype="string"),
    )
    raw.to_parquet(tmp_path / "t.parquet")
    loaded, _ = load(data(tmp_path / "t.parquet"), 0)
    for name in ("day", "stamp"):
        assert loaded[f"{name}_days"].tolist() == list(range(ROWS))
    assert loaded["kind"].tolist()[:2] == ["3", "1"]
    assert "spans" in loaded


def test_a_column_of_lists_is_named(tmp_path):
    frame(words=[["a"], ["b", "c"]] * (ROWS // 2)).to_parquet(tmp_path / "t.parquet")
    for function in (check, lambda d: load(d, 0)):
        text = refused(function, data(tmp_path / "t.parquet"))
        assert "'words'" in text
        assert "drop" in text


# Dates

DAYS = pd.Series(pd.to_datetime(["2014-05-02", "2015-11-23", "2013-12-31", "2014-02-13"]))


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y%m%dT%H%M%S",
        "%Y/%m/%d",
        "%d.%m.%Y",
        "%d.%m.%Y %H:%M",
        "%d.%m.%y",
        "%d-%m-%Y",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%y",
        "%d %b %Y",
        "%d %B %Y",
        "%d-%b-%Y",
        "%b %d, %Y",
        "%B %d, %Y",
    ],
)
def test_dates_are_read_in_many_forms(form):
    found = as_dates(pd.concat([DAYS.dt.strftime(form), pd.Series([None])], ignore_index=True))
    assert found[:4].tolist() == DAYS.tolist()
    assert found.isna().tolist() == [False] * 4 + [True]


def test_days_and_months_are_not_swapped_within_a_column():
    assert as_dates(pd.Series(["03/02/2014", "13/02/2014"])).dt.month.tolist() == [2, 2]
    assert as_dates(pd.Series(["02/03/2014", "02/13/2014"])).dt.month.tolist() == [2, 2]


@pytest.mark.parametrize(
    "texts",
    [
        ["10:30", "11:45"],  # would become today's date, another one every day
        ["10-12", "11-12"],
        ["1-2-3", "4-5-6"],
        ["555-1234", "555-9999"],
        ["192.168.1.1", "10.0.0.1"],
        ["1.5", "2.7"],
        ["1,5", "2,7"],
        ["v1.2.3", "v1.2.4"],
        ["A-1", "B-2"],
        ["2014-05-02", "unknown"],
        ["May", "June"],
        ["98001", "98002"],
    ],
)
def test_texts_that_are_no_dates_stay_categories(texts):
    column = pd.Series(texts * 3)
    assert as_dates(column) is None
    assert isinstance(features_of(pd.DataFrame({"c": column}))["c"].dtype, pd.CategoricalDtype)


def test_numbers_are_no_dates():
    assert as_dates(pd.Series([20140502, 20140503])) is None


def test_parts_of_a_date_never_replace_a_column_of_their_name():
    raw = pd.DataFrame(
        {"sold_year": [1.0, 2.0, 3.0, 4.0], "sold": DAYS, "sold_month": [7.0, 8.0, 9.0, 7.5]}
    )
    features = features_of(raw)
    assert features["sold_year"].tolist() == [1, 2, 3, 4]
    assert features["sold_month"].tolist() == [7, 8, 9, 7.5]
    assert any(features[c].tolist() == [2014, 2015, 2013, 2014] for c in features)
    assert features.columns.is_unique


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_of_a_large_file_only_the_target_is_read_when_a_study_is_planned(
    tmp_path, monkeypatch, ending
):
    frame = pd.DataFrame({"a": range(40), "b": ["2020-01-01"] * 40, "y": range(40)})
    path = tmp_path / f"large.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    monkeypatch.setattr(table, "LARGE", 10)
    monkeypatch.setattr(table, "_open", None)
    data = {"path": str(path), "target": "y", "task": "regression"}
    assert table.check(data) == (40, 2 * table.MOST_PARTS)
    with pytest.raises(InputError, match=r"data\.target is 'z'"):
        table.check({**data, "target": "z"})
    frame.assign(y=1).to_csv(path, index=False) if ending == "csv" else frame.assign(
        y=1
    ).to_parquet(path)
    with pytest.raises(InputError, match="constant"):
        table.check(data)


@pytest.mark.parametrize("rows", [[], [5], [899, 0, 450, 0]])
def test_some_rows_of_a_study_s_table_are_those_of_the_whole(tmp_path, rows):
    """Across row groups, whose dictionaries of categories differ in the file."""
    text = [f"value {k // 200}" for k in range(900)]
    raw = pd.DataFrame({"text": text, "number": np.arange(900.0)})
    made = features_of(raw.assign(text=raw.text.where(raw.number % 7 != 0)))
    path = tmp_path / "data.parquet"
    made.to_parquet(path, index=False, row_group_size=100)
    whole = read_rows(str(path), "table")
    some = read_rows(str(path), "table", np.array(rows, dtype=int))
    pd.testing.assert_frame_equal(some, whole.iloc[rows].reset_index(drop=True))
