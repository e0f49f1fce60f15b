import numpy as np
import pandas as pd
import pytest

from tilesearch.figures.results import result_plot


def scores(samplers=("grid", "random", "rsa"), resolutions=(2, 3, 4), batches=5):
    rows = [
        {
            "problem": "p",
            "space": "d2",
            "d": 2,
            "sampler": s,
            "resolution": r,
            "n": r * r,
            "batches": batches,
            "mean": 1 + 0.1 / r + 0.01 * i,
            "error": 0.01,
            "stand_in": "",
        }
        for i, s in enumerate(samplers)
        for r in resolutions
    ]
    return pd.DataFrame(rows).astype({"resolution": "Int64"})


def drawn(figure):
    """x and y of each sampler's line, by label."""
    axes = figure.axes[0]
    return {c.get_label(): np.array(c.lines[0].get_data(), dtype=float) for c in axes.containers}


def test_each_sampler_has_a_line_through_its_means():
    table = scores()
    lines = drawn(result_plot(table, "p", "d2"))
    assert set(lines) == {"grid", "random", "RSA"}
    np.testing.assert_allclose(
        lines["RSA"][1], table.loc[table["sampler"] == "rsa", "mean"].astype(float)
    )


def test_error_bars_do_not_overlap():
    lines = drawn(result_plot(scores(), "p", "d2"))
    at_three = sorted(x[1] for x, _ in lines.values())
    assert np.diff(at_three).min() > 0.1
    assert np.mean(at_three) == pytest.approx(3)


def test_the_axis_is_n_where_a_design_has_no_resolution():
    table = scores()
    table.loc[table["resolution"] == 4, ["resolution", "n"]] = [pd.NA, 20]
    axes = result_plot(table, "p", "d2").axes[0]
    assert axes.get_xlabel() == "number of points N"
    assert [t.get_text() for t in axes.get_xticklabels()] == ["4", "9", "20"]


@pytest.mark.parametrize("excess", [False, True])
def test_nothing_that_is_not_finite_is_drawn_and_the_figure_says_so(excess):
    table = scores(batches=1)
    table["error"] = np.nan
    table.loc[0, "mean"] = np.nan
    figure = result_plot(table, "p", "d2", excess=excess)
    for x, y in drawn(figure).values():
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()
    for container in figure.axes[0].containers:
        for bars in container.lines[2]:
            assert np.isfinite(np.array(bars.get_segments())).all()
    text = figure.axes[0].get_xlabel()
    assert "one batch, so no uncertainty" in text
    assert "not drawn, no usable value: grid at 2" in text
    figure.canvas.draw()


def test_without_any_mean_there_is_a_statement_in_place_of_data():
    figure = result_plot(scores().assign(mean=np.nan), "p", "d2")
    assert any("nothing to draw" in t.get_text() for t in figure.axes[0].texts)


def test_a_logarithmic_bar_stays_above_zero():
    table = scores().assign(error=5.0)
    figure = result_plot(table, "p", "d2", excess=True)
    segments = np.concatenate([c.lines[2][0].get_segments() for c in figure.axes[0].containers])
    assert segments[..., 1].min() > 0


def test_one_resolution_many_samplers_and_stand_ins_are_drawn():
    table = scores(samplers=list("abcdefgh"), resolutions=(3,)).assign(stand_in="generated")
    figure = result_plot(table, "p", "d2")
    assert figure.get_supxlabel() == "stand-in data: generated"
    assert len(drawn(figure)) == 8
    figure.canvas.draw()


def test_an_unknown_problem_or_space_is_refused():
    with pytest.raises(ValueError, match="space 'd3'"):
        result_plot(scores(), "p", "d3")
