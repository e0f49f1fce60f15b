"""Downloads: whole and right, or one sentence and nothing left behind."""

import hashlib

import pytest

from tilesearch.errors import InputError
from tilesearch.problems.download import fetch

URL = "https://data.example/table.csv"
CONTENT = b"a b\n1 2\n"
HASH = hashlib.sha256(CONTENT).hexdigest()


def writes(content, calls=None):
    def downloader(url, output, pooch):
        if calls is not None:
            calls.append(url)
        with open(output, "wb") as file:
            file.write(content)

    return downloader


def one_sentence(error, *parts):
    text = str(error.value)
    assert "\n" not in text
    for part in parts:
        assert part in text


def test_a_download_is_made_once(tmp_path):
    calls = []
    for _ in range(2):
        path = fetch(URL, HASH, cache=tmp_path, downloader=writes(CONTENT, calls))
        assert path.read_bytes() == CONTENT
    assert calls == [URL]


def test_a_truncated_download_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError) as error:
        fetch(URL, HASH, cache=tmp_path, downloader=writes(CONTENT[:-1]))
    one_sentence(error, URL, HASH, "start again")
    assert not any(p.is_file() for p in tmp_path.rglob("*"))
    # The next try is not misled by the first.
    path = fetch(URL, HASH, cache=tmp_path, downloader=writes(CONTENT))
    assert path.read_bytes() == CONTENT


def test_a_download_that_breaks_off_leaves_nothing(tmp_path):
    def breaks(url, output, pooch):
        with open(output, "wb") as file:
            file.write(CONTENT[:3])
        raise ConnectionResetError("connection reset by peer")

    with pytest.raises(InputError) as error:
        fetch(URL, HASH, cache=tmp_path, downloader=breaks)
    one_sentence(error, URL, "connection reset", "data.path")
    assert not any(p.is_file() for p in tmp_path.rglob("*"))


def test_an_address_that_cannot_be_reached(tmp_path):
    """Port 1 of this machine refuses connections: a real failure without a network."""
    with pytest.raises(InputError) as error:
        fetch("https://127.0.0.1:1/table.csv", HASH, cache=tmp_path)
    one_sentence(error, "https://127.0.0.1:1/table.csv", "check the network", "data.path")


def test_a_damaged_cache_is_fetched_again(tmp_path):
    path = fetch(URL, HASH, cache=tmp_path, downloader=writes(CONTENT))
    path.write_bytes(b"damaged")
    assert fetch(URL, HASH, cache=tmp_path, downloader=writes(CONTENT)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("url", "sha256", "part"),
    [
        (None, None, "neither a path nor an address"),
        ("http://data.example/x", HASH, "must begin with https://"),
        ("file:///etc/passwd", HASH, "must begin with https://"),
        (URL, None, "without data.sha256"),
    ],
)
def test_addresses_that_are_refused(url, sha256, part):
    with pytest.raises(InputError, match=part):
        fetch(url, sha256)


def test_local_paths(tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes(CONTENT)
    assert fetch(path=file) == file
    assert fetch(URL, HASH.upper(), path=file) == file
    with pytest.raises(InputError, match="does not exist"):
        fetch(path=tmp_path / "other.csv")
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=r"table\.csv' has SHA-256"):
        fetch(path=file, sha256=HASH)
