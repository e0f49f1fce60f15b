"""The bjet problem: loader, tuning, trainer; on the real Aleph table where it is at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")

from lone_keras import float64, lone  # noqa: F401

from tilesearch.errors import InputError
from tilesearch.problems import bjet
from tilesearch.problems.base import Batch, Data
from tilesearch.training import fused

ROOT = Path(__file__).resolve().parents[2]
ALEPH = Path(os.environ.get("TILESEARCH_DATA", ROOT.parent / "shared" / "data")) / (
    "AlephBtag_MC_small_v2.csv"
)
TUNED = {"hidden": [12, 8]}
HEADER = " ".join((bjet.TARGET, *bjet.FEATURES))


def batch(data: Data, rows: int, seed: int = 0) -> Batch:
    order = np.random.default_rng(seed).permutation(data.rows)[:rows]
    cut = rows * 4 // 5
    train, test = ({k: a[i] for k, a in data.arrays.items()} for i in (order[:cut], order[cut:]))
    return Batch(train, {}, test)


def evaluate(points, data=None, rows=200, tuned=TUNED, **settings):
    data = data or bjet.load({"stand_in": {"rows": rows}}, seed=1)
    settings = {"xla": False, **settings}
    trainer = bjet.trainer(batch(data, rows), data.facts, tuned, settings, seed=1, threads=1)
    return sorted(trainer.evaluate(points), key=lambda o: o.point)


def table(tmp_path, *rows):
    path = tmp_path / "jets.csv"
    path.write_text("\n".join(rows) + "\n")
    return {"path": str(path)}


def test_load_reads_a_white_space_table(tmp_path):
    row = " ".join(str(v) for v in range(11))
    data = bjet.load(table(tmp_path, f"  {HEADER} ", f"  {row}  ", row), seed=1)
    assert data.arrays["x"].tolist() == [list(range(1, 11))] * 2
    assert data.arrays["y"].tolist() == [0, 0]
    assert data.facts["stand_in"] is None
    assert data.facts["source"] == "jets.csv"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((HEADER.replace("phi", "angle"), "1 " * 11), "lacks the column 'phi'"),
        ((HEADER, "1 " * 10 + "x"), "text where a number belongs"),
        ((HEADER, "1 " * 11, "1 " * 10 + "nan"), "no finite number in row 1"),
        (("",), "cannot be read"),
    ],
)
def test_tables_that_are_refused(tmp_path, rows, message):
    with pytest.raises(InputError, match=message) as error:
        bjet.load(table(tmp_path, *rows), seed=1)
    assert "jets.csv" in str(error.value)


def test_a_missing_table_is_named():
    with pytest.raises(InputError, match=r"'none\.csv' does not exist"):
        bjet.load({"path": "none.csv"}, seed=1)


def test_the_stand_in_says_so_and_is_reproducible():
    first, again = (bjet.load({"stand_in": {"rows": 50}}, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.arrays["x"], again.arrays["x"])
    assert first.arrays["x"].shape == (50, len(bjet.FEATURES))
    assert first.facts["stand_in"] == "generated jets"
    other = bjet.load({"stand_in": {"rows": 50}}, seed=5)
    assert (first.arrays["y"] != other.arrays["y"]).any()


def test_points_with_one_learning_rate_share_a_training():
    points = [
        {"learning_rate": rate, "epochs": epochs} for epochs in (4, 2, 3) for rate in (0.02, 0.005)
    ]
    shared = evaluate(points)
    alone = evaluate(points, share_epochs=False)
    np.testing.assert_allclose([o.loss for o in shared], [o.loss for o in alone], rtol=1e-5)
    # Stopping after two epochs is a training of two epochs.
    short = evaluate([{"learning_rate": 0.02, "epochs": 2}])
    assert shared[2].loss == pytest.approx(short[0].loss, rel=1e-5)


def test_chunks_of_members_cover_all_points():
    points = [{"learning_rate": r, "epochs": 2} for r in np.linspace(0.001, 0.1, 5)]
    whole = evaluate(points)
    parts = evaluate(points, memory_mb=0.6)
    assert [o.point for o in parts] == list(range(5))
    np.testing.assert_allclose([o.loss for o in parts], [o.loss for o in whole], rtol=1e-5)
    assert all(o.seconds > 0 for o in parts)


def test_a_diverged_point_fails_alone():
    outcomes = evaluate([{"learning_rate": r, "epochs": 3} for r in (0.01, 1e25, 0.02)])
    assert [o.status for o in outcomes] == ["ok", "failed", "ok"]
    assert "1e+25" in outcomes[1].reason


def test_no_points_no_outcomes():
    assert evaluate([]) == []


def test_unknown_widths_are_refused():
    with pytest.raises(InputError, match=r"training\.hidden is None"):
        evaluate([], tuned={})


def test_the_stand_in_can_be_learnt():
    (outcome,) = evaluate([{"learning_rate": 0.01, "epochs": 30}], rows=1500)
    assert outcome.loss < 0.85


def test_tuning_is_seeded_and_stays_in_range():
    data = bjet.load({"stand_in": {"rows": 300}}, seed=1)
    settings = {"trials": 4, "together": 2, "epochs": 2, "widths": [2, 8], "learning_rates": [0.01]}
    first, again = (bjet.tune(data, settings, seed=3) for _ in range(2))
    assert first == again
    assert first["trials"] == 4
    assert all(2 <= width <= 8 for width in first["hidden"])


@pytest.mark.usefixtures("float64")
def test_a_member_equals_the_lone_keras_network():
    data = bjet.load({"stand_in": {"rows": 90}}, seed=1)
    parts = batch(data, 90)
    trainer = bjet.trainer(parts, data.facts, TUNED, {"xla": False}, seed=1, threads=1)
    train, test = (
        {k: a.astype(np.float64) for k, a in part.items()} for part in (trainer.train, trainer.test)
    )
    rates = [0.003, 0.03, 0.1]
    losses = fused.train(
        bjet.network(3, [[12, 8], [5, 3], [12, 2]], (12, 8), seed=1),
        *(train, test),
        loss=fused.squared_error,
        rates=rates,
        epochs=6,
        batch_size=32,
        seed=1,
        xla=False,
    )
    import keras

    alone = lone(
        (("hidden_1", 5, "relu"), ("hidden_2", 3, "relu"), ("energy", 1, None)),
        *(train, test),
        loss="mse",
        optimiser=keras.optimizers.Adam(),
        rates=[0.03] * 6,
        epochs=6,
        batch_size=32,
        seed=1,
    )
    np.testing.assert_allclose(losses[1], alone, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.skipif(not ALEPH.is_file(), reason=f"{ALEPH.name} is not at hand (TILESEARCH_DATA)")
def test_learns_the_real_aleph_data():
    """The best point beats the mean of the train part by far more than the error of the mean."""
    data = bjet.load({"path": ALEPH, "sha256": bjet.DEFAULTS["data"]["sha256"]}, seed=1)
    assert data.rows == 33968
    points = [{"learning_rate": r, "epochs": e} for r in (0.003, 0.01) for e in (10, 20)]
    outcomes = evaluate(points, data=data, rows=3397)
    parts = batch(data, 3397)
    mean = np.mean((parts.test["y"] - parts.train["y"].mean()) ** 2) / np.var(parts.train["y"])
    assert min(o.loss for o in outcomes) < 0.95 * mean
