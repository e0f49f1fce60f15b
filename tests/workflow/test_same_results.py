"""One config, one result: however the trainings are cut into jobs, and on however many cores."""

import shutil

import pandas as pd
import pytest
from running import NETWORKS, SMALL, Project

RESULTS = "results/small"


def trained_anew(prepared: Project, folder, name: str, config: dict, *options: str) -> pd.DataFrame:
    """Evaluations of a problem whose journals and trainings are forgotten."""
    project = prepared.copy(folder)
    own = project.folder / RESULTS / name
    shutil.rmtree(own / "journal")
    shutil.rmtree(own / "d2/evaluations")
    (own / "d2/evaluations.parquet").unlink()
    project.write("cut.yaml", config)
    target = f"{RESULTS}/{name}/d2/evaluations.parquet"
    project.run(target, "--configfile", "cut.yaml", *options)
    table = pd.read_parquet(project.folder / target)
    assert project.journal_rows(problem=name), "nothing was trained"
    return table.drop(columns="seconds")


def cut(config: dict, points_per_job: int) -> dict:
    return config | {"training": {"points_per_job": points_per_job}}


@pytest.mark.parametrize(
    ("points_per_job", "cores"), [(1000, 1), (1000, 2), (5, 2), (1, 2)], ids=str
)
def test_boosting_is_the_same_bit_for_bit(small, tmp_path, points_per_job, cores):
    config = cut(SMALL, points_per_job)
    found = trained_anew(small, tmp_path / "cut", "housing", config, "--cores", str(cores))
    wanted = pd.read_parquet(small.folder / RESULTS / "housing/d2/evaluations.parquet")
    pd.testing.assert_frame_equal(found, wanted.drop(columns="seconds"), check_exact=True)


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> Project:
    """A small study of networks, run to its evaluations."""
    project = Project(tmp_path_factory.mktemp("study") / "networks")
    project.write("networks.yaml", NETWORKS)
    project.run(f"{RESULTS}/bjet/d2/evaluations.parquet", "--configfile", "networks.yaml")
    return project


def test_networks_are_the_same_within_rounding(networks, tmp_path):
    """In other company a member's sums are rounded otherwise, which grows over the epochs."""
    config = cut(NETWORKS, 5)
    found = trained_anew(networks, tmp_path / "cut", "bjet", config, "--cores", "1")
    wanted = pd.read_parquet(networks.folder / RESULTS / "bjet/d2/evaluations.parquet")
    assert wanted.loss.nunique() >= 8
    pd.testing.assert_frame_equal(found, wanted.drop(columns="seconds"), rtol=1e-3)
