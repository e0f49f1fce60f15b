"""The `bjet` problem: the energy of a simulated Aleph jet from the ten other columns.

A dense network with two hidden layers (widths found by Optuna) regresses the energy; searched are
the learning rate and the number of epochs. One training to the largest number of epochs gives the
loss at each smaller one, so points that share a learning rate share a training. The loss is the
mean squared error on the test part, in units of the train part's variance: 1 is what predicting
the mean gives.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from tilesearch.errors import InputError
from tilesearch.problems.base import Batch, Data, Outcome
from tilesearch.problems.download import fetch_from
from tilesearch.problems.scaling import Scaling, check_finite
from tilesearch.seeds import rng_for, seed_for

log = logging.getLogger(__name__)

TARGET = "energy"
FEATURES = (
    *("cTheta", "phi", "prob_b", "spheri", "pt2rel"),
    *("multip", "bqvjet", "ptlrel", "nnbjet", "isb"),
)

PARAMETERS = {
    "learning_rate": {"low": 0.001, "high": 0.1, "type": "float", "scale": "linear"},
    "epochs": {"low": 35, "high": 66, "type": "int", "scale": "linear"},
}
#: Parameters that need a training of their own; epochs are read off one training.
TRAINED = ("learning_rate",)

DEFAULTS = {
    # data: path, or url with sha256, or stand_in with rows (generated, labelled as stand-in)
    "data": {
        "url": "https://raw.githubusercontent.com/AppliedMachineLearningNBI/AppliedML2021/"
        "bb28dab0499f65eb9011766cab079bb56d1d1ea5/Week1/AlephBtag_MC_small_v2.csv",
        "sha256": "a9e73b06ae75e1e633ae0a2607ed76089e48451a62bf296aef85f86a7948a68b",
    },
    # tuning of the hidden layers' widths
    "tuning": {
        "rows": 4000,  # rows used, at most; a fifth of them measures the loss
        "trials": 24,  # Optuna trials
        "together": 8,  # trials that are asked for and trained at a time
        "epochs": 20,
        "batch_size": 32,
        "widths": [4, 64],  # range of both layers' widths
        "learning_rates": [0.003, 0.01, 0.03],  # a trial's loss is its best over these
    },
    "training": {
        "batch_size": 32,
        "hidden": None,  # widths of the hidden layers, such as [32, 16]; null: the tuned ones
        "optimiser": "adam",  # adam or sgd
        "share_epochs": True,  # one training per learning rate
        "memory_mb": 2048,  # weights and activations of members trained at a time
        "xla": True,  # compile with XLA under TensorFlow
    },
}


def _table(path) -> dict[str, np.ndarray]:
    import pandas as pd

    try:
        table = pd.read_csv(path, sep=r"\s+")
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"data file '{path}' cannot be read as a white-space table "
            f"({str(error).splitlines()[0]}), fetch it again"
        ) from error
    missing = [name for name in (TARGET, *FEATURES) if name not in table.columns]
    if missing:
        raise InputError(
            f"data file '{path}' lacks the column '{missing[0]}', its first line must name "
            f"{', '.join((TARGET, *FEATURES))}"
        )
    try:
        x = table[list(FEATURES)].to_numpy(dtype=np.float64)
        y = table[TARGET].to_numpy(dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"data file '{path}' holds text where a number belongs ({error}), mend or remove "
            "that row"
        ) from error
    remedy = "mend or remove those rows"
    check_finite(np.column_stack([x, y]), f"data file '{path}'", remedy)
    return {"x": x, "y": y}


def generated_jets(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Jets that look like Aleph's, with an energy that can be learnt in part.

    The columns have about the ranges of the real table; the energy is 45 GeV (half a Z boson) plus
    terms in momentum, multiplicity and their product, less what neutrinos carry away from
    b-jets, plus noise.

    Parameters
    ----------
    rows : int
        Jets, >= 1.
    seed : int

    Returns
    -------
    dict
        ``x`` of shape (rows, 10), in the order of `FEATURES`, and ``y`` in GeV.
    """
    rng = rng_for(seed, "bjet", "stand-in")
    isb = (rng.random(rows) < 0.22).astype(float)
    theta, phi = rng.uniform(-0.86, 0.86, rows), rng.uniform(-np.pi, np.pi, rows)
    prob_b = rng.gamma(0.6 + isb, 0.1, rows)
    spheri = rng.beta(2.5, 4.0, rows)
    pt2rel = rng.gamma(1.6, 0.038, rows)
    multip = rng.normal(0.36 + 0.05 * isb, 0.13, rows).clip(0.0, 1.0)
    bqvjet = rng.gamma(0.8 + isb, 0.1, rows)
    ptlrel = np.where(rng.random(rows) < 0.15 + 0.2 * isb, rng.gamma(2.0, 0.15, rows), -0.0003)
    nnbjet = 1 / (1 + np.exp(-(4 * prob_b + 4 * bqvjet - 2 + rng.normal(0, 0.7, rows))))
    energy = (
        45.0
        + 45.0 * np.tanh(12 * (pt2rel - 0.06)) * (0.3 + 0.5 * multip)
        + 9.0 * (multip - 0.36)
        - 8.0 * np.tanh(4 * ptlrel.clip(0))
        - 2.0 * isb
        - 6.0 * (spheri - 0.38) * (np.abs(theta) > 0.6)
        + rng.normal(0, 3.0, rows)
    )
    x = np.column_stack([theta, phi, prob_b, spheri, pt2rel, multip, bqvjet, ptlrel, nnbjet, isb])
    return {"x": x, "y": energy}


