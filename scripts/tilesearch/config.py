"""Refusing a bad config before the first job, in one sentence."""

import csv
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from pathlib import Path

import jsonschema
import yaml

from tilesearch import batches, study
from tilesearch.errors import InputError
from tilesearch.problems import BOOSTED, FUSED, Limits, module
from tilesearch.problems.lightgbm_names import LIGHTGBM_NAMES
from tilesearch.samplers import SAMPLERS, sampler_class
from tilesearch.space import Parameter

#: All samplers reach so many dimensions.
COMMON_DIMENSIONS = 8

#: Most points of one design; beyond it a typing error is likelier than a study.
MOST_POINTS = 1_000_000


def _is_integer(_, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_, value: object) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and isfinite(value))


#: JSON schema takes 2.0 for an integer, `range` does not; and no key may be NaN or infinite.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


#: What a config may hold, from the project's root.
SCHEMA = "workflow/schemas/config.schema.yaml"

#: Measured seconds per training: kind, rows of a batch, seconds on one core, machine.
SECONDS = "resources/reference/seconds-per-training.csv"


def load(paths: Sequence[str | Path]) -> dict:
    """Read config files, each laid over those before it, as Snakemake's ``--configfile`` does.

    Raises
    ------
    InputError
        If a file is missing or is no YAML mapping.
    """
    config: dict = {}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as stream:
                content = yaml.safe_load(stream)
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"config file '{path}' cannot be read: {reason}") from error
        if not isinstance(content, dict):
            raise InputError(f"config file '{path}' holds no keys, write key: value lines")
        _lay_over(config, content)
    return config


def _lay_over(below: dict, above: Mapping) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _lay_over(below[key], value)
        else:
            below[key] = value


