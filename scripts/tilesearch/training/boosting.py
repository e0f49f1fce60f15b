"""Boosting engine: LightGBM models of one batch, one thread, data binned once."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import lightgbm as lgb
import numpy as np

from tilesearch.problems import BOOSTED
from tilesearch.problems.base import Batch, Outcome
from tilesearch.problems.polynomial import mangle, unmangle

#: Parameters of a point that change a training; models are shared by points that agree in them.
TRAINED = tuple(BOOSTED)

#: Stands for a parameter that a point does not name; sorts before all values.
ABSENT = float("-inf")

#: Children of a tree's splits, a line for all left ones and a line for all right ones.
CHILDREN = {side: re.compile(rf"^{side}_child=(.*)$", re.MULTILINE) for side in ("left", "right")}

FIXED = {
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
}


def objective(task: str, classes: int = 0) -> dict:
    """LightGBM's objective and metric for a task."""
    if task == "regression":
        return {"objective": "regression", "metric": "l2"}
    if classes == 2:
        return {"objective": "binary", "metric": "binary_logloss"}
    return {"objective": "multiclass", "metric": "multi_logloss", "num_class": classes}


#: Other names of the parameters that are tuned. LightGBM lets a main name win over the others.
OTHER_NAMES = {
    "learning_rate": {"shrinkage_rate", "eta"},
    "num_leaves": {"num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"},
    "min_child_samples": {
        *("min_data_in_leaf", "min_data_per_leaf", "min_data", "min_samples_leaf"),
    },
    "colsample_bytree": {"feature_fraction", "sub_feature"},
    "reg_lambda": {"lambda_l2", "lambda", "l2_regularization"},
}


def override(tuned: Mapping, settings: Mapping) -> dict:
    """Tuned parameters, except those that `settings` gives under any name, and `settings`.

    Examples
    --------
    >>> override({"num_leaves": 31, "max_depth": 4}, {"max_leaves": 7})
    {'max_depth': 4, 'max_leaves': 7}
    """
    kept = {k: v for k, v in tuned.items() if not OTHER_NAMES.get(k, set()) & set(settings)}
    return {**kept, **settings}


