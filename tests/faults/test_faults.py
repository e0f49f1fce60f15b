"""Full disk, torn journals, broken files, two runs at once, too little memory.

Each time: nothing finished is lost, no wrong table comes out, and the message says what to do.
"""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from kills import EVALUATIONS, RUN, SCORES, STUDY, lines, repeated, tables
from running import ROOT, kill

from tilesearch.errors import InputError
from tilesearch.figures.style import save
from tilesearch.files import write_json, write_table
from tilesearch.logs import job_log
from tilesearch.training import journal

HOUSING = "results/small/housing"


def retrain(project) -> None:
    """Let Snakemake forget the trainings; the journals stay."""
    shutil.rmtree(project.folder / HOUSING / "d2/evaluations")
    for path in (EVALUATIONS, SCORES):
        (project.folder / path).unlink()


def assert_same(project, other) -> None:
    for found, wanted in zip(tables(project), tables(other), strict=True):
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)


def fill(folder, leave: int = 0):
    """Fill a disk up to `leave` bytes; returns the file that does it."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with open(ballast, "wb") as stream:
        stream.write(b"\0" * max(0, free.f_bavail * free.f_frsize - leave))
    return ballast


# A full disk -------------------------------------------------------------------------------------


def test_journal_on_a_full_disk_keeps_what_it_holds(small_disk):
    done = {}
    with journal.Journal(small_disk / "journal", "job") as own:
        own.append("first", 0.5)
        ballast = fill(small_disk)
        error = None
        while error is None:
            key = f"key-{len(done)}"
            try:
                own.append(key, 0.25)
                done[key] = 0.25
            except InputError as refused:
                error = str(refused)
    assert "no space left on device), make room".lower() in error.lower()
    assert "\n" not in error
    found = journal.read(small_disk / "journal")
    assert {key: row["loss"] for key, row in found.items()} == {"first": 0.5, **done}
    ballast.unlink()
    with journal.Journal(small_disk / "journal", "job") as own:
        own.append("later", 0.125)
    assert journal.read(small_disk / "journal")["later"]["loss"] == 0.125


def big_table(folder):
    numbers = np.random.default_rng(1).random(10_000)
    write_table(pd.DataFrame({"x": numbers}), folder / "table.parquet")


def big_csv(folder):
    write_table(pd.DataFrame({"x": np.random.default_rng(1).random(10_000)}), folder / "table.csv")


def big_json(folder):
    write_json(folder / "facts.json", ["x" * 10_000])


def figure(folder):
    canvas, axes = plt.subplots()
    axes.plot([1, 2, 3])
    save(canvas, folder / "figure.png")


@pytest.mark.parametrize("write", [big_table, big_csv, big_json, figure])
def test_results_on_a_full_disk_end_the_job_with_one_sentence(small_disk, tmp_path, write):
    fill(small_disk)
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as error, job_log(log):
        write(small_disk)
    assert "the disk is full, make room and start again" in str(error.value)
    assert "\n" not in str(error.value)
    assert "Traceback" not in log.read_text()
    assert "make room" in log.read_text()


def test_a_study_on_a_full_disk_goes_on_when_there_is_room(finished, tmp_path, mount):
    project = finished.copy(tmp_path / "full")
    retrain(project)
    for path in (project.folder / HOUSING / "journal").rglob("d2-*.jsonl"):
        path.unlink()
    kept = project.folder / "kept"
    (project.folder / "results").rename(kept)
    with mount(project.folder / "results", "-t", "tmpfs", "-o", "size=30m", "tmpfs") as disk:
        shutil.copytree(kept, disk, dirs_exist_ok=True)
        ballast = fill(disk, leave=40_000)
        output = project.run(*RUN, code=1)
        assert "make room" in output
        assert "Traceback" not in output
        assert not (project.folder / EVALUATIONS).exists()
        before = lines(project)
        ballast.unlink()
        project.run(*RUN)
        rows = [row for row in lines(project) if row.endswith("}")]
        assert {row for row in before if row.endswith("}")} <= set(rows)
        assert repeated(rows) == 0
        assert_same(project, finished)


# Journals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [b'{"key": "{\\"learn', b"\x00" * 512, b"\xff\xfe{}\n\n[1]\nnull\n{}\n", b'{"key": 3}\n'],
    ids=["torn", "zeros", "garbage", "no row"],
)
def test_a_damaged_journal_costs_what_was_damaged_and_no_more(finished, tmp_path, damage):
    project = finished.copy(tmp_path / "torn")
    retrain(project)
    path = max((project.folder / HOUSING / "journal").rglob("d2-*.jsonl"))
    whole = path.read_bytes()
    rows = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(rows[:-3]) + rows[-3][: len(rows[-3]) // 2] + b"\n" + damage)
    (project.folder / "whole").write_bytes(whole)
    before = lines_of(project)
    project.run(*RUN)
    assert_same(project, finished)
    assert len(lines_of(project)) - len(before) == 3, "only the three damaged rows are trained"


def lines_of(project) -> set[tuple[str, str]]:
    """Folder and key of all rows that can be read."""
    folders = {p.parent for p in (project.folder / HOUSING / "journal").rglob("*.jsonl")}
    return {(str(folder), key) for folder in folders for key in journal.read(folder)}


def test_the_journal_of_another_config_is_not_used(finished, tmp_path):
    project = finished.copy(tmp_path / "other")
    before = lines(project)
    other = deepcopy(STUDY)
    other["boosting"]["model"]["rounds"] = 30
    project.write("other.yaml", other)
    project.run(SCORES, "--configfile", "other.yaml")
    fresh = set(lines(project)) - set(before)
    assert len(fresh) >= len(before) / 2, "all is trained anew"
    changed, wanted = tables(project)[0], tables(finished)[0]
    assert not np.array_equal(changed.loss, wanted.loss)
    # Back to the first config: its journals are still there, nothing is trained.
    again = lines(project)
    project.run(*RUN)
    assert lines(project) == again
    assert_same(project, finished)


# Broken files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "data.parquet",
        "data.json",
        "batches.parquet",
        "scan/0.parquet",
        "screen.json",
        "d2/designs.parquet",
        "d2/evaluations/{batch}/0.parquet",
    ],
)
def test_a_corrupt_file_is_named_and_made_anew(finished, tmp_path, name):
    project = finished.copy(tmp_path / "corrupt")
    folder = project.folder / HOUSING
    batch = min(p.name for p in (folder / "d2/evaluations").iterdir())
    # What is made from the file is forgotten, so that it is read again; but not the journals, and
    # a job that finds all in the journals does not open the data.
    if name.startswith("d2/evaluations"):
        for path in (EVALUATIONS, SCORES):
            (project.folder / path).unlink()
    else:
        retrain(project)
    if name.startswith("scan"):
        (folder / "screen.json").unlink()
    if name == "data.parquet":
        for path in (folder / "journal").rglob("d2-*.jsonl"):
            path.unlink()
    broken = folder / name.format(batch=batch)
    times, whole = broken.stat(), broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    os.utime(broken, ns=(times.st_atime_ns, times.st_mtime_ns))  # damage leaves no trace in time
    output = project.run(*RUN, code=1)
    assert f"{HOUSING}/{name.format(batch=batch)}' cannot be read" in output
    assert "delete it and start again" in output
    # Snakemake adds two lines of its own, headed "Traceback:", where an input function fails.
    assert "Traceback (most recent call last)" not in output
    broken.unlink()
    project.run(*RUN)
    assert_same(project, finished)


def test_a_read_only_results_folder(finished, tmp_path, mount):
    project = finished.copy(tmp_path / "read-only")
    retrain(project)
    results = project.folder / "results"
    with mount(results, "--bind", str(results)):
        subprocess.run(["mount", "-o", "remount,ro,bind", results], check=True)
        output = project.run(*RUN, code=1)
    assert "Read-only file system" in output or "read-only" in output
    project.run(*RUN)
    assert repeated(lines(project)) == 0
    assert_same(project, finished)


# Other processes ---------------------------------------------------------------------------------


def training(project, process) -> int:
    """Process that trains: the first that has a journal open."""
    folder = f"{project.folder / HOUSING / 'journal'}/"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read()
        for entry in os.listdir("/proc"):
            try:
                links = [
                    os.readlink(f"/proc/{entry}/fd/{fd}") for fd in os.listdir(f"/proc/{entry}/fd")
                ]
            except (OSError, ValueError):
                continue
            if any(link.startswith(folder) for link in links):
                return int(entry)
        time.sleep(0.05)
    raise AssertionError("no training began")


def test_two_snakemakes_at_once(finished, tmp_path):
    project = finished.copy(tmp_path / "twice")
    retrain(project)
    shutil.rmtree(project.folder / HOUSING / "journal")
    first = project.start(*RUN)
    try:
        training(project, first)
        output = project.run(*RUN, code=1)
        assert "Directory cannot be locked" in output
        assert "--unlock" in output
        text, _ = first.communicate(timeout=200)
        assert first.returncode == 0, text[-4000:]
    finally:
        if first.poll() is None:
            kill(first)
    assert repeated(lines(project)) == 0
    assert_same(project, finished)


def test_a_job_killed_by_the_kernel_fails_alone_and_is_resumed(finished, tmp_path):
    """What the kernel does to a process when memory is used up: SIGKILL to it alone."""
    project = finished.copy(tmp_path / "killed")
    retrain(project)
    for path in (project.folder / HOUSING / "journal").rglob("d2-*.jsonl"):
        path.unlink()
    process = project.start(*RUN)
    try:
        os.kill(training(project, process), signal.SIGKILL)
        output, _ = process.communicate(timeout=200)
    finally:
        if process.poll() is None:
            kill(process)
    assert process.returncode == 1
    assert "Error in rule train" in output
    assert not (project.folder / EVALUATIONS).exists()
    before = lines(project)
    project.run(*RUN)
    assert set(before) <= set(lines(project))
    assert repeated(lines(project)) == 0
    assert_same(project, finished)


SCARCE = """
    import resource, sys
    from pathlib import Path
    sys.path.insert(0, {scripts!r})
    import numpy as np
    from tilesearch.logs import job_log
    from tilesearch.problems.base import Batch, Outcome
    from tilesearch.training.boosting import BoostingTrainer
    from tilesearch.training.evaluation import evaluate

    rng = np.random.default_rng(1)
    x, y = rng.random((30000, 10)), rng.random(30000)
    part = dict(x=x, y=y)
    settings = dict(rounds=20, patience=5, lightgbm={{}})
    points = [dict(learning_rate=0.01 * (k + 1), max_depth=5) for k in range(4)]
    trainer = BoostingTrainer(Batch(part, part, part), task="regression", settings=settings)
    class Scarce:
        def evaluate(self, points):
            for done, outcome in enumerate(trainer.evaluate(points)):
                yield outcome
                if done == 1:  # from now on there is none left
                    pages = int(Path("/proc/self/statm").read_text().split()[0])
                    resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + {slack}, -1))
                    if {slack}:
                        np.ones({slack} // 4)  # twice of what there is

    with job_log({log!r}):
        evaluate(points, ["learning_rate", "max_depth"], Scarce, {journal!r}, "scarce")
"""


@pytest.mark.parametrize("slack", [0, 2**26], ids=["LightGBM", "numpy"])
def test_too_little_memory_fails_the_job_and_keeps_its_journal(tmp_path, slack):
    """LightGBM may end the process by a signal; an allocation that raises gives a sentence."""
    log, folder = tmp_path / "job.log", tmp_path / "journal"
    code = textwrap.dedent(SCARCE).format(
        scripts=str(ROOT / "scripts"), log=str(log), journal=str(folder), slack=slack
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    job = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120
    )
    assert job.returncode != 0
    assert len(journal.read(folder)) == 2
    if slack:
        assert job.returncode == 1, job.stderr
        assert "error: the job ran out of memory" in job.stderr
        assert "mem_mb" in log.read_text()
