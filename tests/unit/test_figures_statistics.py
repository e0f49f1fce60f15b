import matplotlib.text
import numpy as np
import pytest
from analysis_studies import awkward_studies, study

from tilesearch.analysis.budget import budgets
from tilesearch.analysis.comparison import ranks
from tilesearch.analysis.correlation import KEY, correlations
from tilesearch.analysis.scores import minima
from tilesearch.analysis.uncertainty import uncertainties
from tilesearch.figures import results, statistics

MEASURES = ["covering_radius", "separation"]


def figures(evaluations):
    """Every figure of the statistics, by name."""
    rows = minima(evaluations)
    scores = uncertainties(rows, resamples=50)
    rng = np.random.default_rng(0)
    geometry = rows[KEY].assign(covering_radius=rng.random(len(rows)), separation=0.5)
    found = correlations(geometry, rows, MEASURES, resamples=50)
    at = ("bowl", "d2")
    return {
        "result": results.result_plot(scores, *at),
        "excess": results.result_plot(scores, *at, excess=True, error="chosen_error"),
        "histograms": statistics.scaled_histograms(rows, scores, *at),
        "ranks": statistics.critical_difference(ranks(rows, *at), "bowl, d2"),
        "before and after": statistics.before_after(rows, *at),
        "budget": statistics.budget_plot(budgets(evaluations, rows), *at),
        "geometry": statistics.geometry_scatter(geometry, rows, found, *at, MEASURES),
    }


def numbers(axes):
    """All numbers that `axes` draws."""
    for line in axes.lines:
        yield np.asarray(line.get_data(), dtype=float)
    for patch in axes.patches:
        yield patch.get_path().vertices
    for collection in axes.collections:
        yield np.asarray(collection.get_offsets(), dtype=float)
        for path in collection.get_paths():
            yield path.vertices


def words(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text)]


def check(figure):
    """The figure draws, has axes with content, and no number or word in it is not finite."""
    # Without the layout, which the other tests look at: a tenth of the time.
    figure.set_layout_engine("none")
    figure.canvas.draw()
    assert figure.axes
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
        for values in numbers(axes):
            assert np.isfinite(values).all()
    text = " ".join(words(figure)).lower()
    for bad in ("nan", "inf,", "inf ", "<na>", "none"):
        assert bad not in text.split()
        assert "nan" not in text


# The most awkward ones: a study of figures takes seconds.
@pytest.mark.parametrize(
    "name",
    [
        "one batch",
        "one point",
        "one sampler",
        "no baseline",
        "all equal",
        "a design failed",
        "the baseline failed",
        "all failed",
        "a loss of zero",
        "n asked directly",
    ],
)
def test_no_figure_of_an_awkward_study_holds_a_number_that_is_not_finite(name):
    for figure in figures(awkward_studies()[name]).values():
        check(figure)


@pytest.fixture(scope="module")
def plain():
    return figures(study(batches=30, better=("rsa",), worth=6))


def test_nothing_leaves_a_figure(plain):
    for name, figure in plain.items():
        figure.canvas.draw()
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert min(box.x0, box.y0) > -0.02, name
        assert box.x1 < width + 0.02, name
        assert box.y1 < height + 0.02, name


def test_titles_of_histograms_do_not_overlap(plain):
    figure = plain["histograms"]
    figure.canvas.draw()
    boxes = []
    for axes in figure.axes:
        shown = [axes.title, axes._right_title, *axes.texts]
        boxes += [t.get_window_extent() for t in shown if t.get_text()]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert not one.overlaps(other)


def test_histograms_show_every_batch_and_say_the_numbers(plain):
    figure = plain["histograms"]
    assert len(figure.axes) == 4 * 2
    for axes in figure.axes:
        assert sum(patch.get_height() for patch in axes.patches) == 30
        text = axes.get_title(loc="right")
        assert "mean" in text
        assert "±" in text
        assert "exponential fit: p" in text


def test_before_and_after_show_every_design(plain):
    left, left_side, right, right_side = plain["before and after"].axes
    for axes, side in ((left, left_side), (right, right_side)):
        assert sum(len(c.get_offsets()) for c in axes.collections) == 30 * 4 * 2
        assert sum(p.get_width() for p in side.patches) == 30 * 4 * 2
    assert min(c.get_offsets()[:, 1].min() for c in right.collections) == 1


def test_the_rank_diagram_names_every_sampler_and_the_test(plain):
    text = " ".join(words(plain["ranks"]))
    for label in ("grid", "random", "LHS", "RSA", "Friedman p < 0.001", "30 batches"):
        assert label in text


def test_a_bar_of_the_rank_diagram_runs_from_left_to_right():
    """Its samplers are a set of names: in their order, the file changed from run to run."""
    samplers = tuple("abcdefghijkl")
    rows = minima(study(batches=5, samplers=samplers))
    figure = statistics.critical_difference(ranks(rows, "bowl", "d2"), "bowl, d2")
    bars = [line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) > 4]
    assert bars
    assert all((np.diff(bar) >= 0).all() for bar in bars)


def test_the_budget_plot_marks_bounds_by_arrows():
    evaluations = study(batches=10, better=("rsa",), worth=500)
    figure = figures(evaluations)["budget"]
    axes = figure.axes[0]
    assert "arrow up" in axes.get_xlabel()
    assert len(axes.texts) >= 1
    plain_text = figures(study(batches=40, resolutions=(2,)))["budget"].axes[0].get_xlabel()
    assert "arrow down" not in plain_text


def test_scatter_panels_say_the_correlation(plain):
    titles = [axes.get_title() for axes in plain["geometry"].axes]
    assert all("ρ = " in t and "120 designs" in t for t in titles[::2])
    assert all(t == "no correlation: no variation" for t in titles[1::2])


def test_stand_ins_are_labelled_in_every_figure():
    made = figures(study(batches=3).assign(stand_in="generated bowls"))
    labelled = {name for name, f in made.items() if "generated bowls" in f.get_supxlabel()}
    # The rank diagram takes its label as an argument, as ranks carry none.
    assert labelled == set(made) - {"ranks"}


def test_an_unknown_space_is_refused():
    rows = minima(study(batches=2))
    with pytest.raises(ValueError, match="space 'd3'"):
        statistics.before_after(rows, "bowl", "d3")
