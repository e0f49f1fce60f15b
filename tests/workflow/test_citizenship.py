"""The workflow plans, lints, is formatted, and each rule says what it does."""

import re
import subprocess
import sys
from pathlib import Path

import yaml
from running import ROOT

BIN = Path(sys.executable).parent
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))


def rules() -> list[tuple[str, str]]:
    """Name and body of every rule and checkpoint with a script."""
    found = []
    for path in RULES:
        heads = r"^(?:rule|checkpoint|use rule \w+ as) (\w+)(?: with)?:\n"
        parts = re.split(heads, path.read_text(), flags=re.MULTILINE)
        found += list(zip(parts[1::2], parts[2::2], strict=True))
    return [(name, body) for name, body in found if "script:" in body]


def test_the_demo_plans(project):
    output = project.run("-n")
    assert "scan_batch" in output
    assert "dry-run" in output


def test_snakemake_lint_finds_nothing(project):
    assert "Congratulations" in project.run("--lint")


def test_snakefmt_finds_nothing():
    subprocess.run([BIN / "snakefmt", "--check", "Snakefile", "workflow"], cwd=ROOT, check=True)


def test_the_snakefile_is_a_table_of_contents():
    lines = [
        line
        for line in (ROOT / "Snakefile").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(lines) <= 60


def test_every_rule_has_docstring_log_environment_and_script():
    assert len(rules()) > 8
    for name, body in rules():
        assert body.lstrip().startswith('"'), f"{name} has no docstring"
        for directive in ("log:", "conda:", "output:"):
            assert directive in body, f"{name} has no {directive}"
        (script,) = re.findall(r'script:\s+"\.\./\.\./(.+?)"', body)
        assert (ROOT / script).is_file(), script


def test_every_environment_exists_and_is_pinned():
    for _, body in rules():
        (path,) = re.findall(r'conda:\s+"\.\./\.\./(.+?)"', body)
        environment = yaml.safe_load((ROOT / path).read_text())
        packages = [p for p in environment["dependencies"] if isinstance(p, str)]
        assert all("=" in package for package in packages if package != "pip")


def test_the_slurm_profile_knows_every_heavy_rule_and_no_other():
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    local = set(re.findall(r"(\w+),", (ROOT / "workflow/rules/local.smk").read_text()))
    text = "".join(path.read_text() for path in RULES)
    made = set(re.findall(r"^(?:rule|checkpoint|use rule \w+ as) (\w+)", text, re.MULTILINE))
    remote = made - local - {"geometry", "tabulated"}  # targets, without a script
    assert len(local) > 10
    assert local <= made
    assert set(profile["set-resources"]) == remote
    assert set(profile["slurm-array-jobs"].split(", ")) <= remote
    for resources in profile["set-resources"].values():
        assert {"mem_mb", "runtime"} >= set(resources) > set()


def test_every_target_of_make_says_what_it_does():
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    # Under `make test` a make would also say which folder it enters.
    command = ["make", "--no-print-directory", "help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in told.stdout.splitlines()] == phony.split()
