"""The study on a real SLURM: same tables, failures that are told, nothing trained twice."""

import os
import signal
from pathlib import Path

import pandas as pd
from cluster import queue, wait
from running import kill

EVALUATIONS = "results/small/housing/d2/evaluations.parquet"
SCORES = "results/small/tables/scores.csv"
PROFILE = (
    "--profile",
    "workflow/profiles/slurm",
    # A test need not wait as a shared cluster asks for.
    "--slurm-init-seconds-before-status-checks",
    "2",
    "--seconds-between-status-checks",
    "2",
    "--latency-wait",
    "10",
)


def keys(project) -> list[str]:
    """Keys of all trainings in the journals, the scan's left out."""
    files = (project.folder / "results/small/housing/journal").rglob("d2-*.jsonl")
    return [line for path in files for line in path.read_text().splitlines()]


def points(lines: list[str]) -> list[str]:
    return [line.split('"loss"')[0] for line in lines]


def writer(project) -> int:
    """Process that has a journal of trainings open."""
    folder = project.folder / "results/small/housing/journal"
    for path in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(path)
        except OSError:
            continue  # it has ended
        if target.startswith(f"{folder}/") and Path(target).name.startswith("d2-"):
            return int(path.parts[2])
    raise AssertionError("no job writes a journal")


def started(project, *arguments):
    """Snakemake, as soon as some trainings are in a journal."""
    process = project.start(EVALUATIONS, "--configfile", "long.yaml", *PROFILE, *arguments)

    def training() -> bool:
        if process.poll() is not None:
            raise AssertionError(process.stdout.read())
        return len(keys(project)) >= 10

    try:
        wait(training, 240, "no training began")
    except BaseException:
        kill(process)
        raise
    return process


def finished(process, code: int = 0, seconds: float = 480) -> str:
    """What Snakemake printed until its end."""
    try:
        output, _ = process.communicate(timeout=seconds)
    finally:
        if process.poll() is None:
            kill(process)
    assert process.returncode == code, output[-6000:]
    return output


def running_job() -> str:
    return next(job for job, name, state in queue() if "train" in name and state == "RUNNING")


def state_of(wanted: str) -> str:
    return next(state for job, _, state in queue() if job == wanted)


def assert_nothing_twice(project, before: list[str]) -> None:
    """All points are there, those of before the fault from before the fault."""
    after = keys(project)
    assert len(before) >= 10
    assert set(before) <= set(after)
    assert len(points(after)) == len(set(points(after))), "a finished training was repeated"
    table = pd.read_parquet(project.folder / EVALUATIONS)
    assert len(table) == 150
    assert (table.status == "ok").all()


def test_the_smoke_study_gives_the_tables_of_a_local_run(cluster, prepared, tmp_path):
    local, remote = prepared.copy(tmp_path / "local"), prepared.copy(tmp_path / "remote")
    before = queue()
    for project, options in ((local, ()), (remote, PROFILE)):
        target = ("results/smoke/tables/scores.csv", "--configfile", "workflow/studies/smoke.yaml")
        project.run(*target, *options, seconds=480)
    submitted = [name for _, name, _ in set(queue()) - set(before)]
    for rule in ("load_data", "select_features", "make_designs", "scan_batch", "train"):
        assert any(rule in name for name in submitted), f"{rule} did not run on the cluster"
    assert not any("score" in name for name in submitted), "score is a local rule"
    for name in ("tables/scores.csv", "tables/minima.csv"):
        pd.testing.assert_frame_equal(
            pd.read_csv(remote.folder / "results/smoke" / name),
            pd.read_csv(local.folder / "results/smoke" / name),
            check_exact=True,
        )
    one, other = (
        pd.read_parquet(p.folder / "results/smoke/housing/d2/evaluations.parquet")
        for p in (remote, local)
    )
    pd.testing.assert_frame_equal(
        one.drop(columns="seconds"), other.drop(columns="seconds"), check_exact=True
    )


def test_a_failing_job_is_reported_with_its_log(cluster, prepared, tmp_path):
    project = prepared.copy(tmp_path / "failing")
    journal = project.folder / "results/small/housing/journal"
    journal.rename(journal.with_name("kept"))
    journal.write_text("in the way")
    arguments = (EVALUATIONS, "--configfile", "long.yaml", *PROFILE, "--retries", "0")
    output = project.run(*arguments, code=1, seconds=240)
    assert "Error in rule train" in output
    assert "results/small/logs/train/housing/d2/0/0.log" in output
    assert f"journal '{journal.relative_to(project.folder)}" in output, "its log is not shown"
    assert "cannot be written" in output
    assert any(f"SLURM jobid {job}" in output or job in output for job, *_ in queue())
    journal.unlink()
    journal.with_name("kept").rename(journal)
    project.run(*arguments, seconds=480)
    assert len(pd.read_parquet(project.folder / EVALUATIONS)) == 150


def test_a_job_out_of_time_goes_on_by_itself(cluster, prepared, tmp_path):
    project = prepared.copy(tmp_path / "slow")
    # One minute at first; then enough, however busy the machine is.
    process = started(project, "--set-resources", "train:runtime=10*attempt-9")
    try:
        job, stopped = running_job(), writer(project)
        os.kill(stopped, signal.SIGSTOP)  # it idles until its minute is over
        before = keys(project)
        wait(lambda: state_of(job) == "TIMEOUT", 180, "SLURM does not end the job")
    except BaseException:
        kill(process)
        raise
    output = finished(process)
    assert "Trying to restart job" in output
    assert_nothing_twice(project, before)


def test_a_cancelled_job_is_resumed(cluster, prepared, tmp_path):
    project = prepared.copy(tmp_path / "cancelled")
    process = started(project, "--retries", "0")
    job = running_job()
    os.system(f"scancel {job}")  # noqa: S605
    output = finished(process, code=1)
    assert "Error in rule train" in output
    before = keys(project)
    assert state_of(job) == "CANCELLED"
    assert 10 <= len(before) < 150
    project.run(EVALUATIONS, "--configfile", "long.yaml", *PROFILE, seconds=480)
    assert_nothing_twice(project, before)


def test_slurmd_killed_and_restarted(cluster, prepared, tmp_path):
    project = prepared.copy(tmp_path / "slurmd")
    process = started(project)
    job = running_job()
    cluster.kill("slurmd")
    before = keys(project)
    assert len(before) < 150
    cluster.restart_slurmd()
    finished(process)
    assert state_of(job) == "COMPLETED"
    assert_nothing_twice(project, before)


def test_ctrl_c_cancels_all_jobs_and_leaves_no_lock(cluster, prepared, tmp_path):
    project = prepared.copy(tmp_path / "interrupted")
    process = started(project)
    job = running_job()
    process.send_signal(signal.SIGINT)
    finished(process, code=1, seconds=120)
    wait(lambda: state_of(job) == "CANCELLED", 30, "the job runs on")
    before = keys(project)
    project.run(EVALUATIONS, "--configfile", "long.yaml", *PROFILE, seconds=480)
    assert_nothing_twice(project, before)
