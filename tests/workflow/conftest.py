"""Projects in which Snakemake runs."""

import pytest
from running import SMALL, Project


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Project:
    """The small study, run to its end; tests that change it copy it first."""
    project = Project(tmp_path_factory.mktemp("study") / "small")
    project.write("small.yaml", SMALL)
    project.run("--configfile", "small.yaml")
    return project


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh project in which nothing has run."""
    return Project(tmp_path / "project")
