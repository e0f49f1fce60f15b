"""Designs in scikit-learn: a search with the interface of `RandomizedSearchCV`."""

import numbers
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rv_discrete
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from tilesearch.samplers import SAMPLERS, make
from tilesearch.space import Parameter


def column(distribution: Any, unit: np.ndarray, name: str = "parameter") -> list:
    """Values of one parameter at positions of the unit interval.

    Parameters
    ----------
    distribution : frozen scipy distribution, tilesearch Parameter, or sequence
        A distribution is taken through its quantile function. Where its support is unbounded,
        positions closer to an end than half of one part in n are moved there, for a grid has
        positions at 0 and 1. A sequence has bins of equal width.
    unit : ndarray, shape (n,)
        Positions in [0, 1).
    name : str
        For the error message.

    Returns
    -------
    list of length n

    Raises
    ------
    ValueError
        If `distribution` is none of these, or an empty sequence.

    Examples
    --------
    >>> column(["a", "b"], np.array([0.0, 0.4, 0.6]))
    ['a', 'a', 'b']
    >>> from scipy.stats import randint
    >>> column(randint(8, 23), np.array([0.0, 0.5, 0.999]))
    [8, 15, 22]
    """
    if isinstance(distribution, Parameter):
        return distribution.values(unit).tolist()
    if hasattr(distribution, "ppf"):
        return _quantiles(distribution, unit)
    if isinstance(distribution, (Sequence, np.ndarray)) and not isinstance(distribution, str):
        count = len(distribution)
        if count:
            # Not through an array: that would turn mixed values into strings.
            return [distribution[min(int(u * count), count - 1)] for u in unit]
    raise ValueError(
        f"parameter '{name}' is {distribution!r}, give a frozen scipy distribution (with ppf), a "
        "tilesearch Parameter or a list of one or more values"
    )


def _quantiles(distribution: Any, unit: np.ndarray) -> list:
    # The quantile of 0 is below the support of a discrete distribution.
    low, high = np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0)
    lowest, highest = distribution.support()
    if not np.isfinite(lowest):
        low = 0.5 / len(unit)
    if not np.isfinite(highest):
        high = 1.0 - 0.5 / len(unit)
    values = distribution.ppf(np.clip(unit, low, high))
    if isinstance(getattr(distribution, "dist", None), rv_discrete):
        values = values.astype(np.int64)
    return values.tolist()


def candidates(
    distributions: Mapping[str, Any], n: int, *, sampler: str = "rsa", rng=None
) -> list[dict[str, Any]]:
    """The n points of a design as parameter settings.

    Parameters
    ----------
    distributions : mapping of str to distribution
        One axis each, in sorted order of the names; see `column`.
    n : int
        Number of points.
    sampler : str
        Name in `tilesearch.samplers.SAMPLERS`.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> candidates({"C": [1, 2], "gamma": [3, 4]}, 4, sampler="grid-centred")[:2]
    [{'C': 1, 'gamma': 3}, {'C': 1, 'gamma': 4}]
    """
    names = sorted(distributions)
    if not names:
        return [{}]
    points = make(sampler, len(names), rng=rng).random(n)
    columns = [column(distributions[k], points[:, i], k) for i, k in enumerate(names)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


class DesignSearchCV(BaseSearchCV):
    """Cross-validated search over the points of a design.

    A `sklearn.model_selection.RandomizedSearchCV` whose candidates do not come independently at
    random, but from a sampler that spreads them.

    Parameters
    ----------
    estimator : estimator
        As in `RandomizedSearchCV`.
    param_distributions : dict or list of dicts
        Parameter name -> frozen scipy distribution (anything with ``ppf`` and ``support``), list
        of values (bins of equal width) or `tilesearch.space.Parameter`. Of several dicts, each
        gets its own design; `n_iter` is shared out evenly, the first ones get the remainder.
    n_iter : int
        Number of points, at least 1. Points that fall on the same setting (possible where
        parameters are discrete) are evaluated once, with a warning.
    sampler : str
        Name in `tilesearch.samplers.SAMPLERS`.
    random_state : int, RandomState instance or None
        Seed of the design.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score, return_train_score
        As in `RandomizedSearchCV`, and so are the attributes after `fit`.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1e1)}
    >>> search = DesignSearchCV(SVC(), space, n_iter=9, sampler="lhs", random_state=0)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> bool(search.best_score_ > 0.9)
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012 (scikit-learn's own convention)
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list],
        "n_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "sampler": [StrOptions(set(SAMPLERS))],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        sampler="rsa",
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
    ):
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.sampler = sampler
        self.random_state = random_state
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    def _candidates(self) -> list[dict[str, Any]]:
        spaces = self.param_distributions
        spaces = [spaces] if isinstance(spaces, Mapping) else spaces
        random_state = check_random_state(self.random_state)
        found = []
        for k, space in enumerate(spaces):
            share = self.n_iter // len(spaces) + (k < self.n_iter % len(spaces))
            seed = random_state.randint(2**31 - 1)
            if share:
                found += candidates(space, share, sampler=self.sampler, rng=seed)
        distinct = _distinct(found)
        if len(distinct) < self.n_iter:
            warnings.warn(
                f"the {self.n_iter} points of the design fall on {len(distinct)} distinct "
                "settings, each is evaluated once",
                UserWarning,
                stacklevel=2,
            )
        return distinct

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        settings = self._candidates()
        if callback_ctx is None:  # scikit-learn before 1.9 knows no callbacks
            evaluate_candidates(settings)
            return
        context = callback_ctx.subcontext(
            task_name="search",
            max_subtasks=len(settings) * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        evaluate_candidates(settings, callback_ctx=context)
        context.call_on_fit_task_end(estimator=self)


def _distinct(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Values may be unhashable (lists, estimators) or differ in type only (1 and True).
    seen, kept = set(), []
    for setting in settings:
        key = tuple((name, type(value), repr(value)) for name, value in setting.items())
        if key not in seen:
            seen.add(key)
            kept.append(setting)
    return kept
