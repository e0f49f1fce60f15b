"""The `housing` problem: King County house sales and the features that a practitioner derives."""

import numpy as np
import pandas as pd

from tilesearch.errors import InputError
from tilesearch.problems.table import (
    TARGET,
    as_dates,
    check_target,
    date_features,
    read_table,
    standardised,
)

COLUMNS = (
    *("id", "date", "price", "bedrooms", "bathrooms", "sqft_living", "sqft_lot", "floors"),
    *("waterfront", "view", "condition", "grade", "sqft_above", "sqft_basement", "yr_built"),
    *("yr_renovated", "zipcode", "lat", "long", "sqft_living15", "sqft_lot15"),
)

DIVISORS = ["sqft_living", "sqft_lot", "floors", "sqft_living15", "sqft_lot15"]

#: Pike Place Market stands for the centre of Seattle, City Hall for that of Bellevue (degrees).
SEATTLE = (47.6097, -122.3422)
BELLEVUE = (47.6143, -122.1946)
AIRPORT = (47.4502, -122.3088)
EARTH_RADIUS_KM = 6371.0088


def distance_km(lat, long, place: tuple[float, float]) -> np.ndarray:
    """Great-circle distance in km from points to `place` (haversine formula), all in degrees.

    Examples
    --------
    >>> round(float(distance_km(47.6097, -122.3422, (47.6143, -122.1946))), 1)
    11.1
    """
    lat, long, lat0, long0 = map(np.radians, (lat, long, *place))
    half = np.sin((lat - lat0) / 2) ** 2
    half = half + np.cos(lat) * np.cos(lat0) * np.sin((long - long0) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))


def bearing(lat, long, place: tuple[float, float]) -> np.ndarray:
    """Initial bearing in radians (0 north, clockwise) from `place` to points, all in degrees."""
    lat, long, lat0, long0 = map(np.radians, (lat, long, *place))
    east = np.sin(long - long0) * np.cos(lat)
    north = np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(long - long0)
    return np.arctan2(east, north)


def derive(raw: pd.DataFrame) -> pd.DataFrame:
    """Features of house sales; neither the price nor anything computed from it is used.

    Parameters
    ----------
    raw : DataFrame
        The columns `COLUMNS` (areas in square feet, positions in degrees).

    Returns
    -------
    DataFrame
        More than 40 float columns, same rows.
    """
    house = raw.drop(columns=["id", "date", "price"]).astype(float)
    house[DIVISORS] = house[DIVISORS].where(house[DIVISORS] > 0)  # 0 stands for not known
    sold = as_dates(raw["date"])
    dates = date_features(sold, "sale")
    year = dates["sale_year"]
    rooms = (house.bedrooms + house.bathrooms).clip(lower=1)
    bedrooms = house.bedrooms.clip(lower=1)
    angle = bearing(house.lat, house.long, SEATTLE)
    renovated = house.yr_renovated > 0
    last_work = np.where(renovated, house.yr_renovated, house.yr_built)
    new = {
        **dates,
        "sale_season": np.floor(dates["sale_month"] % 12 / 3),
        "sale_week": sold.dt.isocalendar().week.to_numpy(dtype=float),
        "age": year - house.yr_built,
        "is_renovated": renovated.astype(float),
        "years_since_work": year - last_work,
        "years_to_renovation": np.where(renovated, house.yr_renovated - house.yr_built, np.nan),
        "decade_built": np.floor(house.yr_built / 10) * 10,
        "sold_before_built": (year < house.yr_built).astype(float),
        "has_basement": (house.sqft_basement > 0).astype(float),
        "basement_share": house.sqft_basement / house.sqft_living,
        "above_share": house.sqft_above / house.sqft_living,
        "living_per_lot": house.sqft_living / house.sqft_lot,
        "living_per_room": house.sqft_living / rooms,
        "living_per_bedroom": house.sqft_living / bedrooms,
        "living_per_floor": house.sqft_living / house.floors,
        "footprint_per_lot": house.sqft_above / house.floors / house.sqft_lot,
        "bathrooms_per_bedroom": house.bathrooms / bedrooms,
        "rooms": rooms,
        "living_to_neighbours": house.sqft_living / house.sqft_living15,
        "lot_to_neighbours": house.sqft_lot / house.sqft_lot15,
        "neighbours_living_per_lot": house.sqft_living15 / house.sqft_lot15,
        "log_living": np.log(house.sqft_living),
        "log_lot": np.log(house.sqft_lot),
        "log_living15": np.log(house.sqft_living15),
        "log_lot15": np.log(house.sqft_lot15),
        "garden": house.sqft_lot - house.sqft_above / house.floors,
        "grade_times_living": house.grade * house.sqft_living,
        "grade_plus_condition": house.grade + house.condition,
        "view_or_waterfront": house["view"] + 4 * house.waterfront,
        "km_to_seattle": distance_km(house.lat, house.long, SEATTLE),
        "km_to_bellevue": distance_km(house.lat, house.long, BELLEVUE),
        "km_to_airport": distance_km(house.lat, house.long, AIRPORT),
        "bearing_sin": np.sin(angle),
        "bearing_cos": np.cos(angle),
        "lat_plus_long": house.lat + house.long,
        "lat_minus_long": house.lat - house.long,
    }
    return house.assign(**new)


def check(data: dict) -> tuple[int, int]:
    """Check the file; return its number of rows and of derived features."""
    raw = _raw(data)
    return len(raw), derive(raw.head(2)).shape[1]


def _raw(data: dict) -> pd.DataFrame:
    raw = read_table(data["path"])
    raw = raw[[name for name in COLUMNS if name in raw]]
    missing = [name for name in COLUMNS if name not in raw.columns]
    numbers = raw.drop(columns=["id", "date", "price"], errors="ignore")
    read = numbers.apply(pd.to_numeric, errors="coerce")
    wrong = [name for name in numbers if (read[name].isna() & raw[name].notna()).any()]
    if "date" in raw and as_dates(raw["date"]) is None:
        wrong.append("date")
    if missing or wrong:
        what = f"no column '{missing[0]}'" if missing else f"unreadable values in '{wrong[0]}'"
        raise InputError(
            f"'{data['path']}' has {what}, give the King County table "
            "(for any other table take kind: table)"
        )
    check_target(raw["price"], "price", "regression", data["path"])
    if not (raw["price"] > 0).all():
        raise InputError(f"target column 'price' of '{data['path']}' has values that are not > 0")
    return raw


def load(data: dict, seed: int) -> tuple[pd.DataFrame, dict]:
    """Load the sales: features of `derive`, and the standardised log price as `TARGET`.

    Parameters
    ----------
    data : dict
        Section `data` of the problem: ``path``.
    seed : int
        Not used; part of the interface.

    Returns
    -------
    table : DataFrame
    facts : dict
        As `tilesearch.problems.table.load` gives them.
    """
    raw = _raw(data)
    target, scale = standardised(np.log(raw["price"].to_numpy(dtype=float)))
    facts = {
        "source": "King County house sales",
        "stand_in": None,
        "task": "regression",
        "target": {**scale, "transform": "log"},
    }
    return derive(raw).assign(**{TARGET: target}), facts
