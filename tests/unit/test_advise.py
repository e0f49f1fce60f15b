"""``python -m tilesearch advise``: where the tables come from, and what is said."""

import shutil

import numpy as np
import pandas as pd
import pytest

from tilesearch.__main__ import main
from tilesearch.analysis import tables
from tilesearch.analysis.budget import budgets
from tilesearch.analysis.comparison import paired, rank_table
from tilesearch.analysis.scores import minima
from tilesearch.analysis.uncertainty import uncertainties
from tilesearch.errors import InputError


def evaluations(batches=10, gain=0.5):
    """Random and a sampler whose losses are `gain` times those of a random design."""
    rng = np.random.default_rng(3)
    rows = []
    for batch in range(batches):
        for sampler, factor in (("random", 1.0), ("rsa", gain)):
            for n in (4, 9):
                for point, loss in enumerate(factor * rng.uniform(1, 2, n)):
                    rows.append((batch, sampler, n, point, loss))
    table = pd.DataFrame(rows, columns=["batch", "sampler", "n", "point", "loss"])
    return table.assign(
        problem="own", space="d2", d=2, resolution=np.sqrt(table.n).astype(int), status="ok",
        reason="", training="", seconds=0.1, stand_in="made up",
    )  # fmt: skip


@pytest.fixture(params=["csv", "parquet"])
def study(request, tmp_path):
    rows = evaluations()
    found = minima(rows)
    made = {
        "uncertainty": uncertainties(found, resamples=200),
        "comparisons": paired(found, resamples=200),
        "budgets": budgets(rows, found),
        "ranks": rank_table(found),
    }
    for name, table in made.items():
        path = tmp_path / f"{name}.{request.param}"
        table.to_csv(path, index=False) if request.param == "csv" else table.to_parquet(path)
    return tmp_path


def test_the_advice_of_a_study_with_a_clear_answer(study, capsys):
    assert main(["advise", "--n", "9", "--d", "2", "--scores", str(study)]) == 0
    said = capsys.readouterr().out
    assert "take rsa: rsa finds a lower loss than random" in said
    assert "± " in said
    assert "interval" in said
    assert "stand-in: made up" in said
    assert "nan" not in said.lower()


def test_a_number_of_points_that_the_study_lacks(study, capsys):
    assert main(["advise", "--n", "7", "--d", "2", "--scores", str(study)]) == 0
    assert "the nearest, 9, answers" in capsys.readouterr().out


def test_dimensions_that_the_study_lacks(study, capsys):
    assert main(["advise", "--n", "9", "--d", "5", "--scores", str(study)]) == 0
    assert "do not decide: the study has no space of 5 dimensions" in capsys.readouterr().out


def test_scores_alone_do_not_decide(study, tmp_path_factory, capsys):
    alone = tmp_path_factory.mktemp("alone")
    (path,) = study.glob("uncertainty.*")
    copy = alone / path.name
    copy.write_bytes(path.read_bytes())
    assert main(["advise", "--n", "9", "--d", "2", "--scores", str(copy)]) == 0
    said = capsys.readouterr().out
    assert said.count("There is no table of") == 3
    assert "do not decide" in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "is no file and no folder"), ("a,b\n1,2\n", "lacks the column(s) problem")],
)
def test_what_is_no_table_of_scores(tmp_path, capsys, content, sentence):
    path = tmp_path / "scores.csv"
    if content:
        path.write_text(content)
    assert main(["advise", "--n", "9", "--d", "2", "--scores", str(path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_study_goes_before_the_reference(tmp_path):
    with pytest.raises(InputError, match="run a study first"):
        tables.find(roots=(tmp_path,))
    for folder in ("resources/reference/one/tables", "results/tables"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "uncertainty.csv").write_text("")
        assert tables.find(roots=(tmp_path,)) == [tmp_path / folder / "uncertainty.csv"]


def test_every_study_of_the_reference_answers(study, tmp_path_factory, monkeypatch, capsys):
    root = tmp_path_factory.mktemp("root")
    for name in ("one", "other"):
        folder = root / "resources/reference" / name / "tables"
        shutil.copytree(study, folder)
        for path in folder.iterdir():
            table = tables.read(path).assign(problem=name)
            table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
    monkeypatch.chdir(root)
    assert main(["advise", "--n", "9", "--d", "2"]) == 0
    said = capsys.readouterr().out
    assert "(one, d2) take rsa" in said
    assert "(other, d2) take rsa" in said


def test_the_reference_of_the_project_answers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert tables.find()[0].parts[-4:-1] == ("reference", "king-county", "tables")
    assert main(["advise", "--n", "64", "--d", "2"]) == 0
    assert "(housing, d2) take rsa" in capsys.readouterr().out
