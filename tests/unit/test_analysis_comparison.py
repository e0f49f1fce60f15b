import numpy as np
import pandas as pd
import pytest
from analysis_studies import failing, study
from scipy import stats

from tilesearch.analysis.comparison import (
    block_table,
    holm,
    log_minima,
    paired,
    rank_table,
    ranks,
    ranks_of,
    signed_rank,
)
from tilesearch.analysis.scores import minima


def test_holm_corrected_wilcoxon_tests_keep_the_family_error():
    # Four samplers against a shared baseline, all alike, skewed losses, batches that differ.
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        log_loss = rng.exponential(0.1, (12, 5)) + rng.normal(0, 1, (12, 1))
        p = holm([signed_rank(log_loss[:, k] - log_loss[:, 0])[1] for k in range(1, 5)])
        wrong += p.min() < 0.05
    assert 0.005 < wrong / 300 < 0.075


def test_holm_equals_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(0).random(9) ** 3
    np.testing.assert_allclose(holm(p), multitest.multipletests(p, method="holm")[1])


@pytest.mark.parametrize("n", [3, 6, 8])
def test_the_signed_rank_test_with_ties_equals_scipys_permutations(n):
    differences = np.random.default_rng(n).integers(-2, 4, n).astype(float)
    kept = differences[differences != 0]
    expected = stats.wilcoxon(kept, method=stats.PermutationMethod())
    statistic, p_value, _ = signed_rank(differences)
    assert (statistic, p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_single_wilcoxon_tests_keep_their_level():
    rng = np.random.default_rng(2)
    p = [signed_rank(rng.exponential(1, 14) - rng.exponential(1, 14))[1] for _ in range(600)]
    assert 0.022 < np.mean(np.array(p) < 0.05) < 0.07


@pytest.mark.parametrize("batches", [8, 20])
def test_friedman_and_nemenyi_tests_keep_their_level(batches):
    rng = np.random.default_rng(batches)
    friedman, nemenyi = 0, 0
    for _ in range(200):
        blocks = pd.DataFrame(rng.exponential(1, (batches, 4)) + rng.normal(0, 3, (batches, 1)))
        found = ranks_of(blocks)
        friedman += found.p_value < 0.05
        spread = found.mean.max() - found.mean.min()
        apart = spread > found.critical_difference
        # Two ways to the same decision.
        assert apart == (found.pairwise.to_numpy().min() < 0.05)
        nemenyi += apart
    assert 0.01 < friedman / 200 < 0.09
    assert 0.005 <= nemenyi / 200 < 0.09


def test_a_better_sampler_is_found():
    rows = minima(study(batches=30, resolutions=(3,), better=("rsa",), worth=6))
    table = paired(rows, resamples=200).set_index("sampler")
    assert table.loc["rsa", "p_holm"] < 0.01
    assert table.loc["rsa", "high"] < 0
    assert (table.drop(index="rsa")["p_holm"] > 0.05).all()
    found = ranks(rows, "bowl", "d2")
    assert found.p_value < 0.01
    assert found.mean.index[0] == "rsa"


def test_paired_numbers_equal_scipy_on_hand_made_differences():
    rows = minima(study(batches=9))
    table = paired(rows, resamples=100)
    for line in table.itertuples():
        of = {
            s: rows[(rows["n"] == line.n) & (rows["sampler"] == s)].sort_values("batch")["minimum"]
            for s in (line.sampler, "random")
        }
        difference = np.log(of[line.sampler].to_numpy()) - np.log(of["random"].to_numpy())
        assert line.batches == 9
        assert line.p_value == pytest.approx(stats.wilcoxon(difference).pvalue)
        assert line.difference == pytest.approx(difference.mean())
        assert line.error == pytest.approx(difference.std(ddof=1) / 3)
        assert line.better == (difference < 0).sum()


def test_holm_families_are_the_number_of_points_and_the_space():
    table = paired(minima(study(batches=9, resolutions=(2, 3, 4))), resamples=20)
    assert set(table["tests"]) == {3}
    assert set(table["tests_space"]) == {9}
    one = table[table["n"] == 4]
    np.testing.assert_allclose(one["p_holm"], holm(one["p_value"]))
    assert (table["p_holm_space"] >= table["p_holm"] - 1e-12).all()
    assert (table["p_holm"] >= table["p_value"]).all()


def test_adding_a_design_does_not_move_the_paired_differences():
    evaluations = study(batches=6, better=("rsa",), worth=5)
    with_rsa = paired(minima(evaluations), resamples=20)
    without = paired(minima(evaluations[evaluations["sampler"] != "rsa"]), resamples=20)
    kept = with_rsa[with_rsa["sampler"] != "rsa"].reset_index(drop=True)
    columns = ["sampler", "n", "difference", "error", "low", "high", "p_value"]
    pd.testing.assert_frame_equal(kept[columns], without[columns])


def test_too_few_batches_are_said():
    table = paired(minima(study(batches=4)), resamples=20)
    assert all("4 differences cannot decide" in note for note in table["note"])
    assert all("corrected for" in note for note in table["note"])
    assert (table["p_holm"] > 0.05).all()


def test_equal_samplers_have_p_one_and_a_statement():
    table = paired(minima(study(batches=6).assign(loss=0.5)), resamples=20)
    assert (table["p_value"] == 1).all()
    assert (table["equal"] == 6).all()
    assert all("all differences are 0" in note for note in table["note"])
    assert ranks(minima(study().assign(loss=0.5)), "bowl", "d2").p_value == 1


def test_a_missing_baseline_is_said():
    table = paired(minima(study(samplers=("grid", "lhs"))), resamples=20)
    assert table["p_value"].isna().all()
    assert all("no random design" in note for note in table["note"])


def test_only_batches_with_both_minima_count():
    evaluations = study(batches=8)
    lost = (evaluations["sampler"] == "rsa") & (evaluations["batch"] < 2)
    table = paired(minima(failing(evaluations, lost)), resamples=20).set_index(["n", "sampler"])
    assert table.loc[(4, "rsa"), "batches"] == 6
    assert "2 of 8 batches lack" in table.loc[(4, "rsa"), "note"]
    assert table.loc[(4, "lhs"), "batches"] == 8


def test_blocks_over_all_points_are_the_means_of_the_logarithms():
    rows = minima(study(batches=5))
    blocks, note = block_table(rows, "bowl", "d2")
    both = [log_minima(rows[rows["n"] == n]) for n in (4, 9)]
    pd.testing.assert_frame_equal(blocks, (both[0] + both[1]) / 2, check_names=False)
    assert note == ""


def test_ranks_leave_out_what_is_incomplete_and_say_it():
    evaluations = study(batches=5)
    rsa, lhs = (evaluations["sampler"] == s for s in ("rsa", "lhs"))
    found = ranks(
        minima(failing(evaluations, rsa | (lhs & (evaluations["batch"] == 0)))), "bowl", "d2"
    )
    assert "rsa" not in found.mean.index
    assert found.batches == 4
    assert "left out, without a usable minimum: rsa" in found.note
    assert "1 of 5 batches are incomplete" in found.note


def test_a_sampler_with_fewer_sizes_is_ranked_where_all_are():
    evaluations = study(batches=5)
    some = evaluations[(evaluations["sampler"] != "rsa") | (evaluations["n"] == 4)]
    found = ranks(minima(some), "bowl", "d2")
    assert "rsa" in found.mean.index
    assert "left out, not of every sampler: N = 9" in found.note


def test_average_ranks_add_up_and_ties_share():
    blocks = pd.DataFrame({"a": [1.0, 1, 2], "b": [1.0, 2, 2], "c": [3.0, 3, 2]})
    mean = ranks_of(blocks).mean
    assert mean.sum() == pytest.approx(6)
    assert mean["a"] == pytest.approx((1.5 + 1 + 2) / 3)


def test_critical_difference_equals_demsars_table():
    # Demšar 2006, table 5(a): q = 2.569 for 4 classifiers at level 0.05.
    blocks = pd.DataFrame(np.random.default_rng(0).random((14, 4)))
    assert ranks_of(blocks).critical_difference == pytest.approx(
        2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3
    )


def test_rank_table_has_every_size_and_all_of_them():
    table = rank_table(minima(study(batches=5)))
    assert table["n"].isna().sum() == 4
    assert sorted(table["n"].dropna().unique()) == [4, 9]
    assert (table["batches"] == 5).all()


def test_an_unknown_problem_is_refused():
    with pytest.raises(ValueError, match="problem 'cifar10'"):
        block_table(minima(study()), "cifar10", "d2")
