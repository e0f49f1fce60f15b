"""Simulated neutrino events: light of muon tracks and cascades in a field of sensors in ice.

The events stand in for IceCube's. They keep what decides how well a network can tell where a
neutrino came from: the sensors' places, the arrival time of Cherenkov light, the fall of the light
with distance, its scattering, and noise. They leave out the rest (layers of dust in the ice, the
muon's stochastic losses, the sensors' electronics).

Light spreads on a cone of half-angle θ_C around a particle's path, cos θ_C = 1/n. A sensor at the
distance ρ from a track whose foot point lies l behind the reference point (along the path) is
reached, when nothing scatters, at ::

    t = t_0 + (l + ρ tan θ_C) / c

after a light path of ρ / sin θ_C [1]_. A cascade is a point: its light arrives at t_0 + n r / c.

References
----------
.. [1] J. Ahrens et al. (AMANDA), "Muon track reconstruction and data selection techniques in
   AMANDA", Nucl. Instrum. Meth. A 524, 169-194, 2004, section 3.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tilesearch.errors import InputError

SPEED_OF_LIGHT = 0.299792458  # metres per nanosecond
REFRACTIVE_INDEX = 1.32
CHERENKOV_ANGLE = np.arccos(1 / REFRACTIVE_INDEX)  # 0.711 rad = 40.7 degrees
ABSORPTION_LENGTH = 60.0  # metres after which light has fallen to 1/e, absorbed or scattered away
SCATTERING_DELAY = 1.0  # mean delay in nanoseconds per metre of light path
TIME_RESOLUTION = 5.0  # nanoseconds
WINDOW = 3000.0  # nanoseconds in which noise may fall
SURFACE = 1000.0  # metres above the detector's middle; what lies higher is no sensor in the ice
CHUNK = 256  # events simulated at a time: bounds the memory whatever the number asked for


def hexagonal_sensors(rings: int = 4, per_string: int = 30) -> np.ndarray:
    """Positions of sensors on vertical strings that stand in a hexagonal pattern.

    Strings stand 125 m apart; the sensors of a string share 1,000 m of depth evenly. Four rings
    (61 strings) are about IceCube's size.

    Returns
    -------
    ndarray, shape ((1 + 3 rings (rings + 1)) * per_string, 3)
        Positions in metres around the middle of the detector.

    Examples
    --------
    >>> hexagonal_sensors(rings=4, per_string=30).shape
    (1830, 3)
    """
    if rings < 1 or per_string < 2:
        raise InputError(
            f"a detector of {rings} rings with {per_string} sensors per string is too small, "
            "it needs 1 ring and 2 sensors or more"
        )
    a, b = np.mgrid[-rings : rings + 1, -rings : rings + 1].reshape(2, -1)
    a, b = a[np.abs(a + b) <= rings], b[np.abs(a + b) <= rings]
    strings = 125.0 * np.stack([a + b / 2, b * np.sqrt(3) / 2], axis=1)
    depths = np.linspace(-500, 500, per_string)
    return np.concatenate(
        [np.repeat(strings, per_string, axis=0), np.tile(depths, len(strings))[:, None]], axis=1
    )


def read_sensors(path: str | Path) -> np.ndarray:
    """Positions of the sensors of a GraphNeT geometry table (Parquet), those in the ice only.

    Parameters
    ----------
    path : path-like
        Table with the columns ``dom_x``, ``dom_y``, ``dom_z`` or ``sensor_pos_x`` and so on.

    Returns
    -------
    ndarray, shape (sensors, 3)
        Positions in metres.

    Raises
    ------
    InputError
        If the file is missing, is no Parquet table, lacks the columns or holds NaN.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise InputError(f"geometry table {path} does not exist, mend stand_in.geometry")
    try:
        table = pd.read_parquet(path).reset_index(drop=True)
    except Exception as error:  # pyarrow raises errors of many kinds on a file of another format
        raise InputError(
            f"geometry table {path} is not a Parquet table ({error}), mend stand_in.geometry"
        ) from error
    for prefix in ("dom_", "sensor_pos_"):
        columns = [f"{prefix}{axis}" for axis in "xyz"]
        if set(columns) <= set(table.columns):
            break
    else:
        raise InputError(
            f"geometry table {path} lacks the columns dom_x, dom_y, dom_z, "
            "take one of GraphNeT's geometry tables"
        )
    sensors = table[columns].to_numpy(float)
    if not np.isfinite(sensors).all():
        raise InputError(f"geometry table {path} has positions that are not numbers, mend them")
    return sensors[sensors[:, 2] < SURFACE]


