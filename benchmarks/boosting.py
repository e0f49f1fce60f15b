"""Models per second: the engine against LightGBM as it is usually called.

    python benchmarks/boosting.py                      1,000 and 10,000 rows
    python benchmarks/boosting.py --rows 1000 --repeats 5

The same points of the same batch of King County sales are trained three ways, in turn:

- sklearn: one `LGBMRegressor` after the other, with its default threads, as a user writes it;
- train: two processes of one thread, `lgb.train` with a new `Dataset` at every point;
- engine: two processes of one thread, `BoostingTrainer` on a `Dataset` that is binned once.

All three must give the same losses. The points are a grid and a hypertiling of the same size, as
in a study. The last line of each size is the median ratio, over the repeats, of the seconds of
sklearn to those of the engine.
"""

import argparse
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import lightgbm as lgb
import numpy as np

from tilesearch.problems import housing
from tilesearch.problems.base import Batch
from tilesearch.samplers import make
from tilesearch.seeds import rng_for
from tilesearch.space import Parameter, Space
from tilesearch.training.boosting import FIXED, BoostingTrainer

ROOT = Path(__file__).parents[1]
SETTINGS = {"rounds": 1000, "patience": 50, "lightgbm": {}}
TUNED = {"num_leaves": 31, "min_child_samples": 20}
SPACE = Space(
    "d2", (Parameter("learning_rate", 0.03, 0.25), Parameter("max_depth", 8, 22, type="int"))
)
FEATURES = 20


@cache
def load(rows: int) -> Batch:
    """A batch of King County sales with the 20 features that follow the target best."""
    data = {"path": ROOT / "resources/king-county/house_sales.parquet"}
    table, _ = housing.load(data, 0)
    y = table.pop("target").to_numpy()
    rank = table.corrwith(table[[]].assign(y=y)["y"]).abs().sort_values(ascending=False)
    x = table[rank.index[:FEATURES]].to_numpy()
    chosen = rng_for(1, "benchmark").permutation(len(y))[:rows]
    parts = np.split(chosen, [int(0.6 * rows), int(0.8 * rows)])
    return Batch(*({"x": x[part], "y": y[part]} for part in parts))


def points(resolution: int) -> list[dict]:
    """A grid and a hypertiling."""
    n = resolution**2
    unit = np.concatenate([make(name, 2, rng=1).random(n) for name in ("grid", "hypertiling")])
    columns = SPACE.values(unit)
    return [
        {"learning_rate": float(rate), "max_depth": int(depth)}
        for rate, depth in zip(*columns.values(), strict=True)
    ]


def by_sklearn(rows: int, chosen: list[dict]) -> list[float]:
    """Losses of `LGBMRegressor`, one after the other."""
    batch, losses = load(rows), []
    for point in chosen:
        model = lgb.LGBMRegressor(
            n_estimators=SETTINGS["rounds"], verbosity=-1, random_state=0, **TUNED, **point
        )
        model.fit(
            batch.train["x"],
            batch.train["y"],
            eval_X=batch.validation["x"],
            eval_y=batch.validation["y"],
            callbacks=[lgb.early_stopping(SETTINGS["patience"], verbose=False)],
        )
        losses.append(np.mean((model.predict(batch.test["x"]) - batch.test["y"]) ** 2))
    return losses


def by_train(rows: int, chosen: list[dict]) -> list[float]:
    """Losses of `lgb.train` with a new `Dataset` at every point, one thread."""
    batch, losses = load(rows), []
    for point in chosen:
        train = lgb.Dataset(batch.train["x"], batch.train["y"])
        model = lgb.train(
            {"objective": "regression", "metric": "l2", **FIXED, "seed": 0, **TUNED, **point},
            train,
            num_boost_round=SETTINGS["rounds"],
            valid_sets=[train.create_valid(batch.validation["x"], batch.validation["y"])],
            callbacks=[lgb.early_stopping(SETTINGS["patience"], verbose=False)],
        )
        prediction = model.predict(batch.test["x"], num_threads=1)
        losses.append(np.mean((prediction - batch.test["y"]) ** 2))
    return losses


def by_engine(rows: int, chosen: list[dict]) -> list[float]:
    """Losses of the engine, one thread."""
    trainer = BoostingTrainer(load(rows), task="regression", settings=SETTINGS, tuned=TUNED)
    outcomes = sorted(trainer.evaluate(chosen), key=lambda outcome: outcome.point)
    return [outcome.loss for outcome in outcomes]


def halves(chosen: list[dict]) -> list[list[int]]:
    """Indices of two jobs that take about equally long.

    As in a study, points of one learning rate stay together. The trees of a model are taken as
    the inverse of its learning rate, and the longest go first, to the job with less to do.
    """
    together: dict[float, list[int]] = {}
    for i, point in enumerate(chosen):
        together.setdefault(point["learning_rate"], []).append(i)
    parts: list[list[int]] = [[], []]
    load = [0.0, 0.0]
    for rate, indices in sorted(together.items(), key=lambda item: -len(item[1]) / item[0]):
        side = load.index(min(load))
        parts[side] += indices
        load[side] += len(indices) / rate
    return parts


def timed(
    pool: ProcessPoolExecutor, run, rows: int, chosen: list[dict]
) -> tuple[float, np.ndarray]:
    """Seconds and losses of `run` on both halves at once."""
    parts = halves(chosen)
    started = time.perf_counter()
    jobs = [pool.submit(run, rows, [chosen[i] for i in part]) for part in parts]
    losses = np.empty(len(chosen))
    for part, job in zip(parts, jobs, strict=True):
        losses[part] = job.result()
    return time.perf_counter() - started, losses


def compare(rows: int, resolution: int, repeats: int) -> float:
    """Print seconds and models per second of the three; return the median ratio."""
    chosen = points(resolution)
    seconds = {"sklearn": [], "train": [], "engine": []}
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(load, [rows, rows]))
        load(rows)
        timed(pool, by_engine, rows, chosen[:2])
        for _ in range(repeats):
            started = time.perf_counter()
            expected = np.array(by_sklearn(rows, chosen))
            seconds["sklearn"].append(time.perf_counter() - started)
            for name, run in (("train", by_train), ("engine", by_engine)):
                spent, losses = timed(pool, run, rows, chosen)
                seconds[name].append(spent)
                np.testing.assert_allclose(losses, expected, rtol=1e-6)
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{rows} rows, {name}: {median:.2f} s, {len(chosen) / median:.1f} models/s")
    ratios = [a / b for a, b in zip(seconds["sklearn"], seconds["engine"], strict=True)]
    print(f"{rows} rows: ratios {', '.join(f'{r:.2f}' for r in sorted(ratios))}")
    return statistics.median(ratios)


def main() -> None:
    """Compare at each size; the ratio comes last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--resolution", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, LightGBM {lgb.__version__}")
    for rows in arguments.rows:
        ratio = compare(rows, arguments.resolution, arguments.repeats)
        print(f"{rows} rows: ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
