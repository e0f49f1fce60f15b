"""Hundreds of broken configs: each is refused in one sentence, or is valid; none is a traceback."""

import random
import time
from copy import deepcopy
from datetime import date

import numpy as np
import pytest
import yaml
from running import ROOT

from tilesearch import config as module
from tilesearch.config import check, load
from tilesearch.errors import InputError
from tilesearch.space import Parameter, Space
from tilesearch.study import Study

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
NUMBER = 1200
BLOCKS = 12

#: What may stand where something else belongs. Each is made anew.
VALUES = [
    lambda: None,
    lambda: True,
    lambda: 0,
    lambda: -1,
    lambda: 1,
    lambda: 2.5,
    lambda: -0.0,
    lambda: 10**9,
    lambda: 10**30,
    lambda: 10**400,
    lambda: -(10**400),
    lambda: 1e308,
    lambda: 5e-324,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: float("-inf"),
    lambda: "",
    lambda: " ",
    lambda: "1e-4",
    lambda: "none",
    lambda: "word",
    lambda: "ünïcødé ☃ 𝔘",
    lambda: "\ud800",  # half of a surrogate pair
    lambda: "two\nlines\u2028three",
    lambda: "\x00",
    lambda: "../../etc/passwd",
    lambda: "$(touch /tmp/x); `id`",
    lambda: "{problem}",
    lambda: "%s%n",
    lambda: "x" * 100_000,
    lambda: [],
    lambda: {},
    lambda: [None],
    lambda: [[]],
    lambda: [1, "1", 1.0, True],
    lambda: {"": None},
    lambda: {1: 2},
    lambda: {None: 1},
    lambda: {"a": {"b": {"c": {"d": 1}}}},
    lambda: date(2023, 6, 1),
    lambda: b"bytes",
    lambda: {1, 2},
]


def places(tree, path=()):
    """Paths of all sections, lists and values below `tree`."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def parent(tree, path):
    for key in path[:-1]:
        tree = tree[key]
    return tree


def replace(rng, tree, path):
    parent(tree, path)[path[-1]] = rng.choice(VALUES)()


def remove(rng, tree, path):
    del parent(tree, path)[path[-1]]


def misspell(rng, tree, path):
    above, key = parent(tree, path), path[-1]
    if isinstance(above, dict):
        above[f"{key}{rng.choice(['s', '_', ' ', 'é', '.'])}"] = above.pop(key)
    else:
        above.append(above[key])  # named twice


def add(rng, tree, path):
    above = parent(tree, path)
    if isinstance(above, dict):
        above[rng.choice(["extra", "", "Kind", 7, None, 1.5, "ä", "a b", "-", "x" * 300])] = (
            rng.choice(VALUES)()
        )
    else:
        above.insert(0, rng.choice(VALUES)())


def nest(rng, tree, path):
    above, key = parent(tree, path), path[-1]
    depth = rng.choice([1, 2, 50])
    for _ in range(depth):
        above[key] = {"nested": above[key]} if rng.random() < 0.5 else [above[key]]


def scale(rng, tree, path):
    above, key = parent(tree, path), path[-1]
    if isinstance(above[key], (int, float)) and not isinstance(above[key], bool):
        above[key] *= rng.choice([-1, 0, 0.5, 1000, 10**12])
    else:
        replace(rng, tree, path)


def swap(rng, tree, path):
    """Two values change places."""
    other = rng.choice(list(places(tree)))
    if path == other[: len(path)] or other == path[: len(other)]:
        replace(rng, tree, path)
        return
    one, two = parent(tree, path), parent(tree, other)
    one[path[-1]], two[other[-1]] = two[other[-1]], one[path[-1]]


MUTATIONS = (replace, replace, replace, remove, misspell, add, nest, scale, swap)


def mutated(seed: int) -> tuple[dict, str]:
    """The demo study with one, sometimes two or three, random changes."""
    rng = random.Random(seed)  # noqa: S311
    config = deepcopy(BASE)
    told = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path = rng.choice(list(places(config)))
        mutation = rng.choice(MUTATIONS)
        mutation(rng, config, path)
        told.append(f"{mutation.__name__} {'.'.join(map(str, path))}")
    return config, "; ".join(told)


BASE = load([ROOT / "config.yaml"])
# All kinds of sections are there to be broken: a table and the other forms of what may be given.
BASE["problems"]["own"] = {
    "kind": "table",
    "data": {"path": "own.csv", "target": "y", "task": "regression", "drop": ["id"]},
    "features": "none",
    "batches": {"number": 3, "size": "uniform(100, 200)"},
    "spaces": {
        "d2": None,
        "d4": {"resolutions": [2], "points": [7], "coefficients": 2},
        "rate": {"parameters": ["learning_rate"], "unimportant": 1, "points": [5]},
    },
}
BASE["run"] = [*BASE["run"], "own"]


@pytest.fixture(scope="module", autouse=True)
def _schema_read_once():
    """The schema is the same each time: reading it is most of a check's time."""
    once = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    patch = pytest.MonkeyPatch()
    patch.setattr(module.yaml, "safe_load", lambda stream: once)
    yield
    patch.undo()