@dataclass(frozen=True)
class Events:
    """Events as lists of hits: one row per sensor that saw light.

    Parameters
    ----------
    event : ndarray of int64, shape (hits,)
        Position of the event that a hit belongs to, ascending.
    position : ndarray, shape (hits, 3)
        Position of the sensor in metres.
    time : ndarray, shape (hits,)
        Time of the sensor's first pulse in nanoseconds.
    charge : ndarray, shape (hits,)
        Light that the sensor saw, in photo-electrons (or pulses).
    zenith : ndarray, shape (events,)
        Zenith angle of the direction that the neutrino came from, in [0, π].
    """

    event: np.ndarray
    position: np.ndarray
    time: np.ndarray
    charge: np.ndarray
    zenith: np.ndarray


def _directions(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Zenith angles of an isotropic flux, and the unit vectors along which particles fly."""
    cosine = rng.uniform(-1, 1, n)
    azimuth = rng.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    # The zenith says where the neutrino comes from; the particle flies the other way.
    flight = -np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    return np.arccos(cosine), flight


def track_light(delta: np.ndarray, flight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unscattered light of endless tracks.

    Parameters
    ----------
    delta : ndarray, shape (events, sensors, 3)
        Sensors' positions from each track's reference point, in metres.
    flight : ndarray, shape (events, 3)
        Unit vectors along the tracks.

    Returns
    -------
    time : ndarray, shape (events, sensors)
        Arrival time in nanoseconds after the particle passed its reference point.
    path : ndarray, shape (events, sensors)
        Length of the light's way in metres.
    spread : ndarray, shape (events, sensors)
        Geometric fall of the light: 1 at 10 m, with the inverse of the distance beyond.

    Examples
    --------
    >>> time, path, _ = track_light(np.array([[[0.0, 0, 10], [10, 0, 0]]]), np.array([[0.0, 0, 1]]))
    >>> time.round(2).tolist(), path.round(2).tolist()
    ([[33.36, 28.74]], [[0.0, 15.32]])
    """
    along = np.einsum("esi,ei->es", delta, flight)
    away = np.sqrt(np.maximum(np.einsum("esi,esi->es", delta, delta) - along**2, 0))
    time = (along + away * np.tan(CHERENKOV_ANGLE)) / SPEED_OF_LIGHT
    return time, away / np.sin(CHERENKOV_ANGLE), 10 / np.maximum(away, 10)


def cascade_light(delta: np.ndarray, flight: np.ndarray):
    """Unscattered light of point-like cascades; arguments and values as in `track_light`.

    The light falls with the square of the distance, and is brightest on the Cherenkov cone: most
    of a cascade's particles fly forwards.
    """
    distance = np.sqrt(np.einsum("esi,esi->es", delta, delta))
    angle = np.arccos(
        np.clip(np.einsum("esi,ei->es", delta, flight) / np.maximum(distance, 1e-9), -1, 1)
    )
    cone = 0.15 + np.exp(-np.abs(angle - CHERENKOV_ANGLE) / 0.4)
    time = distance * REFRACTIVE_INDEX / SPEED_OF_LIGHT
    return time, distance, cone * (10 / np.maximum(distance, 10)) ** 2


def _pulses(rng, sensors, n, tracks, noise):
    """Charges and times at all sensors of `n` events, and the events' zenith angles."""
    zenith, flight = _directions(rng, n)
    is_track = rng.random(n) < tracks
    reach = 0.8 * np.abs(sensors).max(axis=0)
    delta = sensors[None] - rng.uniform(-reach, reach, (n, 3))[:, None]
    light = np.empty((3, n, len(sensors)))
    light[:, is_track] = track_light(delta[is_track], flight[is_track])
    light[:, ~is_track] = cascade_light(delta[~is_track], flight[~is_track])
    time, path, spread = light
    # A cascade leaves its light on a few sensors around it, so it needs more of it to be seen.
    brightness = 10 ** rng.uniform(0.3, 1.3, n) * np.where(is_track, 1.0, 30.0)
    expected = brightness[:, None] * spread * np.exp(-path / ABSORPTION_LENGTH)
    charge = rng.poisson(expected)
    # The first of several photons comes earlier than a lone one: their delays' minimum.
    delay = rng.exponential(SCATTERING_DELAY * path / np.maximum(charge, 1))
    time = time + delay + rng.normal(0, TIME_RESOLUTION, time.shape)
    dark = (charge == 0) & (rng.random(charge.shape) < noise / len(sensors))
    time[dark] = rng.uniform(-WINDOW / 2, WINDOW / 2, dark.sum())
    return charge + dark, time, zenith, is_track


def simulate_events(
    rows: int,
    sensors: np.ndarray,
    seed: int,
    tracks: float = 0.7,
    noise: float = 3.0,
    least_hits: int = 8,
) -> Events:
    """Simulate events whose zenith angles are isotropic before the trigger.

    Parameters
    ----------
    rows : int
        Number of events, 1 or more.
    sensors : ndarray, shape (sensors, 3)
        Positions of the sensors in metres.
    seed : int
        Seed; the same seed and arguments give the same events.
    tracks : float
        Share of muon tracks in [0, 1]; the other events are cascades.
    noise : float
        Mean number of noise hits per event, 0 or more.
    least_hits : int
        The trigger: events with fewer hits are not recorded.

    Returns
    -------
    Events
        `rows` events.

    Raises
    ------
    InputError
        If an argument lies outside its range, or so few events pass the trigger that `rows`
        are not reached.

    Examples
    --------
    >>> events = simulate_events(5, hexagonal_sensors(), seed=1)
    >>> len(events.zenith), bool(np.bincount(events.event).min() >= 8)
    (5, True)
    """
    if rows < 1:
        raise InputError(f"stand_in.rows is {rows}, it must be 1 or more")
    if not 0 <= tracks <= 1:
        raise InputError(f"stand_in.tracks is {tracks}, it must lie in [0, 1]")
    if noise < 0:
        raise InputError(f"stand_in.noise is {noise}, it must be 0 or more")
    if least_hits < 1:
        raise InputError(f"stand_in.least_hits is {least_hits}, it must be 1 or more")
    rng = np.random.default_rng(seed)
    parts, found, tried = [], 0, 0
    while found < rows:
        charge, time, zenith, _ = _pulses(rng, sensors, CHUNK, tracks, noise)
        tried += CHUNK
        kept = np.flatnonzero((charge > 0).sum(axis=1) >= least_hits)[: rows - found]
        event, sensor = np.nonzero(charge[kept])
        source = kept[event]
        parts.append(
            (
                event + found,
                sensors[sensor],
                time[source, sensor],
                charge[source, sensor].astype(float),
                zenith[kept],
            )
        )
        found += len(kept)
        if tried >= 20 * CHUNK and found < tried / 100:
            raise InputError(
                f"only {found} of {tried} simulated events have {least_hits} hits or more, "
                "lower stand_in.least_hits or take a denser geometry"
            )
    return Events(*(np.concatenate(column) for column in zip(*parts, strict=True)))
