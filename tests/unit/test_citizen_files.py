"""Files that other machines read: GitHub Actions, the workflow catalog, the image.

None of them can run here, so they are read: what they name must exist.
"""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "CMD"}


def actions() -> dict:
    return yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())


def commands(job: dict) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_every_job_of_the_actions_is_bounded_and_checks_out():
    content = actions()
    # YAML 1.1 reads the key `on` as true.
    assert {"push", "pull_request"} == set(content[True])
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert job["steps"][0]["uses"].startswith("actions/checkout@v")
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])


def test_the_actions_lint_test_and_run_the_smoke_study_with_conda():
    jobs = actions()["jobs"]
    assert {"make lint", "make test"} <= set(commands(jobs["lint-and-tests"]))
    smoke = "\n".join(commands(jobs["smoke-study-with-conda"]))
    assert "--sdm conda --configfile workflow/studies/smoke.yaml" in smoke
    assert "--report" in smoke


def test_what_the_actions_name_exists():
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for job in actions()["jobs"].values():
        for command in commands(job):
            for target in re.findall(r"\bmake ([a-z-]+)", command):
                assert target in targets
            for path in re.findall(r"(?:workflow|tests)/[\w./-]+", command):
                assert (ROOT / path).exists(), path


def test_the_planning_packages_are_those_of_the_lock():
    lock = (ROOT / "requirements.lock").read_text()
    (install,) = [
        c for c in commands(actions()["jobs"]["smoke-study-with-conda"]) if "pip install" in c
    ]
    pins = re.findall(r"[\w-]+==\S+", install)
    assert len(pins) == 2
    assert all(re.search(rf"^{re.escape(pin)}\b", lock, re.MULTILINE) for pin in pins)


def test_the_catalog_file():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines()]


def test_the_image():
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert found[0][0] == "FROM"
    image, tag = found[0][1].split(":")
    assert image == "python"
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert tag.startswith(wanted.removeprefix(">="))
    # Nothing runs as root, and what was downloaded to install does not stay.
    assert [value for name, value in found if name == "USER"] == ["study"]
    runs = [value for name, value in found if name == "RUN"]
    assert all("rm -rf /var/lib/apt/lists" in run for run in runs if "apt-get" in run)
    assert all("--no-cache-dir" in run for run in runs if "pip install" in run)
    assert any("--require-hashes" in run for run in runs)


@pytest.mark.parametrize("value", [v for name, v in instructions() if name == "COPY"])
def test_what_the_image_copies_exists_and_is_not_ignored(value):
    ignored = (ROOT / ".dockerignore").read_text().split()
    for source in value.split()[:-1]:
        assert (ROOT / source).exists()
        assert source not in ignored
