"""The figure of the tabulated landscapes."""

import numpy as np
import pandas as pd
import pytest

from tilesearch.figures.tabulated import tabulated_plot


def scores(samplers=("random", "rsa", "tpe"), **changes):
    rows = [(sampler, n) for sampler in samplers for n in (4, 9)]
    table = pd.DataFrame(rows, columns=["sampler", "n"]).assign(
        problem="own", space="d2", batches=8, replicates=20, mean=1.1, error=0.02,
        difference=-0.01, difference_error=0.004, stand_in="",
    )  # fmt: skip
    return table.assign(**changes)


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_samplers_and_adaptive_searches_are_told_apart():
    figure = tabulated_plot(scores(), "own", "d2", "random")
    assert labels(figure) == ["random", "RSA", "TPE (adaptive)"]
    left, right = figure.axes
    assert len(left.containers) == 3
    assert len(right.containers) == 2  # the baseline is the line at 0
    assert right.containers[0].lines[0].get_ydata() == pytest.approx(100 * np.expm1(-0.01))


@pytest.mark.parametrize(
    ("changes", "panel", "said"),
    [
        ({"difference": np.nan}, 1, "nothing to draw"),
        ({"mean": np.nan}, 0, "nothing to draw"),
        ({"samplers": ("random",)}, 1, "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn_is_said(changes, panel, said):
    figure = tabulated_plot(scores(**changes), "own", "d2", "random")
    figure.canvas.draw()
    assert said in figure.axes[panel].texts[0].get_text()


def test_one_batch_has_no_bars_and_a_stand_in_is_said():
    one = scores(batches=1, error=np.nan, difference_error=np.nan, stand_in="drawn")
    figure = tabulated_plot(one, "own", "d2", "random")
    figure.canvas.draw()
    assert "1 batch" in figure.get_suptitle()
    assert figure.get_supxlabel() == "stand-in data: drawn"
    for axes in figure.axes:
        for container in axes.containers:
            assert np.isfinite(container.lines[0].get_ydata(orig=False)).all()
