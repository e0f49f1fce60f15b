"""The loader of the Danish sales, on a generated file with their columns."""

import numpy as np
import pandas as pd
import pytest

from tilesearch.errors import InputError
from tilesearch.problems import danish_housing


def generated_sales(rows: int, seed: int = 0) -> pd.DataFrame:
    """A table with the columns of the Danish sales; its numbers mean nothing."""
    rng = np.random.default_rng(seed)
    sqm = rng.integers(30, 300, rows)
    price = np.round(sqm * rng.uniform(5e3, 5e4, rows), -3)
    date = pd.Timestamp("1992-01-01") + pd.to_timedelta(rng.integers(0, 11_900, rows), unit="D")
    return pd.DataFrame(
        {
            "date": date,
            "quarter": date.to_period("Q").astype(str),
            "house_id": np.arange(rows),
            "house_type": rng.choice(["Villa", "Apartment", "Townhouse"], rows),
            "sales_type": rng.choice(["regular_sale", "family_sale", "auction"], rows),
            "year_build": rng.integers(1850, 2024, rows),
            "purchase_price": price,
            "%_change_between_offer_and_purchase": rng.normal(0, 5, rows),
            "no_rooms": rng.integers(1, 10, rows),
            "sqm": sqm,
            "sqm_price": price / sqm,
            "address": [f"Vej {i}" for i in range(rows)],
            "zip_code": rng.integers(1000, 9990, rows),
            "city": rng.choice(["København", "Aarhus", "Odense", "Aalborg"], rows),
            "area": rng.choice(["Capital", "East jutland"], rows),
            "region": rng.choice(["Zealand", "Jutland", "Fyn"], rows),
            "nom_interest_rate%": rng.uniform(-1, 9, rows),
            "dk_ann_infl_rate%": rng.uniform(0, 8, rows),
            "yield_on_mortgage_credit_bonds%": np.where(
                rng.random(rows) < 0.01, np.nan, rng.uniform(1, 10, rows)
            ),
        }
    )


@pytest.fixture
def files(tmp_path):
    table = generated_sales(600)
    paths = []
    for name, part in (("1", table[:400]), ("2", table[400:])):
        part.to_parquet(tmp_path / f"DKHousingprices_{name}.parquet")
        paths.append(str(tmp_path / f"DKHousingprices_{name}.parquet"))
    return table, paths


def test_both_files_are_read_and_the_target_is_standardised(files):
    raw, paths = files
    table, facts = danish_housing.load({"path": paths}, 0)
    assert len(table) == 600
    assert facts["task"] == "regression"
    assert table["target"].mean() == pytest.approx(0, abs=1e-12)
    assert table["target"].std(ddof=0) == pytest.approx(1)
    restored = np.exp(table["target"] * facts["target"]["sd"] + facts["target"]["mean"])
    np.testing.assert_allclose(restored, raw["purchase_price"])


def test_the_price_does_not_leak(files):
    raw, _ = files
    other = raw.assign(
        purchase_price=raw.purchase_price.sample(frac=1, random_state=1).to_numpy(),
        sqm_price=0.0,
        **{"%_change_between_offer_and_purchase": 0.0},
    )
    pd.testing.assert_frame_equal(danish_housing.derive(raw), danish_housing.derive(other))


def test_there_are_more_features_than_are_kept(files):
    raw, paths = files
    rows, features = danish_housing.check({"path": paths})
    assert rows == len(raw)
    assert features >= 20
    assert {"house_id", "address", "sqm_price"}.isdisjoint(danish_housing.derive(raw).columns)


def test_a_missing_file_says_where_it_is_to_be_had(tmp_path):
    with pytest.raises(InputError, match=r"does not exist.*MartinSamFred"):
        danish_housing.check({"path": [str(tmp_path / "DKHousingprices_1.parquet")]})


@pytest.mark.parametrize("column", ["purchase_price", "zip_code"])
def test_a_missing_column_is_named(files, tmp_path, column):
    raw, _ = files
    path = tmp_path / "short.parquet"
    raw.drop(columns=column).to_parquet(path)
    with pytest.raises(InputError, match=f"no column '{column}'"):
        danish_housing.check({"path": str(path)})


def test_a_price_of_zero_is_refused(files, tmp_path):
    raw, _ = files
    path = tmp_path / "zero.parquet"
    raw.assign(purchase_price=raw.purchase_price.where(raw.index > 3, 0.0)).to_parquet(path)
    with pytest.raises(InputError, match="not > 0"):
        danish_housing.check({"path": str(path)})
