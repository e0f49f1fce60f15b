"""What the project's code may not do; each rule reads the syntax trees of all its Python files."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "scripts").rglob("*.py"))
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
DOWNLOAD = ROOT / "scripts/tilesearch/problems/download.py"

#: Modules that run what they read, or fetch what nobody has checked.
FORBIDDEN_IMPORTS = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve",
    "urllib", "urllib3", "requests", "http", "ftplib", "telnetlib", "subprocess", "pty",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pd.read_pickle",
    "pandas.read_pickle", "tempfile.mktemp", "shutil.unpack_archive", "yaml.load",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "input",
}  # fmt: skip


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def calls(tree: ast.AST) -> list[tuple[str, ast.Call]]:
    """Dotted name of what is called, and the call."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            found.append((ast.unparse(node.func), node))
    return found


def keyword(call: ast.Call, name: str) -> object:
    """Constant value of a keyword of a call; None if it is not given."""
    for given in call.keywords:
        if given.arg == name:
            return ast.literal_eval(given.value)
    return None


def faults(source: str, where: Path) -> list[str]:
    """What is wrong with a file, one line each."""
    tree = ast.parse(source)
    found = [f"imports {name}" for name in imports(tree) & FORBIDDEN_IMPORTS]
    for name, call in calls(tree):
        last = name.split(".")[-1]
        if name in FORBIDDEN_CALLS:
            found.append(f"calls {name}")
        if last == "load" and keyword_is_true(call, "allow_pickle"):  # numpy's default is False
            found.append("lets numpy unpickle")
        if (
            last in ("extract", "extractall")
            and "tar" in name
            and keyword(call, "filter") != "data"
        ):
            found.append("unpacks without filter='data'")
        if keyword_is_true(call, "shell"):
            found.append("calls with shell=True")
        if name == "pooch.retrieve" and where != DOWNLOAD:
            found.append("downloads outside download.py")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [f"names {url}" for url in re.findall(r"^http://\S+", node.value)]
    return [f"{where.name} {fault}" for fault in found]


def keyword_is_true(call: ast.Call, name: str) -> bool:
    return any(
        given.arg == name and not (isinstance(given.value, ast.Constant) and not given.value.value)
        for given in call.keywords
    )


def test_the_code_does_none_of_it():
    assert len(SCRIPTS) > 50
    found = [fault for path in SCRIPTS for fault in faults(path.read_text(), path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "import yaml\nyaml.load(open('x'))",
        "np.load('x.npz', allow_pickle=True)",
        "tar.extractall('x')",
        "run('ls', shell=True)",
        "pooch.retrieve('https://a', known_hash=None)",
        "get('http://data.example')",
    ],
)
def test_each_of_it_would_be_found(code):
    assert faults(code, Path("x.py"))


def test_downloads_have_a_hash():
    (call,) = [c for name, c in calls(ast.parse(DOWNLOAD.read_text())) if name == "pooch.retrieve"]
    assert ast.unparse(call.args[1]).startswith("f'sha256:")


def test_no_rule_builds_a_shell_command():
    for path in RULES:
        assert not re.search(r"^\s+(shell|run|wrapper|notebook):", path.read_text(), re.MULTILINE)
        assert "shell(" not in path.read_text()


def test_ruff_watches_over_it():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    # S101: assert is allowed. Tests and benchmarks may start programs.
    assert {rule for rule in lint["ignore"] if rule.startswith("S")} <= {"S101", "SIM"}
    for where, rules in lint["per-file-ignores"].items():
        assert where.startswith(("tests", "benchmarks")) or not any(
            rule.startswith("S") for rule in rules
        )