def load(settings: Mapping, seed: int) -> Data:
    """Jets: features ``x`` (rows, 10) and energy ``y`` in GeV.

    Parameters
    ----------
    settings : mapping
        Section ``data``: ``path``, or ``url`` and ``sha256``, or ``stand_in`` with ``rows``;
        optionally ``rows``, the number of rows that are taken from the file's beginning.
    seed : int
        Seeds the stand-in.

    Raises
    ------
    InputError
        If the file cannot be had or used.
    """
    stand_in = settings.get("stand_in")
    if stand_in:
        arrays = generated_jets(int(stand_in["rows"]), seed)
        facts = {
            "source": "generated by tilesearch.problems.bjet.generated_jets",
            "stand_in": "generated jets",
        }
    else:
        path = fetch_from(settings)
        arrays = _table(path)
        rows = settings.get("rows")
        arrays = {name: values[:rows] for name, values in arrays.items()}
        facts = {"source": settings.get("url") or path.name, "stand_in": None}
    return Data(arrays, {**facts, "features": list(FEATURES), "target": TARGET, "unit": "GeV"})


def network(members: int, widths: np.ndarray, pads: tuple[int, int], seed: int, dtype=None):
    """Dense networks with two hidden ReLU layers and one output.

    Parameters
    ----------
    members : int
        Number of members.
    widths : array_like of int, shape (members, 2)
        Widths of each member's hidden layers.
    pads : (int, int)
        Widths to which the layers are padded.
    seed : int
        Seed of the initial weights.
    dtype : str, optional
        Keras dtype.

    Returns
    -------
    tilesearch.training.fused.Chain
    """
    from tilesearch.training.fused import Chain, Dense

    first, second = np.asarray(widths).T.tolist()
    options = {"seed": seed, "dtype": dtype}
    return Chain(
        [
            Dense(members, pads[0], "relu", out_widths=first, name="hidden_1", **options),
            Dense(
                *(members, pads[1], "relu"),
                in_widths=first,
                out_widths=second,
                name="hidden_2",
                **options,
            ),
            Dense(members, 1, in_widths=second, name="energy", **options),
        ],
        dtype=dtype,
    )


def _standardised(train: Mapping, test: Mapping) -> tuple[dict, dict]:
    x, y = Scaling.of(train["x"]), Scaling.of(train["y"])
    return tuple({"x": x.apply(part["x"]), "y": y.apply(part["y"])} for part in (train, test))


