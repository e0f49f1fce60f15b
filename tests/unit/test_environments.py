"""Conda environments: as the lock file has it, and enough for every script that runs in them.

No conda is needed: the files are read, the scripts' imports are followed.
"""

import ast
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))

#: Where a package is imported under another name.
PACKAGES = {
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "scikit_posthocs": "scikit-posthocs",
    "tensorflow": "tensorflow-cpu",
    "mpl_toolkits": "matplotlib",
}
#: What the lazy imports of a kind's trainer need; see tilesearch.problems.KINDS.
ENGINES = {"boosting": {"lightgbm", "shap", "optuna"}, "networks": {"tensorflow-cpu", "keras"}}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text()
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {plain(name): version for name, version in found}


def pins(path: Path) -> dict[str, str]:
    """Packages of an environment, conda's and pip's, with their versions."""
    content = yaml.safe_load(path.read_text())
    found = {}
    for entry in content["dependencies"]:
        for text in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, _, version = text.replace("==", "=").partition("=")
            found[plain(name)] = version
    return found


def rules() -> dict[str, tuple[str, str]]:
    """Environment and script of every rule, those made by `use rule` too."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        heads = r"^(?:rule|checkpoint|use rule) (\w+)(?: as (\w+) with)?:\n"
        parts = re.split(heads, path.read_text(), flags=re.MULTILINE)
        for name, new, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            environment = re.search(r'conda:\s+"\.\./\.\./envs/(.+?)"', body)
            script = re.search(r'script:\s+"\.\./\.\./scripts/(.+?)"', body)
            if script or new:
                script = script[1] if script else BASES[name]
                BASES[new or name] = script
                found[new or name] = (environment[1], script)
    return found


BASES: dict[str, str] = {"scan_batch": "scan_batch.py", "train": "train.py"}


def module_file(name: str) -> Path | None:
    """File of a module of the project."""
    path = SCRIPTS / Path(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def top_level(path: Path) -> set[str]:
    """Modules that importing a file imports at once."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
            # `from package import module` imports a module of the project, too.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def needed(path: Path) -> frozenset[str]:
    """Packages that a script needs to be imported, through the project's own modules."""
    found, seen, waiting = set(), set(), [path]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in top_level(file):
            own = module_file(name)
            first = name.split(".")[0]
            if own is not None:
                parents = [module_file(".".join(name.split(".")[:k])) for k in range(1, 4)]
                waiting += [own, *(p for p in parents if p is not None)]
            elif first not in sys.stdlib_module_names and module_file(first) is None:
                found.add(plain(PACKAGES.get(first, first)))
    return frozenset(found)


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_pins_are_those_of_the_lock_file(path):
    content = yaml.safe_load(path.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    assert content["name"] == f"tilesearch-{path.stem}"
    found = pins(path)
    assert found.pop("python") == "3.11"
    found.pop("pip", None)  # for the pip section
    assert len(found) > 4
    assert found == {name: locked().get(name) for name in found}


def test_every_rule_has_an_environment_and_every_environment_a_rule():
    assert len(rules()) > 15
    assert {environment for environment, _ in rules().values()} == {p.name for p in ENVIRONMENTS}


@pytest.mark.parametrize("rule", sorted(rules()))
def test_the_environment_of_a_rule_holds_what_its_script_imports(rule):
    environment, script = rules()[rule]
    wanted = needed(SCRIPTS / script)
    assert "pandas" in wanted or "numpy" in wanted, "the imports were not followed"
    missing = wanted - set(pins(ROOT / "envs" / environment))
    assert not missing, f"{rule} runs {script} in {environment}, which lacks {sorted(missing)}"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_environment_of_an_engine_holds_the_engine(engine):
    assert set(pins(ROOT / f"envs/{engine}.yaml")) >= ENGINES[engine]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_pins_do_not_contradict_each_other(path):
    """Every package accepts the pinned version of every other in its environment."""
    from packaging.requirements import Requirement

    found = pins(path)
    for name in found:
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:
            continue  # python and pip
        for requirement in map(Requirement, wanted):
            version = found.get(plain(requirement.name))
            if version and version != "3.11" and not requirement.marker:
                assert version in requirement.specifier, f"{name} wants {requirement}"
