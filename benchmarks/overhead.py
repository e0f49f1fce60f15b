"""What the workflow costs beside the training itself.

    python benchmarks/overhead.py                 the demo's housing study
    python benchmarks/overhead.py --single 200    and the same with a job per training, 200 points

Features, batches, scan and designs are made first; then the training stage alone is timed: wall
seconds of Snakemake from its start to its end, times the cores. Seconds inside training are
measured by the jobs round each training. The last line is the ratio of the two for the study as
it stands.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def snakemake(targets: list[str], config: Path, cores: int) -> float:
    """Run Snakemake in the project's folder; return its wall seconds."""
    environment = {**os.environ, "PATH": f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [SNAKEMAKE, *targets, "--cores", str(cores), "--quiet", "all"]
    started = time.perf_counter()
    subprocess.run([*command, "--configfile", config], cwd=ROOT, env=environment, check=True)
    return time.perf_counter() - started


def measure(config: dict, folder: Path, cores: int) -> tuple[int, float, float]:
    """Trainings, wall seconds × cores, and seconds inside training, of one study."""
    results = folder / "results"
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({**config, "results": str(results)}))
    evaluations = [str(results / "housing/d2/evaluations.parquet")]
    before = [str(results / f"housing/{name}") for name in ("screen.json", "d2/designs.parquet")]
    snakemake(before, path, cores)
    known = set((results / "housing/journal").rglob("*.jsonl"))
    wall = snakemake(evaluations, path, cores)
    rows = [
        json.loads(line)
        for file in set((results / "housing/journal").rglob("*.jsonl")) - known
        for line in file.read_text().splitlines()
    ]
    table = pd.DataFrame(rows)
    return len(table), wall * cores, float(table.seconds.sum())


def report(name: str, trainings: int, spent: float, inside: float) -> float:
    """Print the three numbers of one study; return their ratio."""
    print(f"{name}: {trainings} trainings")
    print(f"{name}: {spent:.1f} s wall x cores")
    print(f"{name}: {inside:.1f} s inside training", flush=True)
    return spent / inside


def main() -> None:
    """Run and print; the ratio of the chunked study comes last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument(
        "--single",
        type=int,
        default=0,
        metavar="POINTS",
        help="about so many (5 samplers, some 10 batches)",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratio = report("chunks", *measure({"run": ["housing"]}, Path(folder), arguments.cores))
    if arguments.single:
        config = {
            "run": ["housing"],
            "training": {"points_per_job": 1},
            "boosting": {
                "spaces": {"d2": {"points": [max(1, arguments.single // 50)], "resolutions": []}},
            },
        }
        with tempfile.TemporaryDirectory() as folder:
            single = measure(config, Path(folder), arguments.cores)
        print(f"one job per training: ratio {report('one job per training', *single):.1f}")
    print(f"ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
