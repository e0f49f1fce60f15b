"""The `danish-housing` problem: Danish residential sales 1992–2024."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tilesearch.errors import InputError
from tilesearch.problems.table import (
    TARGET,
    column_names,
    date_features,
    features_of,
    read_table,
    standardised,
)

ADDRESS = "github.com/MartinSamFred/Danish-residential-housingPrices-1992-2024"
PRICE = "purchase_price"
#: Computed from the price: they would give it away.
LEAKS = ("sqm_price", "%_change_between_offer_and_purchase")
#: Names of one house or street, no feature of it.
IDENTIFIERS = ("house_id", "address")
COLUMNS = (
    *("date", "quarter", "house_id", "house_type", "sales_type", "year_build", PRICE, *LEAKS),
    *("no_rooms", "sqm", "address", "zip_code", "city", "area", "region", "nom_interest_rate%"),
    *("dk_ann_infl_rate%", "yield_on_mortgage_credit_bonds%"),
)


def _paths(data: dict) -> list[str]:
    return [data["path"]] if isinstance(data["path"], str) else list(data["path"])


def _read(data: dict, columns: list[str] | None = None) -> pd.DataFrame:
    parts = []
    for path in _paths(data):
        try:
            names = column_names(path)
        except InputError as error:
            raise InputError(
                f"{error} (the files are Housing_data_cleaned/DKHousingprices_1.parquet and "
                f"_2.parquet of {ADDRESS})"
            ) from error
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise InputError(
                f"'{path}' has no column '{missing[0]}', give the cleaned tables of {ADDRESS}"
            )
        parts.append(read_table(path, columns))
    return pd.concat(parts, ignore_index=True)


def check(data: dict) -> tuple[int, int]:
    """Check the files; return their number of rows and of derived features."""
    price = _read(data, [PRICE])[PRICE]
    _usable(price, data)
    sample = next(pq.ParquetFile(_paths(data)[0]).iter_batches(1000)).to_pandas()
    return len(price), derive(sample).shape[1]


def _usable(price: pd.Series, data: dict) -> None:
    if price.isna().any() or not (price > 0).all():
        raise InputError(
            f"target column '{PRICE}' of {data['path']} has values that are missing or not > 0, "
            "drop those rows"
        )


def derive(raw: pd.DataFrame) -> pd.DataFrame:
    """Features of Danish sales; price, price per area and price change are not used.

    Parameters
    ----------
    raw : DataFrame
        The columns `COLUMNS`.

    Returns
    -------
    DataFrame
        Floats and categories, same rows.
    """
    used = raw.drop(columns=[PRICE, *LEAKS, *IDENTIFIERS, "date", "quarter"])
    sold = pd.to_datetime(raw["date"])
    year = sold.dt.year.to_numpy(dtype=float)
    new = {
        **date_features(sold, "sale"),
        "age": year - used["year_build"].to_numpy(dtype=float),
        "decade_built": np.floor(used["year_build"].to_numpy(dtype=float) / 10) * 10,
        "sqm_per_room": (used["sqm"] / used["no_rooms"].clip(lower=1)).to_numpy(dtype=float),
        "log_sqm": np.log(used["sqm"].clip(lower=1)).to_numpy(dtype=float),
        "zip_area": np.floor(used["zip_code"].to_numpy(dtype=float) / 100),
        "real_interest_rate": (used["nom_interest_rate%"] - used["dk_ann_infl_rate%"]).to_numpy(
            dtype=float
        ),
    }
    return features_of(used.assign(**new))


def load(data: dict, seed: int) -> tuple[pd.DataFrame, dict]:
    """Load the sales: features of `derive`, and the standardised log price as `TARGET`.

    Parameters
    ----------
    data : dict
        Section `data` of the problem: ``path``, one file or a list of files.
    seed : int
        Not used; part of the interface.

    Returns
    -------
    table : DataFrame
    facts : dict
        As `tilesearch.problems.table.load` gives them.

    Raises
    ------
    InputError
        If a file is missing (the message says where it is to be had), lacks a column, or has a
        price that is not positive.
    """
    raw = _read(data)
    _usable(raw[PRICE], data)
    target, scale = standardised(np.log(raw[PRICE].to_numpy(dtype=float)))
    facts = {
        "source": "Danish residential sales 1992-2024",
        "stand_in": None,
        "task": "regression",
        "target": {**scale, "transform": "log"},
    }
    return derive(raw).assign(**{TARGET: target}), facts
