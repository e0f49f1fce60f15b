"""Designs in Optuna: the trials of a study walk through the points of one design."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.exceptions import TrialPruned
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from tilesearch.samplers import make
from tilesearch.samplers.base import check_count
from tilesearch.space import Parameter

logger = logging.getLogger(__name__)

#: system attribute of a trial: [identity of the design, number of the point]
POINT = "tilesearch:point"


def value_at(distribution: BaseDistribution, unit: float) -> Any:
    """Value of an Optuna distribution at a position of the unit interval.

    Numbers that come in steps (an int, a float with `step`) and choices have bins of equal
    width; on a log scale the logarithm is what is cut.

    Parameters
    ----------
    distribution : optuna.distributions.BaseDistribution
        Float, int or categorical.
    unit : float
        Position in [0, 1).

    Returns
    -------
    float, int or a choice

    Raises
    ------
    ValueError
        If the distribution is of another kind.

    Examples
    --------
    >>> value_at(CategoricalDistribution(["a", "b"]), 0.5)
    'b'
    >>> value_at(FloatDistribution(0.0, 1.0, step=0.25), 0.5)
    0.5
    >>> value_at(IntDistribution(1, 100, log=True), 0.999)
    100
    """
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return choices[min(int(unit * len(choices)), len(choices) - 1)]
    if not isinstance(distribution, (FloatDistribution, IntDistribution)):
        raise ValueError(
            f"distribution {distribution!r} is not supported, take a FloatDistribution, "
            "IntDistribution or CategoricalDistribution"
        )
    low, high = distribution.low, distribution.high
    if low == high:
        return low
    kind = "int" if isinstance(distribution, IntDistribution) else "float"
    if distribution.step is not None and not distribution.log:
        steps = round((high - low) / distribution.step)
        value = low + distribution.step * int(Parameter("step", 0, steps, "int").values(unit))
        return min(value, high)
    scale = "log" if distribution.log else "linear"
    return Parameter("value", low, high, kind, scale).values(unit).item()


class DesignSampler(BaseSampler):
    """Optuna sampler whose trials are the points of one design.

    ``study.optimize(objective, n_trials=n)`` evaluates the n points, each once, and stops there
    even if more trials are asked for. Workers that share a storage (``n_jobs``, several
    processes, several machines) share the design among them, and a study that is loaded again
    goes on with the points that are left, as long as all build the sampler with the same
    arguments: these make the design's identity.

    Parameters
    ----------
    search_space : mapping of str to optuna.distributions.BaseDistribution
        All parameters and their distributions: float (log, step), int (log, step), categorical.
        A parameter with a single value takes no axis of the design.
    n : int
        Number of points.
    sampler : str
        Name in `tilesearch.samplers.SAMPLERS`.
    seed : int
        Seed of the design; workers and restarts need the same one, so it is never random.

    Raises
    ------
    ValueError
        If the space is empty or has no parameter to vary, `n` is not an int of at least 1, the
        seed is not an int, or the sampler is unknown.

    Notes
    -----
    A point belongs to the first trial that takes it, whatever becomes of the trial: one that
    fails, is pruned or stops with its process is not repeated, and the design goes on. To have
    lost points repeated, give the storage a heartbeat with
    `optuna.storages.RetryHeartbeatStaleTrialCallback`: a retried trial keeps its point.

    Trials put in the queue with `Study.enqueue_trial` keep the parameters they came with (all
    have to be given) and take no point.

    Points are dealt out by the order of the trial numbers, which every Optuna storage makes
    unique, so that two workers do not need a lock to take different points. This holds while no
    other sampler runs trials of the same study at the same time. Where several workers draw the
    last points at once, one may be left with a trial that has no point: its first ``suggest_*``
    raises `optuna.TrialPruned`, so that nothing is trained.

    Examples
    --------
    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> space = {
    ...     "rate": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
    ...     "depth": optuna.distributions.IntDistribution(8, 22),
    ... }
    >>> def loss(trial):
    ...     rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    ...     return (rate - 0.01) ** 2 + trial.suggest_int("depth", 8, 22)
    >>> study = optuna.create_study(sampler=DesignSampler(space, n=9, sampler="lhs"))
    >>> study.optimize(loss, n_trials=9)
    >>> len(study.trials)
    9
    """

    def __init__(
        self,
        search_space: Mapping[str, BaseDistribution],
        *,
        n: int,
        sampler: str = "rsa",
        seed: int = 0,
    ):
        check_count(n)
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(
                f"seed is {seed!r}, it must be an integer (the same one for all workers)"
            )
        self._space = dict(search_space)
        for distribution in self._space.values():
            value_at(distribution, 0.5)
        axes = [name for name, found in self._space.items() if not found.single()]
        if not axes:
            raise ValueError(
                f"search space {sorted(self._space)} has no parameter to vary, "
                "give one or more with at least two values"
            )
        points = make(sampler, len(axes), rng=int(seed)).random(n)
        self._points = [
            {
                name: value_at(distribution, point.get(name, 0.0))
                for name, distribution in self._space.items()
            }
            for point in (dict(zip(axes, row, strict=True)) for row in points.tolist())
        ]
        text = json.dumps(
            [sampler, int(n), int(seed)]
            + [[name, distribution_to_json(found)] for name, found in self._space.items()]
        )
        self._design = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def points(self) -> list[dict[str, Any]]:
        """The parameters of the n points, in order."""
        return [dict(point) for point in self._points]

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Give the trial the next point of the design, unless it brings its own."""
        # A queued trial brings its parameters, a retried one the point of the trial it repeats.
        if "fixed_params" in trial.system_attrs or POINT in trial.system_attrs:
            return
        point = self._next_point(study, trial.number)
        if point is None:
            logger.warning(
                "trial %d comes after the last of the design's %d points and is pruned",
                trial.number,
                len(self._points),
            )
            _stop(study)
            return
        study._storage.set_trial_system_attr(trial._trial_id, POINT, [self._design, point])

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The whole search space: all parameters of a trial are known from the start."""
        return self._space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The parameters of the trial's point."""
        point = self._point(study._storage.get_trial_system_attrs(trial._trial_id))
        return {} if point is None else dict(self._points[point])

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Refuse what the design does not hold.

        Raises
        ------
        optuna.TrialPruned
            If all points of the design are taken.
        ValueError
            If the parameter is not in the search space, or its distribution does not contain the
            point's value, or a queued trial does not bring it.
        """
        attrs = study._storage.get_trial_system_attrs(trial._trial_id)
        if "fixed_params" in attrs:
            raise ValueError(
                f"queued trial {trial.number} does not set parameter '{param_name}', "
                "give all parameters to enqueue_trial"
            )
        if param_name not in self._space:
            raise ValueError(
                f"parameter '{param_name}' is not in the search space of the design, "
                f"which has {', '.join(self._space)}"
            )
        if self._point(attrs) is None:
            raise TrialPruned(f"all {len(self._points)} points of the design are taken")
        raise ValueError(
            f"parameter '{param_name}' is asked from {param_distribution}, but the design was "
            f"made for {self._space[param_name]}: use the same distribution in both places"
        )

    def after_trial(self, study: Study, trial: FrozenTrial, state, values) -> None:
        """Stop the study once all points of the design are taken."""
        if len(self._taken(study)) == len(self._points):
            _stop(study)

    def _trials(self, study: Study) -> list[FrozenTrial]:
        # From the storage, for some pruners hand samplers a filtered study (as in GridSampler).
        return study._storage.get_all_trials(study._study_id, deepcopy=False)

    def _point(self, attrs: Mapping[str, Any]) -> int | None:
        # The point of this design in a trial's system attributes.
        design, point = attrs.get(POINT, (None, None))
        return point if design == self._design else None

    def _taken(self, study: Study) -> set[int]:
        return {self._point(trial.system_attrs) for trial in self._trials(study)} - {None}

    def _next_point(self, study: Study, number: int) -> int | None:
        # Earlier trials that run but have no point yet are about to take the first free points,
        # so this one takes the first after those. All workers see the same earlier trials, so no
        # two come to the same answer.
        taken = self._taken(study)
        free = [point for point in range(len(self._points)) if point not in taken]
        ahead = sum(
            trial.number < number
            and not trial.state.is_finished()
            and "fixed_params" not in trial.system_attrs
            and POINT not in trial.system_attrs
            for trial in self._trials(study)
        )
        return free[ahead] if ahead < len(free) else None


def _stop(study: Study) -> None:
    # Under `ask` and `tell` there is no loop to stop, and Optuna says so by an error.
    try:
        study.stop()
    except RuntimeError:
        logger.debug("no optimisation loop to stop")
