"""The journal: finished evaluations that survive whatever happens to a job.

Snakemake deletes the outputs of a job that was cut off. A training job therefore also appends
each finished evaluation to a journal file of its own, one JSON object a line. Every job first
reads all journals of its batch and trains only what is missing.
"""

import hashlib
import json
import math
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tilesearch.errors import InputError


def fingerprint(*parts: object) -> str:
    """Short hash of all that determines a loss; part of the journal's folder name.

    Parameters
    ----------
    *parts : object
        JSON-able values, and numpy arrays (hashed by type, shape and bytes).

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    >>> fingerprint({"a": 1}) == fingerprint({"a": 2})
    False
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
        digest.update(b"\x1f")
    return digest.hexdigest()


def point_key(values: Mapping[str, float]) -> str:
    """Canonical text of a point's values; equal values give equal text, bit for bit.

    Examples
    --------
    >>> point_key({"b": 0.1, "a": np.int64(3)})
    '{"a": 3, "b": 0.1}'
    """
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
    return json.dumps(plain, sort_keys=True)


def read(folder: str | Path) -> dict[str, dict]:
    """Finished evaluations of a folder, by `point_key`.

    A torn line (a process was killed while it wrote, or a disk was full) is skipped, and so is
    a loss that is not finite: that evaluation counts as not done.

    Parameters
    ----------
    folder : path
        Folder of ``*.jsonl`` files; it need not exist.

    Returns
    -------
    dict of str to dict
        Rows as they were appended; the first of equal keys wins.
    """
    rows: dict[str, dict] = {}
    for path in sorted(Path(folder).glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            row = _row(line)
            if row is not None:
                rows.setdefault(row["key"], row)
    return rows


def _row(line: bytes) -> dict | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(row, dict) and isinstance(row.get("key"), str)):
        return None
    loss = row.get("loss")
    return row if isinstance(loss, float) and math.isfinite(loss) else None


class Journal:
    """Append-only file with one writer.

    Each writer has a file of its own, so that two jobs (or a job and its forgotten twin on
    another node) never write to the same file.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    name : str
        Beginning of the file's name, such as the name of the job.

    Raises
    ------
    InputError
        When a row cannot be written (full disk, read-only folder); the message says where.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with Journal(folder, "job") as journal:
    ...     journal.append(point_key({"x": 1}), loss=0.5)
    >>> read(folder)['{"x": 1}']["loss"]
    0.5
    """

    def __init__(self, folder: str | Path, name: str):
        self.path = Path(folder) / f"{name}-{uuid.uuid4().hex[:12]}.jsonl"
        self._stream = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._stream is not None:
            os.close(self._stream)
            self._stream = None

    def append(self, key: str, loss: float, **facts) -> None:
        """Append one evaluation; it is with the operating system when this returns."""
        line = json.dumps({"key": key, "loss": float(loss), **facts}) + "\n"
        try:
            if self._stream is None:  # no empty file for a job with nothing to train
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            data = line.encode()
            if os.write(self._stream, data) != len(data):
                raise OSError("no space left on device")
        except OSError as error:
            raise InputError(
                f"journal '{self.path}' cannot be written ({error.strerror or error}), make room "
                "or make the folder writable and start again: what it holds is kept"
            ) from error
