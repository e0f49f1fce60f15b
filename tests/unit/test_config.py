"""Every bad config is refused with one sentence that names key, value and remedy."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from tilesearch.config import check, check_data
from tilesearch.errors import InputError
from tilesearch.problems import BOOSTED, FUSED, KINDS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
RULES = yaml.safe_load(SCHEMA.read_text())

# A registered sampler that the check does not know is somebody else's test.
DEFAULT["samplers"] = ["grid", "random", "lhs"]


@pytest.fixture
def config():
    changed = deepcopy(DEFAULT)
    changed["problems"]["housing"]["data"]["path"] = str(
        ROOT / DEFAULT["problems"]["housing"]["data"]["path"]
    )
    return changed


def put(config, path, value):
    """Set the entry at a dotted path; `...` deletes it."""
    *folders, last = path.split(".")
    for folder in folders:
        config = config.setdefault(folder, {})
    if value is ...:
        del config[last]
    else:
        config[last] = value


def sentence(config, checker=lambda c: check(c, SCHEMA)):
    with pytest.raises(InputError) as caught:
        checker(config)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert "Traceback" not in text
    return text


def test_the_default_config_is_valid(config):
    assert list(check(config, SCHEMA).problems) == DEFAULT["run"]
    check_data(check(config | {"run": ["housing"]}, SCHEMA))


@pytest.mark.parametrize("path", sorted((ROOT / "workflow" / "studies").glob("*.yaml")), ids=str)
def test_the_other_studies_are_valid(config, path):
    def merge(base, other):
        for key, value in other.items():
            both = isinstance(value, dict) and isinstance(base.get(key), dict)
            base[key] = merge(base[key], value) if both else value
        return base

    merged = merge(config, yaml.safe_load(path.read_text()))
    known = [s for s in merged["samplers"] if s in ("grid", "random", "lhs")]
    assert check(merged | {"samplers": known}, SCHEMA).space_studies


B = "boosting."
UNIT = {"low": 0.0, "high": 1.0}


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        # unknown keys, at every depth
        ("sed", 3, ["'sed'", "unknown", "seed"]),
        ("training.points_per_jobs", 3, ["'training.points_per_jobs'", "points_per_job"]),
        (B + "batches.nunber", 3, ["'boosting.batches.nunber'", "number"]),
        (B + "scan.on_the_edge", "drop", ["'boosting.scan.on_the_edge'", "on_edge"]),
        (B + "spaces.d2.resolution", [2], ["'boosting.spaces.d2.resolution'", "resolutions"]),
        (B + "parameters.max_depth.lo", 1, ["'boosting.parameters.max_depth.lo'", "low"]),
        (B + "batches.fractions.valid", 0.1, ["fractions.valid'", "validation"]),
        ("problems.housing.modle", {}, ["'problems.housing.modle'", "model"]),
        ("problems.housing.data.target", "x", ["'problems.housing.data.target'", "path"]),
        # missing ones
        ("seed", ..., ["'seed'", "missing"]),
        ("training", {}, ["'training.points_per_job'", "missing"]),
        ("problems.housing.data", {}, ["'problems.housing.data.path'", "missing"]),
        ("problems.housing", {"data": {"path": "x"}}, ["'problems.housing.kind'", "missing"]),
        ("problems.housing.batches", {"fractions": {"train": 1}}, ["test'", "missing"]),
        # unknown names
        ("run", ["mosel"], ["run", "'mosel'", "housing"]),
        ("samplers", ["grid", "lsh"], ["samplers", "'lsh'", "lhs"]),
        ("problems.housing.kind", "hosing", ["problems.housing.kind", "'hosing'", "table"]),
        ("problems.housing.parameters", {"x": UNIT}, ["problems.housing", "'x'", "max_depth"]),
        (B + "spaces.d2.parameters", ["depth"], ["spaces.d2.parameters", "'depth'", "max_depth"]),
        (B + "parameters.max_depth.type", "integer", ["max_depth.type", "'integer'", "float, int"]),
        (B + "parameters.max_depth.scale", "ln", ["max_depth.scale", "'ln'", "linear, log"]),
        (B + "scan.on_edge", "keep", ["scan.on_edge", "'keep'", "drop, expand"]),
        (B + "scan.domain.depth", [1, 2], ["scan.domain", "'depth'", "remove"]),
        (B + "features", "all", ["boosting.features", "'all'", "none"]),
        # ranges
        (B + "parameters.max_depth.low", 22, ["'max_depth'", "22", "smaller than high"]),
        (B + "parameters.max_depth.low", 30, ["'max_depth'", "30", "smaller than high"]),
        (B + "parameters.max_depth.low", 8.5, ["'max_depth'", "8.5", "whole numbers"]),
        (
            B + "parameters.learning_rate",
            {"low": 0, "high": 1, "scale": "log"},
            ["'learning_rate'", "low is 0", "greater than 0"],
        ),
        (B + "parameters.learning_rate.high", float("inf"), ["learning_rate.high", "inf"]),
        (B + "parameters.learning_rate.high", float("nan"), ["learning_rate.high", "nan"]),
        (B + "parameters.max_depth.type", "float", ["max_depth.type", "float", "int"]),
        (B + "scan.domain.max_depth", [9, 29], ["scan.domain.max_depth", "[9, 29]", "contain"]),
        (B + "scan.domain.max_depth", [29, 1], ["scan.domain.max_depth", "[29, 1]", "contain"]),
        (B + "scan.domain.max_depth", [1], ["scan.domain.max_depth", "[1]", "at least 2"]),
        (B + "scan.domain.max_depth", [-1, 29], ["max_depth", "-1", "at least 1"]),
        (B + "scan.domain.learning_rate", [0, 0.5], ["learning_rate", "0", "greater than 0"]),
        (
            "problems.housing.parameters",
            {"feature_fraction": {"low": 0.5, "high": 1.5}},
            ["problems.housing.parameters.feature_fraction", "ends at 1.5", "at most 1"],
        ),
        (
            "problems.housing.parameters",
            {"num_leaves": {"low": 4, "high": 64}},
            ["problems.housing.parameters.num_leaves.type", "float", "int"],
        ),
        ("problems.icecube.data.neighbours", 8, ["parameters.k", "16", "neighbours", "set"]),
        ("problems.icecube.data.neighbours", 20, ["scan.domain.k", "32", "neighbours is 20"]),
        ("problems.bjet.scan.domain.epochs", [0, 90], ["domain.epochs", "0", "at least 1"]),
        ("problems.cifar10.parameters.units.type", "float", ["units.type", "float", "int"]),
        (B + "scan.resolution", 2, ["scan.resolution", "2", "at least 3"]),
        (B + "spaces.d2.resolutions", [0, 2], ["resolutions.0", "is 0", "at least 1"]),
        (B + "spaces.d2.resolutions", [2, 2], ["resolutions", "[2, 2]", "nothing twice"]),
        (B + "spaces.d2.resolutions", [], ["spaces.d2", "no resolutions and no points"]),
        (
            B + "spaces.d3",
            {"unimportant": 1, "resolutions": [200]},
            ["spaces.d3", "8000000", "lower"],
        ),
        (B + "spaces.d2.points", [0], ["spaces.d2.points.0", "is 0", "at least 1"]),
        (B + "spaces", {"d2": None}, ["spaces is empty", "give one"]),
        (B + "spaces", {}, ["boosting.spaces", "at least 1"]),
        (B + "spaces.D2", {"points": [3]}, ["'D2'", "boosting.spaces", "lower-case"]),
        ("problems.my_table", {}, ["'my_table'", "problems", "lower-case"]),
        (B + "features.keep", 0, ["features.keep", "0", "at least 1"]),
        (B + "batches.number", 0, ["batches.number", "0", "at least 1"]),
        (B + "batches.size", 1000, ["batches.size", "1000", "type string"]),
        (B + "batches.size", "gauss(1, 2)", ["problems.housing", "'gauss(1, 2)'", "normal(mean"]),
        (B + "batches.overlap", "yes", ["batches.overlap", "'yes'", "boolean"]),
        (B + "batches.fractions.test", 0.3, ["fractions", "1.1", "train 0.6", "add up to 1"]),
        (B + "batches.fractions.test", 0, ["fractions.test", "0", "greater than 0"]),
        (B + "batches.fractions.train", float("nan"), ["fractions.train", "nan"]),
        (
            B + "batches.fractions",
            {"train": 0.8, "test": 0.2},
            ["fractions.validation", "early stopping"],
        ),
        ("training.points_per_job", 0, ["points_per_job", "0", "at least 1"]),
        ("figures.dpi", 72, ["figures.dpi", "72", "at least 150"]),
        ("seed", -1, ["seed", "-1", "at least 0"]),
        # empty lists
        ("samplers", [], ["samplers", "[]", "at least 1"]),
        (
            "boosting.model.lightgbm",
            {"min_child_sample": 3},
            ["model.lightgbm", "'min_child_sample'", "min_child_samples"],
        ),
        ("boosting.model.lightgbm", {7: 3}, ["model.lightgbm", "'7'"]),
        ("samplers", ["grid", "lhs"], ["statistics.baseline", "'random'", "add it there"]),
        ("run", [], ["run", "[]", "at least 1"]),
        # types, and what YAML makes of numbers
        ("seed", "3", ["seed", "'3'", "integer"]),
        ("seed", True, ["seed", "True", "integer"]),
        ("samplers", "grid", ["samplers", "'grid'", "array"]),
        (B + "parameters.learning_rate.low", "1e-4", ["learning_rate.low", "'1e-4'", "1.0e-4"]),
        # whole numbers with a dot: YAML and JSON schema differ, and range(2.0) is an error
        ("training.points_per_job", 10.0, ["points_per_job", "10.0", "integer"]),
        (B + "spaces.d2.resolutions", [2.0], ["resolutions.0", "2.0", "integer"]),
        (B + "features.keep", 20.0, ["features.keep", "20.0", "integer"]),
        # what only a problem's own section can break
        ("problems.housing.spaces", {"s": {"points": [3], "coefficients": 7}}, ["7", "at most 6"]),
    ],
)
def test_a_bad_entry_is_refused(config, path, value, parts):
    put(config, path, value)
    text = sentence(config)
    for part in parts:
        assert part in text, text


def test_yaml_reads_powers_of_ten_without_a_dot_as_text(config):
    config["boosting"]["parameters"] |= yaml.safe_load("learning_rate: {low: 1e-4, high: 0.1}")
    assert "YAML reads 1e-4 as text: write 1.0e-4" in sentence(config)


@pytest.mark.parametrize("whole", [None, [], "text", 3])
def test_a_config_that_is_no_mapping(whole):
    assert "of type object" in sentence(whole)


@pytest.mark.parametrize(
    ("name", "remedy"), [("learning_rate", "greater than 0"), ("max_depth", "at least 1")]
)
def test_a_range_that_lightgbm_refuses(config, name, remedy):
    config["boosting"]["scan"]["on_edge"] = "drop"
    config["boosting"]["parameters"][name]["low"] = 0
    text = sentence(config)
    assert f"problems.housing.parameters.{name} begins at 0" in text
    assert remedy in text


def test_a_problem_of_other_parameters_need_not_repeat_the_scan(config):
    ranges = {"num_leaves": {"low": 4, "high": 64, "type": "int"}, "lambda_l2": UNIT}
    config["problems"]["housing"]["parameters"] = ranges
    problem = check(config, SCHEMA).problems["housing"]
    assert problem.domain == {"num_leaves": (4, 64), "lambda_l2": (0.0, 1.0)}
    assert problem.scan_space.parameters == problem.parameters


def test_coefficients_need_a_regression(config):
    config["problems"]["own"] = {
        "kind": "table",
        "data": {"path": "x.csv", "target": "y", "task": "classification"},
        "spaces": {"d3": {"coefficients": 1, "points": [3]}},
    }
    config["run"] = ["own"]
    text = sentence(config)
    assert "problems.own: spaces.d3.coefficients is 1" in text
    assert "remove the key" in text


def test_features_of_a_problem_must_be_complete(config):
    config["boosting"]["features"] = "none"
    config["problems"]["housing"]["features"] = {"keep": 5}
    text = sentence(config)
    assert "problems.housing.features.trials" in text
    assert "missing" in text


def test_a_scan_that_does_not_expand_does_not_look_at_its_domain(config):
    config["boosting"]["parameters"]["learning_rate"]["low"] = 0.001
    assert "scan.domain.learning_rate" in sentence(config)
    config["boosting"]["scan"]["on_edge"] = "drop"
    check(config, SCHEMA)


def test_a_dimension_that_a_sampler_does_not_reach(config):
    config["samplers"] = ["random", "grid", "hypertiling"]
    config["boosting"]["spaces"] = {"d9": {"unimportant": 6, "coefficients": 1, "points": [3]}}
    text = sentence(config)
    for part in ("spaces.d9", "9 dimensions", "hypertiling", "8"):
        assert part in text


# Data files


def read_and_check(config):
    check_data(check(config, SCHEMA))


@pytest.fixture
def own(config, tmp_path):
    path = tmp_path / "own.csv"
    rows = "\n".join(f"{i},{i % 7},{i % 3},5,{'' if i else 'x'}" for i in range(200))
    path.write_text("a,b,c,same,sparse\n" + rows)
    config["run"] = ["own"]
    config["problems"]["own"] = {
        "kind": "table",
        "data": {"path": str(path), "target": "a", "task": "regression"},
        "features": "none",
        "batches": {"number": 2, "size": "equal"},
    }
    return config


def test_own_data_by_config_alone(own):
    read_and_check(own)
    own["problems"]["own"]["features"] = {"keep": 3}
    read_and_check(own)


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("data.path", "no/such.csv", ["problems.own", "'no/such.csv'", "does not exist"]),
        ("data.target", "z", ["problems.own", "data.target is 'z'", "a, b, c"]),
        ("data.target", "same", ["problems.own", "'same'", "constant"]),
        ("data.target", "sparse", ["problems.own", "'sparse'", "199 missing"]),
        ("data.drop", ["z"], ["problems.own", "data.drop", "'z'"]),
        ("features", {"keep": 4}, ["problems.own.features.keep is 4", "only 3 features"]),
        ("features", {"keep": 20}, ["problems.own.features.keep is 20", "only 3 features"]),
        ("batches.size", "equal(101)", ["problems.own.batches", "202 rows", "has 200"]),
        ("batches.number", 201, ["problems.own.batches.number is 201", "200 rows"]),
        ("batches.number", 100, ["problems.own.batches", "2 rows", "larger batches"]),
    ],
)
def test_data_that_does_not_fit_is_refused_before_the_first_job(own, path, value, parts):
    put(own["problems"]["own"], path, value)
    text = sentence(own, read_and_check)
    for part in parts:
        assert part in text, text


@pytest.mark.parametrize("name", ["text.parquet", "junk.csv", "empty.csv"])
def test_a_file_that_is_not_what_its_ending_says_is_named(own, tmp_path, name):
    content = {"text.parquet": b"a,b\n1,2\n", "junk.csv": bytes(range(256)), "empty.csv": b""}
    (tmp_path / name).write_bytes(content[name])
    own["problems"]["own"]["data"]["path"] = str(tmp_path / name)
    assert name in sentence(own, read_and_check)


def test_problems_that_are_not_run_need_no_data(own):
    own["problems"]["other"] = deepcopy(own["problems"]["own"])
    own["problems"]["other"]["data"]["path"] = "no/such.csv"
    read_and_check(own)


# Config and schema in step


def test_every_section_of_the_schema_refuses_unknown_keys():
    def walk(node, path):
        if isinstance(node, dict):
            if "properties" in node and ("type" in node or "additionalProperties" in node):
                free = path.endswith("$defs.problem")  # closed kind by kind
                assert free or node.get("additionalProperties") is not None, path
            for key, value in node.items():
                walk(value, f"{path}.{key}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                walk(value, f"{path}.{index}")

    walk(RULES, "")


def resolve(node):
    while "$ref" in node:
        node = RULES["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def schema_keys(node, path=""):
    """Dotted paths of the keys that the schema names; entries under free names are left out."""
    node = resolve(node)
    for branch in (node.get("then"), node.get("else")):
        if isinstance(branch, dict):
            yield from schema_keys(branch, path)
    for key, value in node.get("properties", {}).items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from schema_keys(value, f"{path}{key}.")


def config_keys(node, path=""):
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{path}{key}"
            yield from config_keys(value, f"{path}{key}.")


FREE = ("boosting.parameters.", "boosting.spaces.", "boosting.scan.domain.", "problems.")


def test_config_and_schema_name_the_same_keys():
    in_config = {key for key in config_keys(DEFAULT) if not key.startswith(FREE)}
    in_schema = {key for key in schema_keys(RULES) if not key.startswith(FREE)}
    assert in_config == in_schema


def test_parameters_of_the_default_config_give_every_key():
    properties = RULES["$defs"]["parameters"]["additionalProperties"]["properties"]
    for parameter in DEFAULT["boosting"]["parameters"].values():
        assert set(parameter) == set(properties)


def test_every_parameter_that_can_be_searched_has_limits():
    for kind in KINDS.values():
        limits = BOOSTED if kind.engine == "boosting" else FUSED
        assert set(kind.parameters) <= set(limits)
