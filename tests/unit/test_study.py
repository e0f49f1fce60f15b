from copy import deepcopy
from math import prod
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tilesearch import study
from tilesearch.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def read(change=None, **housing):
    config = deepcopy(DEFAULT)
    config["problems"]["housing"] |= housing
    for key, value in (change or {}).items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    return study.read(config).problems["housing"]


def test_the_demo_has_450_points_a_batch_in_two_jobs():
    (space,) = read().spaces.values()
    assert (space.d, space.points, space.chunks) == (2, 5 * (4 + 9 + 16 + 25 + 36), 2)
    assert space.points == 450
    assert len(read().batches) == 16


@given(st.integers(1, 2000))
def test_chunks_hold_all_points(per_job):
    (space,) = read({"training": {"points_per_job": per_job}}).spaces.values()
    assert (space.chunks - 1) * per_job < space.points <= space.chunks * per_job


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(1, 200), max_size=4, unique=True),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_sizes_are_unique_sorted_and_keep_their_resolution(resolutions, points, c, u):
    entry = {"resolutions": resolutions, "points": points, "coefficients": c, "unimportant": u}
    space = read(spaces={"s": entry}).spaces["s"]
    assert space.d == 2 + c + u
    numbers = [size.n for size in space.sizes]
    assert numbers == sorted({r**space.d for r in resolutions} | set(points))
    assert {s.resolution for s in space.sizes if s.resolution} == set(resolutions)
    assert all(s.n == s.resolution**space.d for s in space.sizes if s.resolution)
    assert space.points == 5 * sum(numbers)


def test_names_of_all_axes():
    space = read(spaces={"s": {"coefficients": 2, "unimportant": 1, "points": [3]}}).spaces["s"]
    expected = ("learning_rate", "max_depth", "c1", "c2", "unimportant1")
    assert space.space.names == expected
    assert (*space.searched, *space.coefficients, *space.unimportant) == expected
    low_high = [(p.low, p.high) for p in space.space.parameters[2:]]
    assert low_high == [(0.5, 1.5), (0.5, 1.5), (0.0, 1.0)]


def test_a_space_may_search_some_parameters_only():
    space = read(spaces={"s": {"parameters": ["max_depth"], "resolutions": [3]}}).spaces["s"]
    assert (space.space.names, space.points) == (("max_depth",), 15)


def test_a_space_that_is_null_is_left_out():
    config = deepcopy(DEFAULT)
    config["boosting"]["spaces"] = {"d2": None, "s": {"points": [3]}}
    assert list(study.read(config).problems["housing"].spaces) == ["s"]


def test_own_values_win_and_single_ones_leave_the_others():
    problem = read(batches={"number": 3}, scan={"on_edge": "drop"}, model={"rounds": 7})
    assert problem.settings["batches"] == DEFAULT["boosting"]["batches"] | {"number": 3}
    assert problem.settings["scan"] == DEFAULT["boosting"]["scan"] | {"on_edge": "drop"}
    assert problem.settings["model"] == DEFAULT["boosting"]["model"] | {"rounds": 7}
    assert read(features="none").settings["features"] == "none"


def test_parameters_and_spaces_are_taken_whole():
    depth = {"max_depth": {"low": 2, "high": 5, "type": "int"}}
    scan = {"domain": {"max_depth": [1, 9]}}
    problem = read(parameters=depth, scan=scan, spaces={"s": {"points": [2]}})
    assert problem.domain == {"max_depth": (2, 5)}
    assert list(problem.spaces) == ["s"]
    assert prod(p.high - p.low for p in problem.scan_space.parameters) == 8


def test_reading_changes_nothing_in_the_config():
    config = deepcopy(DEFAULT)
    study.read(config).problems["housing"].settings["batches"]["number"] = 99
    assert config == DEFAULT


def test_only_problems_that_run_are_read():
    config = deepcopy(DEFAULT)
    config["run"] = ["housing"]
    config["problems"]["broken"] = {"kind": "housing", "parameters": {"x": {"low": 1, "high": 0}}}
    assert list(study.read(config).problems) == ["housing"]
    config["run"] = ["housing", "broken"]
    with pytest.raises(InputError, match=r"problems\.broken: parameter 'x'"):
        study.read(config)
