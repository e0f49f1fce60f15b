"""Kill a small study again and again; its tables must be those of an undisturbed run.

``python tests/faults/kills.py --count 50 FOLDER`` prints what was found.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from copy import deepcopy
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from running import SMALL, Project, kill

#: Enough trainings for kills to fall among them.
STUDY = deepcopy(SMALL)
STUDY["boosting"]["spaces"] = {"d2": {"resolutions": [4, 5, 6]}}

EVALUATIONS = "results/small/housing/d2/evaluations.parquet"
SCORES = "results/small/tables/scores.csv"
RUN = (SCORES, "--configfile", "study.yaml")

#: Most seconds from a start, or from a finished training, to a kill.
LONGEST, SOON = 12.0, 1.5


def lines(project: Project) -> list[str]:
    """All lines of all journals, torn ones too."""
    folder = project.folder / "results/small/housing/journal"
    found = []
    for path in sorted(folder.rglob("*.jsonl")):
        text = path.read_text()
        found += [f"{path.parent}|{line}" for line in text.split("\n") if line]
    return found


def repeated(rows: list[str]) -> int:
    """Finished trainings that were trained again."""
    keys = Counter()
    for row in rows:
        folder, line = row.split("|", 1)
        keys[folder, json.loads(line)["key"]] += 1
    return sum(count - 1 for count in keys.values())


def tables(project: Project) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Evaluations without their times, and scores."""
    evaluations = pd.read_parquet(project.folder / EVALUATIONS).drop(columns="seconds")
    return evaluations, pd.read_csv(project.folder / SCORES)


def wait_for_training(project: Project, process: subprocess.Popen, before: int) -> None:
    """Wait until a journal has grown, Snakemake has ended, or a minute is over."""
    deadline = time.monotonic() + 60
    while len(lines(project)) <= before and process.poll() is None:
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def unlock(project: Project) -> None:
    """What ``snakemake --unlock`` does, without its seconds of planning."""
    shutil.rmtree(project.folder / ".snakemake/locks", ignore_errors=True)


def campaign(folder: Path, count: int, seed: int) -> dict:
    """Kill `count` times, over as many studies as that takes.

    Returns
    -------
    dict
        Figures: kills, of them while trainings were running, studies, finished trainings that
        were lost or repeated (both must be 0), largest number of jobs that were training.
    """
    rng = random.Random(seed)  # noqa: S311
    calm = Project(folder / "calm")
    calm.write("study.yaml", STUDY)
    calm.run(*RUN)
    expected = tables(calm)
    figures = dict.fromkeys(("kills", "in_training", "studies", "lost", "repeated", "wrong"), 0)
    while figures["kills"] < count:
        project = Project(folder / f"study-{figures['studies']}")
        project.write("study.yaml", STUDY)
        figures["studies"] += 1
        while figures["kills"] < count:
            before = lines(project)
            process = project.start(*RUN)
            if rng.random() < 0.3:  # anywhere: planning, loading, collecting
                time.sleep(rng.uniform(0.2, LONGEST))
            else:  # among the trainings
                wait_for_training(project, process, len(before))
                time.sleep(rng.uniform(0.0, SOON))
            if process.poll() is not None:
                if process.returncode != 0:
                    raise AssertionError(process.stdout.read()[-4000:])
                break  # it was done before the kill
            kill(process)
            unlock(project)
            after = lines(project)
            figures["kills"] += 1
            figures["in_training"] += len(after) > len(before)
            figures["lost"] += len(set(before) - set(after))
        before = lines(project)
        project.run(*RUN)
        after = lines(project)
        figures["lost"] += len(set(before) - set(after))
        figures["repeated"] += repeated(after)
        for found, wanted in zip(tables(project), expected, strict=True):
            figures["wrong"] += not found.equals(wanted)
        shutil.rmtree(project.folder)
    return figures


def main() -> None:
    """Kill, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="for the studies")
    parser.add_argument("--count", type=int, default=50, help="number of kills")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    begun = time.monotonic()
    figures = campaign(args.folder, args.count, args.seed)
    print({**figures, "seconds": round(time.monotonic() - begun)})


if __name__ == "__main__":
    main()