def verdict(config: dict) -> str:
    """Refused, accepted, or what went wrong."""
    begun = time.perf_counter()
    try:
        result = check(config, SCHEMA)
    except InputError as error:
        text = str(error)
        if len(text.splitlines()) != 1 or not text.isprintable():
            return f"not one line: {text!r}"
        if len(text) > 1000:
            return f"{len(text)} characters"
        try:
            text.encode()
        except UnicodeEncodeError:
            return f"cannot be printed: {text!r}"
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    if time.perf_counter() - begun > 5:
        return "accepted after more than 5 s"
    return "accepted" if isinstance(result, Study) else f"returned {result!r}"


def test_the_base_is_valid():
    assert verdict(deepcopy(BASE)) == "accepted"


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_mutation_is_refused_in_one_sentence_or_valid(block):
    verdicts = {}
    for seed in range(block, NUMBER, BLOCKS):
        config, told = mutated(seed)
        verdicts[f"{seed}: {told}"] = verdict(config)
    wrong = {k: v for k, v in verdicts.items() if v not in ("refused", "accepted")}
    assert not wrong, "\n".join(f"{k} -> {v}" for k, v in wrong.items())
    # Most changes must be noticed.
    assert list(verdicts.values()).count("refused") > len(verdicts) / 2


def test_a_config_that_holds_itself():
    config = deepcopy(BASE)
    config["boosting"]["model"]["lightgbm"] = loop = {}
    loop["loop"] = loop
    config["problems"]["housing"]["data"] = {"path": loop}
    assert verdict(config) == "refused"


@pytest.mark.parametrize("ends", [(0, 10**400), (-1e308, 1e308), (float("nan"), 1.0)])
def test_a_range_that_floats_cannot_hold(ends):
    with pytest.raises(InputError, match=r"finite|too wide"):
        Parameter("x", *ends)


def test_a_range_of_huge_whole_numbers():
    values = Space("s", (Parameter("x", 1, 10**300, scale="log"),)).values(np.array([[0.0], [0.5]]))
    np.testing.assert_allclose(values["x"], [1.0, 1e150])


CLI = {
    "type": ("seed: yes please\n", "'seed' is 'yes please'"),
    "range": ("training: {points_per_job: 0}\n", "'training.points_per_job' is 0"),
    "nan": ("boosting: {parameters: {learning_rate: {low: .nan, high: 1.0}}}\n", "finite"),
    "nesting": ("samplers: [[[grid]]]\n", "'samplers.0' is"),
    "unicode": ("problems: {wörter: {kind: table, data: {}}}\n", "'wörter'"),
    "path": ("results: ../$(id)\n", "'results' is '../$(id)'"),
    "huge": (f"seed: {10**400}\n", "at most 9007199254740991"),
    "list for a section": ("boosting: [1, 2]\n", "'boosting' is [1, 2]"),
}


@pytest.mark.parametrize("name", CLI)
def test_refused_on_the_command_line(project, name):
    text, sentence = CLI[name]
    project.write("bad.yaml", text)
    output = project.run("--configfile", "bad.yaml", code=1)
    assert sentence in output
    assert "Traceback" not in output
    assert not (project.folder / "results").exists()
