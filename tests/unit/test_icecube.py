"""icecube: loaders, simulator, neighbour table, and fused members against lone Keras networks."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from tilesearch.errors import InputError
from tilesearch.problems import icecube, neutrinos
from tilesearch.problems.base import Batch, Data

DATA = Path(os.environ.get("TILESEARCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
DATABASE, GEOMETRY = DATA / "prometheus-events.db", DATA / "icecube86.parquet"
SETTINGS = {**icecube.DEFAULTS["training"], "channels": [3, 4], "units": 6, "epochs": 4}

needs_database = pytest.mark.skipif(
    not DATABASE.is_file(), reason=f"prometheus-events.db is not in {DATA}"
)
needs_geometry = pytest.mark.skipif(
    not GEOMETRY.is_file(), reason=f"icecube86.parquet is not in {DATA}"
)


# -- simulator ---------------------------------------------------------------------------------


def test_light_of_a_track_is_first_along_the_cone():
    """The arrival time is the earliest over all points of the track that light may start from."""
    rng = np.random.default_rng(1)
    delta = rng.uniform(-300, 300, (2, 4, 3))
    flight = rng.normal(size=(2, 3))
    flight /= np.linalg.norm(flight, axis=1, keepdims=True)
    time, path, _ = neutrinos.track_light(delta, flight)
    start = np.linspace(-2000, 2000, 400_001)
    for event in range(2):
        for sensor in range(4):
            way = np.linalg.norm(delta[event, sensor] - start[:, None] * flight[event], axis=1)
            arrival = (start + neutrinos.REFRACTIVE_INDEX * way) / neutrinos.SPEED_OF_LIGHT
            first = np.argmin(arrival)
            assert time[event, sensor] == pytest.approx(arrival[first], abs=1e-3)
            assert path[event, sensor] == pytest.approx(way[first], rel=1e-3)


def test_light_of_a_cascade():
    time, path, spread = neutrinos.cascade_light(
        np.array([[[0, 0, 50.0], [0, 0, -50.0], [0, 0, 100.0]]]), np.array([[0, 0, 1.0]])
    )
    np.testing.assert_allclose(path, [[50, 50, 100]])
    np.testing.assert_allclose(time, path * 1.32 / 0.299792458)
    assert spread[0, 0] > spread[0, 1]  # forwards brighter than backwards
    assert spread[0, 0] == pytest.approx(4 * spread[0, 2])


def test_simulation_is_seeded_and_isotropic():
    sensors = neutrinos.hexagonal_sensors()
    events = neutrinos.simulate_events(300, sensors, seed=1)
    again = neutrinos.simulate_events(300, sensors, seed=1)
    np.testing.assert_array_equal(events.time, again.time)
    assert not np.array_equal(events.zenith, neutrinos.simulate_events(300, sensors, seed=2).zenith)
    assert len(events.zenith) == 300
    assert (np.diff(events.event) >= 0).all()
    assert np.bincount(events.event, minlength=300).min() >= 8
    assert abs(np.cos(events.zenith).mean()) < 0.12  # standard error 0.033


def test_time_and_depth_tell_up_from_down():
    """Tracks from above (zenith < 90°) hit deep sensors late: the sign of the simulation."""
    events = neutrinos.simulate_events(
        200, neutrinos.hexagonal_sensors(), seed=1, tracks=1.0, noise=0.0
    )
    slopes = np.array(
        [
            np.polyfit(events.position[events.event == e, 2], events.time[events.event == e], 1)[0]
            for e in range(200)
        ]
    )
    vertical = np.abs(np.cos(events.zenith)) > 0.5
    assert (np.sign(slopes) == -np.sign(np.cos(events.zenith)))[vertical].mean() > 0.9


def test_hexagonal_sensors_stand_apart():
    sensors = neutrinos.hexagonal_sensors(rings=2, per_string=3)
    assert sensors.shape == (19 * 3, 3)
    strings = np.unique(sensors[:, :2].round(6), axis=0)
    distance = np.linalg.norm(strings[:, None] - strings[None], axis=-1)
    assert distance[distance > 0].min() == pytest.approx(125)


@pytest.mark.parametrize(
    ("stand_in", "says"),
    [
        ({"rows": 0}, "rows is 0"),
        ({"tracks": 1.5}, "tracks is 1.5"),
        ({"noise": -1}, "noise is -1"),
        ({"least_hits": 0}, "least_hits is 0"),
        ({"rows": 500, "least_hits": 500}, "lower stand_in.least_hits"),
        ({"geometry": "nowhere.parquet"}, "nowhere.parquet does not exist"),
    ],
)
def test_bad_stand_in(stand_in, says):
    with pytest.raises(InputError, match=says):
        icecube.load({"stand_in": stand_in}, seed=1)


@needs_geometry
def test_real_geometry():
    sensors = neutrinos.read_sensors(GEOMETRY)
    assert 5000 < len(sensors) < 5407  # without those at the surface
    assert sensors[:, 2].max() < 600
    settings = {"stand_in": {"rows": 20, "geometry": str(GEOMETRY)}}
    assert icecube.load(settings, seed=1).facts["source"].endswith("icecube86.parquet, seed 1")


def test_bad_geometry(tmp_path):
    import pandas as pd

    path = tmp_path / "g.parquet"
    path.write_text("no parquet")
    with pytest.raises(InputError, match=r"g\.parquet is not a Parquet"):
        neutrinos.read_sensors(path)
    pd.DataFrame({"x": [1.0]}).to_parquet(path)
    with pytest.raises(InputError, match=r"g\.parquet lacks the columns"):
        neutrinos.read_sensors(path)
    pd.DataFrame({"dom_x": [1.0], "dom_y": [np.nan], "dom_z": [0.0]}).to_parquet(path)
    with pytest.raises(InputError, match="not numbers"):
        neutrinos.read_sensors(path)


# -- GraphNeT's database -----------------------------------------------------------------------


def write_database(path, pulses, truth):
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE total (sensor_pos_x, sensor_pos_y, sensor_pos_z, t, event_no)")
    database.execute("CREATE TABLE mc_truth (injection_zenith, event_no)")
    database.executemany("INSERT INTO total VALUES (?, ?, ?, ?, ?)", pulses)
    database.executemany("INSERT INTO mc_truth VALUES (?, ?)", truth)
    database.commit()
    database.close()
    return path


PULSES = [
    (0.0, 0.0, 10.0, 7.0, 5),
    (0.0, 0.0, 10.0, 3.0, 5),
    (1.0, 0.0, 10.0, 4.0, 5),
    (2.0, 0.0, -10.0, 9.0, 2),
]
TRUTH = [(0.5, 5), (2.5, 2)]


def test_pulses_become_hits_of_sensors(tmp_path):
    events = icecube.read_events(write_database(tmp_path / "e.db", PULSES, TRUTH))
    assert events.zenith.tolist() == [2.5, 0.5]  # in the order of event numbers
    assert events.event.tolist() == [0, 1, 1]
    assert events.time.tolist() == [9.0, 3.0, 4.0]
    assert events.charge.tolist() == [1.0, 2.0, 1.0]


@needs_database
def test_real_database_is_read_only_and_whole():
    data = icecube.load({"path": DATABASE}, seed=1)
    assert data.arrays["x"].shape == (50, 32, 5)
    assert data.facts["stand_in"] is None
    database = sqlite3.connect(f"{DATABASE.resolve().as_uri()}?mode=ro", uri=True)
    truth = dict(database.execute("SELECT event_no, injection_zenith FROM mc_truth"))
    sensors = dict(
        database.execute("SELECT event_no, COUNT(DISTINCT sensor_id) FROM total GROUP BY event_no")
    )
    database.close()
    np.testing.assert_allclose(data.arrays["y"], [truth[e] for e in sorted(truth)])
    np.testing.assert_array_equal(
        data.arrays["hits"], np.minimum([sensors[e] for e in sorted(truth)], 32)
    )


@pytest.mark.parametrize(
    ("pulses", "truth", "says"),
    [
        (PULSES[:3], TRUTH, "event 2 has no hits"),
        (PULSES, TRUTH[:1], "event 2 has pulses but no truth"),
        ([*PULSES, (None, 0.0, 0.0, 1.0, 5)], TRUTH, "event 5 has a NaN"),
        ([*PULSES, (0.0, 0.0, 0.0, float("inf"), 2)], TRUTH, "event 2 has a NaN"),
        ([*PULSES, ("east", 0.0, 0.0, 1.0, 5)], TRUTH, "no numbers"),
        (PULSES, [(0.5, 5), (None, 2)], "event 2 has the zenith nan"),
        (PULSES, [(0.5, 5), (4.0, 2)], r"event 2 has the zenith 4.0"),
        (PULSES, [*TRUTH, (0.1, 5)], "event 5 twice"),
        ([], [], "no events"),
    ],
)
def test_bad_events(tmp_path, pulses, truth, says):
    path = write_database(tmp_path / "e.db", pulses, truth)
    with pytest.raises(InputError, match=says) as error:
        icecube.load({"path": path}, seed=1)
    assert str(path) in str(error.value)


def test_bad_databases(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        icecube.load({"path": tmp_path / "none.db"}, seed=1)
    text = tmp_path / "text.db"
    text.write_text("event_no,t\n" * 200)
    with pytest.raises(InputError, match=r"text\.db is not a whole SQLite"):
        icecube.load({"path": text}, seed=1)
    whole = write_database(tmp_path / "e.db", PULSES * 2000, TRUTH)
    cut = tmp_path / "cut.db"
    cut.write_bytes(whole.read_bytes()[: 5 * 4096])
    with pytest.raises(InputError, match=r"cut\.db is not a whole SQLite"):
        icecube.load({"path": cut}, seed=1)
    with pytest.raises(InputError, match=r"no table 'truth' \(it has total, mc_truth\)"):
        icecube.load({"path": whole, "truth": "truth"}, seed=1)
    with pytest.raises(InputError, match="'total' has no column 'dom_time'"):
        icecube.load({"path": whole, "time": "dom_time"}, seed=1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"max_hits": 1}, "max_hits is 1"), ({"keep": "dimmest"}, "keep is 'dimmest'")],
)
def test_bad_settings(settings, says):
    with pytest.raises(InputError, match=says):
        icecube.load(settings, seed=1)
    data = Data({"x": np.zeros((1, 3, 5)), "hits": np.array([3])})
    with pytest.raises(InputError, match="neighbours is 0"):
        icecube.embed(data, {"neighbours": 0}, seed=1)


# -- padded events and their neighbours -------------------------------------------------------


def test_padding_keeps_the_brightest_or_the_earliest():
    events = neutrinos.Events(
        event=np.array([0, 0, 0, 1]),
        position=np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]]),
        time=np.array([30.0, 10.0, 20.0, 5.0]),
        charge=np.array([10.0, 1.0, 100.0, 1.0]),
        zenith=np.array([0.1, 0.2]),
    )
    x, hits, _ = icecube.padded_events(events, 2, "brightest")
    assert hits.tolist() == [2, 1]
    np.testing.assert_allclose(x[0, :, 4], [2, 1])  # log charge, in the order of time
    np.testing.assert_array_equal(x[1, 1], 0)
    x, _, scale = icecube.padded_events(events, 2, "earliest")
    np.testing.assert_allclose(x[0, :, 4], [0, 2])
    np.testing.assert_allclose(np.diff(x[0, :, 3]), 10 * 0.299792458 / scale, rtol=1e-6)
    np.testing.assert_allclose(np.diff(x[0, :, 0]), 1 / scale, rtol=1e-6)


def test_neighbour_table_against_sorting_one_by_one():
    rng = np.random.default_rng(1)
    positions, hits = rng.normal(size=(6, 7, 3)), np.array([7, 1, 2, 5, 7, 3])
    table = icecube.neighbour_table(positions, hits, 9)
    assert table.shape == (6, 7, 9)
    for event in range(6):
        for node in range(7):
            others = [j for j in range(hits[event]) if j != node] if node < hits[event] else []
            others.sort(key=lambda j: np.sum((positions[event, j] - positions[event, node]) ** 2))
            assert table[event, node].tolist() == (others + [node] * 9)[:9]


# -- training ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batch():
    settings = {"stand_in": {"rows": 60}, "max_hits": 12, "neighbours": 8}
    data = icecube.load(settings, seed=1)
    arrays = data.arrays | icecube.embed(data, settings, seed=1)
    # One event of a single hit: a graph without edges.
    arrays["hits"][0] = 1
    arrays["x"][0, 1:] = 0
    arrays["neighbours"][0] = np.arange(12)[:, None]
    parts = [{n: a[s] for n, a in arrays.items()} for s in (slice(0, 45), slice(45, 60))]
    return Batch(parts[0], {}, parts[1])


def inputs(part, k, dtype):
    return {
        "x": part["x"].astype(dtype),
        "hits": part["hits"],
        "neighbours": part["neighbours"][..., :k],
    }


def lone_losses(batch, rate, k, dtype, epochs):
    """Test loss after each epoch of one network, by `model.fit`."""
    import keras

    from tilesearch.training.fused import row_order

    train, test = inputs(batch.train, k, dtype), inputs(batch.test, k, dtype)
    model = icecube.lone_network(k, train, SETTINGS, seed=7, dtype=dtype)

    class Chord(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return icecube.chord({"y": y_true[:, 0]}, y_pred)

    model.compile(keras.optimizers.Adam(rate), Chord(dtype=dtype))
    losses = []
    for epoch in range(epochs):
        order = row_order(len(train["x"]), 7, epoch)
        shuffled = {name: values[order] for name, values in train.items()}
        zenith = batch.train["y"][order, None].astype(dtype)
        model.fit(shuffled, zenith, batch_size=32, shuffle=False, verbose=0)
        a, b = model.predict(test, verbose=0).astype(float).T
        zenith = batch.test["y"]
        losses.append(np.mean((a - np.cos(zenith)) ** 2 + (b - np.sin(zenith)) ** 2) / 2)
    return losses


@pytest.mark.parametrize(
    ("dtype", "epochs", "tolerance"), [("float64", 4, 1e-8), ("float32", 3, 1e-3)]
)
def test_a_member_is_the_lone_network(batch, dtype, epochs, tolerance):
    from tilesearch.training import fused

    rates, neighbours = [1e-3, 1e-2, 3e-3], [2, 8, 5]
    losses = fused.train(
        icecube.network(neighbours, SETTINGS, seed=7, dtype=dtype),
        batch.train,
        batch.test,
        loss=icecube.chord,
        rates=rates,
        epochs=epochs,
        batch_size=32,
        seed=7,
        xla=dtype == "float32",  # compiling takes longer than training: once is enough
    )
    for member in (0, 2) if dtype == "float64" else (2,):
        alone = lone_losses(batch, rates[member], neighbours[member], dtype, epochs)
        np.testing.assert_allclose(losses[member], alone, rtol=tolerance)


def test_loss_is_that_of_the_angle():
    from keras import ops

    zenith = np.array([[0.3, 3.0, 1.0, 2.0]])
    guess = np.array([0.4, 2.8, 1.0 + np.pi, 2.0])
    vector = np.stack([np.cos(guess), np.sin(guess)], axis=-1)[None]
    batch = {"y": ops.convert_to_tensor(zenith)}
    loss = icecube.chord(batch, ops.convert_to_tensor(vector))
    np.testing.assert_allclose(loss, 1 - np.cos(guess - zenith), atol=1e-9)
    # Of all vectors, the mean of the truths' unit vectors pays least.
    mean = np.array([np.cos(zenith).mean(), np.sin(zenith).mean()])
    pays = [
        np.mean(icecube.chord(batch, ops.convert_to_tensor(np.tile(v, (1, 4, 1)))))
        for v in (mean, mean + [0.01, 0], mean - [0, 0.01], mean / np.linalg.norm(mean))
    ]
    assert np.argmin(pays) == 0


def test_trainer_gives_each_point_its_loss_and_survives_divergence(batch):
    settings = {**SETTINGS, "epochs": 2, "members": 2, "optimiser": "sgd", "xla": False}
    trainer = icecube.trainer(batch, {}, {}, settings, 7, 1)
    points = [{"learning_rate": r, "k": k} for r, k in ((1e-2, 8), (np.inf, 3), (3e-2, 2))]
    outcomes = {o.point: o for o in trainer.evaluate(points)}
    assert sorted(outcomes) == [0, 1, 2]
    assert [outcomes[i].status for i in range(3)] == ["ok", "failed", "ok"]
    alone = list(trainer.evaluate(points[:1]))
    np.testing.assert_allclose(outcomes[0].loss, alone[0].loss, rtol=1e-5)
    assert list(trainer.evaluate([])) == []
    with pytest.raises(InputError, match="k is 9 and the table of neighbours has 8 columns"):
        list(trainer.evaluate([{"learning_rate": 1e-3, "k": 9}]))


def test_more_neighbours_than_hits_change_nothing():
    data = icecube.load({"stand_in": {"rows": 24}, "max_hits": 6}, seed=1)
    arrays = data.arrays | icecube.embed(data, {"neighbours": 5}, seed=1)
    part = {name: values[:12] for name, values in arrays.items()}
    test = {name: values[12:] for name, values in arrays.items()}
    trainer = icecube.trainer(Batch(part, {}, test), {}, {}, {**SETTINGS, "epochs": 2}, 7, 1)
    points = [{"learning_rate": 1e-2, "k": k} for k in (4, 5, 6, 40)]
    losses = {o.point: o.loss for o in trainer.evaluate(points)}
    assert losses[1] == losses[2] == losses[3] != losses[0]


def test_padded_hits_do_not_matter(batch):
    from tilesearch.training import fused

    def losses(part):
        model = icecube.network([2, 8], SETTINGS, seed=1, dtype="float64")
        return fused.train(
            *(model, part, part),
            loss=icecube.chord,
            rates=[1e-2] * 2,
            epochs=1,
            batch_size=32,
            seed=1,
            xla=False,
        )

    noisy = dict(batch.train, x=batch.train["x"].copy())
    noisy["x"][np.arange(12) >= noisy["hits"][:, None]] = 1e3
    np.testing.assert_allclose(losses(noisy), losses(batch.train), rtol=1e-12)


def test_parameters_make_a_space():
    from tilesearch.space import Parameter

    names = [Parameter(name, **p).name for name, p in icecube.PARAMETERS.items()]
    assert tuple(names) == icecube.TRAINED
