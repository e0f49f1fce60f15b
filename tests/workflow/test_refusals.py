"""Bad input is refused before the first job, in one sentence, without a traceback."""

import pandas as pd
import pytest

TABLE = {"kind": "table", "data": {"path": "own.csv", "target": "y", "task": "regression"}}

REFUSED = {
    "unknown key": ({"sampler": ["grid"]}, "'sampler' is unknown"),
    "unknown problem": ({"run": ["housings"]}, "problem 'housings', take one of housing"),
    "unknown sampler": ({"samplers": ["grids"]}, "'grids', which is unknown"),
    "data file missing": (
        {"problems": {"housing": {"data": {"path": "gone.parquet"}}}},
        "'gone.parquet' does not exist",
    ),
    "target absent": (
        {"run": ["own"], "problems": {"own": {**TABLE, "data": {**TABLE["data"], "target": "z"}}}},
        "data.target is 'z'",
    ),
    "batches exceed the data": (
        {"boosting": {"batches": {"number": 60, "size": "equal(1000)"}}},
        "ask for 60000 rows and the data has 21613",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_the_first_job(project, name):
    config, sentence = REFUSED[name]
    pd.DataFrame({"x": range(50), "y": range(50)}).to_csv(project.folder / "own.csv", index=False)
    project.write("bad.yaml", config)
    output = project.run("--configfile", "bad.yaml", code=1)
    assert sentence in output
    assert "Traceback" not in output
    assert not (project.folder / "results").exists()


def test_a_config_that_is_not_yaml(project):
    project.write("bad.yaml", "run: [housing\n  - :")
    # Snakemake reads the file before the workflow does: the sentence is its own.
    output = project.run("--configfile", "bad.yaml", code=1)
    assert "not valid JSON or YAML" in output
    assert "Traceback" not in output


def test_a_text_file_called_parquet(project):
    (project.folder / "own.parquet").write_text("x,y\n1,2\n")
    data = {"path": "own.parquet", "target": "y", "task": "regression"}
    project.write(
        "bad.yaml", {"run": ["own"], "problems": {"own": {"kind": "table", "data": data}}}
    )
    output = project.run("--configfile", "bad.yaml", code=1)
    assert "data file 'own.parquet' cannot be read as parquet" in output
    assert "Traceback" not in output
