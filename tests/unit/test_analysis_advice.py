import pandas as pd
import pytest
from analysis_studies import awkward_studies, study

from tilesearch.analysis.advice import advice_table, advise, advise_all, advise_one, listed
from tilesearch.analysis.budget import budgets
from tilesearch.analysis.comparison import paired, rank_table
from tilesearch.analysis.scores import minima
from tilesearch.analysis.uncertainty import uncertainties


def tables(evaluations):
    rows = minima(evaluations)
    return {
        "scores": uncertainties(rows, resamples=20),
        "paired": paired(rows, resamples=20),
        "budgets": budgets(evaluations, rows),
        "ranks": rank_table(rows),
    }


@pytest.fixture(scope="module")
def clear():
    return tables(study(batches=30, better=("rsa",), worth=8))


@pytest.fixture(scope="module")
def unclear():
    return tables(study(batches=8))


def test_a_clear_winner_is_advised_with_its_numbers(clear):
    advice = advise_one("bowl", "d2", 9, **clear)
    assert advice.decided
    assert advice.better == ("rsa",)
    assert advice.best == "rsa"
    row = clear["scores"].query("sampler == 'rsa' and n == 9").iloc[0]
    budget = clear["budgets"].query("sampler == 'rsa' and n == 9").iloc[0]
    assert f"{row['mean']:.4f} ± {row['chosen_error']:.4f} (30 batches)" in advice.text
    assert f"worth {budget['text']} of random" in advice.text
    assert "take rsa" in advice.sentences[0]


def test_the_names_come_from_the_data(clear):
    renamed = {name: table.replace({"sampler": {"rsa": "zebra"}}) for name, table in clear.items()}
    text = advise_one("bowl", "d2", 9, **renamed).text
    assert "take zebra" in text
    assert "rsa" not in text


def test_it_says_when_the_data_do_not_decide(unclear):
    advice = advise_one("bowl", "d2", 4, **unclear)
    assert not advice.decided
    assert advice.better == ()
    assert "the data do not decide" in advice.sentences[0]
    assert "8 batches" in advice.sentences[0]


def test_a_worse_sampler_is_named():
    evaluations = study(batches=20)
    evaluations.loc[evaluations["sampler"] == "grid", "loss"] *= 1.5
    advice = advise_one("bowl", "d2", 9, **tables(evaluations))
    assert advice.worse == ("grid",)
    assert "Worse than random: grid." in advice.text


def test_the_baseline_is_advised_where_all_others_are_worse():
    evaluations = study(batches=20)
    evaluations.loc[evaluations["sampler"] != "random", "loss"] *= 2
    advice = advise_one("bowl", "d2", 9, **tables(evaluations))
    assert advice.decided
    assert "take random: every other sampler finds a higher loss" in advice.sentences[0]


def test_the_nearest_number_of_points_answers_and_says_so(clear):
    advices, remarks = advise(8, 2, **clear)
    assert [a.n for a in advices] == [9]
    assert "no design of 8 points; the nearest, 9, answers" in remarks[0]
    assert advise(9, 2, **clear)[1] == []


def test_far_from_the_study_it_does_not_answer(clear):
    advices, remarks = advise(500, 2, **clear)
    assert advices == []
    assert "do not decide for 500 points, the study has 4 to 9" in remarks[0]
    advices, remarks = advise(9, 5, **clear)
    assert advices == []
    assert "no space of 5 dimensions (it has: 2)" in remarks[0]


@pytest.mark.parametrize("name", awkward_studies())
def test_awkward_studies_get_a_plain_answer(name):
    evaluations = awkward_studies()[name]
    advices = advise_all(**tables(evaluations))
    assert len(advices) == evaluations["n"].nunique()
    for advice in advices:
        words = advice.text.lower().replace("unknown", "")
        for bad in ("nan", "inf ", "none", "<na>"):
            assert bad not in words.split()
        assert "nan" not in words
        assert advice.sentences
    table = advice_table(advices)
    assert table["advice"].str.len().min() > 20
    if name == "stand-in":
        assert "stand-in: generated bowls" in advices[0].text


def test_no_advice_is_an_empty_table():
    assert advice_table([]).columns[0] == "problem"
    assert isinstance(advice_table([]), pd.DataFrame)


def test_unknown_values_are_refused(clear):
    with pytest.raises(ValueError, match="n is 0"):
        advise(0, 2, **clear)
    with pytest.raises(ValueError, match="space 'd7'"):
        advise_one("bowl", "d7", 9, **clear)


def test_two_names_are_joined():
    assert listed(["a", "b"]) == "a and b"
