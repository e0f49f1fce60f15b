"""Feature selection: tune LightGBM on all the data, rank the features by mean |SHAP|."""

import logging
from collections.abc import Sequence

import lightgbm as lgb
import numpy as np
import optuna
import pandas as pd
import shap

from tilesearch.seeds import rng_for, seed_for
from tilesearch.training.boosting import FIXED, objective, override

log = logging.getLogger(__name__)

VALIDATION_SHARE = 0.2


def _datasets(x: np.ndarray, y: np.ndarray, categorical: Sequence[int], seed: int):
    order = rng_for(seed, "selection", "split").permutation(len(y))
    cut = round(len(y) * VALIDATION_SHARE)
    validation, train = order[:cut], order[cut:]
    params = {k: v for k, v in FIXED.items() if k != "num_threads"}
    first = lgb.Dataset(
        x[train], y[train], categorical_feature=list(categorical), params=params, free_raw_data=True
    )
    return first, lgb.Dataset(x[validation], y[validation], reference=first, params=params)


def suggest(trial: optuna.Trial) -> dict:
    """LightGBM parameters that one Optuna trial tries."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 3, 22),
        "num_leaves": trial.suggest_int("num_leaves", 8, 128, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 50, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10.0, log=True),
    }


def tune(
    x: np.ndarray,
    y: np.ndarray,
    *,
    task: str,
    trials: int,
    rounds: int,
    patience: int,
    seed: int,
    lightgbm: dict | None = None,
    categorical: Sequence[int] = (),
    classes: int = 0,
    threads: int = 1,
) -> tuple[dict, lgb.Booster]:
    """Tune LightGBM with Optuna's TPE on all the data.

    Parameters
    ----------
    x : ndarray, shape (n, features)
    y : ndarray, shape (n,)
    task : {"regression", "classification"}
    trials : int
        Number of Optuna trials.
    rounds, patience : int
        Most trees, and rounds without progress after which a training stops.
    seed : int
    lightgbm : dict, optional
        Settings that are fixed; they win over the tuned ones.
    categorical : sequence of int
        Columns of `x` that hold category codes.
    classes : int
        Number of classes of a classification.
    threads : int
        Threads of LightGBM.

    Returns
    -------
    tuned : dict
        The best parameters.
    model : lightgbm.Booster
        The model that was trained with them.
    """
    train, validation = _datasets(x, y, categorical, seed)
    fixed = {
        **FIXED,
        **objective(task, classes),
        "num_threads": threads,
        "seed": seed_for(seed, "selection", "lightgbm") % 2**31,
    }
    best: list = [np.inf, None]

    def score(trial: optuna.Trial) -> float:
        model = lgb.train(
            {**override(suggest(trial), lightgbm or {}), **fixed},
            train,
            num_boost_round=rounds,
            valid_sets=[validation],
            callbacks=[lgb.early_stopping(patience, verbose=False)],
        )
        (loss,) = model.best_score["valid_0"].values()
        if loss < best[0]:
            best[:] = loss, model
        log.info("trial %d of %d: loss %.5f", trial.number + 1, trials, loss)
        return loss

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed_for(seed, "selection", "tpe") % 2**32)
    study = optuna.create_study(sampler=sampler)
    study.optimize(score, n_trials=trials)
    return override(study.best_params, lightgbm or {}), best[1]


def shap_values(
    model: lgb.Booster, x: np.ndarray, rows: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """SHAP values by `shap.TreeExplainer` of at most `rows` rows, drawn without replacement.

    Lundberg et al., From local explanations to global understanding with explainable AI for
    trees, Nature Machine Intelligence 2 (2020) 56-67.

    Returns
    -------
    values : ndarray, shape (rows, features)
        For more than two classes the mean of |SHAP| over the classes.
    chosen : ndarray of int, shape (rows,)
        The rows that were explained.
    """
    chosen = np.arange(len(x))
    if len(x) > rows:
        chosen = np.sort(rng_for(seed, "selection", "shap").choice(len(x), rows, replace=False))
    values = np.asarray(shap.TreeExplainer(model).shap_values(x[chosen]))
    if values.ndim == 3:
        values = np.abs(values).mean(axis=2)
    return values, chosen


def ranking(values: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Features by falling mean |SHAP|.

    Parameters
    ----------
    values : ndarray, shape (rows, features)
        SHAP values.
    names : sequence of str
        Names of the features.

    Returns
    -------
    DataFrame
        Columns ``rank`` (from 1), ``feature``, ``importance`` (mean |SHAP|), ``error`` (its
        standard error over the rows), ``rows``.

    Examples
    --------
    >>> ranking(np.array([[1.0, -3.0], [1.0, 3.0]]), ["a", "b"]).feature.tolist()
    ['b', 'a']
    """
    size = np.abs(values)
    table = pd.DataFrame(
        {
            "feature": list(names),
            "importance": size.mean(axis=0),
            "error": size.std(axis=0, ddof=1) / np.sqrt(len(size)),
            "rows": len(size),
        }
    )
    table = table.sort_values(["importance", "feature"], ascending=[False, True], ignore_index=True)
    table.insert(0, "rank", table.index + 1)
    return table
