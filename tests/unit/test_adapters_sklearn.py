import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy.stats import kstest, loguniform, norm, poisson, randint, uniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RandomizedSearchCV
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from tilesearch.adapters.sklearn import DesignSearchCV, candidates, column
from tilesearch.samplers import make
from tilesearch.space import Parameter

# scikit-learn excuses its own search with a Ridge from this one, too.
EXCUSED = {"check_supervised_y_2d": "DataConversionWarning not caught, as in RandomizedSearchCV"}


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def small_search(estimator, name):
    return DesignSearchCV(
        estimator,
        {name: [0.1, 1.0]},
        n_iter=2,
        sampler="lhs",
        cv=2,
        error_score="raise",
        random_state=0,
    )


@parametrize_with_checks(
    [small_search(Ridge(), "alpha"), small_search(LogisticRegression(), "C")],
    expected_failed_checks=lambda search: EXCUSED if isinstance(search.estimator, Ridge) else {},
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    return make_classification(60, 4, random_state=0)


SPACE = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1e1)}


def test_takes_what_randomized_search_takes():
    classes = (DesignSearchCV, RandomizedSearchCV)
    ours, theirs = (cls(SVC(), SPACE).get_params(deep=False) for cls in classes)
    assert set(ours) - set(theirs) == {"sampler"}
    for name in set(theirs) - {"estimator", "param_distributions", "error_score"}:
        assert ours[name] == theirs[name]
    assert np.isnan(ours["error_score"])


def test_evaluates_the_points_of_the_design(data):
    search = DesignSearchCV(SVC(), SPACE, n_iter=9, sampler="grid-centred", cv=3).fit(*data)
    expected = candidates(SPACE, 9, sampler="grid-centred")
    assert list(search.cv_results_["params"]) == expected
    assert search.best_params_ in expected
    assert search.best_params_["C"] == search.best_estimator_.C
    assert search.predict(data[0]).shape == (60,)


def test_random_state_makes_it_repeatable(data):
    def params(state):
        search = DesignSearchCV(SVC(), SPACE, n_iter=4, sampler="lhs", cv=2, random_state=state)
        return search.fit(*data).cv_results_["params"]

    assert params(1) == params(1)
    assert params(1) != params(2)
    assert params(np.random.RandomState(3)) == params(np.random.RandomState(3))
    search = DesignSearchCV(SVC(), SPACE, n_iter=4, sampler="lhs", cv=2, random_state=5)
    assert search.fit(*data).cv_results_["params"] == clone(search).fit(*data).cv_results_["params"]


def test_parallel_jobs_give_the_same(data):
    def results(jobs):
        search = DesignSearchCV(
            SVC(), SPACE, n_iter=4, sampler="sobol", cv=2, random_state=0, n_jobs=jobs
        )
        return search.fit(*data).cv_results_["mean_test_score"]

    np.testing.assert_array_equal(results(1), results(2))


def test_several_metrics(data):
    search = DesignSearchCV(
        SVC(), SPACE, n_iter=3, sampler="lhs", cv=2, scoring=["accuracy", "f1"], refit="f1"
    ).fit(*data)
    assert search.multimetric_
    assert len(search.cv_results_["mean_test_accuracy"]) == 3


def test_spaces_in_a_list_share_the_points(data):
    spaces = [{"kernel": ["linear"], "C": uniform(1, 9)}, SPACE]
    search = DesignSearchCV(SVC(), spaces, n_iter=5, sampler="lhs", cv=2, random_state=0)
    params = search.fit(*data).cv_results_["params"]
    assert ["kernel" in setting for setting in params] == [True] * 3 + [False] * 2


def test_equal_settings_are_evaluated_once_and_said_so(data):
    space = {"C": [1.0, 2.0], "kernel": ["linear", "rbf"]}
    search = DesignSearchCV(SVC(), space, n_iter=9, sampler="grid", cv=2)
    with pytest.warns(UserWarning, match="9 points of the design fall on 4 distinct settings"):
        search.fit(*data)
    assert len(search.cv_results_["params"]) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert len(search.set_params(n_iter=4).fit(*data).cv_results_["params"]) == 4


def test_distributions_go_through_their_quantiles():
    unit = make("lhs", 1, rng=0).random(400)[:, 0]
    for distribution in (uniform(2, 3), loguniform(1e-4, 1), norm(1, 2)):
        values = column(distribution, unit)
        assert kstest(values, distribution.cdf).statistic <= 1 / 400 + 1e-9
    # 400 / 15 = 26.7 slices a value, up to one more or less where slices straddle the steps
    values = column(randint(8, 23), unit)
    assert all(type(value) is int for value in values)
    assert {values.count(k) for k in range(8, 23)} <= {26, 27, 28}


def test_ends_of_the_unit_interval_give_values_inside_the_support():
    ends = np.array([0.0, 0.5, np.nextafter(1, 0)])
    assert column(randint(3, 6), ends) == [3, 4, 5]
    assert column(uniform(2, 3), ends) == [2.0, 3.5, 5.0]
    low, _, high = column(norm(), ends)
    assert (low, high) == pytest.approx((norm.ppf(1 / 6), norm.ppf(5 / 6)))
    low, _, high = column(poisson(4), ends)
    assert low == 0
    assert high == poisson(4).ppf(5 / 6)


def test_lists_and_parameters():
    assert column([1, "a", None], np.array([0.0, 0.5, 0.99])) == [1, "a", None]
    assert column((True, 2.5), np.array([0.0, 0.6])) == [True, 2.5]
    assert column(np.array([1, 2]), np.array([0.1, 0.9])) == [1, 2]
    rate = Parameter("rate", 1e-4, 1e-2, scale="log")
    assert column(rate, np.array([0.5])) == pytest.approx([1e-3])


@pytest.mark.parametrize("bad", ["abc", [], 3, None])
def test_bad_distributions(bad, data):
    search = DesignSearchCV(SVC(), {"C": bad}, n_iter=2, sampler="lhs")
    with pytest.raises(ValueError, match=r"parameter 'C' is .* give a frozen scipy distribution"):
        search.fit(*data)


@pytest.mark.parametrize("options", [{"n_iter": 0}, {"n_iter": 2.5}, {"sampler": "sudoku"}])
def test_bad_options(options, data):
    search = DesignSearchCV(SVC(), SPACE, **{"sampler": "lhs", **options})
    with pytest.raises(ValueError, match=f"The '{next(iter(options))}' parameter"):
        search.fit(*data)
