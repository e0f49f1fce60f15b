"""The figures of features, landscapes and designs: what is drawn, from tables alone."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tilesearch.figures import style
from tilesearch.figures.designs import designs_2d
from tilesearch.figures.landscapes import _edges, landscapes
from tilesearch.figures.shap import bar_chart, beeswarm

PARAMETERS = {
    "learning_rate": {"low": 0.01, "high": 1.0, "scale": "log"},
    "max_depth": {"low": 2, "high": 6, "type": "int", "scale": "linear"},
}


def scans(batches=2, losses=None):
    rates, depths = np.meshgrid([0.01, 0.1, 1.0], [2, 4, 6])
    loss = (np.log10(rates) + 1) ** 2 + (depths - 4) ** 2 + 1.0 if losses is None else losses
    tables = [
        pd.DataFrame(
            {
                "batch": batch,
                "learning_rate": rates.ravel(),
                "max_depth": depths.ravel(),
                "loss": np.ravel(loss) * np.ones(9),
                "stand_in": "",
            }
        )
        for batch in range(batches)
    ]
    return pd.concat(tables, ignore_index=True)


def screened(batches=2, kept=(0,)):
    where = {"learning_rate": 0.1, "max_depth": 4}
    return {
        "domain": {"learning_rate": [0.05, 0.5], "max_depth": [3, 5]},
        "kept": list(kept),
        "minima": [{"batch": b, "loss": 1.0, "values": where} for b in range(batches)],
    }


def panels(figure):
    return [a for a in figure.axes if a.get_title().startswith("batch")]


def test_each_batch_has_its_panel_minimum_and_domain():
    figure = landscapes(scans(), screened(), PARAMETERS, "p")
    first, second = panels(figure)
    assert first.get_title() == "batch 0"
    assert second.get_title() == "batch 1 (dropped)"
    box, star = first.lines
    assert set(box.get_xdata()) == {0.05, 0.5}
    assert set(box.get_ydata()) == {3, 5}
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0.1, 4)
    assert (first.get_xscale(), first.get_yscale()) == ("log", "linear")
    drawn = first.collections[0].get_array()
    assert drawn.shape == (3, 3)
    assert np.asarray(drawn)[1, 1] == pytest.approx(1.0)  # the minimum, in units of itself
    assert "p: loss landscapes of 2 batches" in figure.get_suptitle()


def test_colours_are_for_the_domain_not_for_what_diverges_outside():
    losses = np.array([[1.0, 2.0, 1e20], [3.0, 1.5, 1e20], [2.0, 2.0, 1e20]])
    domain = {"learning_rate": [0.01, 0.5], "max_depth": [2, 6]}
    figure = landscapes(scans(losses=losses), {**screened(), "domain": domain}, PARAMETERS, "p")
    assert panels(figure)[0].collections[0].norm.vmax == pytest.approx(2.9, abs=0.2)


@pytest.mark.parametrize("largest", [1.02, 1.5, 4.0, 13.0, 900.0])
def test_numbers_of_the_colour_bar_do_not_overlap(largest):
    table = scans(losses=np.geomspace(1.0, largest, 9))
    domain = {"learning_rate": [0.01, 1.0], "max_depth": [2, 6]}
    figure = landscapes(table, {**screened(), "domain": domain}, PARAMETERS, "p")
    figure.canvas.draw()
    bar = figure.axes[-1].yaxis
    numbers = [*bar.get_ticklabels(), *bar.get_ticklabels(minor=True)]
    low, high = bar.get_view_interval()
    inside = [n for n in numbers if n.get_text() and low <= n.get_position()[1] <= high]
    spans = sorted((b.y0, b.y1) for b in (n.get_window_extent() for n in inside))
    assert len(spans) >= 3
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_failed_trainings_are_hatched_and_the_figure_says_so():
    failed = landscapes(scans(losses=[np.nan, 2, 3, 4, 1, 2, 3, 4, 5]), screened(), PARAMETERS, "p")
    assert panels(failed)[0].patch.get_hatch()
    assert "hatched: the training failed" in failed.get_suptitle()
    assert "hatched" not in landscapes(scans(), screened(), PARAMETERS, "p").get_suptitle()


def test_many_batches_are_cut_and_the_figure_says_so():
    figure = landscapes(scans(15), screened(15), PARAMETERS, "p", most=3)
    assert len(panels(figure)) == 3
    assert "15 batches, the first 3" in figure.get_suptitle()


@pytest.mark.parametrize(
    "losses",
    [
        [np.nan, 2, 3, 4, 1, 2, 3, 4, np.nan],
        [1.0] * 9,
        [0.0, 2, 3, 4, 1, 2, 3, 4, 5],
        [0.0] * 9,
    ],
    ids=["failed", "flat", "zero", "all zero"],
)
def test_odd_losses_are_drawn(losses, tmp_path):
    table = scans(losses=np.reshape(losses, (3, 3)))
    figure = landscapes(table, screened(), PARAMETERS, "p")
    png, svg = style.save(figure, tmp_path / "f", dpi=150)
    assert png.stat().st_size > 5000
    assert svg.stat().st_size > 5000


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_edges_lie_between_the_levels_and_end_with_the_scan(scale):
    centres = np.array([1.0, 10.0, 100.0])
    edges = _edges(centres, {"scale": scale})
    assert len(edges) == 4
    assert edges[[0, -1]] == pytest.approx([1, 100])
    middle = [5.5, 55] if scale == "linear" else [10**0.5, 10**1.5]
    assert edges[1:-1] == pytest.approx(middle)


def ranking(names):
    return pd.DataFrame(
        {
            "feature": names,
            "importance": np.arange(len(names), 0, -1) / 10,
            "error": 0.01,
            "rows": 300,
        }
    )


def test_bars_show_the_kept_features_with_the_largest_on_top():
    figure = bar_chart(ranking([f"f{i}" for i in range(6)]), 4)
    axes = figure.axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == pytest.approx([0.3, 0.4, 0.5, 0.6])
    figure.canvas.draw()
    assert [t.get_text() for t in axes.get_yticklabels()] == ["f3", "f2", "f1", "f0"]
    assert "The 4 of 6 features" in axes.get_title()


def test_the_unit_of_shap_values_is_that_of_the_task():
    ranked, rng = ranking(["a", "b"]), np.random.default_rng(0)
    values = rng.normal(size=(20, 2))
    for task, unit in (("regression", "standard deviations"), ("classification", "log-odds")):
        for figure in (
            bar_chart(ranked, 2, None, task),
            beeswarm(values, values, ["a", "b"], None, task),
        ):
            assert unit in figure.axes[0].get_xlabel()


def test_the_swarm_of_three_classes_says_that_its_values_have_no_sign():
    values = np.abs(np.random.default_rng(0).normal(size=(20, 2)))
    labels = [
        beeswarm(values, values, ["a", "b"], None, "classification", classes).axes[0].get_xlabel()
        for classes in (2, 3)
    ]
    assert labels == ["SHAP value (log-odds)", "mean |SHAP| over classes (log-odds)"]


def test_names_that_look_like_formulas_or_numbers_are_drawn_as_they_are(tmp_path):
    names = ["cost $ in $^2", "a_$b$", "2014", r"\frac"]
    rng = np.random.default_rng(0)
    bars = bar_chart(ranking(names), 4)
    swarm = beeswarm(rng.normal(size=(20, 4)), rng.normal(size=(20, 4)), names)
    for figure in (bars, swarm):
        style.save(figure, tmp_path / "f", dpi=150)
        shown = {t.get_text().replace(r"\$", "$") for t in figure.axes[0].get_yticklabels()}
        assert shown == set(names)


def test_swarm_draws_every_row_and_missing_values_grey():
    rng = np.random.default_rng(0)
    values, features = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    features[:10, 1] = np.nan
    features[:, 0] = np.nan
    figure = beeswarm(values, features, ["a", "b"], stand_in="stand-in: generated")
    axes = figure.axes[0]
    sizes = [len(c.get_offsets()) for c in axes.collections]
    assert sorted(sizes) == [0, 10, 20, 30]
    for collection in axes.collections:
        heights = np.asarray(collection.get_offsets())[:, 1]
        assert np.abs(heights - heights.round()).max(initial=0) <= 0.4
    texts = [t.get_text() for t in figure.texts]
    assert any("generated" in text for text in texts)


def test_designs_have_a_column_per_sampler_and_a_row_per_size():
    rng = np.random.default_rng(0)
    tables = [
        pd.DataFrame({"sampler": s, "n": n, "u1": rng.random(n), "u2": rng.random(n)})
        for s in ("random", "grid", "lhs")
        for n in (4, 9, 16, 25)
    ]
    figure = designs_2d(pd.concat(tables, ignore_index=True), "title")
    assert len(figure.axes) == 9  # at most three sizes: smallest, middle, largest
    counts = [len(a.collections[0].get_offsets()) for a in figure.axes]
    assert counts == [4] * 3 + [16] * 3 + [25] * 3
    assert [a.get_title() for a in figure.axes[:3]] == ["grid", "random", "LHS"]
    assert figure.get_suptitle() == "title"
