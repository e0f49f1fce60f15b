import csv
import io
import subprocess
import sys

import pytest

from tilesearch.__main__ import COMMANDS, build_parser, main, parse_param
from tilesearch.errors import InputError
from tilesearch.samplers import SAMPLERS, make
from tilesearch.space import Parameter, Space

RATE, DEPTH = "learning_rate:1e-4:1e-1:log", "max_depth:8:22:int"


def sample(capsys, *arguments):
    code = main(["sample", *arguments])
    streams = capsys.readouterr()
    return code, streams.out, streams.err


def test_prints_the_design_as_csv(capsys):
    arguments = ["--sampler", "lhs", "--n", "36", "--param", RATE, "--param", DEPTH, "--seed", "1"]
    code, out, err = sample(capsys, *arguments)
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 36
    space = Space("", (parse_param(RATE), parse_param(DEPTH)))
    expected = space.values(make("lhs", 2, rng=1).random(36))
    # Floats are printed with all their digits, whole numbers without a point.
    assert [float(row["learning_rate"]) for row in rows] == expected["learning_rate"].tolist()
    assert [row["max_depth"] for row in rows] == [str(k) for k in expected["max_depth"]]


def test_same_seed_same_output(capsys):
    def out(*seed):
        return sample(capsys, "--sampler", "random", "--n", "4", "--param", "x:0:1", *seed)[1]

    assert out() == out("--seed", "0")
    assert out("--seed", "1") != out("--seed", "2")


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_every_sampler(capsys, name):
    code, out, _ = sample(
        capsys, "--sampler", name, "--n", "7", "--param", "x:-1:1", "--param", DEPTH
    )
    assert code == 0
    assert len(out.splitlines()) == 8


def test_parameters():
    assert parse_param(RATE) == Parameter("learning_rate", 1e-4, 1e-1, scale="log")
    assert parse_param("k:1:64:log:int") == parse_param("k:1:64:int:log")
    assert parse_param("k:1:64:int:log") == Parameter("k", 1, 64, "int", "log")
    assert parse_param("x:-1.5:2:float:linear") == Parameter("x", -1.5, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "must be NAME:LOW:HIGH"),
        ("x:1", "must be NAME:LOW:HIGH"),
        (":1:2", "must be NAME:LOW:HIGH"),
        ("x:a:2", "'a' is not a number"),
        ("x:1:2:cubic", "'cubic' is unknown"),
        ("x:2:1", "low must be smaller"),
        ("x:0:1:log", "greater than 0"),
        ("x:1:2.5:int", "whole numbers"),
        ("x:nan:1", "must be finite"),
        ("x:1:inf:int", "must be finite"),
    ],
)
def test_bad_parameters(text, message):
    with pytest.raises(InputError, match=message):
        parse_param(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--sampler": "sudoku"}, "sampler 'sudoku' is unknown, take one of grid"),
        ({"--n": "0"}, "n is 0, it must be an integer of at least 1"),
        ({"--seed": "-1"}, "--seed is -1, it must be at least 0"),
        ({"--param": "x:1"}, "must be NAME:LOW:HIGH"),
    ],
)
def test_errors_are_one_sentence(capsys, changes, message):
    arguments = {"--sampler": "lhs", "--n": "3", "--param": "x:0:1", **changes}
    code, out, err = sample(capsys, *[word for pair in arguments.items() for word in pair])
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("tilesearch sample: ")
    assert message in err


def test_a_name_given_twice(capsys):
    arguments = ["--sampler", "lhs", "--n", "3", "--param", "x:0:1", "--param", "x:0:2"]
    code, _, err = sample(capsys, *arguments)
    assert code == 2
    assert "names a parameter twice" in err


@pytest.mark.parametrize("arguments", [[], ["sample"], ["sample", "--n", "x"], ["unknown"]])
def test_usage_errors_exit_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: tilesearch" in capsys.readouterr().err


def test_every_command_has_help():
    assert COMMANDS
    assert "sample" in build_parser().format_help()


def test_runs_as_a_module_without_traceback_and_survives_a_closed_pipe():
    module = [sys.executable, "-m", "tilesearch", "sample", "--sampler", "random"]
    done = subprocess.run([*module, "--n", "2", "--param", "x:1:0"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    writer = subprocess.Popen(
        [*module, "--n", "200000", "--param", "x:0:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout.readline() == b"x\n"
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait() == 0
    writer.stderr.close()