def tune(data: Data, settings: Mapping, seed: int) -> dict:
    """Find the widths of the two hidden layers with Optuna's TPE.

    Trials are asked for some at a time (with the constant liar, so that they differ) and trained
    as one fused program, padded to the largest width; the program is compiled once.

    Parameters
    ----------
    data : Data
        All jets.
    settings : mapping
        Section ``tuning``; see `DEFAULTS`.
    seed : int

    Returns
    -------
    dict
        ``hidden`` (two widths), ``loss`` of the best trial, ``trials``.
    """
    import optuna

    from tilesearch.training import fused

    settings = {**DEFAULTS["tuning"], **settings}
    order = rng_for(seed, "bjet", "tuning").permutation(data.rows)[: settings["rows"]]
    cut = max(1, len(order) // 5)
    train, test = _standardised(
        *({name: a[rows] for name, a in data.arrays.items()} for rows in (order[cut:], order[:cut]))
    )
    low, high = settings["widths"]
    rates = settings["learning_rates"]
    together = min(settings["together"], settings["trials"])
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # The liar gives trials that are still open a bad value, so that one ask differs from the next.
    sampler = optuna.samplers.TPESampler(
        seed=seed_for(seed, "bjet", "tpe") % 2**32, constant_liar=True
    )
    study = optuna.create_study(sampler=sampler)
    program = None
    while len(study.trials) < settings["trials"]:
        trials = [study.ask() for _ in range(together)]
        widths = [
            [t.suggest_int(f"width_{layer}", low, high, log=True) for layer in (1, 2)]
            for t in trials
        ]
        members = np.repeat(widths, len(rates), axis=0)
        model = network(len(members), members, (high, high), seed)
        if program is None:
            program = fused.Program(model, fused.squared_error, fused.Adam())
        losses = fused.train(
            model,
            train,
            test,
            loss=fused.squared_error,
            rates=np.tile(rates, len(trials)),
            epochs=settings["epochs"],
            evaluate=[settings["epochs"]],
            batch_size=settings["batch_size"],
            seed=seed,
            program=program,
        ).reshape(len(trials), len(rates))
        best = np.where(np.isfinite(losses), losses, np.inf).min(axis=1)
        for trial, loss in zip(trials, best, strict=True):
            study.tell(trial, loss if np.isfinite(loss) else 1e30)
        log.info(
            "%d of %d trials, best loss %.4f",
            len(study.trials),
            settings["trials"],
            study.best_value,
        )
    hidden = [study.best_params["width_1"], study.best_params["width_2"]]
    return {"hidden": hidden, "loss": study.best_value, "trials": len(study.trials)}


class BjetTrainer:
    """Trains the jets' networks of one batch together; see `trainer`."""

    def __init__(self, batch: Batch, hidden, settings: Mapping, seed: int):
        self.train, self.test = _standardised(batch.train, batch.test)
        self.hidden, self.settings, self.seed = list(hidden), settings, seed

    def _members(self, points) -> tuple[np.ndarray, np.ndarray]:
        """Learning rate of each member, and the member of each point."""
        rates = np.array([float(p["learning_rate"]) for p in points])
        if self.settings["share_epochs"]:
            return np.unique(rates, return_inverse=True)
        return rates, np.arange(len(rates))

    def evaluate(self, points: Iterable[Mapping[str, float]]) -> Iterator[Outcome]:
        """Yield one outcome per point, a chunk of members at a time."""
        from tilesearch.training import fused

        points = list(points)
        if not points:
            return
        rates, member_of = self._members(points)
        epochs = np.array([int(p["epochs"]) for p in points])
        evaluate = np.unique(epochs)
        first, second = self.hidden
        inputs = self.train["x"].shape[1]
        size = fused.members_that_fit(
            weights=inputs * first + first * second + 2 * second + first + 1,
            activations=1024 * (first + second + 1),
            memory_mb=self.settings["memory_mb"],
        )
        chunks = fused.train_in_chunks(
            lambda members: network(
                len(members), [self.hidden] * len(members), (first, second), self.seed
            ),
            np.arange(len(rates)),
            size,
            rates=rates,
            loss=fused.squared_error,
            optimiser=fused.OPTIMISERS[self.settings["optimiser"]](),
            xla=self.settings["xla"],
            train=self.train,
            test=self.test,
            epochs=int(evaluate[-1]),
            evaluate=evaluate,
            batch_size=self.settings["batch_size"],
            seed=self.seed,
        )
        for members, losses, seconds in chunks:
            held = np.flatnonzero(np.isin(member_of, members))
            for point in held:
                row = np.searchsorted(members, member_of[point])
                loss = losses[row, np.searchsorted(evaluate, epochs[point])]
                yield fused.outcome(int(point), loss, seconds / len(held), rates[member_of[point]])


def trainer(
    batch: Batch, facts: Mapping, tuned: Mapping, settings: Mapping, seed: int, threads: int
) -> BjetTrainer:
    """Trainer of one batch.

    Parameters
    ----------
    batch : Batch
        ``x`` and ``y`` of the train and test parts.
    facts : mapping
        `Data.facts`; not used.
    tuned : mapping
        What `tune` gave; ``hidden`` of the settings wins over it.
    settings : mapping
        Section ``training``; see `DEFAULTS`.
    seed : int
        Seeds initial weights and the order of the rows.
    threads : int
        Cores to use.

    Raises
    ------
    InputError
        If the widths are known neither from tuning nor from the settings.
    """
    from tilesearch.training.fused import use_threads

    settings = {**DEFAULTS["training"], **settings}
    hidden = settings["hidden"] or tuned.get("hidden")
    if not hidden or len(hidden) != 2:
        raise InputError(
            f"training.hidden is {hidden}, give the widths of two hidden layers (or null to take "
            "the tuned ones)"
        )
    use_threads(threads)
    return BjetTrainer(batch, hidden, settings, seed)
