"""Peak memory and seconds of the largest jobs of the paper study, against its limits.

    python benchmarks/memory.py
    python benchmarks/memory.py --rows 50000 --evaluations 62000

A generated table of 500,000 rows and 118 columns (numbers, gaps, texts, dates) goes through the
scripts of the rules: loading, features (Optuna and SHAP), batches, the training of one chunk in a
batch of 10,000 rows with 20 features. Then 620,000 generated evaluations are collected. Each step
is a process of its own, as in the workflow. The last line is the largest share of a limit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

#: Limits in MB.
LIMITS = {"load": 4000, "features": 4000, "batches": 4000, "train": 1000, "collect": 2000}
PARAMETERS = {
    "learning_rate": {"low": 0.03, "high": 0.25, "type": "float", "scale": "linear"},
    "max_depth": {"low": 8, "high": 22, "type": "int", "scale": "linear"},
}
MODEL = {"rounds": 1000, "patience": 50, "lightgbm": {}}
COLUMNS = 118
#: Rows of one file of evaluations.
CHUNK = 1000


def table(folder: Path, arguments: argparse.Namespace) -> None:
    """A target and `COLUMNS` other columns: 3 dates, 5 texts, 10 whole numbers, else floats."""
    rows = arguments.rows
    rng = np.random.default_rng(0)
    columns = {}
    for k in range(3):
        days = pd.to_timedelta(rng.integers(0, 11_000, rows), unit="D")
        columns[f"date{k}"] = pd.Timestamp("1992-01-01") + days
    for k in range(5):
        columns[f"text{k}"] = np.array([f"value {i}" for i in range(20 * 3**k)])[
            rng.integers(0, 20 * 3**k, rows)
        ]
    for k in range(10):
        columns[f"whole{k}"] = rng.integers(0, 10 ** (1 + k % 4), rows)
    for k in range(COLUMNS - len(columns)):
        values = rng.normal(size=rows)
        values[rng.random(rows) < 0.02 * (k % 5)] = np.nan
        columns[f"number{k}"] = values
    signal = sum(np.nan_to_num(columns[f"number{k}"]) / (1 + k) for k in range(30))
    columns["price"] = signal + 0.1 * columns["whole0"] + rng.normal(size=rows)
    pd.DataFrame(columns).to_parquet(folder / "table.parquet")


def evaluations(folder: Path, arguments: argparse.Namespace) -> None:
    """Files as training jobs write them, each of `CHUNK` points of one batch in 8 dimensions."""
    rng = np.random.default_rng(0)
    (folder / "evaluations").mkdir()
    for k in range(arguments.evaluations // CHUNK):
        rows = pd.DataFrame(
            {
                "problem": "own", "space": "d8", "d": 8, "batch": k, "sampler": "random",
                "resolution": 2, "n": CHUNK, "point": np.arange(CHUNK),
                **{name: rng.random(CHUNK) for name in ("learning_rate", "max_depth")},
                **{f"c{i + 1}": rng.random(CHUNK) for i in range(6)},
                "loss": rng.random(CHUNK), "status": "ok", "reason": "",
                "training": [f"{i:016x}" for i in rng.integers(0, 2**60, CHUNK)],
                "seconds": rng.random(CHUNK), "stand_in": "",
            }
        )  # fmt: skip
        rows.to_parquet(folder / f"evaluations/{k:04d}.parquet", index=False)


def load(folder: Path, _) -> None:
    """Load the table."""
    import load_data

    data = {"path": str(folder / "table.parquet"), "target": "price", "task": "regression"}
    load_data.main("table", data, 1, folder / "data.parquet", folder / "data.json")


def features(folder: Path, arguments: argparse.Namespace) -> None:
    """Tune, explain, and keep 20 features."""
    import select_features

    names = ("ranking.csv", "selected.json", "tuned.json", "values.parquet")
    select_features.main(
        folder / "data.parquet",
        folder / "data.json",
        {"keep": 20, "trials": arguments.trials, "shap_rows": arguments.shap_rows},
        {**MODEL, "rounds": arguments.rounds},
        1,
        2,
        {name.partition(".")[0]: str(folder / name) for name in names},
    )


def batches(folder: Path, arguments: argparse.Namespace) -> None:
    """Draw 44 batches of about 10,000 rows (fewer of a smaller table)."""
    import split_batches

    settings = {
        "number": min(44, arguments.rows // 11_000), "size": "normal(10000, 1000)",
        "overlap": False, "fractions": {"train": 0.6, "validation": 0.2, "test": 0.2},
    }  # fmt: skip
    split_batches.main(folder / "data.json", settings, 1, "own", folder / "batches.parquet")


def train(folder: Path, arguments: argparse.Namespace) -> None:
    """Train one chunk."""
    import train as script
    from tilesearch.files import write_json

    rng = np.random.default_rng(0)
    points = pd.DataFrame(
        {
            "batch": 0, "chunk": 0, "sampler": "random", "resolution": 5, "n": arguments.points,
            "point": np.arange(arguments.points),
            **{f"u{k + 1}": rng.random(arguments.points) for k in range(2)},
        }
    )  # fmt: skip
    points.to_parquet(folder / "designs.parquet")
    domain = {name: [p["low"], p["high"]] for name, p in PARAMETERS.items()}
    write_json(folder / "screen.json", {"domain": domain})
    inputs = {name: str(folder / f"{name}.parquet") for name in ("data", "batches", "designs")}
    inputs |= {name: str(folder / f"{name}.json") for name in ("screen", "selected", "tuned")}
    settings = {
        "problem": "own", "space": "d2", "coefficients": 0, "seed": 1, "model": MODEL,
        "kind": "table", "engine": "boosting", "trained": list(PARAMETERS),
    }  # fmt: skip
    parameters = [{"name": name, **p} for name, p in PARAMETERS.items()]
    script.main(
        0, 0, parameters, [], inputs | {"facts": str(folder / "data.json")}, settings,
        str(folder / "journal"), 1, str(folder / "trained.parquet"),
    )  # fmt: skip


def collect(folder: Path, _) -> None:
    """Collect the evaluations."""
    import collect_evaluations

    paths = sorted(map(str, (folder / "evaluations").glob("*.parquet")))
    collect_evaluations.main(paths, CHUNK, len(paths), folder / "evaluations.parquet")


STEPS = {
    step.__name__: step for step in (table, evaluations, load, features, batches, train, collect)
}


def measured(name: str, folder: Path, arguments: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a step in a process of its own."""
    before = time.perf_counter()
    command = [sys.executable, __file__, *arguments, "--step", name, "--folder", str(folder)]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the step '{name}' failed")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def main() -> None:
    """Measure every step; the largest share of a limit comes last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--evaluations", type=int, default=620_000)
    parser.add_argument("--trials", type=int, default=2, help="Optuna trials")
    parser.add_argument("--rounds", type=int, default=1000, help="most trees of a trial")
    parser.add_argument("--shap-rows", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=20, help="points of the training job")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        STEPS[arguments.step](arguments.folder, arguments)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In processes of their own, too: a process counts the memory of the one that started it.
        for step in ("table", "evaluations"):
            measured(step, folder, sys.argv[1:])
        shares = []
        for step, limit in LIMITS.items():
            seconds, memory = measured(step, folder, sys.argv[1:])
            print(f"{step}: {seconds:.1f} s, {memory:.0f} of {limit} MB", flush=True)
            shares.append(memory / limit)
    print(f"largest share of a limit: {max(shares):.2f}")


if __name__ == "__main__":
    main()
