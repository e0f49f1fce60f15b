import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from tilesearch.problems import selection

NAMES = [f"x{i}" for i in range(8)]
PLANTED = {"x1", "x4", "x6"}
SMALL = {"trials": 3, "rounds": 60, "patience": 10, "seed": 3}


def planted(classes=0):
    """Eight columns of which three matter: one by its size, one by being missing, one a code."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 8))
    x[:, 6] = rng.integers(0, 5, 400)
    x[rng.random(400) < 0.3, 4] = np.nan
    y = 2 * x[:, 1] + 2.0 * np.isnan(x[:, 4]) + np.where(x[:, 6] % 2 == 0, 1.5, -1.5)
    if classes:
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]))
    return x, y


def tuned(x, y, **options):
    return selection.tune(x, y, categorical=[6], **{"task": "regression", **SMALL, **options})


@pytest.mark.parametrize(("task", "classes"), [("regression", 0), ("classification", 3)])
def test_planted_features_are_found(task, classes):
    x, y = planted(classes)
    _, model = tuned(x, y, task=task, classes=classes)
    values, rows = selection.shap_values(model, x, 150, 3)
    assert values.shape == (150, 8)
    assert len(np.unique(rows)) == 150
    assert set(selection.ranking(values, NAMES)["feature"][:3]) == PLANTED


def test_two_classes_give_one_set_of_values():
    x, y = planted(2)
    _, model = tuned(x, y, task="classification", classes=2)
    values, _ = selection.shap_values(model, x, 50, 3)
    assert values.shape == (50, 8)
    assert (values < 0).any()


def test_shap_values_add_up_to_the_prediction():
    x, y = planted()
    _, model = tuned(x, y)
    values, rows = selection.shap_values(model, x, 50, 3)
    raw = model.predict(x[rows], raw_score=True)
    offset = raw - values.sum(axis=1)
    np.testing.assert_allclose(offset, offset[0], rtol=0, atol=1e-9)


def test_the_same_seed_gives_the_same_and_another_one_another():
    x, y = planted()
    first, again, other = tuned(x, y), tuned(x, y), tuned(x, y, seed=4)
    assert first[0] == again[0] != other[0]
    assert np.array_equal(first[1].predict(x), again[1].predict(x))
    rows = [selection.shap_values(first[1], x, 50, seed)[1] for seed in (3, 3, 4)]
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_settings_of_the_config_win_over_what_is_tried():
    x, y = planted()
    settings, model = tuned(x, y, lightgbm={"num_leaves": 3, "learning_rate": 0.1})
    assert (settings["num_leaves"], settings["learning_rate"]) == (3, 0.1)
    assert model.dump_model()["tree_info"][0]["num_leaves"] <= 3


def test_a_setting_under_another_of_its_names_wins_too():
    # LightGBM prefers a parameter's main name, so the tuned num_leaves would win over max_leaves.
    x, y = planted()
    settings, model = tuned(x, y, lightgbm={"max_leaves": 3, "lambda_l2": 0.5})
    assert settings["max_leaves"] == 3
    assert not {"num_leaves", "reg_lambda"} & set(settings)
    trees = model.dump_model()["tree_info"]
    assert max(tree["num_leaves"] for tree in trees) <= 3


def test_the_best_trial_is_kept():
    x, y = planted()
    settings, model = tuned(x, y, trials=4)
    _, validation = selection._datasets(x, y, [6], SMALL["seed"])
    (loss,) = model.best_score["valid_0"].values()
    for trials in (1, 2, 3):
        (earlier,) = tuned(x, y, trials=trials)[1].best_score["valid_0"].values()
        assert loss <= earlier
    assert isinstance(validation, lgb.Dataset)
    assert set(settings) >= {"learning_rate", "max_depth", "num_leaves"}


def test_all_rows_are_explained_where_there_are_few():
    x, y = planted()
    _, model = tuned(x, y)
    values, rows = selection.shap_values(model, x[:30], 50, 3)
    assert len(values) == 30
    assert rows.tolist() == list(range(30))


def test_ranking_falls_and_breaks_ties_by_name():
    values = np.array([[1.0, -2.0, 1.0, 0.0], [-1.0, 4.0, 1.0, 0.0]])
    table = selection.ranking(values, ["b", "c", "a", "d"])
    assert table["feature"].tolist() == ["c", "a", "b", "d"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["importance"].tolist() == [3.0, 1.0, 1.0, 0.0]
    assert table["error"].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert (table["rows"] == 2).all()
    assert isinstance(table, pd.DataFrame)
