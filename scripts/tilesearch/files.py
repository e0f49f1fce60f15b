"""Writing and reading the small files of a study."""

import hashlib
import json
from pathlib import Path

import pandas as pd

from tilesearch.errors import InputError


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_json(path: str | Path):
    """Content of one of the study's own JSON files; a broken one is named, with the remedy."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # undecodable bytes are one, too
        raise InputError(
            f"file '{path}' cannot be read ({error}), delete it and start again: it is made anew"
        ) from error


def write_json(path: str | Path, content) -> None:
    """Write a JSON file, keys in their order, floats exactly."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    Path(path).write_text(text, encoding="utf-8")


def write_table(table: pd.DataFrame, *paths: str | Path) -> None:
    """Write a table as CSV or Parquet, as the endings say."""
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            table.to_csv(path, index=False)
        else:
            table.to_parquet(path, index=False)