def mean_loss(task: str, prediction: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared error of a regression, mean cross-entropy of a classification.

    Parameters
    ----------
    task : {"regression", "classification"}
    prediction : ndarray, shape (n,) or (n, classes)
        Predicted values, or probabilities (of class 1, or of each class).
    truth : ndarray, shape (n,)
        True values, or class numbers.
    """
    if task == "regression":
        return float(np.mean((prediction - truth) ** 2))
    if prediction.ndim == 1:
        prediction = np.stack([1 - prediction, prediction], axis=1)
    chosen = prediction[np.arange(len(truth)), truth.astype(int)]
    return float(-np.mean(np.log(np.clip(chosen, 1e-15, None))))


class BoostingTrainer:
    """Trains LightGBM models on the train part of a batch.

    The number of trees is no hyperparameter: training stops when the loss on the validation
    part has not fallen for `patience` rounds, and the best round counts. The loss is measured
    on the test part.

    Points that agree in the parameters `TRAINED` share one training. So do points that differ
    only in a depth that no tree reaches: where every tree of a model stayed shallower than its
    `max_depth`, any larger `max_depth` gives the same model.

    Parameters
    ----------
    batch : Batch
        Arrays ``x`` (float, missing values NaN, categories as codes) and ``y``.
    task : {"regression", "classification"}
    settings : dict
        ``rounds`` (most trees), ``patience`` and ``lightgbm`` (any LightGBM parameters, which
        win over the tuned ones).
    tuned : dict
        LightGBM parameters found by tuning; a point's own values win over them.
    categorical : sequence of int
        Columns of ``x`` that hold categories.
    classes : int
        Number of classes of a classification.
    seed : int
        LightGBM's seed.
    """

    def __init__(
        self,
        batch: Batch,
        *,
        task: str,
        settings: Mapping,
        tuned: Mapping | None = None,
        categorical: Sequence[int] = (),
        classes: int = 0,
        seed: int = 0,
    ):
        self.batch, self.task = batch, task
        self.rounds, self.patience = settings["rounds"], settings["patience"]
        self.params = {
            **objective(task, classes),
            **override(tuned or {}, settings.get("lightgbm", {})),
            **FIXED,
            "seed": seed % 2**31,
        }
        self.trainings = 0
        # Only parameters of the binning matter here, and none of them is searched.
        options = {k: v for k, v in self.params.items() if k not in ("metric", *TRAINED)}
        self._train = lgb.Dataset(
            batch.train["x"],
            batch.train["y"],
            categorical_feature=list(categorical),
            params=options,
            free_raw_data=False,
        ).construct()
        self._validation = lgb.Dataset(
            batch.validation["x"],
            batch.validation["y"],
            reference=self._train,
            params=options,
            free_raw_data=False,
        ).construct()

    def train(self, values: Mapping[str, float]) -> lgb.Booster:
        """Train one model with the LightGBM parameters `values`."""
        self.trainings += 1
        return lgb.train(
            {**self.params, **values},
            self._train,
            num_boost_round=self.rounds,
            valid_sets=[self._validation],
            callbacks=[lgb.early_stopping(self.patience, verbose=False)],
            # Else the trees after the best round are cut off, and `deepest_leaf` needs them too:
            # a limit that only they reach can still decide which round is the best.
            keep_training_booster=True,
        )

    def reach(self, values: Mapping[str, float]) -> float:
        """Depth that no tree passes for want of leaves: a larger limit is the same training."""
        leaves = {**self.params, **values}.get("num_leaves")
        return leaves - 1 if leaves else float("inf")

    def predict(self, model: lgb.Booster) -> np.ndarray:
        """Predictions of `model` for the test part, with its best number of trees."""
        return model.predict(
            self.batch.test["x"], num_iteration=model.best_iteration, num_threads=1
        )

    def losses(self, prediction: np.ndarray, points: Sequence[Mapping[str, float]]) -> list[float]:
        """Losses of a prediction for the test part, one for each point that shares it."""
        return [mean_loss(self.task, prediction, self.batch.test["y"])] * len(points)

    def facts(self, prediction: np.ndarray) -> dict:
        """What an outcome tells beside its loss."""
        return {}

    def evaluate(self, points: Sequence[Mapping[str, float]]) -> Iterator[Outcome]:
        """Yield one outcome per point, as soon as each is known.

        Parameters
        ----------
        points : sequence of mappings
            Values by parameter name.

        Yields
        ------
        Outcome
            A training that raises, or a loss that is not finite, is a "failed" outcome with
            its reason. Points that share a training share its seconds equally.

        Raises
        ------
        MemoryError
            No failed outcome: it is the machine's fault and not the point's.
        """

        def trained(index: int) -> tuple:
            # Depth last: models that differ in it alone follow each other, shallow ones first.
            *others, depth = (points[index].get(name, ABSENT) for name in TRAINED)
            return (*others, min(depth, self.reach(points[index])))

        order = sorted(range(len(points)), key=trained)
        deepest = {key[:-1]: key[-1] for key in map(trained, order)}
        free_from: dict[tuple, tuple[int, np.ndarray]] = {}
        for key, group in groupby(order, key=trained):
            started = time.perf_counter()
            *others, depth = key
            values = {k: v for k, v in zip(TRAINED, key, strict=True) if v != ABSENT}
            known = free_from.get(tuple(others))
            try:
                if known is not None and depth >= known[0]:
                    prediction = known[1]
                else:
                    model = self.train(values)
                    prediction = self.predict(model)
                    # Reading all trees takes time, too: only if a deeper one follows.
                    if depth < deepest[tuple(others)] and (r := deepest_leaf(model, depth)) > 0:
                        free_from[tuple(others)] = (r, prediction)
                reason = ""
            except (lgb.basic.LightGBMError, ValueError) as error:
                if "bad_alloc" in str(error):
                    raise MemoryError(str(error)) from error
                first_line, _, _ = str(error).partition("\n")
                reason = f"{type(error).__name__}: {first_line}".removesuffix(": ")
                prediction = None
            members = list(group)
            losses = [np.nan] * len(members)
            if prediction is not None:
                losses = self.losses(prediction, [points[index] for index in members])
            seconds = (time.perf_counter() - started) / len(members)
            facts = {} if prediction is None else self.facts(prediction)
            for index, loss in zip(members, losses, strict=True):
                why = reason or ("" if np.isfinite(loss) else f"the loss is {loss}")
                status = "failed" if why else "ok"
                yield Outcome(index, np.nan if why else float(loss), status, why, seconds, facts)


class PolynomialTrainer(BoostingTrainer):
    """Boosting of a mangled target, scored with the coefficients of each point.

    See `tilesearch.problems.polynomial`. The target is divided by its largest size on the train
    and validation rows; the models learn P_{c*} of that; predictions for the test part are
    unmangled with a point's own ``c1`` … ``cm`` and scaled back, so that losses are in the
    target's own units.

    Parameters
    ----------
    batch : Batch
    true : ndarray, shape (m,)
        The true coefficients of the batch.
    **options
        As for `BoostingTrainer`; the task must be a regression.
    """

    def __init__(self, batch: Batch, *, true: np.ndarray, **options):
        known = np.concatenate([batch.train["y"], batch.validation["y"]])
        self.scale = float(np.abs(known).max())
        self.names = [f"c{k + 1}" for k in range(len(true))]

        def mangled(part: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {**part, "y": mangle(part["y"] / self.scale, true)}

        training = Batch(mangled(batch.train), mangled(batch.validation), batch.test)
        super().__init__(training, **options)
        self.true = dict(zip(self.names, np.asarray(true).tolist(), strict=True))

    def losses(self, prediction: np.ndarray, points: Sequence[Mapping[str, float]]) -> list[float]:
        """Mean squared errors of the unmangled prediction, one per point."""
        coefficients = np.array([[point[name] for name in self.names] for point in points])
        truth = self.batch.test["y"]
        found = []
        # In blocks, so that many points and rows at once do not fill the memory.
        for block in np.array_split(coefficients, -(-len(coefficients) * len(truth) // 2_000_000)):
            unmangled = unmangle(prediction[None, :], block[:, None, :]) * self.scale
            found += np.mean((unmangled - truth) ** 2, axis=1).tolist()
        return found


class PredictionTrainer(PolynomialTrainer):
    """Boosting of a mangled target that tells its predictions, for a table of them.

    The points name no coefficients: the loss is that at the true ones, and the predictions of the
    mangled target are the fact ``prediction`` of every outcome.
    """

    def losses(self, prediction: np.ndarray, points: Sequence[Mapping[str, float]]) -> list[float]:
        """The mean squared error at the true coefficients, for every point."""
        return super().losses(prediction, [self.true]) * len(points)

    def facts(self, prediction: np.ndarray) -> dict:
        """The predictions of the mangled target for the test part."""
        return {"prediction": prediction.tolist()}


def deepest_leaf(model: lgb.Booster, limit: int) -> int:
    """Depth of the deepest leaf over all trees of `model`, if it is less than `limit`.

    A tree of one split has depth 1. Where a leaf lies at `limit`, one of the first trees usually
    has it, and the others are not read.

    Returns
    -------
    int
        0 if a leaf lies at `limit` or deeper, or if no tree has a split.
    """
    deepest, first, block = 0, 0, 1
    while first < model.current_iteration() and deepest < limit:
        # LightGBM's text of a model: a tenth of the cost of `dump_model`.
        trees = model.model_to_string(num_iteration=block, start_iteration=first)
        children = zip(*(CHILDREN[side].findall(trees) for side in ("left", "right")), strict=True)
        deepest = max(deepest, *(_depth(left, right) for left, right in children))
        first, block = first + block, 2 * block
    return deepest if deepest < limit else 0


def _depth(left: str, right: str) -> int:
    """Depth of a tree by the children of its splits; negative numbers are leaves."""
    children = list(zip(left.split(), right.split(), strict=True))
    level = [1] * len(children)
    for split, pair in enumerate(children):
        for child in map(int, pair):
            if child > 0:  # a split comes after the one that it divides
                level[child] = level[split] + 1
    return max(level, default=0)
