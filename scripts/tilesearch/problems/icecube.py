"""Icecube: from which zenith angle did a neutrino come?

An edge-convolution network (the DynEdge family [1]_) looks at the graph whose nodes are the
sensors that saw light and whose edges lead from each of them to its k nearest ones. Searched are
the learning rate and k. From k = max_hits - 1 on, every graph is complete, and a larger k changes
nothing.

**Loss on the angle.** A zenith angle is no plain number: an error of it must not depend on where
the scale begins. The network gives a vector v; the direction of v, atan2(v_2, v_1), is the
predicted angle, and the loss is half the squared distance to the unit vector of the true angle, ::

    |v - (cos θ, sin θ)|² / 2

For a vector of length 1 that is 1 - cos(predicted - true), the (negative, shifted) logarithm of a
von Mises density, (Δθ)²/2 for small errors; a shorter vector says that the network is unsure, and
the best v is the mean of the unit vectors of all angles that the event may have. A network that has
learned nothing predicts 90° with length π/4 for isotropic events and pays
(1 - (π/4)²)/2 = 0.192. (The distance is not divided by the length of v: that would make the loss
blind to the scale of the last layer's weights, which then grow and slow the learning down.)

References
----------
.. [1] R. Abbasi et al. (IceCube), "Graph neural networks for low-energy event classification and
   reconstruction in IceCube", JINST 17, P11003, 2022.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tilesearch.errors import InputError
from tilesearch.problems.base import Batch, Data, Outcome
from tilesearch.problems.neutrinos import (
    SPEED_OF_LIGHT,
    Events,
    hexagonal_sensors,
    read_sensors,
    simulate_events,
)

FEATURES = ("x", "y", "z", "time", "log_charge")
KEPT = ("brightest", "earliest")

PARAMETERS = {
    "learning_rate": {"low": 1e-3, "high": 1e-1, "type": "float", "scale": "log"},
    "k": {"low": 2, "high": 16, "type": "int", "scale": "linear"},
}
TRAINED = ("learning_rate", "k")
DEFAULTS = {
    "data": {
        "path": None,  # SQLite database in GraphNeT's layout; the next seven keys are its names
        "pulses": "total",
        "truth": "mc_truth",
        "event": "event_no",
        "position": ["sensor_pos_x", "sensor_pos_y", "sensor_pos_z"],
        "time": "t",
        "charge": None,  # None: a sensor's charge is the number of its pulses
        "zenith": "injection_zenith",
        "max_hits": 32,  # sensors per event that the network sees
        "keep": "brightest",  # or "earliest": which ones, where more saw light
        # Columns of the neighbour table: the largest k that can be searched, unless they are
        # max_hits - 1 or more, when every k can.
        "neighbours": 16,
        "stand_in": {
            "rows": 2000,
            "geometry": None,  # Parquet table of sensors; None: a hexagonal detector
            "tracks": 0.7,
            "noise": 3.0,
            "least_hits": 8,
        },
    },
    "training": {
        "epochs": 10,
        "batch_size": 32,
        "channels": [16, 16],  # of the edge convolutions
        "units": 32,  # of the dense layer before the last
        "optimiser": "adam",  # adam or sgd
        "members": 16,  # networks trained at a time; on a CPU, more do not fit its cache
        "xla": True,  # compile with XLA under TensorFlow
    },
}
#: What compiling one more program costs, in trainings of one member with one neighbour more.
COMPILATION = 70.0


def _quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + str(name).replace('"', '""') + '"'


def _check_columns(database, path: Path, table: str, columns: list[str]) -> None:
    """Check that `table` exists and has the columns: SQLite reads a wrong name as a string."""
    found = [row[1] for row in database.execute(f"PRAGMA table_info({_quoted(table)})")]
    if not found:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master")]
        raise InputError(
            f"{path} has no table '{table}' (it has {', '.join(tables) or 'none'}), "
            "set data.pulses and data.truth to its tables"
        )
    for column in columns:
        if column not in found:
            raise InputError(
                f"{path}: table '{table}' has no column '{column}', it has {', '.join(found)}"
            )


def _read_tables(path: Path, settings: Mapping):
    """Pulses (event, x, y, z, time[, charge]) and truth (event, zenith) as data frames."""
    import pandas as pd

    pulse_columns = [settings["event"], *settings["position"], settings["time"]]
    if settings["charge"]:
        pulse_columns.append(settings["charge"])
    truth_columns = [settings["event"], settings["zenith"]]
    frames = []
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        for table, columns in (
            (settings["pulses"], pulse_columns),
            (settings["truth"], truth_columns),
        ):
            _check_columns(database, path, table, columns)
            names = ", ".join(_quoted(column) for column in columns)
            query = f"SELECT {names} FROM {_quoted(table)}"  # noqa: S608 (names quoted, checked)
            frames.append(pd.read_sql_query(query, database))
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{path} is not a whole SQLite database ({error}), set data.path to one or "
            "fetch it anew"
        ) from error
    finally:
        database.close()
    pulses, truth = frames
    pulses.columns = ["event", "x", "y", "z", "time", "charge"][: len(pulse_columns)]
    truth.columns = ["event", "zenith"]
    if "charge" not in pulses:
        pulses["charge"] = 1.0
    return pulses, truth


def _check_tables(path: Path, pulses, truth) -> None:
    """Check that every event has hits, and that all numbers are numbers."""
    if truth.empty:
        raise InputError(f"{path} has no events, give it one or more")
    if truth["event"].duplicated().any():
        event = truth.loc[truth["event"].duplicated(), "event"].iloc[0]
        raise InputError(f"{path} names event {event} twice in its truth table, remove one row")
    zenith = truth["zenith"].to_numpy(float)
    wrong = ~((zenith >= 0) & (zenith <= np.pi))
    if wrong.any():
        raise InputError(
            f"{path}: event {truth['event'][wrong].iloc[0]} has the zenith {zenith[wrong][0]}, "
            "which is none of [0, π] radians, mend or remove it"
        )
    wrong = ~np.isfinite(pulses.drop(columns="event").to_numpy(float)).all(axis=1)
    if wrong.any():
        raise InputError(
            f"{path}: a pulse of event {pulses['event'][wrong].iloc[0]} has a NaN or infinite "
            "feature, mend or remove it"
        )
    if (pulses["charge"] <= 0).any():
        event = pulses.loc[pulses["charge"] <= 0, "event"].iloc[0]
        raise InputError(f"{path}: a pulse of event {event} has no charge above 0, remove it")
    dark = ~truth["event"].isin(pulses["event"])
    if dark.any():
        raise InputError(
            f"{path}: event {truth['event'][dark].iloc[0]} has no hits, "
            "remove it from the truth table"
        )
    stray = ~pulses["event"].isin(truth["event"])
    if stray.any():
        raise InputError(
            f"{path}: event {pulses['event'][stray].iloc[0]} has pulses but no truth, "
            "remove them or add it"
        )


def read_events(path: str | Path, settings: Mapping | None = None) -> Events:
    """Read the events of an SQLite database in GraphNeT's layout; it is opened read-only.

    Parameters
    ----------
    path : path-like
        The database.
    settings : dict, optional
        Names of its tables and columns, where they differ from ``DEFAULTS["data"]`` (Prometheus).
        For IceCube's own: ``{"position": ["dom_x", "dom_y", "dom_z"], "time": "dom_time",
        "charge": "charge", "zenith": "zenith", "truth": "truth", "pulses": ...}``.

    Returns
    -------
    Events
        One hit per sensor and event: the time of its first pulse, the sum of its charges. Events
        are in the order of their numbers.

    Raises
    ------
    InputError
        If the file is missing or no SQLite database, a table or column is missing, an event has
        no hits or no truth, or a number is NaN.
    """
    settings = {**DEFAULTS["data"], **(settings or {})}
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist, set data.path to an SQLite database of events")
    pulses, truth = _read_tables(path, settings)
    try:
        pulses[["x", "y", "z", "time", "charge"]] = pulses[
            ["x", "y", "z", "time", "charge"]
        ].astype(float)
        truth["zenith"] = truth["zenith"].astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} has features that are no numbers ({error}), mend them") from error
    _check_tables(path, pulses, truth)
    truth = truth.sort_values("event").reset_index(drop=True)
    hits = pulses.groupby(["event", "x", "y", "z"], sort=True, as_index=False).agg(
        time=("time", "min"), charge=("charge", "sum")
    )
    return Events(
        np.searchsorted(truth["event"].to_numpy(), hits["event"].to_numpy()),
        hits[["x", "y", "z"]].to_numpy(),
        hits["time"].to_numpy(),
        hits["charge"].to_numpy(),
        truth["zenith"].to_numpy(),
    )


def _rank(event: np.ndarray) -> np.ndarray:
    """Position of each row within its event; `event` is ascending."""
    return np.arange(len(event)) - np.searchsorted(event, event)


def padded_events(events: Events, max_hits: int, keep: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Events as an array of equal numbers of hits: some dropped, others padded with zeros.

    Positions are taken from the middle of all hits, times from the middle hit of the event, and
    both (times as the way of light) are divided by the hits' root-mean-square distance from that
    middle, so that all features are of order 1.

    Parameters
    ----------
    events : Events
        Events of one hit or more each.
    max_hits : int
        Hits that are kept, 2 or more.
    keep : {"brightest", "earliest"}
        Which hits are kept where there are more; ties go to the earlier hit.

    Returns
    -------
    x : ndarray of float32, shape (events, max_hits, 5)
        `FEATURES` of the hits in the order of time; zeros behind the last hit.
    hits : ndarray of int32, shape (events,)
        Number of hits that are kept.
    scale : float
        The unit of length in metres.
    """
    first = events.time if keep == "earliest" else -events.charge
    order = np.lexsort((events.time, first, events.event))
    order = order[_rank(events.event[order]) < max_hits]
    order = order[np.lexsort((events.time[order], events.event[order]))]
    event, rank = events.event[order], _rank(events.event[order])
    hits = np.bincount(event, minlength=len(events.zenith))
    middle_hit = (np.cumsum(hits) - hits + hits // 2)[event]
    position = events.position[order]
    position = position - position.mean(axis=0)
    scale = float(np.sqrt((position**2).sum(axis=1).mean())) or 1.0
    time = SPEED_OF_LIGHT * (events.time[order] - events.time[order][middle_hit])
    x = np.zeros((len(hits), max_hits, len(FEATURES)), np.float32)
    x[event, rank, :3] = position / scale
    x[event, rank, 3] = time / scale
    x[event, rank, 4] = np.log10(events.charge[order])
    return x, hits.astype(np.int32), scale


def load(settings: Mapping, seed: int) -> Data:
    """Load or simulate events.

    Parameters
    ----------
    settings : dict
        ``path`` and names as for `read_events`; or ``stand_in`` for simulated events (see
        `tilesearch.problems.neutrinos`): ``rows``, ``geometry``, ``tracks``, ``noise``,
        ``least_hits``. ``max_hits`` and ``keep`` as in `padded_events`. Without a path the
        stand-in is simulated.
    seed : int
        Seed of the stand-in.

    Returns
    -------
    Data
        ``x``: float32, shape (events, max_hits, 5); ``hits``: int32, shape (events,), how many
        rows of x are hits; ``y``: float64, shape (events,), zenith angle in radians.

    Raises
    ------
    InputError
        See `read_events`, `read_sensors` and `simulate_events`.

    Examples
    --------
    >>> data = load({"stand_in": {"rows": 20}, "max_hits": 24}, seed=1)
    >>> data.arrays["x"].shape, data.facts["features"][3]
    ((20, 24, 5), 'time')
    """
    settings = {**DEFAULTS["data"], **settings}
    if settings["max_hits"] != int(settings["max_hits"]) or settings["max_hits"] < 2:
        raise InputError(
            f"data.max_hits is {settings['max_hits']}, it must be a whole number of 2 or more"
        )
    if settings["keep"] not in KEPT:
        raise InputError(f"data.keep is '{settings['keep']}', it must be one of {', '.join(KEPT)}")
    if settings["path"]:
        events = read_events(settings["path"], settings)
        facts = {"source": Path(settings["path"]).name, "stand_in": None}
    else:
        drawn = {**DEFAULTS["data"]["stand_in"], **(settings["stand_in"] or {})}
        geometry = drawn.pop("geometry")
        sensors = read_sensors(geometry) if geometry else hexagonal_sensors()
        events = simulate_events(sensors=sensors, seed=seed, **drawn)
        field = Path(geometry).name if geometry else "hexagonal detector"
        facts = {
            "source": f"{drawn['rows']} simulated events in {field}, seed {seed}",
            "stand_in": "simulated tracks and cascades",
        }
    x, hits, scale = padded_events(events, settings["max_hits"], settings["keep"])
    facts |= {"features": list(FEATURES), "metres": scale}
    return Data({"x": x, "hits": hits, "y": events.zenith}, facts)


def neighbour_table(positions: np.ndarray, hits: np.ndarray, columns: int) -> np.ndarray:
    """The nearest hits of each hit, the nearest first.

    Parameters
    ----------
    positions : ndarray, shape (events, max_hits, 3)
        Places of the sensors.
    hits : ndarray of int, shape (events,)
        How many rows of `positions` are hits.
    columns : int
        Neighbours wanted, 1 or more.

    Returns
    -------
    ndarray of int32, shape (events, max_hits, columns)
        Row of each neighbour in the same event; equal distances in the order of rows. Column j
        is a neighbour only if j < hits - 1; beyond that, and behind the last hit, a row names
        itself.

    Examples
    --------
    >>> line = np.array([[[0.0, 0, 0], [1, 0, 0], [3, 0, 0], [0, 0, 0]]])
    >>> neighbour_table(line, np.array([3]), 2).tolist()
    [[[1, 2], [0, 2], [1, 0], [3, 3]]]
    """
    events, rows = positions.shape[:2]
    table = np.tile(np.arange(rows, dtype=np.int32)[None, :, None], (events, 1, columns))
    width = min(columns, rows - 1)
    for start in range(0, events, 512):  # the distances of 512 events at a time: a few MB
        place = positions[start : start + 512].astype(float)
        distance = ((place[:, :, None] - place[:, None]) ** 2).sum(axis=-1)
        real = np.arange(rows) < hits[start : start + 512, None]
        distance[~(real[:, :, None] & real[:, None])] = np.inf
        distance[:, np.arange(rows), np.arange(rows)] = np.inf
        nearest = np.argsort(distance, axis=-1, kind="stable")[..., :width]
        found = np.isfinite(np.take_along_axis(distance, nearest, axis=-1))
        part = table[start : start + 512, :, :width]
        part[found] = nearest[found]
    return table


def embed(data: Data, settings: Mapping, seed: int) -> dict[str, np.ndarray]:
    """Build the neighbour table that all k share, once per data set.

    Parameters
    ----------
    data : Data
        As from `load`.
    settings : dict
        ``neighbours``: columns of the table, the largest k (16).
    seed : int
        Not used; part of the interface.

    Returns
    -------
    dict
        ``neighbours``: int32, shape (events, max_hits, neighbours); see `neighbour_table`.
    """
    columns = {**DEFAULTS["data"], **settings}["neighbours"]
    if columns != int(columns) or columns < 1:
        raise InputError(f"data.neighbours is {columns}, it must be a whole number of 1 or more")
    table = neighbour_table(data.arrays["x"][..., :3], data.arrays["hits"], int(columns))
    return {"neighbours": table}


def chord(batch, outputs):
    """Half the squared distance from the unit vector of the true angle; see the module's text.

    Parameters
    ----------
    batch : dict
        ``y``: zenith angles in radians, shape (1, rows).
    outputs : tensor, shape (members, rows, 2)
        Vectors whose direction is the prediction.

    Returns
    -------
    tensor, shape (members, rows)
        Not negative; 1/2 for a vector without length.
    """
    from keras import ops

    return 0.5 * (
        ops.square(outputs[..., 0] - ops.cos(batch["y"]))
        + ops.square(outputs[..., 1] - ops.sin(batch["y"]))
    )


def network(neighbours, settings: Mapping, seed: int, dtype=None):
    """Edge-convolution networks, one per member, that differ in the number of neighbours.

    The nodes' values after each edge convolution are averaged over the event; all averages
    together pass through a dense layer to the two outputs.

    Parameters
    ----------
    neighbours : sequence of int
        Number of neighbours k of each member.
    settings : dict
        ``channels`` and ``units``, see `DEFAULTS`.
    seed : int
        Seed of the initial weights, the same for all members.
    dtype : str, optional
        Keras dtype.

    Returns
    -------
    keras.layers.Layer
        Reads ``x``, ``hits`` and ``neighbours``, gives vectors (members, rows, 2).
    """
    from tilesearch.training.edgeconv import EdgeNetwork

    return EdgeNetwork(
        neighbours, settings["channels"], settings["units"], 2, seed=seed, dtype=dtype
    )


def lone_network(k: int, arrays: Mapping, settings: Mapping, seed: int, dtype=None):
    """Build one member of `network` in plain Keras, as it is usually written.

    Each edge's values [x_i, x_j - x_i] are laid side by side and pass through a dense layer. Not
    used for training a study; tests and benchmarks compare with it.

    Parameters
    ----------
    k : int
        Number of neighbours; the model takes a table of so many columns.
    arrays : dict of ndarray
        Inputs ``x``, ``hits`` and ``neighbours``, for their shapes.
    settings, seed, dtype
        As in `network`.

    Returns
    -------
    keras.Model
        Takes a dict of ``x``, ``hits`` and ``neighbours`` (k columns), gives (rows, 2).
    """
    import keras
    from keras import ops

    from tilesearch.training.fused import glorot

    class EdgeConv(keras.layers.Layer):
        def __init__(self, channels, name):
            super().__init__(name=name, dtype=dtype)
            self.dense = keras.layers.Dense(channels, "relu", name=name, dtype=dtype)

        def build(self, shape):
            self.dense.build((*shape[:-1], 2 * shape[-1]))

        def call(self, x, hits, neighbours):
            nodes, features = x.shape[1:]
            index = ops.reshape(neighbours, (-1, nodes * k, 1))
            ends = ops.take_along_axis(x, index, axis=1)
            ends = ops.reshape(ends, (-1, nodes, k, features))
            starts = ops.repeat(x[:, :, None], k, axis=2)
            edges = self.dense(ops.concatenate([starts, ends - starts], axis=-1))
            real = ops.cast(ops.arange(k) < hits[:, None] - 1, x.dtype)
            total = ops.sum(edges * real[:, None, :, None], axis=2)
            return total / ops.maximum(ops.sum(real, axis=1), 1)[:, None, None]

    class MeanOfHits(keras.layers.Layer):
        def call(self, x, hits):
            real = ops.cast(ops.arange(x.shape[1]) < hits[:, None], x.dtype)
            return ops.sum(x * real[..., None], axis=1) / ops.cast(hits[:, None], x.dtype)

    nodes, features = arrays["x"].shape[1:]
    inputs = {
        "x": keras.Input((nodes, features), dtype=dtype, name="x"),
        "hits": keras.Input((), dtype="int32", name="hits"),
        "neighbours": keras.Input((nodes, k), dtype="int32", name="neighbours"),
    }
    values, means = inputs["x"], []
    for i, channels in enumerate(settings["channels"]):
        edge = EdgeConv(channels, f"edges_{i}")
        values = edge(values, inputs["hits"], inputs["neighbours"])
        means.append(MeanOfHits(dtype=dtype)(values, inputs["hits"]))
    joined = keras.layers.Concatenate(dtype=dtype)(means) if len(means) > 1 else means[0]
    hidden = keras.layers.Dense(settings["units"], "relu", name="hidden", dtype=dtype)(joined)
    model = keras.Model(inputs, keras.layers.Dense(2, name="direction", dtype=dtype)(hidden))
    for variable in model.trainable_variables:
        if variable.path.endswith("kernel"):
            name = variable.path.split("/")[-2]
            variable.assign(glorot(seed, name, *variable.shape))
    return model


class IcecubeTrainer:
    """Trains the networks of one batch together, some members at a time; see `trainer`."""

    def __init__(self, batch: Batch, settings: Mapping, seed: int):
        names = ("x", "hits", "neighbours", "y")
        self.train = {name: batch.train[name] for name in names}
        self.test = {name: batch.test[name] for name in names}
        self.settings, self.seed = settings, seed

    def _check(self, neighbours: np.ndarray) -> None:
        columns = self.train["neighbours"].shape[-1]
        if neighbours.min() < 1 or neighbours.max() > columns:
            wrong = neighbours.min() if neighbours.min() < 1 else neighbours.max()
            raise InputError(
                f"k is {wrong} and the table of neighbours has {columns} columns, "
                "set data.neighbours to the largest k, which must be 1 or more"
            )

    def evaluate(self, points: Iterable[Mapping[str, float]]) -> Iterator[Outcome]:
        """Yield one outcome per point: those of few neighbours first, some members at a time."""
        from tilesearch.training import fused

        points = list(points)
        if not points:
            return
        k = np.array([int(p["k"]) for p in points])
        # All other hits are the most neighbours that there can be: points beyond share a training.
        k = np.minimum(k, self.train["x"].shape[1] - 1)
        self._check(k)
        rates = np.array([float(p["learning_rate"]) for p in points])
        members, member_of = np.unique(np.stack([rates, k]), axis=1, return_inverse=True)
        rates, neighbours = members[0], members[1].astype(int)
        # A member pays for all columns that its program gathers, so like goes with like.
        for group in fused.group_by_width(neighbours, overhead=COMPILATION):
            for member, loss, seconds in self._train(group, rates, neighbours):
                held = np.flatnonzero(member_of == member)
                for point in held:
                    yield fused.outcome(int(point), loss, seconds / len(held), rates[member])

    def _train(self, group, rates, neighbours) -> Iterator[tuple[int, float, float]]:
        """Yield each member with its loss and its seconds."""
        from tilesearch.training import fused

        columns, epochs = neighbours[group].max(), self.settings["epochs"]
        train, test = (
            {**part, "neighbours": np.ascontiguousarray(part["neighbours"][..., :columns])}
            for part in (self.train, self.test)
        )
        chunks = fused.train_in_chunks(
            lambda members: network(neighbours[members], self.settings, self.seed),
            group,
            self.settings["members"],
            rates=rates,
            loss=chord,
            optimiser=fused.OPTIMISERS[self.settings["optimiser"]](),
            xla=self.settings["xla"],
            train=train,
            test=test,
            epochs=epochs,
            evaluate=[epochs],
            batch_size=self.settings["batch_size"],
            score_rows=128,
            seed=self.seed,
        )
        for members, losses, seconds in chunks:
            for member, loss in zip(members, losses[:, -1], strict=True):
                yield int(member), loss, seconds / len(members)


def trainer(
    batch: Batch, facts: Mapping, tuned: Mapping, settings: Mapping, seed: int, threads: int
) -> IcecubeTrainer:
    """Trainer of one batch.

    Parameters
    ----------
    batch : Batch
        ``x``, ``hits`` and ``y`` as from `load` and ``neighbours`` as from `embed`, of the train
        and test parts.
    facts : dict
        Not used.
    tuned : dict
        Not used: nothing is tuned.
    settings : dict
        Section ``training``; see `DEFAULTS`.
    seed : int
        Seed of initial weights and of the order of rows.
    threads : int
        Cores to use.
    """
    from tilesearch.training.fused import use_threads

    use_threads(threads)
    return IcecubeTrainer(batch, {**DEFAULTS["training"], **settings}, seed)