def measured_seconds(path: str | Path = SECONDS) -> dict[str, dict[float, float]]:
    """Measured seconds of one training on one core: kind -> rows of a batch -> seconds."""
    seconds: dict[str, dict[float, float]] = {}
    if Path(path).is_file():
        with open(path, encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                seconds.setdefault(row["kind"], {})[float(row["rows"])] = float(row["seconds"])
    return seconds


def check(config: Mapping, schema: str | Path = SCHEMA) -> study.Study:
    """Check a config against its schema and in itself.

    Parameters
    ----------
    config : mapping
        The whole config, studies merged in.
    schema : path
        JSON schema as YAML.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        One sentence that names the key, its value and the remedy.
    """
    with open(schema, encoding="utf-8") as stream:
        rules = yaml.safe_load(stream)
    try:
        return _check(config, rules)
    except InputError as error:
        raise InputError(_one_line(str(error))) from None
    except RecursionError:
        raise InputError(
            "the config is nested too deeply or holds itself (an alias inside its own anchor), "
            "write the sections out"
        ) from None


def _check(config: Mapping, rules: Mapping) -> study.Study:
    errors = sorted(_Validator(rules).iter_errors(config), key=_order)
    if errors:
        raise InputError(_sentence(errors[0]))
    unknown = [name for name in config["samplers"] if name not in SAMPLERS]
    if unknown:
        raise InputError(
            f"samplers names '{unknown[0]}', which is unknown, take some of {', '.join(SAMPLERS)}"
        )
    baseline = config["statistics"]["baseline"]
    if baseline not in SAMPLERS:
        raise InputError(
            f"statistics.baseline is '{baseline}', which is unknown, take one of "
            f"{', '.join(SAMPLERS)}"
        )
    if baseline not in config["samplers"]:
        raise InputError(
            f"statistics.baseline is '{baseline}', which is not among the samplers "
            f"{', '.join(config['samplers'])}, add it there or name one of them"
        )
    read = study.read(config)
    for problem in read.problems.values():
        _check_problem(problem)
    return read


def _check_problem(problem: study.ProblemStudy) -> None:
    where = f"problems.{problem.name}"
    settings = problem.settings
    fractions = settings["batches"]["fractions"]
    total = sum(fractions.values())
    if abs(total - 1) > 1e-9:
        raise InputError(
            f"{where}.batches.fractions add up to {total:g} "
            f"({', '.join(f'{k} {v}' for k, v in fractions.items())}), they must add up to 1"
        )
    if problem.kind.engine == "boosting" and not fractions.get("validation"):
        raise InputError(
            f"{where}.batches.fractions.validation is 0, early stopping needs a validation part"
        )
    if problem.kind.engine == "boosting":
        limits = BOOSTED
        _check_features(problem, where)
        _check_lightgbm(settings["model"]["lightgbm"], f"{where}.model.lightgbm")
    else:
        limits = FUSED
        _check_source(where, settings["data"])
        _check_neighbours(problem, where)
    for key, parameter in _ranges(problem, where):
        _check_limits(key, parameter, limits[parameter.name])
    try:
        batches.parse_size(settings["batches"]["size"])
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    for space in problem.spaces.values():
        _check_dimension(space, where)
        largest = space.sizes[-1].n
        if largest > MOST_POINTS:
            raise InputError(
                f"{where}.spaces.{space.name} asks for designs of {largest} points, "
                f"at most {MOST_POINTS} are possible, lower the resolution"
            )


def _check_lightgbm(settings: Mapping, key: str) -> None:
    for name in settings:
        if name not in LIGHTGBM_NAMES:
            near = get_close_matches(str(name), sorted(LIGHTGBM_NAMES), 3)
            remedy = f"take {' or '.join(near)}" if near else "take names of LightGBM's parameters"
            raise InputError(f"{key} names '{name}', which LightGBM does not know, {remedy}")


def _check_features(problem: study.ProblemStudy, where: str) -> None:
    """Check that the section of feature selection is whole."""
    features = problem.settings["features"]
    for key in ("keep", "trials", "shap_rows"):
        if features != "none" and key not in features:
            raise InputError(f"config key '{where}.features.{key}' is missing, give it")


def _ranges(problem: study.ProblemStudy, where: str) -> list[tuple[str, Parameter]]:
    """Keys and ranges of all that may be searched or scanned."""
    ranges = [(f"{where}.parameters.{p.name}", p) for p in problem.parameters]
    if problem.settings["scan"]["on_edge"] == "expand":
        ranges += [(f"{where}.scan.domain.{p.name}", p) for p in problem.scan_space.parameters]
    return ranges


def _check_neighbours(problem: study.ProblemStudy, where: str) -> None:
    """Check that a graph network's table of neighbours holds the largest k."""
    data = problem.settings["data"]
    if "neighbours" not in data or data["neighbours"] >= data["max_hits"] - 1:
        return
    for key, parameter in _ranges(problem, where):
        if parameter.name == "k" and parameter.high > data["neighbours"]:
            raise InputError(
                f"{key} ends at {parameter.high}, but {where}.data.neighbours is "
                f"{data['neighbours']}, set that to {parameter.high:g}"
            )


def _check_limits(key: str, parameter: Parameter, limits: Limits) -> None:
    if limits.whole and parameter.type != "int":
        raise InputError(f"{key}.type is {parameter.type}, it must be int")
    if parameter.low < limits.low or (limits.open and parameter.low == limits.low):
        wanted = "greater than" if limits.open else "at least"
        raise InputError(f"{key} begins at {parameter.low}, it must be {wanted} {limits.low}")
    if parameter.high > limits.high:
        raise InputError(f"{key} ends at {parameter.high}, it must be at most {limits.high}")


def _check_dimension(space: study.SpaceStudy, where: str) -> None:
    if space.d <= COMMON_DIMENSIONS:  # then no sampler need be imported
        return
    for name in space.samplers:
        highest = getattr(sampler_class(name), "highest_d", None)
        if highest is not None and space.d > highest:
            raise InputError(
                f"{where}.spaces.{space.name} has {space.d} dimensions, but the sampler '{name}' "
                f"reaches {highest}, remove the sampler or some parameters"
            )


def _check_source(where: str, data: Mapping) -> None:
    given = [key for key in ("path", "url", "stand_in") if data.get(key)]
    if len(given) != 1:
        named = " and ".join(given) or "none of them"
        raise InputError(
            f"{where}.data takes one of path, url and stand_in and gives {named}, set the others "
            "to null"
        )
    if given == ["url"] and not data.get("sha256"):
        raise InputError(f"{where}.data.url is given without sha256, give the hash of the file")


def check_data(read: study.Study) -> None:
    """Check the data files of a study, as far as that is possible before they are loaded.

    Raises
    ------
    InputError
        If a file is missing or not what its ending says, a target cannot be used, more features
        are selected than exist, or the batches ask for more rows than there are.
    """
    for name, problem in read.problems.items():
        checker = getattr(module(problem.settings["kind"]), "check", None)
        if checker is None:
            continue
        try:
            rows, columns = checker(problem.settings["data"])
        except InputError as error:
            raise InputError(f"problems.{name}: {error}") from None
        features = problem.settings.get("features", "none")
        if features != "none" and features["keep"] > columns:
            raise InputError(
                f"problems.{name}.features.keep is {features['keep']}, but there are only "
                f"{columns} features, keep fewer or set features: none"
            )
        batches.check(problem.settings["batches"], rows, read.seed, name)


def _order(error: jsonschema.ValidationError) -> tuple:
    # An unknown key first: a misspelt key is also a missing one.
    return (error.validator != "additionalProperties", len(error.absolute_path), str(error.path))


def _sentence(error: jsonschema.ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    value = _short(error.instance)
    rule = error.validator_value
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        extra = [key for key in error.instance if key not in known]
        key = f"{path}.{extra[0]}" if path else f"{extra[0]}"
        return f"config key {_short(key)} is unknown, take one of {', '.join(known)}"
    if error.validator == "required":
        missing = [key for key in rule if key not in error.instance]
        return f"config key '{path + '.' if path else ''}{missing[0]}' is missing, give it"
    if "propertyNames" in error.absolute_schema_path:
        return (
            f"config name {value} under '{path}' must be lower-case letters, digits and '-', "
            "at most 40, beginning with a letter"
        )
    path = path or "the config"
    if error.validator == "type":
        hint = ""
        if isinstance(error.instance, str) and rule in ("number", "integer"):
            hint = " (YAML reads 1e-4 as text: write 1.0e-4)"
        if isinstance(error.instance, float) and not isfinite(error.instance):
            hint = " and finite"
        wanted = " or ".join(rule) if isinstance(rule, list) else rule
        return f"config key '{path}' is {value}, it must be of type {wanted}{hint}"
    wanted = {
        "enum": lambda: f"one of {', '.join(map(str, rule))}",
        "const": lambda: f"{rule} or a section",
        "minimum": lambda: f"at least {rule}",
        "maximum": lambda: f"at most {rule}",
        "exclusiveMinimum": lambda: f"greater than {rule}",
        "exclusiveMaximum": lambda: f"smaller than {rule}",
        "minItems": lambda: f"a list of at least {rule}",
        "maxItems": lambda: f"a list of at most {rule}",
        "minLength": lambda: "a text that is not empty",
        "minProperties": lambda: f"a section of at least {rule} entry",
        "uniqueItems": lambda: "a list that names nothing twice",
        "pattern": lambda: f"a text that matches {rule}",
    }.get(error.validator, lambda: f"valid ({error.validator}: {rule})")()
    return f"config key '{path}' is {value}, it must be {wanted}"


def _short(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else f"'{value}'"
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "…"


def _one_line(text: str) -> str:
    """The text in one line of printable characters, long words cut."""
    text = " ".join(text.split())
    # Control characters and halves of surrogate pairs cannot be printed everywhere.
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return re.sub(r"(\S{80})\S+", r"\1…", text)
