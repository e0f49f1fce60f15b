"""Files of a data set: a path on this machine, or an https address with its SHA-256."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tilesearch.errors import InputError

REMEDY = "or fetch the file by hand and give its data.path"


def sha256_of(path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _local(path, sha256: str | None) -> Path:
    path = Path(path)
    if not path.is_file():
        raise InputError(f"data file '{path}' does not exist, give data.path the right path")
    if sha256 is not None:
        found = sha256_of(path)
        if found != sha256.lower():
            raise InputError(
                f"data file '{path}' has SHA-256 {found} and not {sha256.lower()}: it is truncated "
                "or another file, fetch it again or give data.sha256 the hash you trust"
            )
    return path


def fetch(
    url: str | None = None,
    sha256: str | None = None,
    path=None,
    *,
    cache=None,
    downloader: Callable | None = None,
) -> Path:
    """Path of a data file: `path` itself, or the file behind `url`, downloaded once.

    A download is written under another name and gets its own only when its hash is right, so a
    download that was cut off is never taken for the file. A cached file whose hash has become
    wrong is fetched again.

    Parameters
    ----------
    url : str, optional
        Address, which must begin with ``https://``; not used where `path` is given.
    sha256 : str, optional
        Hash of the file in hexadecimal digits; needed with `url`. With `path` it is checked if it
        is given.
    path : path, optional
        File on this machine.
    cache : path, optional
        Folder of downloads; ``tilesearch`` in the user's cache folder by default.
    downloader : callable, optional
        As in `pooch.retrieve`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    InputError
        If the file is not there, cannot be reached or does not have the hash.
    """
    if path is not None:
        return _local(path, sha256)
    if not url:
        raise InputError("the data has neither a path nor an address, give data.path or data.url")
    if not url.startswith("https://"):
        raise InputError(f"data.url is '{url}', it must begin with https://")
    if not sha256:
        raise InputError(f"data.url is '{url}' without data.sha256, give the file's hash too")
    import pooch

    folder = Path(cache) if cache is not None else pooch.os_cache("tilesearch")
    try:
        return Path(
            pooch.retrieve(url, f"sha256:{sha256.lower()}", path=folder, downloader=downloader)
        )
    except ValueError as error:
        raise InputError(
            f"the download of '{url}' does not have SHA-256 {sha256.lower()}: it was cut off or "
            f"the file has changed, start again, correct data.sha256, {REMEDY}"
        ) from error
    except OSError as error:  # all of requests' errors are OSErrors
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(
            f"'{url}' cannot be downloaded ({reason}), check the network {REMEDY}"
        ) from error


def fetch_from(settings: Mapping, cache=None) -> Path:
    """`fetch` with the keys ``path``, ``url``, ``sha256`` of a config's data section."""
    return fetch(
        settings.get("url"), settings.get("sha256"), path=settings.get("path"), cache=cache
    )
