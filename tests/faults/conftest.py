"""A finished study to be damaged, and small disks."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from kills import RUN, STUDY
from running import Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A study run to its scores; tests copy it first."""
    project = Project(tmp_path_factory.mktemp("faults") / "finished")
    project.write("study.yaml", STUDY)
    project.run(*RUN)
    return project


@contextmanager
def mounted(folder: Path, *arguments: str):
    """Something mounted on `folder`; the test is skipped where that is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    done = subprocess.run(["mount", *arguments, folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=4m", "tmpfs") as folder:
        yield folder


@pytest.fixture
def mount():
    return mounted
