"""Figures of the whole study, diagrams and examples; geometry of single designs."""

import numpy as np
import pandas as pd
import pytest

from tilesearch.analysis.design_geometry import MEASURES, measure_designs
from tilesearch.figures import diagrams, examples, study
from tilesearch.samplers import make


def texts(figure):
    return [t.get_text() for axes in figure.axes for t in axes.texts]


def test_coverage_holds_every_number_once():
    rows = [("own", "d2", 2, 0, 2, 4, 40), ("own", "d3", 3, 1, 2, 8, 80),
            ("other", "d2", 2, 0, 2, 4, 11), ("other", "d2", 2, 0, None, 7, 13)]  # fmt: skip
    columns = ["problem", "space", "d", "unimportant", "resolution", "n", "trainings"]
    table = pd.DataFrame(rows, columns=columns).astype({"resolution": "Int64"})
    figure = study.coverage(table)
    assert sorted(texts(figure)) == ["other 11", "other 13", "own 40", "own 80"]
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["R = 2", "N = 7"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["d = 2", "d = 3\n(1 unimportant)"]
    assert "144 in all" in figure.get_suptitle()


def test_density_in_shells_is_one_for_uniform_points_and_weighs_the_edge():
    rng = np.random.default_rng(1)
    for d in (1, 2, 5):
        density = study._shell_density(rng.random((40_000, d)), 8)
        assert density == pytest.approx(np.ones(8), abs=0.08)
        assert density.mean() == pytest.approx(1)
    ends = study._shell_density(make("grid", 2, rng=1).random(4), 8)
    assert ends[0] == 8


def test_the_moving_minimum_counts_batches_and_names_stand_ins():
    screened = {
        "domain": {"x": [0.0, 1.0], "y": [1, 5]},
        "kept": [0, 1],
        "minima": [{"batch": b, "values": {"x": x, "y": 3}} for b, x in enumerate((0.5, 0.5, 1.0))],
    }
    parameters = {"x": {"scale": "linear"}, "y": {"scale": "linear"}}
    figure = study.moving_minimum(screened, parameters, "own", stand_in="drawn")
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == ["domain", "kept (2)", "dropped: on the edge or beyond (1)"]
    assert texts(figure) == ["2"]
    assert "stand-in data: drawn" in figure.axes[0].get_title()


def test_the_grid_tries_fewer_values_of_the_important_parameter():
    titles = [axes.get_title() for axes in diagrams.important_unimportant(seed=5, n=16).axes]
    assert [t for t in titles if t] == ["grid: 4 values", "random: 16 values", "LHS: 16 values"]


def test_the_error_is_smallest_at_the_true_coefficients():
    right = diagrams.odd_polynomial(seed=2, coefficients=2).axes[1]
    curves = [line for line in right.lines if len(line.get_xdata()) > 2]
    marks = [line.get_xdata()[0] for line in right.lines if len(line.get_xdata()) == 2]
    assert len(curves) == len(marks) == 2
    for curve, true in zip(curves, marks, strict=True):
        best = curve.get_xdata()[np.argmin(curve.get_ydata())]
        assert best == pytest.approx(true, abs=0.0125)


def test_images_stand_under_their_class():
    images = np.zeros((6, 4, 4, 1), np.float32)
    labels = np.array([0, 0, 0, 0, 0, 1])
    figure = examples.class_images(images, labels, ["many", "one"], "own", stand_in="s", each=2)
    shown = [bool(axes.images) for axes in figure.axes]
    assert shown == [True, True, True, False]
    assert figure.axes[0].get_title() == "many\n(5)"
    assert figure.get_supxlabel() == "stand-in data: s"


def test_the_event_with_most_hits_is_shown_without_its_padding():
    hits = np.zeros((2, 5, 5))
    hits[1, :3, 0] = [0.1, 0.2, 0.3]
    figure = examples.event(hits, np.array([2, 3]), np.array([0.0, np.pi / 2]), 100.0)
    dots = figure.axes[0].collections[1]
    assert len(dots.get_offsets()) == 3
    assert "3 hits, zenith 90°" in figure.axes[0].get_title()


def test_designs_are_measured_one_by_one():
    rows = []
    for batch in range(2):
        for sampler in ("grid", "random"):
            points = make(sampler, 2, rng=batch).random(9)
            part = pd.DataFrame(points, columns=["u1", "u2"])
            rows.append(part.assign(batch=batch, sampler=sampler, n=9))
    table = measure_designs(pd.concat(rows)).set_index(["sampler", "batch"])
    assert list(table.columns) == ["n", *MEASURES]
    assert table.loc[("grid", 0), "separation"] == pytest.approx(0.5)
    assert table.loc[("grid", 0), "covering_radius"] == pytest.approx(np.sqrt(2) / 4)
    assert table.loc[("random", 0), "separation"] != table.loc[("random", 1), "separation"]
