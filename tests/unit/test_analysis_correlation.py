import numpy as np
import pandas as pd
import pytest
from analysis_studies import study
from scipy import stats

from tilesearch.analysis.correlation import (
    KEY,
    cluster_bootstrap,
    correlations,
    rank_correlation,
)
from tilesearch.analysis.scores import minima


@pytest.fixture(scope="module")
def rows():
    return minima(study(batches=12))


def geometry_of(rows, **measures):
    return rows[KEY].assign(**measures)


@pytest.mark.parametrize("ties", [False, True])
def test_without_strata_it_is_spearmans_rho(ties):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60))
    y = y + x
    if ties:
        x, y = x.round(), y.round()
    assert rank_correlation(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)


def test_what_differs_only_between_strata_does_not_count():
    rng = np.random.default_rng(1)
    stratum = np.repeat([0, 1], 200)
    x, y = rng.normal(size=(2, 400)) + 10 * stratum
    assert stats.spearmanr(x, y).statistic > 0.6
    assert abs(rank_correlation(x, y, stratum)) < 0.15


def test_weighted_ranks_equal_repeated_rows():
    # The bootstrap counts rows instead of copying them; both must agree.
    from tilesearch.analysis.correlation import _correlations

    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 6, (2, 30)).astype(float)
    counts = rng.integers(0, 3, 30)
    repeated = stats.spearmanr(np.repeat(x, counts), np.repeat(y, counts)).statistic
    assert _correlations(x, y, None, counts[None, :].astype(float))[0] == pytest.approx(repeated)


def test_the_interval_covers_no_correlation_at_about_its_level():
    # Batches shift y as a whole: rows of a batch are not independent.
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        batch = np.repeat(np.arange(20), 5)
        x = rng.normal(size=100)
        y = rng.normal(size=100) + 2 * rng.normal(size=20)[batch]
        low, high = cluster_bootstrap(x, y, batch, resamples=300, rng=rng)
        covered += low <= 0 <= high
    assert 0.86 < covered / 200 < 0.995


def test_a_measure_that_rules_the_loss_is_found_and_noise_is_not(rows):
    rng = np.random.default_rng(4)
    geometry = geometry_of(
        rows,
        radius=rows["normalised"] + rng.normal(0, 0.01, len(rows)),
        noise=rng.random(len(rows)),
    )
    table = correlations(geometry, rows, ["radius", "noise"], resamples=300)
    table = table[table["n"].isna()].set_index("measure")
    assert table.loc["radius", "low"] > 0.5
    assert table.loc["noise", "low"] < 0 < table.loc["noise", "high"]
    assert table.loc["noise", "designs"] == len(rows)


def test_a_constant_measure_has_no_correlation_and_says_so(rows):
    table = correlations(geometry_of(rows, same=1.0), rows, ["same"], resamples=50)
    assert table["rho"].isna().all()
    assert all("does not vary" in note for note in table["note"])


def test_an_infinite_measure_is_ranked(rows):
    infinite = rows["normalised"].replace(rows["normalised"].max(), np.inf)
    table = correlations(geometry_of(rows, ratio=infinite), rows, ["ratio"], resamples=50)
    assert np.isfinite(table[["rho", "low", "high"]].astype(float)).all(axis=None)


def test_one_batch_has_no_interval():
    rows = minima(study(batches=1, resolutions=(2,)))
    table = correlations(geometry_of(rows, m=[1.0, 2, 3, 4]), rows, ["m"], resamples=50)
    assert np.isfinite(table["rho"]).all()
    assert table["note"].tolist() == ["one batch: no interval"]


def test_tables_that_do_not_fit_are_refused(rows):
    geometry = geometry_of(rows, m=1.0)
    with pytest.raises(ValueError, match="twice"):
        correlations(pd.concat([geometry, geometry.iloc[:1]]), rows, ["m"])
    with pytest.raises(ValueError, match="no design of the geometry"):
        correlations(geometry.assign(problem="other"), rows, ["m"])
    with pytest.raises(ValueError, match="lacks the column"):
        correlations(geometry, rows, ["radius"])
