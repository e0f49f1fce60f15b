"""The boosting engine against plain `lightgbm.train` with a fresh Dataset for every model."""

import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from tilesearch.analysis.tabulated import open_table
from tilesearch.problems.base import Batch
from tilesearch.problems.lightgbm_names import LIGHTGBM_NAMES
from tilesearch.training import boosting
from tilesearch.training.boosting import (
    BoostingTrainer,
    PolynomialTrainer,
    PredictionTrainer,
    deepest_leaf,
    mean_loss,
)

SETTINGS = {"rounds": 60, "patience": 10, "lightgbm": {"min_child_samples": 4, "num_leaves": 12}}
CUTS = (slice(0, 90), slice(90, 120), slice(120, 150))


def parts(x, y):
    return Batch(*({"x": x[cut], "y": y[cut]} for cut in CUTS))


def noisy(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(150, 4))
    return parts(x, x[:, 0] + np.sin(2 * x[:, 1]) + rng.normal(size=150) * 0.7)


def hard_table(classes=0):
    """Missing values, a category with missing codes, and a target that needs both."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(150, 4))
    x[:, 3] = rng.integers(0, 6, 150)
    signal = x[:, 0] + (x[:, 3] % 2) + np.where(np.isnan(x[:, 1]), 1.0, 0.0)
    x[rng.random(150) < 0.2, 1] = np.nan
    x[rng.random(150) < 0.1, 3] = np.nan
    if classes:
        edges = np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])
        return parts(x, np.digitize(signal, edges))
    return parts(x, signal)


def plain_loss(batch, point, task="regression", classes=0, categorical=(), seed=0, settings=None):
    """What `lightgbm.train` gives when nothing is shared between models."""
    settings = settings or SETTINGS
    params = boosting.objective(task, classes) | settings["lightgbm"] | boosting.FIXED
    params |= {"seed": seed, **point}
    kept = {k: v for k, v in params.items() if k != "metric"}
    options = {"categorical_feature": list(categorical), "params": kept}
    train = lgb.Dataset(batch.train["x"], batch.train["y"], **options)
    stop = lgb.Dataset(batch.validation["x"], batch.validation["y"], reference=train, params=kept)
    model = lgb.train(
        params,
        train,
        settings["rounds"],
        valid_sets=[stop],
        callbacks=[lgb.early_stopping(settings["patience"], verbose=False)],
    )
    prediction = model.predict(batch.test["x"], num_iteration=model.best_iteration)
    return mean_loss(task, prediction, batch.test["y"])


def losses(trainer, points):
    outcomes = list(trainer.evaluate(points))
    assert sorted(o.point for o in outcomes) == list(range(len(points)))
    assert all(o.status == "ok" and o.reason == "" and o.seconds >= 0 for o in outcomes)
    return [o.loss for o in sorted(outcomes, key=lambda o: o.point)]


POINTS = [
    {"learning_rate": 0.3, "max_depth": 3},
    {"learning_rate": 0.05, "max_depth": 8},
    {"learning_rate": 0.3, "max_depth": 2},
]


@pytest.mark.parametrize(
    ("task", "classes"), [("regression", 0)] + [("classification", c) for c in (2, 3)]
)
def test_equals_plain_lightgbm_bit_for_bit(task, classes):
    batch = hard_table(classes)
    kind = {"task": task, "classes": classes, "categorical": [3], "seed": 11}
    trainer = BoostingTrainer(batch, settings=SETTINGS, **kind)
    assert losses(trainer, POINTS) == [plain_loss(batch, p, **kind) for p in POINTS]


def test_the_category_is_used_as_one():
    batch = hard_table()
    with_codes = losses(BoostingTrainer(batch, task="regression", settings=SETTINGS), POINTS)
    options = {"settings": SETTINGS, "categorical": [3]}
    assert losses(BoostingTrainer(batch, task="regression", **options), POINTS) != with_codes


def test_the_order_of_the_points_does_not_matter():
    make = lambda: BoostingTrainer(noisy(1), task="regression", settings=SETTINGS)  # noqa: E731
    assert losses(make(), POINTS[::-1]) == losses(make(), POINTS)[::-1]


def test_equal_points_share_a_training():
    trainer = BoostingTrainer(noisy(1), task="regression", settings=SETTINGS)
    found = losses(trainer, [POINTS[0], POINTS[1], dict(POINTS[0]), POINTS[0]])
    assert trainer.trainings == 2
    assert found[0] == found[2] == found[3] != found[1]


OTHERS = {
    "num_leaves": (5, 20),
    "min_data_in_leaf": (2, 12),
    "feature_fraction": (0.3, 0.9),
    "lambda_l1": (0.1, 3.0),
    "lambda_l2": (0.1, 30.0),
    "min_gain_to_split": (0.05, 1.0),
}


def test_other_parameters_are_those_that_can_be_searched():
    assert {*OTHERS, "learning_rate", "max_depth"} == set(boosting.TRAINED)


@pytest.mark.parametrize("name", OTHERS)
def test_every_parameter_wins_over_its_other_names_and_equals_plain_lightgbm(name):
    tuned = {"colsample_bytree": 0.5, "reg_lambda": 7.0, "reg_alpha": 1.0, "min_split_gain": 0.2}
    settings = {**SETTINGS, "lightgbm": {**SETTINGS["lightgbm"], **tuned}}
    points = [{name: v, "max_depth": d} for v in OTHERS[name] for d in (2, 30, 40)]
    batch = noisy(4)
    trainer = BoostingTrainer(batch, task="regression", settings=settings)
    found = losses(trainer, points)
    assert found == [plain_loss(batch, point, settings=settings) for point in points]
    assert found[2] != found[5], "the parameter is without effect"


def test_depths_that_no_tree_reaches_share_a_training():
    points = [{"learning_rate": 0.3, "max_depth": d} for d in (25, 3, 14, 20, 29, 13)]
    trainer = BoostingTrainer(noisy(2), task="regression", settings=SETTINGS)
    found = losses(trainer, points)
    assert trainer.trainings == 2  # depth 3, and all those beyond 12 leaves
    assert found == [plain_loss(noisy(2), point) for point in points]


@pytest.mark.parametrize("seed", [35, 49])
def test_trees_after_the_best_round_count_as_reaching_a_depth(seed):
    # With these data a tree that is grown after the best round is the first to reach the limit:
    # without the limit another round would have been the best one.
    settings = SETTINGS | {"rounds": 100, "patience": 15}
    points = [{"learning_rate": 0.3, "max_depth": d} for d in range(6, 12)]
    trainer = BoostingTrainer(noisy(seed), task="regression", settings=settings, seed=seed)
    expected = [plain_loss(noisy(seed), p, seed=seed, settings=settings) for p in points]
    assert losses(trainer, points) == expected


def test_deepest_leaf_is_told_below_the_limit_only():
    trainer = BoostingTrainer(noisy(4), task="regression", settings=SETTINGS)
    for depth in (1, 2, 5):
        model = trainer.train({"learning_rate": 0.2, "max_depth": depth})
        assert deepest_leaf(model, depth + 1) == depth
        assert deepest_leaf(model, depth) == 0


def test_deepest_leaf_is_that_of_lightgbms_own_table_of_nodes():
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.normal(size=(400, 3)), rng.integers(0, 9, 400)])
    data = lgb.Dataset(x, rng.integers(0, 3, 400), categorical_feature=[3])
    params = {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_leaves": 9}
    model = lgb.train(params, data, 20, keep_training_booster=True)
    deepest = model.trees_to_dataframe()["node_depth"].max() - 1  # its root has depth 1
    assert deepest_leaf(model, 30) == deepest > 3


def test_trees_without_a_split_reach_no_depth():
    data = lgb.Dataset(np.zeros((50, 1)), np.zeros(50))
    model = lgb.train({"verbosity": -1}, data, 3, keep_training_booster=True)
    assert deepest_leaf(model, 5) == 0


def test_depths_beyond_the_leaves_share_a_training_and_no_tree_is_read(monkeypatch):
    monkeypatch.setattr(boosting, "deepest_leaf", lambda model, limit: pytest.fail("read"))
    trainer = BoostingTrainer(noisy(2), task="regression", settings=SETTINGS)
    points = [{"learning_rate": 0.3, "max_depth": d} for d in (11, 25, 12)]
    found = losses(trainer, points)
    assert trainer.trainings == 1
    assert found == [plain_loss(noisy(2), point) for point in points]


def test_a_point_without_depth_takes_the_tuned_one():
    tuned = {"max_depth": 2, "learning_rate": 0.5}
    trainer = BoostingTrainer(noisy(5), task="regression", settings=SETTINGS, tuned=tuned)
    point = {"learning_rate": 0.1}
    assert losses(trainer, [point]) == [plain_loss(noisy(5), point | {"max_depth": 2})]


def test_no_limit_of_depth_is_not_the_tuned_limit():
    trainer = BoostingTrainer(
        noisy(5), task="regression", settings=SETTINGS, tuned={"max_depth": 2}
    )
    point = {"learning_rate": 0.1, "max_depth": -1}
    assert losses(trainer, [point]) == [plain_loss(noisy(5), point)]


def test_settings_of_the_config_win_over_tuned_ones_and_a_point_over_both():
    tuned = {"num_leaves": 31, "max_depth": 7}
    trainer = BoostingTrainer(noisy(5), task="regression", settings=SETTINGS, tuned=tuned)
    assert trainer.params["num_leaves"] == 12
    point = {"learning_rate": 0.1, "max_depth": 3}
    assert losses(trainer, [point]) == [plain_loss(noisy(5), point)]


def test_a_failed_training_is_an_outcome_and_the_others_go_on():
    trainer = BoostingTrainer(noisy(6), task="regression", settings=SETTINGS)
    good, bad = POINTS[0], {"learning_rate": -1.0, "max_depth": 3}
    outcomes = {o.point: o for o in trainer.evaluate([bad, good, bad])}
    assert outcomes[1].status == "ok"
    assert outcomes[1].loss == plain_loss(noisy(6), good)
    for index in (0, 2):
        assert outcomes[index].status == "failed"
        assert np.isnan(outcomes[index].loss)
        assert "learning_rate" in outcomes[index].reason
        assert "\n" not in outcomes[index].reason


def test_an_error_without_a_message_is_an_outcome_too(monkeypatch):
    trainer = BoostingTrainer(noisy(6), task="regression", settings=SETTINGS)

    def no_words(values):
        raise ValueError

    monkeypatch.setattr(trainer, "train", no_words)
    (outcome,) = trainer.evaluate(POINTS[:1])
    assert (outcome.status, outcome.reason) == ("failed", "ValueError")


@pytest.mark.parametrize("error", [MemoryError(), lgb.basic.LightGBMError("std::bad_alloc")])
def test_too_little_memory_is_no_fault_of_the_point(monkeypatch, error):
    trainer = BoostingTrainer(noisy(6), task="regression", settings=SETTINGS)

    def no_memory(values):
        raise error

    monkeypatch.setattr(trainer, "train", no_memory)
    with pytest.raises(MemoryError):
        list(trainer.evaluate(POINTS[:1]))


def test_a_loss_that_is_not_finite_is_a_failure():
    batch = noisy(6)
    y = batch.test["y"].copy()
    y[0] = np.nan
    broken = Batch(batch.train, batch.validation, {"x": batch.test["x"], "y": y})
    trainer = BoostingTrainer(broken, task="regression", settings=SETTINGS)
    (outcome,) = trainer.evaluate(POINTS[:1])
    assert (outcome.status, outcome.reason) == ("failed", "the loss is nan")


def test_mean_loss_of_probabilities():
    truth = np.array([0, 1])
    assert mean_loss("classification", np.array([0.25, 0.5]), truth) == pytest.approx(
        -(np.log(0.75) + np.log(0.5)) / 2
    )
    three = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])
    assert mean_loss("classification", three, truth) == pytest.approx(
        -(np.log(0.2) + np.log(0.8)) / 2
    )
    assert np.isfinite(mean_loss("classification", np.array([1.0, 0.0]), truth))


def test_a_table_of_predictions_gives_the_losses_of_trained_points():
    batch = noisy(5)
    true = np.array([1.2, 0.8])
    options = {"task": "regression", "settings": SETTINGS, "true": true, "seed": 3}
    rates, depths = (0.125, 0.375), (2, 3, 4)  # the middles of the cells of [0, 0.5] x {2, 3, 4}
    cells = [{"learning_rate": r, "max_depth": d} for r in rates for d in depths]
    outcomes = sorted(PredictionTrainer(batch, **options).evaluate(cells), key=lambda o: o.point)
    rows = pd.DataFrame(
        {"loss": o.loss, "status": o.status, "prediction": o.facts["prediction"]} for o in outcomes
    )
    scale = np.abs(np.concatenate([batch.train["y"], batch.validation["y"]])).max()
    table = open_table(rows, ([1 / 2], [1 / 3, 2 / 3]), 2, (batch.test["y"], scale))
    unit = np.random.default_rng(1).random((40, 4))
    points = [
        cells[int(u[0] * 2) * 3 + int(u[1] * 3)] | {"c1": 0.5 + u[2], "c2": 0.5 + u[3]}
        for u in unit
    ]
    np.testing.assert_allclose(
        table.loss(unit), losses(PolynomialTrainer(batch, **options), points)
    )
    # The loss of a cell is that at the true coefficients, which lie in the middle of 0.5 to 1.5.
    at_true = np.array([[0.1, 0.1, true[0] - 0.5, true[1] - 0.5]])
    assert table.loss(at_true)[0] == pytest.approx(rows["loss"][0])


def test_a_failed_cell_has_no_loss_and_the_others_keep_theirs():
    rows = pd.DataFrame(
        {"loss": [1.0, np.nan], "status": ["ok", "failed"], "prediction": [[0.1, 0.2], None]}
    )
    made = open_table(rows, ([0.5],), 1, (np.array([0.1, 0.2]), 1.0))
    found = made.loss(np.array([[0.2, 0.5], [0.8, 0.5]]))
    assert found[0] == pytest.approx(0)
    assert np.isnan(found[1])
    with pytest.raises(ValueError, match="2 rows for 3 cells"):
        open_table(rows, ([0.3, 0.6],))


def test_jobs_train_without_scikit_learn():
    code = (
        "import sys; from tilesearch.problems.trainers import spare_sklearn; spare_sklearn();"
        "import lightgbm as lgb, numpy as np; x = np.arange(40.0)[:, None];"
        "lgb.train({'verbosity': -1}, lgb.Dataset(x, x[:, 0]), 2).predict(x);"
        "print(sys.modules['sklearn'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "None"


def test_the_names_of_settings_are_those_that_lightgbm_knows():
    aliases = lgb.basic._ConfigAliases._get_all_param_aliases()
    assert {name for main, others in aliases.items() for name in (main, *others)} == LIGHTGBM_NAMES
