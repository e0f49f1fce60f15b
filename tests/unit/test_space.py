from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilesearch.errors import InputError
from tilesearch.space import Parameter, Space

unit_floats = st.floats(0, 1, exclude_max=True)


@given(unit=unit_floats, low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6))
def test_linear_floats_stay_in_range_and_map_back(unit, low, width):
    parameter = Parameter("x", low, low + width)
    value = float(parameter.values(unit))
    assert low <= value <= low + width
    assert float(parameter.unit(value)) == pytest.approx(unit, abs=1e-6)


@given(unit=unit_floats, low=st.floats(1e-8, 1e3), ratio=st.floats(1.01, 1e8))
def test_log_floats_stay_in_range_and_map_back(unit, low, ratio):
    parameter = Parameter("x", low, low * ratio, scale="log")
    value = float(parameter.values(unit))
    assert low <= value <= low * ratio
    assert float(parameter.unit(value)) == pytest.approx(unit, abs=1e-6)


@given(
    unit=unit_floats,
    low=st.integers(1, 100),
    width=st.integers(1, 100),
    scale=st.sampled_from(["linear", "log"]),
)
def test_ints_are_whole_in_range_and_map_back(unit, low, width, scale):
    parameter = Parameter("k", low, low + width, "int", scale)
    value = parameter.values(unit)
    assert value.dtype == np.int64
    assert low <= value <= low + width
    assert parameter.values(parameter.unit(value)) == value


def test_ints_have_bins_of_equal_width():
    parameter = Parameter("k", 8, 22, "int")
    values = parameter.values((np.arange(15 * 20) + 0.5) / 300)
    assert np.bincount(values)[8:].tolist() == [20] * 15


def test_log_ints_have_bins_of_equal_width_of_the_logarithm():
    parameter = Parameter("k", 1, 3, "int", "log")
    edges = np.log([0.5, 1.5, 2.5, 3.5])
    edges = (edges - edges[0]) / (edges[-1] - edges[0])
    for value, (left, right) in enumerate(pairwise(edges), start=1):
        assert parameter.values([left + 1e-9, right - 1e-9]).tolist() == [value, value]


def test_ends_are_reached():
    assert Parameter("x", 2.0, 4.0).values([0.0, 1.0]).tolist() == [2.0, 4.0]
    log = Parameter("x", 1e-4, 1e-1, scale="log")
    assert log.values([0.0, 1.0]).tolist() == pytest.approx([1e-4, 1e-1], rel=1e-13)
    assert Parameter("k", 3, 5, "int").values([0.0, 1.0]).tolist() == [3, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, "complex"), "type is 'complex'"),
        ((0, 1, "float", "cubic"), "scale is 'cubic'"),
        ((0, float("inf")), "must be finite"),
        ((float("nan"), 1), "must be finite"),
        ((2, 1), "low must be smaller"),
        ((1, 1), "low must be smaller"),
        ((0, 1, "float", "log"), "greater than 0"),
        ((0.5, 2, "int"), "whole numbers"),
    ],
)
def test_bad_parameters_name_themselves(arguments, message):
    with pytest.raises(InputError, match=f"parameter 'depth'.*{message}"):
        Parameter("depth", *arguments)


def test_space_maps_columns_in_order():
    space = Space("d2", (Parameter("b", 0.0, 2.0), Parameter("a", 1, 4, "int")))
    assert space.d == 2
    assert space.names == ("b", "a")
    values = space.values([[0.5, 0.0], [0.25, 0.99]])
    assert list(values) == ["b", "a"]
    assert values["b"].tolist() == [1.0, 0.5]
    assert values["a"].tolist() == [1, 4]


def test_within_replaces_only_the_ranges_it_names():
    space = Space("s", (Parameter("x", 0.0, 1.0), Parameter("k", 1, 9, "int", "log")))
    smaller = space.within({"k": (2, 5), "other": (0, 1)})
    assert smaller.parameters[0] == space.parameters[0]
    assert smaller.parameters[1] == Parameter("k", 2, 5, "int", "log")
    with pytest.raises(InputError, match="low must be smaller"):
        space.within({"x": (1.0, 0.0)})


def test_bad_spaces():
    with pytest.raises(InputError, match="space 's' has no parameters"):
        Space("s", ())
    with pytest.raises(InputError, match="names a parameter twice: x, x"):
        Space("s", (Parameter("x", 0, 1), Parameter("x", 0, 2)))
