"""How long Snakemake plans the paper study, and how that grows.

    python benchmarks/planning.py

`snakemake -n` of workflow/studies/paper.yaml, all five problems, as it stands after the screen has
run and kept every batch (the largest plan), at several numbers of points per job. Data files are
replaced by small generated ones, and what the stages before the screen write by empty files: a
plan looks at names and times only. The last line is the seconds of the study as it is configured.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tilesearch import config, study
from tilesearch.problems.danish_housing import COLUMNS

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "workflow/studies/paper.yaml"
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


#: What the selection of features writes.
FEATURES = ("selected.json", "tuned.json", "ranking.csv", "shap.parquet")


def danish_file(path: Path, rows: int) -> None:
    """A table with the columns of the Danish sales, all of one plausible value."""
    values = dict.fromkeys(COLUMNS, 1.0) | {"date": pd.Timestamp("2000-01-01")}
    table = pd.DataFrame(values, index=range(rows))
    table["purchase_price"] = np.linspace(1e5, 1e7, rows)
    for index, name in enumerate(COLUMNS):
        if name not in ("date", "purchase_price"):
            table[name] = np.arange(rows) % (index + 2) + 1.0
    table.to_parquet(path)


def prepare(folder: Path, read: study.Study) -> None:
    """Empty files of all stages up to the screen, and a screen that kept every batch."""
    for problem in read.problems.values():
        base = folder / problem.name
        (base / "scan").mkdir(parents=True, exist_ok=True)
        (base / "features").mkdir(exist_ok=True)
        names = ["data.json", "data.parquet", "data.npz", "embedded.npz", "tuned.json"]
        names += [f"features/{name}" for name in FEATURES] + ["batches.parquet"]
        for name in [*names, *(f"scan/{batch}.parquet" for batch in problem.batches)]:
            (base / name).touch()
        domain = {name: list(ends) for name, ends in problem.domain.items()}
        screen = {"kept": list(problem.batches), "domain": domain}
        (base / "screen.json").write_text(json.dumps(screen))


def plan(points_per_job: int, batches: int) -> tuple[int, float, float]:
    """Jobs, seconds and megabytes of a plan; `batches` is a factor on the number of batches."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = config.load([ROOT / "config.yaml", PAPER])
        rows = 44 * 12_000 * batches
        # Elsewhere: the memory of this process would be counted as the plan's, which it starts.
        maker = multiprocessing.Process(target=danish_file, args=(folder / "danish.parquet", rows))
        maker.start()
        maker.join()
        (folder / "insolubles").mkdir()
        boosting = loaded["boosting"]["batches"]["number"] * batches
        override = {
            "results": str(folder / "results"),
            "training": {"points_per_job": points_per_job},
            "boosting": {"batches": {"number": boosting}, "features": {"keep": 5}},
            "problems": {
                "housing": {"data": {"path": str(folder / "danish.parquet")}},
                "insolubles": {"data": {"path": str(folder / "insolubles")}},
            },
        }
        for problem in ("cifar10", "bjet", "insolubles", "icecube"):
            number = loaded["problems"][problem]["batches"]["number"] * batches
            override["problems"].setdefault(problem, {})["batches"] = {"number": number}
        path = folder / "override.yaml"
        path.write_text(yaml.safe_dump(override))
        prepare(folder / "results", study.read(config.load([ROOT / "config.yaml", PAPER, path])))
        environment = {**os.environ, "PATH": f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}"}
        before = time.perf_counter()
        command = [SNAKEMAKE, "-n", "--rerun-triggers", "mtime", "--configfile", PAPER, path]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        jobs = 0
        for line in process.stdout:
            if match := re.match(r"total\s+(\d+)", line):
                jobs = int(match[1])
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit("the plan failed")
        return jobs, time.perf_counter() - before, usage.ru_maxrss / 1024


def main() -> None:
    """Plan at several sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ten", action="store_true", help="also ten times the batches")
    arguments = parser.parse_args()
    sizes = [(100, 1), (300, 1), (1000, 1)]
    sizes[:0] = [(1000, 10)] if arguments.ten else []
    for points_per_job, batches in sizes:
        jobs, seconds, memory = plan(points_per_job, batches)
        what = "paper" if batches == 1 else f"{batches} x paper"
        print(
            f"{what}, {points_per_job} points per job: {jobs} jobs, {seconds:.1f} s, "
            f"{memory:.0f} MB, {1000 * seconds / jobs:.2f} ms a job",
            flush=True,
        )
    print(f"seconds to plan the paper study: {seconds:.1f}")


if __name__ == "__main__":
    main()
