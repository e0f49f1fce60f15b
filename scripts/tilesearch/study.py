"""A study: what one config describes. Pure: reads no data and imports nothing heavy."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from tilesearch.errors import InputError
from tilesearch.problems import KINDS, Kind
from tilesearch.space import Parameter, Space

#: Sections of a boosting problem whose single values may be given; others are given whole.
MERGED = ("features", "batches", "scan", "model")

COEFFICIENT_RANGE = (0.5, 1.5)


@dataclass(frozen=True)
class Size:
    """One size of design: N points, and the resolution R where N = R^d was asked for."""

    n: int
    resolution: int | None = None


@dataclass(frozen=True)
class SpaceStudy:
    """One space of one problem, with the sizes and samplers of its designs.

    Parameters
    ----------
    problem, name : str
    space : Space
        All parameters, in order: the problem's own, coefficients, unimportant ones.
    searched : tuple of str
        The problem's own parameters among them: the ones that a model is trained with.
    coefficients : tuple of str
        Coefficients of the odd polynomial.
    unimportant : tuple of str
        Parameters without any influence.
    samplers : tuple of str
    sizes : tuple of Size
    points_per_job : int
    levels : int or None
        Cells per axis of the table from which losses are read; None: every point is trained.
    """

    problem: str
    name: str
    space: Space
    searched: tuple[str, ...]
    coefficients: tuple[str, ...]
    unimportant: tuple[str, ...]
    samplers: tuple[str, ...]
    sizes: tuple[Size, ...]
    points_per_job: int
    levels: int | None = None

    @property
    def d(self) -> int:
        """Number of dimensions."""
        return self.space.d

    @property
    def points(self) -> int:
        """Points of all designs of one batch."""
        return len(self.samplers) * sum(size.n for size in self.sizes)

    @property
    def table_space(self) -> Space:
        """The parameters that a table has an axis for: those that a model is trained with."""
        own = tuple(p for p in self.space.parameters if p.name in self.searched)
        return Space(self.name, own)

    @property
    def chunks(self) -> int:
        """Training jobs of one batch."""
        return -(-self.points // self.points_per_job)


@dataclass(frozen=True)
class ProblemStudy:
    """One problem of a study, its config section complete with the defaults."""

    name: str
    kind: Kind
    settings: Mapping
    parameters: tuple[Parameter, ...]
    spaces: dict[str, SpaceStudy]

    @property
    def batches(self) -> range:
        """Numbers of the batches, before screening."""
        return range(self.settings["batches"]["number"])

    @property
    def domain(self) -> dict[str, tuple[float, float]]:
        """The configured range of every parameter."""
        return {p.name: (p.low, p.high) for p in self.parameters}

    @property
    def scan_space(self) -> Space:
        """The space that is scanned: `scan.domain` where the config gives one."""
        wider = self.settings["scan"].get("domain", {})
        return Space("scan", self.parameters).within({k: tuple(v) for k, v in wider.items()})


@dataclass(frozen=True)
class Study:
    """All that one config describes."""

    seed: int
    samplers: tuple[str, ...]
    problems: dict[str, ProblemStudy]

    @property
    def space_studies(self) -> list[SpaceStudy]:
        """Every space of every problem."""
        return [space for p in self.problems.values() for space in p.spaces.values()]


def read(config: Mapping) -> Study:
    """Read a config that agrees with the schema.

    Parameters
    ----------
    config : mapping
        As `config.yaml`.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If a range, a size or a name cannot be used; the message names the key.
    """
    names = config["run"]
    unknown = [name for name in names if name not in config["problems"]]
    if unknown:
        raise InputError(
            f"run names the problem '{unknown[0]}', take one of {', '.join(config['problems'])}"
        )
    problems = {name: _problem(config, name) for name in names}
    return Study(config["seed"], tuple(config["samplers"]), problems)


def settings_of(config: Mapping, name: str) -> dict:
    """Config section of a problem, complete with the defaults of its engine."""
    own = deepcopy(dict(config["problems"][name]))
    if KINDS[own["kind"]].engine != "boosting":
        return own
    settings = deepcopy(dict(config["boosting"]))
    for key, value in own.items():
        both = isinstance(value, Mapping) and isinstance(settings.get(key), Mapping)
        settings[key] = {**settings[key], **value} if key in MERGED and both else value
    # The default's wider domain may name parameters that the problem has replaced by others.
    replaced = set(config["boosting"]["parameters"]) - set(settings["parameters"])
    if "domain" in settings["scan"] and "domain" not in own.get("scan", {}):
        wider = settings["scan"]["domain"]
        settings["scan"]["domain"] = {k: v for k, v in wider.items() if k not in replaced}
    return settings


def _problem(config: Mapping, name: str) -> ProblemStudy:
    settings = settings_of(config, name)
    kind = KINDS[settings["kind"]]
    where = f"problems.{name}"
    try:
        parameters = tuple(Parameter(key, **v) for key, v in settings["parameters"].items())
        for parameter in parameters:
            if parameter.name not in kind.parameters:
                raise InputError(
                    f"parameter '{parameter.name}' is not one of {settings['kind']}, "
                    f"take {', '.join(kind.parameters)}"
                )
        problem = ProblemStudy(name, kind, settings, parameters, {})
        _check_scan(problem)
        for space, entry in settings["spaces"].items():
            if entry is not None:
                problem.spaces[space] = _space(config, problem, space, entry)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if not problem.spaces:
        raise InputError(f"{where}.spaces is empty, give one space or more")
    return problem


def _check_scan(problem: ProblemStudy) -> None:
    scan = problem.settings["scan"]
    if scan["on_edge"] != "expand":
        return  # the wider domain is not used
    for name, wider in scan.get("domain", {}).items():
        if name not in problem.domain:
            raise InputError(f"scan.domain names '{name}', which is no parameter, remove it")
        low, high = problem.domain[name]
        if not (wider[0] <= low and wider[1] >= high):
            raise InputError(
                f"scan.domain.{name} is {list(wider)}, it must contain the parameter's range "
                f"[{low}, {high}]"
            )
    problem.scan_space  # noqa: B018  (raises if a bound does not fit type or scale)


def _space(config: Mapping, problem: ProblemStudy, name: str, entry: Mapping) -> SpaceStudy:
    own = {p.name: p for p in problem.parameters}
    searched = tuple(entry.get("parameters", own))
    for parameter in searched:
        if parameter not in own:
            raise InputError(
                f"spaces.{name}.parameters names '{parameter}', take one of {', '.join(own)}"
            )
    coefficients = tuple(f"c{k + 1}" for k in range(entry.get("coefficients", 0)))
    regression = problem.kind.task == "regression" or (
        problem.kind.task == "config" and problem.settings["data"]["task"] == "regression"
    )
    if coefficients and not (problem.kind.engine == "boosting" and regression):
        raise InputError(
            f"spaces.{name}.coefficients is {len(coefficients)}, but only a regression problem "
            "trained by boosting takes coefficients, remove the key"
        )
    unimportant = tuple(f"unimportant{k + 1}" for k in range(entry.get("unimportant", 0)))
    space = Space(
        name,
        (
            *(own[p] for p in searched),
            *(Parameter(c, *COEFFICIENT_RANGE) for c in coefficients),
            *(Parameter(u, 0.0, 1.0) for u in unimportant),
        ),
    )
    sizes = [Size(r**space.d, r) for r in entry.get("resolutions", [])]
    sizes += [Size(n) for n in entry.get("points", []) if n not in [s.n for s in sizes]]
    if not sizes:
        raise InputError(f"spaces.{name} has no resolutions and no points, give one of them")
    return SpaceStudy(
        problem.name,
        name,
        space,
        searched,
        coefficients,
        unimportant,
        tuple(config["samplers"]),
        tuple(sorted(set(sizes), key=lambda s: s.n)),
        config["training"]["points_per_job"],
        config["tabulated"]["levels"] if tabulates(config, problem.kind) else None,
    )


def tabulates(config: Mapping, kind: Kind) -> bool:
    """Whether losses are read from a table: only boosting has tables."""
    return kind.engine == "boosting" and config["training"].get("mode") == "tabulated"
