"""The cluster and the study of the SLURM tests; they run where TILESEARCH_SLURM=1 asks for them."""

import os
import signal
from copy import deepcopy

import cluster as slurm
import pytest
from running import SMALL, Project

#: One batch is scanned quickly and then trained for a quarter of a minute.
LONG = deepcopy(SMALL) | {"samplers": ["random"]}
LONG["boosting"]["batches"] = {"number": 1, "size": "equal(1000)"}
LONG["boosting"]["model"] = {"rounds": 200, "patience": 200}
LONG["boosting"]["spaces"] = {"d2": {"resolutions": [], "points": [150]}}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running cluster."""
    if os.environ.get("TILESEARCH_SLURM") != "1":
        pytest.skip("starts a SLURM cluster only where TILESEARCH_SLURM=1 (make test-slurm)")
    slurm.install()
    reason = slurm.missing()
    if reason:
        pytest.fail(reason)  # who asks for it must not be told that all is well
    # `timeout` ends pytest by SIGTERM: the daemons must not outlive it.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))
    with slurm.Cluster(tmp_path_factory.mktemp("slurm")) as running:
        yield running


@pytest.fixture(scope="session")
def prepared(cluster, tmp_path_factory) -> Project:
    """The long study up to its trainings, run without SLURM."""
    project = Project(tmp_path_factory.mktemp("study") / "prepared")
    project.write("long.yaml", LONG)
    folder = "results/small/housing"
    project.run(
        f"{folder}/screen.json", f"{folder}/d2/designs.parquet", "--configfile", "long.yaml"
    )
    return project
