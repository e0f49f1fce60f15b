"""`snakemake --sdm conda` with a stand-in for conda: every environment runs its own scripts.

Each environment of envs/ becomes an empty venv with the packages that it names (make test-conda;
it needs a package index).
"""

import os
from pathlib import Path

import pandas as pd
import pytest
import standin
from running import NETWORKS, ROOT, Project

CONDA = ("--sdm", "conda", "--conda-prefix")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory) -> Path:
    """Folder of the environments, which both studies use."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(autouse=True)
def _conda(tmp_path, monkeypatch):
    own = standin.install(tmp_path / "conda")
    monkeypatch.setenv("PATH", f"{own}{os.pathsep}{os.environ['PATH']}")
    # Nothing of the environment of the tests may reach the scripts.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    # What is imported is compiled once; compiling all that is installed takes longer.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


def assert_made(prefix: Path, *names: str) -> None:
    """Exactly these environments are there."""
    wanted = {(ROOT / f"envs/{name}.yaml").read_text() for name in names}
    assert {path.read_text() for path in prefix.glob("*.yaml")} == wanted
    for path in prefix.glob("*.yaml"):
        assert path.with_suffix(".env_setup_done").exists()


def test_the_smoke_study_gives_the_evaluations_of_the_locked_packages(prefix, tmp_path):
    local, remote = Project(tmp_path / "local"), Project(tmp_path / "remote")
    table, smoke = "results/smoke/housing/d2/evaluations.parquet", "workflow/studies/smoke.yaml"
    local.run(table, "--configfile", smoke, seconds=1200)
    remote.run("--configfile", smoke, *CONDA, prefix, seconds=2400)
    assert_made(prefix, "analysis", "boosting", "sampling")
    found, wanted = (
        pd.read_parquet(p.folder / table).drop(columns="seconds") for p in (remote, local)
    )
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    assert (remote.folder / "results/smoke/report.html").stat().st_size > 10_000


def test_a_study_of_networks_runs_to_its_evaluations(prefix, tmp_path):
    project = Project(tmp_path / "networks")
    project.write("networks.yaml", NETWORKS)
    table = "results/small/bjet/d2/evaluations.parquet"
    project.run(table, "--configfile", "networks.yaml", *CONDA, prefix, seconds=2400)
    assert any("networks" in path.read_text() for path in prefix.glob("*.yaml"))
    assert (pd.read_parquet(project.folder / table).status == "ok").all()
