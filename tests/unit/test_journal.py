import json
import multiprocessing
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilesearch.errors import InputError
from tilesearch.training.journal import Journal, fingerprint, point_key, read

names = st.sampled_from(["learning_rate", "max_depth", "c1", "größe"])
finite = st.floats(allow_nan=False, allow_infinity=False)
points = st.dictionaries(names, st.one_of(finite, st.integers(-(10**9), 10**9)), min_size=1)


@given(st.lists(st.tuples(points, finite), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_is_appended_is_read_bit_for_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("journal")
    expected = {}
    with Journal(folder, "job") as journal:
        for point, loss in rows:
            journal.append(point_key(point), loss, status="ok", reason="ü\n", seconds=0.1)
            expected.setdefault(point_key(point), loss)
    found = read(folder)
    assert {key: row["loss"].hex() for key, row in found.items()} == {
        key: float(loss).hex() for key, loss in expected.items()
    }
    assert all(row["reason"] == "ü\n" for row in found.values())


@given(points)
def test_point_key_ignores_order_and_numpy_types_and_keeps_every_bit(point):
    as_numpy = {k: np.asarray(v)[()] for k, v in reversed(point.items())}
    assert point_key(as_numpy) == point_key(point)
    back = json.loads(point_key(point))
    assert {k: (type(v), v) for k, v in back.items()} == {k: (type(v), v) for k, v in point.items()}


def filled(folder, count=3):
    with Journal(folder, "job") as journal:
        for i in range(count):
            journal.append(f'{{"x": {i}}}', 0.1 * i, status="ok")
    return journal.path


def test_a_line_torn_at_any_byte_is_skipped_and_the_others_stay(tmp_path):
    path = filled(tmp_path)
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        # A line that lacks only its newline is complete.
        assert len(read(tmp_path)) == sum(end - 1 <= cut for end in ends), cut


def test_a_torn_line_does_not_spoil_what_another_writer_appends(tmp_path):
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    with Journal(tmp_path, "job") as journal:
        journal.append('{"x": 2}', 7.0)
    assert journal.path != path
    losses = {key: row["loss"] for key, row in read(tmp_path).items()}
    assert losses == {'{"x": 0}': 0.0, '{"x": 1}': 0.1, '{"x": 2}': 7.0}


def test_foreign_junk_is_skipped(tmp_path):
    path = filled(tmp_path)
    junk = [
        b"",
        b"\x00" * 64,
        b"\xff\xfe junk",
        b"[1, 2]",
        b"3",
        b'"text"',
        b"null",
        b"[" * 100_000,
        b'{"key": 3, "loss": 0.5}',
        b'{"key": "k"}',
        b'{"key": "k", "loss": "0.5"}',
        b'{"key": "k", "loss": null}',
        b'{"key": "k", "loss": NaN}',
        b'{"key": "k", "loss": Infinity}',
        b'{"loss": 0.5}',
        b"\r",
    ]
    path.write_bytes(b"\n".join(junk) + b"\n" + path.read_bytes() + b"\n".join(junk))
    (tmp_path / "other.txt").write_text('{"key": "k", "loss": 0.5}\n')
    assert set(read(tmp_path)) == {f'{{"x": {i}}}' for i in range(3)}


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert read(tmp_path / "no") == {}


def test_a_job_that_appends_nothing_leaves_no_file(tmp_path):
    with Journal(tmp_path / "j", "job"):
        pass
    assert not (tmp_path / "j").exists()


def write_many(folder, first):
    with Journal(folder, "same-name") as journal:
        for i in range(first, first + 200):
            journal.append(f"key {i}", i / 7)


def test_two_writers_of_one_name_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(tmp_path, f)) for f in (0, 150)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = read(tmp_path)
    assert {key: row["loss"] for key, row in found.items()} == {
        f"key {i}": i / 7 for i in range(350)
    }
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_row_is_with_the_system_when_append_returns(tmp_path):
    journal = Journal(tmp_path, "job")
    journal.append("a", 1.0)
    assert set(read(tmp_path)) == {"a"}  # neither flushed nor closed by us
    journal.__exit__()


FULL_DISK = """
import resource, signal, sys
from tilesearch.training.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with Journal(sys.argv[1], "job") as journal:
    for i in range(100):
        try:
            journal.append(f"key {i}", i / 7)
        except Exception as error:
            print(i, type(error).__name__, error)
            break
"""


def test_a_full_disk_ends_with_one_sentence_and_keeps_what_was_written(tmp_path):
    # A limit on the size of a file behaves as a full disk: a short write, then an error.
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    count, kind, sentence = done.stdout.strip().split(" ", 2)
    assert kind == "InputError"
    assert str(tmp_path) in sentence
    assert "make room" in sentence
    assert "\n" not in sentence
    assert 0 < int(count) < 100
    assert list(read(tmp_path)) == [f"key {i}" for i in range(int(count))]
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_size == 1000  # the last line is torn


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "j").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "j", "job").append("a", 1.0)


def test_fingerprint_sees_every_part_and_no_order_of_keys():
    rows = np.arange(6)
    base = fingerprint("a", {"x": 1, "y": 0.1}, rows)
    assert base == fingerprint("a", {"y": 0.1, "x": 1}, rows.copy())
    others = [
        fingerprint("b", {"x": 1, "y": 0.1}, rows),
        fingerprint("a", {"x": 1, "y": np.nextafter(0.1, 1).item()}, rows),
        fingerprint("a", {"x": 1, "y": 0.1}, rows[::-1]),
        fingerprint("a", {"x": 1, "y": 0.1}, rows.astype("int32")),
        fingerprint("a", {"x": 1, "y": 0.1}, rows.reshape(2, 3)),
        fingerprint("a", {"x": 1, "y": 0.1}, rows[:3], rows[3:]),
        fingerprint("a", {"x": 1, "y": 0.1}),
    ]
    assert len({base, *others}) == 1 + len(others)
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert len(base) == 16
