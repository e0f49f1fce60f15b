"""One training job: read the journals, train what is missing, give every point its row."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tilesearch.problems.base import Trainer
from tilesearch.training import journal

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 10.0


def evaluate(
    points: Sequence[Mapping[str, float]],
    trained: Sequence[str],
    open_trainer: Callable[[], Trainer],
    folder: str | Path,
    name: str,
) -> list[dict]:
    """Evaluate points, with the help of all that was evaluated before.

    Parameters
    ----------
    points : sequence of mappings
        Values by parameter name; parameters that have no influence must be left out.
    trained : sequence of str
        Names of the parameters that change a training.
    open_trainer : callable
        Makes the trainer; called only if something is missing, so that a job that finds all in
        the journals loads no data.
    folder : path
        Folder of the journals; its name must hold a fingerprint of all else that determines a
        loss.
    name : str
        Name of this job, for its own journal file.

    Returns
    -------
    list of dict
        One row per point: ``loss``, ``status``, ``reason``, ``training`` (points with the same
        value share one training), ``seconds`` and the facts of its outcome. Failed evaluations
        are not journaled: they are tried again when the job runs again.
    """
    keys = [journal.point_key(point) for point in points]
    known = journal.read(folder)
    missing = {}
    for index, key in enumerate(keys):
        if key not in known:
            missing.setdefault(key, index)
    log.info("%d points, %d of them to evaluate", len(points), len(missing))
    failed: dict[str, dict] = {}
    if missing:
        todo = list(missing.values())
        progress = _Progress(len(todo))
        with journal.Journal(folder, name) as own:
            for outcome in open_trainer().evaluate([points[i] for i in todo]):
                index = todo[outcome.point]
                row = {
                    "status": outcome.status,
                    "reason": outcome.reason,
                    "training": _training(points[index], trained),
                    "seconds": outcome.seconds,
                    **outcome.facts,
                }
                if outcome.status == "ok":
                    own.append(keys[index], outcome.loss, **row)
                    known[keys[index]] = {"loss": outcome.loss, **row}
                else:
                    failed[keys[index]] = {"loss": float("nan"), **row}
                    log.warning("point %s failed: %s", keys[index], outcome.reason)
                progress.step()
    absent = {"loss": float("nan"), "status": "failed", "reason": "the trainer gave no outcome"}
    rows = []
    for point, key in zip(points, keys, strict=True):
        bare = {"status": "ok", "reason": "", "seconds": 0.0, "training": _training(point, trained)}
        row = bare | (known.get(key) or failed.get(key) or absent)
        rows.append({name: value for name, value in row.items() if name != "key"})
    return rows


def _training(point: Mapping[str, float], trained: Sequence[str]) -> str:
    key = journal.point_key({name: point[name] for name in trained if name in point})
    return journal.fingerprint(key)


class _Progress:
    """A log line every few seconds: how many are done, how fast, how long it will take."""

    def __init__(self, total: int):
        self.total, self.done = total, 0
        self.started = self.said = time.monotonic()

    def step(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.said > PROGRESS_SECONDS or self.done == self.total:
            self.said = now
            rate = self.done / max(now - self.started, 1e-9)
            left = (self.total - self.done) / rate
            log.info(
                "%d of %d evaluated, %.1f a second, %.0f s left", self.done, self.total, rate, left
            )
