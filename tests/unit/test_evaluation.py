"""A training job with real LightGBM models: what is trained, what is taken from the journals."""

import math

import numpy as np
import pytest

from tilesearch.problems.base import Batch, Outcome
from tilesearch.training import journal
from tilesearch.training.boosting import TRAINED, BoostingTrainer
from tilesearch.training.evaluation import evaluate

SETTINGS = {"rounds": 20, "patience": 5, "lightgbm": {"num_leaves": 6}}
POINTS = [{"learning_rate": rate, "max_depth": 4} for rate in (0.1, 0.2, 0.3)]


class Counted:
    """A real trainer of one batch, and how much was asked of it."""

    def __init__(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(120, 3))
        y = x[:, 0] + x[:, 1] ** 2
        cuts = (slice(0, 80), slice(80, 100), slice(100, 120))
        self.batch = Batch(*({"x": x[cut], "y": y[cut]} for cut in cuts))
        self.opened, self.asked = 0, []

    def open(self):
        self.opened += 1
        self.trainer = BoostingTrainer(self.batch, task="regression", settings=SETTINGS)
        return self

    def evaluate(self, points):
        self.asked += points
        return self.trainer.evaluate(points)


def run(points, folder, counted=None, name="job"):
    counted = counted or Counted()
    return evaluate(points, TRAINED, counted.open, folder, name), counted


def test_each_point_has_its_row_in_order(tmp_path):
    rows, counted = run(POINTS, tmp_path)
    alone = [run([point], tmp_path / str(i))[0][0] for i, point in enumerate(POINTS)]
    assert [row["loss"] for row in rows] == [row["loss"] for row in alone]
    assert all(set(row) == {"loss", "status", "reason", "training", "seconds"} for row in rows)
    assert all(row["status"] == "ok" and row["seconds"] > 0 for row in rows)
    assert len({row["training"] for row in rows}) == 3
    assert counted.asked == POINTS


def test_a_second_run_trains_nothing_and_opens_no_trainer(tmp_path):
    first, _ = run(POINTS, tmp_path)
    second, counted = run(POINTS, tmp_path)
    assert (counted.opened, counted.asked) == (0, [])
    assert second == first


def test_only_what_is_missing_is_trained(tmp_path):
    first, _ = run(POINTS[:2], tmp_path)
    rows, counted = run(POINTS, tmp_path, name="other")
    assert counted.asked == POINTS[2:]
    assert rows[:2] == first


def test_duplicates_are_evaluated_once_and_share_a_training(tmp_path):
    twice = [POINTS[0], POINTS[1], dict(reversed(POINTS[0].items()))]
    rows, counted = run(twice, tmp_path)
    assert counted.asked == POINTS[:2]
    assert rows[0] == rows[2]
    assert len(journal.read(tmp_path)) == 2


def test_a_job_that_is_cut_off_keeps_what_it_finished(tmp_path):
    class CutOff(Counted):
        def evaluate(self, points):
            outcomes = super().evaluate(points)
            yield next(outcomes)
            yield next(outcomes)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(POINTS, tmp_path, CutOff())
    _, counted = run(POINTS, tmp_path)
    assert counted.asked == POINTS[2:]


def test_a_failed_point_is_a_row_with_its_reason_and_is_tried_again(tmp_path):
    bad = {"learning_rate": -3.0, "max_depth": 4}
    rows, _ = run([bad, *POINTS], tmp_path)
    assert rows[0]["status"] == "failed"
    assert "learning_rate" in rows[0]["reason"]
    assert math.isnan(rows[0]["loss"])
    assert [row["status"] for row in rows[1:]] == ["ok"] * 3
    assert journal.point_key(bad) not in journal.read(tmp_path)
    _, counted = run([bad, *POINTS], tmp_path)
    assert counted.asked == [bad]


def test_a_point_without_an_outcome_is_a_failed_row(tmp_path):
    class Forgetful(Counted):
        def evaluate(self, points):
            return (o for o in super().evaluate(points) if o.point != 1)

    rows, _ = run(POINTS, tmp_path, Forgetful())
    assert [row["status"] for row in rows] == ["ok", "failed", "ok"]
    assert rows[1]["reason"] == "the trainer gave no outcome"


def test_outcomes_in_any_order_find_their_points(tmp_path):
    class Backwards(Counted):
        def evaluate(self, points):
            return reversed(list(super().evaluate(points)))

    assert [r["loss"] for r in run(POINTS, tmp_path, Backwards())[0]] == [
        r["loss"] for r in run(POINTS, tmp_path / "other")[0]
    ]


def test_a_bare_line_of_the_journal_is_used(tmp_path):
    # `Journal.append` asks for key and loss only; the rest of a row can be made up for.
    with journal.Journal(tmp_path, "bare") as bare:
        bare.append(journal.point_key(POINTS[0]), 0.25)
    rows, counted = run(POINTS[:1], tmp_path)
    assert counted.opened == 0
    other, _ = run(POINTS[:1], tmp_path / "other")
    assert rows == [other[0] | {"loss": 0.25, "seconds": 0.0}]


def test_a_loss_that_is_not_finite_is_not_journaled_as_done(tmp_path):
    with journal.Journal(tmp_path, "bad") as bad:
        bad.append(journal.point_key(POINTS[0]), math.nan, status="ok")
    _, counted = run(POINTS[:1], tmp_path)
    assert counted.asked == POINTS[:1]


def test_points_that_differ_in_what_does_not_train_share_the_training_label(tmp_path):
    class Untrained:
        def evaluate(self, points):
            return (Outcome(i, float(i)) for i in range(len(points)))

    points = [{**POINTS[0], "c1": c} for c in (0.5, 1.5)]
    rows = evaluate(points, TRAINED, Untrained, tmp_path, "job")
    assert rows[0]["training"] == rows[1]["training"]
    assert [row["loss"] for row in rows] == [0.0, 1.0]


def test_no_points_are_no_rows(tmp_path):
    rows, counted = run([], tmp_path / "j")
    assert (rows, counted.opened) == ([], 0)
    assert not (tmp_path / "j").exists()
