"""Reference studies: what is kept of a study redraws its figures, and no other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from running import ROOT

import keep_reference
import redraw_figures
from tilesearch.study import read

#: Figures that need the data, and diagrams that need no study.
NOT_KEPT = ("shap-", "example-", "diagrams/", "samplers/")


def call(script: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / script, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def figures(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def kept(small, tmp_path_factory) -> Path:
    """The small study, kept in a folder from which its results cannot be seen."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "config.yaml").write_bytes((ROOT / "config.yaml").read_bytes())
    results = small.folder / "results/small"
    done = call(
        "keep_reference.py", folder, "--configfile", small.folder / "small.yaml",
        "--results", results, "--evaluations",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_redrawn_figures_are_those_of_the_study(small, kept):
    done = call("redraw_figures.py", kept)
    assert done.returncode == 0, done.stderr
    drawn = figures(kept / "results/reference/small/figures")
    studied = figures(small.folder / "results/small/figures")
    assert set(drawn) == {name for name in studied if not any(k in name for k in NOT_KEPT)}
    assert {name for name in drawn if drawn[name] != studied[name]} == set()


def test_what_made_a_reference_is_kept_with_it(kept):
    folder = kept / "resources/reference/small"
    made = json.loads((folder / "made-with.json").read_text())
    assert made["machine"]["cores"] >= 1
    assert {"python", "numpy", "lightgbm"} <= set(made["versions"])
    assert yaml.safe_load((folder / "config.yaml").read_text())["results"] == "results/small"
    assert "train" in (folder / "run-times.csv").read_text()
    assert (folder / "housing/d2/evaluations.parquet").is_file()


def test_an_unfinished_study_is_refused(tmp_path):
    (tmp_path / "config.yaml").write_bytes((ROOT / "config.yaml").read_bytes())
    smoke = ROOT / "workflow/studies/smoke.yaml"
    done = call("keep_reference.py", tmp_path, "--configfile", smoke)
    assert done.returncode == 1
    assert "results/smoke/tables/minima.parquet' is missing, run the study" in done.stderr
    assert not (tmp_path / "resources").exists()


def test_without_a_reference_nothing_is_drawn(tmp_path):
    done = call("redraw_figures.py", tmp_path)
    assert done.returncode == 1
    assert "keep one with scripts/keep_reference.py" in done.stderr


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "resources/reference").glob("*/")), ids=lambda path: path.name
)
def test_a_committed_reference_is_whole(folder):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    for name in keep_reference.kept_files(read(config), evaluations=False):
        assert (folder / name).is_file(), name
    assert len(list(redraw_figures.drawings(folder, Path("figures")))) > 5
