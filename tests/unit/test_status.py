"""Progress as it is read from journals and outputs."""

import json
import os
import time
from math import inf
from pathlib import Path

import pytest

from tilesearch import status, study
from tilesearch.__main__ import main
from tilesearch.config import load
from tilesearch.training.journal import Journal

ROOT = Path(__file__).parents[2]
STUDY = """
results: out
run: [housing]
samplers: [grid, random]
training: {points_per_job: 10}
boosting:
  features: none
  batches: {number: 3, size: equal(400)}
  scan: {resolution: 4, on_edge: drop}
  spaces: {d2: {resolutions: [2, 3]}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a study in which nothing has run."""
    (tmp_path / "config.yaml").symlink_to(ROOT / "config.yaml")
    (tmp_path / "study.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out/housing"


def read():
    return study.read(load(["config.yaml", "study.yaml"]))


def write_journal(folder, batch, name, rows, seconds=0.5, mark="mark"):
    with Journal(folder / f"journal/{batch}/{mark}", name) as journal:
        for number in rows:
            journal.append(f"point {number}", 0.1, seconds=seconds)
    return journal.path


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


def counts(found):
    return {stage.name: (stage.done, stage.total) for stage in found.stages}


def test_nothing_has_run(folder):
    found = status.measure(read(), "out")
    resolutions = read().problems["housing"].spaces["d2"].sizes
    points = 2 * sum(size.n for size in resolutions)
    assert counts(found) == {"scan": (0, 48), "d2": (0, 3 * points)}
    assert (found.jobs, found.rate, found.left) == (0, 0, inf)
    text = status.as_text(found)
    assert "at most (before screening)" in text
    assert text.endswith("no training job is running")


def test_outputs_and_journals_are_counted(folder):
    for batch in range(3):
        touch(folder / f"scan/{batch}.parquet")
    (folder / "screen.json").write_text(json.dumps({"kept": [0, 2]}))
    space = read().problems["housing"].spaces["d2"]
    touch(folder / "d2/evaluations/0/0.parquet")
    write_journal(folder, 0, "d2-0-1", range(4), seconds=0.5)
    write_journal(folder, 2, "d2-2-0", range(3), seconds=0.25)
    found = status.measure(read(), "out")
    assert counts(found)["scan"] == (48, 48)
    done, total = counts(found)["d2"]
    assert done == space.points // space.chunks + 4 + 3
    assert total == 2 * space.points
    assert found.jobs == 2
    assert found.rate == pytest.approx(2 + 4)
    assert found.left == pytest.approx((total - done) / 6)
    assert "2 jobs running, 6 models a second" in status.as_text(found)


def test_a_row_written_twice_or_torn_counts_once_or_not(folder):
    path = write_journal(folder, 1, "scan-1", [1, 2, 2])
    with open(path, "ab") as stream:
        stream.write(b'{"key": "poi')
    assert counts(status.measure(read(), "out"))["scan"] == (2, 48)


def test_only_the_latest_config_counts(folder):
    old = write_journal(folder, 0, "scan-0", range(9), mark="old")
    os.utime(old, (time.time() - 500,) * 2)
    write_journal(folder, 0, "scan-0", range(2), mark="new")
    assert counts(status.measure(read(), "out"))["scan"][0] == 2


def test_a_quiet_journal_is_of_no_running_job(folder):
    path = write_journal(folder, 0, "scan-0", range(5), seconds=0.1)
    later = path.stat().st_mtime + status.QUIET + 1
    found = status.measure(read(), "out", now=later)
    assert counts(found)["scan"][0] == 5
    assert found.jobs == 0
    # A slow training may be silent for longer.
    write_journal(folder, 1, "scan-1", range(5), seconds=100.0)
    assert status.measure(read(), "out", now=later).jobs == 1


def test_job_1_is_not_job_11(folder):
    write_journal(folder, 1, "scan-1", range(2))
    write_journal(folder, 1, "scan-11", range(5))
    assert counts(status.measure(read(), "out"))["scan"][0] == 2


def test_the_command(folder, capsys):
    assert main(["status", "--configfile", "study.yaml"]) == 0
    assert "0 of 48" in capsys.readouterr().out


def test_watching_ends_when_all_is_done(folder, capsys, monkeypatch):
    def finish(seconds):
        assert seconds == 2
        for batch in range(3):
            touch(folder / f"scan/{batch}.parquet")
        (folder / "screen.json").write_text('{"kept": [1]}')
        for chunk in range(read().problems["housing"].spaces["d2"].chunks):
            touch(folder / f"d2/evaluations/1/{chunk}.parquet")

    monkeypatch.setattr(time, "sleep", finish)
    assert main(["status", "--configfile", "study.yaml", "--watch", "--every", "2"]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert "0 of 48" in first
    assert "(100 %)" in last


def test_a_wrong_interval(folder, capsys):
    assert main(["status", "--every", "0"]) == 2
    assert "--every is 0.0" in capsys.readouterr().err
