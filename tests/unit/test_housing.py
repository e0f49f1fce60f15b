"""The features of house sales, on the embedded King County table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tilesearch.errors import InputError
from tilesearch.problems import housing

ROOT = Path(__file__).resolve().parents[2]
SALES = ROOT / "resources" / "king-county" / "house_sales.parquet"


@pytest.fixture(scope="module")
def sales():
    return pd.read_parquet(SALES)


@pytest.fixture
def written(tmp_path):
    def write(table):
        table.to_parquet(tmp_path / "sales.parquet")
        return {"path": str(tmp_path / "sales.parquet")}

    return write


def test_the_embedded_table_is_whole(sales):
    assert housing.check({"path": str(SALES)}) == (21_613, housing.derive(sales.head(2)).shape[1])
    assert set(housing.COLUMNS) <= set(sales.columns)


def test_there_are_40_features_or_more_and_all_vary(sales):
    features = housing.derive(sales)
    assert features.shape[0] == len(sales)
    assert features.shape[1] >= 40
    assert features.columns.is_unique
    assert (features.nunique() > 1).all()
    assert not features.head(2000).T.duplicated().any()
    assert not np.isinf(features.to_numpy(dtype=float)).any()
    assert set(map(str, features.dtypes)) == {"float64"}


def test_neither_price_nor_sale_number_is_a_feature(sales):
    some = sales.head(500)
    assert not {"price", "id", "date"} & set(housing.derive(some).columns)
    shuffled = some.assign(
        price=some["price"].sample(frac=1, random_state=1).to_numpy(), id=range(len(some))
    )
    assert not shuffled["price"].equals(some["price"])
    pd.testing.assert_frame_equal(housing.derive(shuffled), housing.derive(some))


def test_a_feature_of_one_sale_does_not_hang_on_the_other_sales(sales):
    some = sales.head(300)
    # Days are counted from the first sale of the table: the one feature that looks further.
    features = housing.derive(some).drop(columns="sale_days")
    alone = pd.concat([housing.derive(some.iloc[[i]]) for i in range(5)])
    pd.testing.assert_frame_equal(alone.drop(columns="sale_days"), features.head(5))


def test_the_target_is_the_standardised_log_price(sales):
    table, facts = housing.load({"path": str(SALES)}, 0)
    target = table["target"]
    assert target.mean() == pytest.approx(0, abs=1e-12)
    assert target.std(ddof=0) == pytest.approx(1)
    price = np.exp(target * facts["target"]["sd"] + facts["target"]["mean"])
    np.testing.assert_allclose(price, sales["price"], rtol=1e-12)
    assert facts["stand_in"] is None
    assert facts["task"] == "regression"


def test_some_features_by_hand():
    row = {
        "id": "1",
        "date": "2014-10-13",
        "price": 1.0,
        "bedrooms": 4,
        "bathrooms": 2.0,
        "sqft_living": 2000,
        "sqft_lot": 5000,
        "floors": 2.0,
        "waterfront": 0,
        "view": 3,
        "condition": 3,
        "grade": 7,
        "sqft_above": 1500,
        "sqft_basement": 500,
        "yr_built": 1955,
        "yr_renovated": 2010,
        "zipcode": "98178",
        "lat": 47.6097,
        "long": -122.3422,
        "sqft_living15": 1000,
        "sqft_lot15": 2500,
    }
    never = row | {"yr_renovated": 0, "yr_built": 2015}
    found = housing.derive(pd.DataFrame([row, never]))
    first, second = found.iloc[0], found.iloc[1]
    expected = {
        "age": 59,
        "years_since_work": 4,
        "years_to_renovation": 55,
        "is_renovated": 1,
        "decade_built": 1950,
        "living_per_room": 2000 / 6,
        "basement_share": 0.25,
        "living_to_neighbours": 2,
        "garden": 4250,
        "km_to_seattle": 0,
        "sale_month": 10,
        "sale_season": 3,
        "sale_weekday": 0,
    }
    assert {name: first[name] for name in expected} == pytest.approx(expected)
    assert second["age"] == -1
    assert second["sold_before_built"] == 1
    assert np.isnan(second["years_to_renovation"])


def test_distance_and_bearing():
    # One degree of latitude is a 360th of the circumference; north is 0, east is 90 degrees.
    length = 2 * np.pi * housing.EARTH_RADIUS_KM / 360
    assert housing.distance_km(48.0, -122.0, (47.0, -122.0)) == pytest.approx(length)
    assert housing.bearing(48.0, -122.0, (47.0, -122.0)) == pytest.approx(0, abs=1e-12)
    assert housing.bearing(0.0, 1.0, (0.0, 0.0)) == pytest.approx(np.pi / 2)
    assert housing.bearing(0.0, -1.0, (0.0, 0.0)) == pytest.approx(-np.pi / 2)


def test_a_house_without_land_or_floors_gives_missing_values(sales):
    odd = sales.head(3).assign(sqft_lot=0, floors=0.0, sqft_living15=0, sqft_lot15=0)
    features = housing.derive(odd)
    assert not np.isinf(features.to_numpy()).any()
    assert features["living_per_lot"].isna().all()


@pytest.mark.parametrize(
    ("price", "why"),
    [
        (1.0, "constant"),
        ([np.nan, 2.0, 3.0], "1 missing"),
        ([np.inf, 2.0, 3.0], "infinite"),
        ([0.0, 2.0, 3.0], "not > 0"),
        (["a", "b", "c"], "numbers"),
    ],
)
def test_a_price_that_cannot_be_used_is_refused(sales, written, price, why):
    data = written(sales.head(3).assign(price=price))
    for function in (housing.check, lambda d: housing.load(d, 0)):
        with pytest.raises(InputError, match="target column 'price'") as caught:
            function(data)
        assert why in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda t: t.drop(columns="grade"), "grade"),
        (lambda t: t.assign(grade=["7", "8", "high"]), "grade"),
        (lambda t: t.assign(date="no date"), "date"),
    ],
)
def test_another_table_is_refused_with_the_way_out(sales, written, change, name):
    data = written(change(sales.head(3)))
    for function in (housing.check, lambda d: housing.load(d, 0)):
        with pytest.raises(InputError, match="kind: table") as caught:
            function(data)
        assert f"'{name}'" in str(caught.value)
