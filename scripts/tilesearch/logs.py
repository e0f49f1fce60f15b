"""Logging of a job: to its log file, and to the terminal."""

import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tilesearch.errors import InputError

#: Faults of the machine, and what to do about them.
REMEDIES = {
    errno.ENOSPC: "the disk is full, make room",
    errno.EDQUOT: "the disk quota is used up, make room",
    errno.EROFS: "the file system is read-only, make it writable or give another results folder",
    errno.EACCES: "permission is denied, make the folder writable or give another results folder",
    errno.EIO: "the disk reports an error, check it",
    errno.EMFILE: "too many files are open, raise the limit (ulimit -n)",
}
KEPT = "and start again: finished trainings are kept in the journal"
MEMORY = (
    "the job ran out of memory, give it more (mem_mb in a profile), run fewer jobs at a time "
    f"(--cores) or take smaller batches, {KEPT}"
)


def machine_fault(error: BaseException) -> str | None:
    """One sentence about a fault of the machine; None for any other error.

    Examples
    --------
    >>> machine_fault(OSError(errno.ENOSPC, "No space left on device", "a.csv"))
    "'a.csv': the disk is full, make room and start again: finished trainings are kept in the \
journal"
    >>> machine_fault(ValueError("no fault of the machine")) is None
    True
    """
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, OSError) and error.errno in REMEDIES:
        what = f"'{error.filename}'" if error.filename else "an output"
        return f"{what}: {REMEDIES[error.errno]} {KEPT}"
    return None


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Log to `path` while a job runs; an InputError ends the job with its one sentence.

    So does a fault of the machine (`machine_fault`): a full disk, too little memory.

    Parameters
    ----------
    path : path
        The rule's log file.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    except InputError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(f"error: {error}")
    except Exception as error:
        sentence = machine_fault(error)
        if sentence is None:
            logging.getLogger(__name__).exception("the job failed")
            raise
        logging.getLogger(__name__).error("%s", sentence)
        sys.exit(f"error: {sentence}")
    finally:
        root.removeHandler(handler)
        handler.close()
