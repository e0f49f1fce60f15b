from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilesearch.errors import InputError
from tilesearch.samplers import make
from tilesearch.screen import Minimum, inside, minimum, screen
from tilesearch.space import Parameter, Space

LEVELS = {"x": np.array([0.0, 1.0, 2.0, 3.0, 4.0]), "y": np.array([1, 5, 9, 13])}
CONFIGURED = {"x": (1.0, 3.0), "y": (4, 10)}

level_points = st.tuples(st.sampled_from(LEVELS["x"]), st.sampled_from(LEVELS["y"]))


def minima_at(places):
    values = [{"x": float(x), "y": int(y)} for x, y in places]
    return [Minimum(b, 0.1 * b, v) for b, v in enumerate(values)]


def volume(domain):
    return (domain["x"][1] - domain["x"][0]) / 4 * (domain["y"][1] - domain["y"][0]) / 12


def best_box(minima):
    """All boxes of lattice lines round the configured domain: (most minima inside, volume)."""
    boxes = product((0, 1), (3, 4), (1, 4), (10, 13))
    found = []
    for x0, x1, y0, y1 in boxes:
        box = {"x": (x0, x1), "y": (y0, y1)}
        count = sum(x0 < m.values["x"] < x1 and y0 < m.values["y"] < y1 for m in minima)
        found.append((-count, volume(box)))
    count, size = min(found)
    return -count, size


@given(st.lists(level_points, min_size=1, max_size=8))
@settings(max_examples=60)
def test_the_domain_is_the_smallest_box_with_the_most_minima(places):
    minima = minima_at(places)
    count, size = best_box(minima)
    if count == 0:
        with pytest.raises(InputError):
            screen(minima, CONFIGURED, LEVELS)
        return
    result = screen(minima, CONFIGURED, LEVELS)
    assert len(result["kept"]) == count
    assert volume(result["domain"]) == pytest.approx(size)
    domain = {name: tuple(ends) for name, ends in result["domain"].items()}
    assert domain["x"][0] <= 1 and domain["x"][1] >= 3  # noqa: PT018
    assert domain["y"][0] <= 4 and domain["y"][1] >= 10  # noqa: PT018
    assert result["kept"] == [m.batch for m in minima if inside(m, domain)]
    dropped = [d["batch"] for d in result["dropped"]]
    assert sorted(result["kept"] + dropped) == list(range(len(minima)))
    assert [m["batch"] for m in result["minima"]] == list(range(len(minima)))


def test_without_levels_the_domain_stays_and_edges_are_dropped_with_a_reason():
    minima = minima_at([(2.0, 5), (3.0, 5), (2.0, 13)])
    result = screen(minima, CONFIGURED)
    assert result["domain"] == {"x": [1.0, 3.0], "y": [4, 10]}
    assert result["kept"] == [0]
    assert [d["batch"] for d in result["dropped"]] == [1, 2]
    assert "x=3, y=5" in result["dropped"][0]["reason"]


@pytest.mark.parametrize("levels", [None, LEVELS])
def test_all_dropped_names_the_minima_and_the_remedy(levels):
    with pytest.raises(InputError) as caught:
        screen(minima_at([(0.0, 1), (4.0, 13)]), CONFIGURED, levels)
    text = str(caught.value)
    for part in ("all 2 batches", "batch 0 at x=0, y=1", "batch 1 at x=4, y=13"):
        assert part in text
    # The remedy is not what the config has already.
    remedy = "set scan.on_edge: expand" if levels is None else "widen scan.domain"
    assert text.endswith(remedy)
    assert "\n" not in text


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter("p", 0.03, 0.25),
        Parameter("p", 0.1, 0.7),
        Parameter("p", -1.0, 1e-9),
        Parameter("p", 0.0, 1.0),
        Parameter("p", 8, 22, type="int"),
        Parameter("p", 1e-4, 0.1, scale="log"),
        Parameter("p", 1e-13, 1.0, scale="log"),
        Parameter("p", 1, 512, type="int", scale="log"),
    ],
)
@pytest.mark.parametrize("expand", [False, True])
def test_first_and_last_level_of_a_scan_lie_on_the_edge(parameter, expand):
    # The last level of a grid is the largest float below 1 in the unit interval, and a log
    # scale rounds at both ends: neither may pass for the interior.
    levels = Space("scan", (parameter,)).values(make("grid", 1).random(7))["p"]
    domain = {"p": (parameter.low, parameter.high)}
    found = [Minimum(b, 1.0, {"p": value.item()}) for b, value in enumerate(levels)]
    result = screen(found, domain, {"p": levels} if expand else None)
    assert result["kept"] == list(range(1, 6))


def scan(losses, depths=(8, 15, 22), rates=(0.1, 0.2, 0.3)):
    table = np.array(list(product(rates, depths)))
    points = {"rate": table[:, 0], "depth": table[:, 1].astype(int)}
    return minimum(4, points, np.array(losses, dtype=float))


def test_minimum_is_the_smallest_loss_and_nan_is_no_loss():
    found = scan([9, 9, 9, 9, 9, np.nan, 9, 2, 9])
    assert found == Minimum(4, 2.0, {"rate": 0.3, "depth": 15})
    assert type(found.values["depth"]) is int


def test_a_plateau_that_touches_the_edge_counts_inside():
    # No tree reaches depth 15: the losses of depth 15 and 22 are equal.
    assert scan([9, 9, 9, 9, 2, 2, 9, 9, 9]).values == {"rate": 0.2, "depth": 15}


def test_a_plateau_along_the_edge_stays_on_the_edge():
    assert scan([9, 9, 9, 9, 9, 9, 2, 2, 2]).values["rate"] == 0.3


def test_a_scan_without_any_loss_is_refused():
    with pytest.raises(InputError, match="batch 4: no training of the scan gave a loss"):
        scan([np.nan] * 9)


def test_a_batch_whose_losses_are_all_equal_is_dropped():
    flat = scan([3.0] * 9)
    assert flat.flat
    assert not scan([3.0] * 8 + [np.nan]).flat
    found = [flat, Minimum(5, 1.0, {"rate": 0.2, "depth": 15})]
    result = screen(found, {"rate": (0.05, 0.35), "depth": (5, 25)})
    assert result["kept"] == [5]
    assert result["dropped"] == [
        {"batch": 4, "reason": "all points of its scan have the same loss 3"}
    ]


def test_where_no_batch_has_a_minimum_the_error_says_so():
    with pytest.raises(InputError, match=r"same loss.*nothing to search: give batches more rows"):
        screen([scan([3.0] * 9)] * 2, {"rate": (0.05, 0.35), "depth": (5, 25)})
