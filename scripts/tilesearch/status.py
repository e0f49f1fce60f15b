"""How far a study is: read from its journals and outputs, while it runs or afterwards."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import ceil, inf, prod
from pathlib import Path

import numpy as np

from tilesearch.samplers.grid import axis_values
from tilesearch.space import Space
from tilesearch.study import ProblemStudy, SpaceStudy, Study

#: A journal that has not grown for so many seconds (and for ten trainings) belongs to no running
#: job.
QUIET = 60.0

#: Latest trainings of a job that give its speed.
RECENT = 50

WIDTH = 30


@dataclass(frozen=True)
class Stage:
    """Trainings of one space of a problem, or of its scan.

    Parameters
    ----------
    problem, name : str
        `name` is the space's, or "scan".
    done, total : int
        Trainings; points that are equal count each.
    screened : bool
        False while it is not known which batches are kept: then `total` is the most.
    """

    problem: str
    name: str
    done: int
    total: int
    screened: bool = True


@dataclass(frozen=True)
class Status:
    """Where a study stands.

    Parameters
    ----------
    stages : tuple of Stage
    jobs : int
        Training jobs that run now.
    rate : float
        Models per second, over all of them.
    """

    stages: tuple[Stage, ...]
    jobs: int
    rate: float

    @property
    def done(self) -> int:
        """Trainings that are finished."""
        return sum(stage.done for stage in self.stages)

    @property
    def total(self) -> int:
        """Trainings of the study."""
        return sum(stage.total for stage in self.stages)

    @property
    def left(self) -> float:
        """Seconds that the rest takes at the present rate; infinite if nothing runs."""
        rest = self.total - self.done
        return rest / self.rate if self.rate else (0.0 if rest == 0 else inf)


def measure(study: Study, results: str | Path, now: float | None = None) -> Status:
    """Read where a study stands.

    A job whose output is there counts in full. Of the others, the rows of their own journals
    count: at most a few of them (points that another job has trained) are missed until the job
    ends.

    Parameters
    ----------
    study : Study
    results : path
        Key `results` of the config.
    now : float or None
        Seconds since the epoch; None takes the clock's.
    """
    now = time.time() if now is None else now
    stages, rates = [], []
    for problem in study.problems.values():
        folder = Path(results) / problem.name
        stages.append(_scan(problem, folder, now, rates))
        stages += [_space(space, problem, folder, now, rates) for space in problem.spaces.values()]
    return Status(tuple(stages), len(rates), sum(rates))


def _scan(problem: ProblemStudy, folder: Path, now: float, rates: list[float]) -> Stage:
    points = scan_points(problem)
    done = 0
    for batch in problem.batches:
        if (folder / f"scan/{batch}.parquet").exists():
            done += points
        else:
            done += min(points, _running(folder, batch, f"scan-{batch}", now, rates))
    return Stage(problem.name, "scan", done, points * len(problem.batches))


def _space(
    space: SpaceStudy, problem: ProblemStudy, folder: Path, now: float, rates: list[float]
) -> Stage:
    kept = _kept(folder)
    done = 0
    for batch in kept or ():
        for chunk in range(space.chunks):
            size = space.points * (chunk + 1) // space.chunks - space.points * chunk // space.chunks
            if (folder / f"{space.name}/evaluations/{batch}/{chunk}.parquet").exists():
                done += size
            else:
                name = f"{space.name}-{batch}-{chunk}"
                done += min(size, _running(folder, batch, name, now, rates))
    batches = problem.batches if kept is None else kept
    return Stage(problem.name, space.name, done, space.points * len(batches), kept is not None)


def _kept(folder: Path) -> list[int] | None:
    try:
        return json.loads((folder / "screen.json").read_text(encoding="utf-8"))["kept"]
    except (OSError, ValueError, KeyError):
        return None


def scan_points(problem: ProblemStudy) -> int:
    """Points of the scan of one batch; levels of an int parameter may coincide."""
    scan = problem.settings["scan"]
    wide = problem.scan_space.parameters if scan["on_edge"] == "expand" else problem.parameters
    levels = axis_values(scan["resolution"], ends=True)
    return prod(
        len(np.unique(Space("axis", (parameter,)).values(levels[:, None])[parameter.name]))
        for parameter in wide
    )


def _running(folder: Path, batch: int, name: str, now: float, rates: list[float]) -> int:
    """Rows that a job without an output has journaled; the speed of one that runs."""
    journals: dict[Path, list[tuple[Path, float]]] = {}
    for path in (folder / f"journal/{batch}").glob(f"*/{name}-*.jsonl"):
        # A file may vanish meanwhile, and "d2-1-1" is the beginning of "d2-1-10" only with a dash.
        journals.setdefault(path.parent, []).append((path, path.stat().st_mtime))
    if not journals:
        return 0
    # Other folders are those of another config.
    files = max(journals.values(), key=lambda found: max(when for _, when in found))
    keys = set()
    for path, changed in files:
        rows = list(_rows(path))
        keys.update(row["key"] for row in rows)
        seconds = [row.get("seconds") or 0.0 for row in islice(reversed(rows), RECENT)]
        each = sum(seconds) / len(seconds) if seconds else 0.0
        if each > 0 and now - changed < max(QUIET, 10 * each):
            rates.append(1 / each)
    return len(keys)


def _rows(path: Path) -> Iterator[dict]:
    for line in path.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue  # the line that is being written, or a torn one
        if isinstance(row, dict) and isinstance(row.get("key"), str):
            yield row


def as_text(status: Status) -> str:
    """The status as lines: a bar for each stage, and a last line with speed and time left.

    Examples
    --------
    >>> print(as_text(Status((Stage("housing", "d2", 30, 120),), 2, 4.5)))
    housing  d2  ███████·······················  30 of 120
    30 of 120 trainings (25 %), 2 jobs running, 4.5 models a second, 20 s left
    """
    lines = []
    problems = max((len(s.problem) for s in status.stages), default=0)
    names = max((len(s.name) for s in status.stages), default=0)
    for s in status.stages:
        filled = WIDTH * s.done // max(s.total, 1)
        bar = "█" * filled + "·" * (WIDTH - filled)
        most = "" if s.screened else " at most (before screening)"
        lines.append(
            f"{s.problem:<{problems}}  {s.name:<{names}}  {bar}  {s.done:,} of {s.total:,}{most}"
        )
    share = 100 * status.done // max(status.total, 1)
    line = f"{status.done:,} of {status.total:,} trainings ({share} %)"
    if status.jobs:
        jobs = "1 job" if status.jobs == 1 else f"{status.jobs} jobs"
        line += f", {jobs} running, {status.rate:.3g} models a second, {duration(status.left)} left"
    elif status.done < status.total:
        line += ", no training job is running"
    return "\n".join([*lines, line])


def duration(seconds: float) -> str:
    """A number of seconds in words.

    Examples
    --------
    >>> duration(20), duration(600), duration(7300), duration(190_000)
    ('20 s', '10 min', '2 h 2 min', '2 d 4 h')
    """
    if seconds == inf:
        return "unknown time"
    if seconds < 120:
        return f"{ceil(seconds)} s"
    minutes = ceil(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
