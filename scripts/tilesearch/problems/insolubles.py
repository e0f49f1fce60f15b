"""Insolubles: which particle does a microscope image of melted ice show?

A convolutional network, trained from scratch, sorts grey images into classes. Searched are the
learning rate of its first epoch and the factor (decay γ) by which each later epoch multiplies it;
the loss is the cross-entropy of the test part.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tilesearch.errors import InputError
from tilesearch.problems.base import Batch, Data, Outcome
from tilesearch.problems.particles import CLASSES, particle_images

TABLE = "supervised_train.csv"

PARAMETERS = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "type": "float", "scale": "log"},
    "decay": {"low": 0.60, "high": 1.00, "type": "float", "scale": "linear"},
}
TRAINED = ("learning_rate", "decay")
DEFAULTS = {
    "data": {
        "path": None,  # folder with supervised_train.csv, or that table itself
        "image_size": 32,  # pixels per side that the network sees
        "classes": None,  # labels that may occur, in order; None: those found in the table
        "same_size": True,  # False: images of different sizes are resized one by one
        "stand_in": {"rows": 2000, "mislabelled": 0.02},
    },
    "training": {
        "epochs": 6,
        "batch_size": 32,
        "channels": [8, 16, 16],  # of the convolutions; each halves the sides of its image
        "units": 32,  # of the dense layer before the last
        "optimiser": "adam",  # adam or sgd
        "members": 16,  # networks trained at a time; on a CPU, more do not fit its cache
        "xla": True,  # compile with XLA under TensorFlow
    },
}
KERNEL, STRIDE = 3, 2


def _table(path: Path) -> tuple[Path, list[str], np.ndarray]:
    """Folder, image paths and labels of the table at `path` (or in the folder `path`)."""
    import pandas as pd

    table = path / TABLE if path.is_dir() else path
    if not table.is_file():
        raise InputError(
            f"{table} does not exist, set data.path to the folder that holds {TABLE} "
            "or to such a table"
        )
    try:
        columns = pd.read_csv(table, usecols=["imgpaths", "class"], dtype=str)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            f"{table} is not a CSV table with the columns imgpaths and class ({error}), "
            "take the public table or name your columns so"
        ) from error
    if columns.empty:
        raise InputError(f"{table} has no rows, it must name one image or more")
    empty = np.flatnonzero(columns.isna().any(axis=1))
    if len(empty):
        raise InputError(
            f"{table}: row {empty[0] + 1} lacks its imgpaths or class, fill it in or remove the row"
        )
    return table, columns["imgpaths"].tolist(), columns["class"].str.strip().to_numpy()


def _class_order(labels: np.ndarray) -> list[str]:
    """Distinct labels: as numbers where all are whole numbers, else by the alphabet."""
    found = sorted(set(labels.tolist()))
    try:
        return sorted(found, key=int)
    except ValueError:
        return found


def _positions(table: Path, labels: np.ndarray, classes: list[str]) -> np.ndarray:
    """Labels as positions in `classes`."""
    place = {name: i for i, name in enumerate(classes)}
    for row, label in enumerate(labels):
        if label not in place:
            raise InputError(
                f"{table}: row {row + 1} has the class '{label}', which is none of "
                f"{', '.join(classes)}: mend the table or data.classes"
            )
    return np.array([place[label] for label in labels], np.int64)


def _inside(folder: Path, name: str, table: Path) -> Path:
    """Path of the image `name`, which must lie inside `folder`."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(
            f"{table} names the image '{name}', which lies outside {folder}: "
            "paths in imgpaths must stay inside the table's folder"
        )
    if not path.is_file():
        raise InputError(
            f"image {path} does not exist, though {table} names it: "
            "unpack the images beside the table or remove the row"
        )
    return path


def _read_images(table: Path, names: list[str], image_size: int, same_size: bool) -> np.ndarray:
    """All images, grey and resized: float32 (rows, image_size, image_size) in [0, 1]."""
    from PIL import Image, UnidentifiedImageError

    images = np.empty((len(names), image_size, image_size), np.float32)
    # All paths first: a wrong table should not cost the reading of thousands of images.
    paths = [_inside(table.parent, name, table) for name in names]
    first = None
    for row, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                deep, grey = image.mode.startswith(("I", "F")), image.convert("L")
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise InputError(
                f"image {path} cannot be read ({error}), replace it or remove its row from {table}"
            ) from error
        if deep:  # Pillow would cut its values off at 255 without a word
            raise InputError(f"image {path} has more than 8 bits per pixel, save it with 8 bits")
        first = first or grey.size
        if same_size and grey.size != first:
            raise InputError(
                f"image {path} has {grey.size[0]}x{grey.size[1]} pixels and the first one of "
                f"{table} has {first[0]}x{first[1]}: make them equal or set data.same_size to false"
            )
        small = grey.resize((image_size, image_size), Image.Resampling.BOX)
        images[row] = np.asarray(small, np.float32) / 255
    return images


def _load_files(settings: Mapping) -> Data:
    table, names, labels = _table(Path(settings["path"]))
    classes = [str(name) for name in settings["classes"] or _class_order(labels)]
    if len(classes) < 2:
        raise InputError(f"{table} has {len(classes)} class, telling apart needs two or more")
    y = _positions(table, labels, classes)
    x = _read_images(table, names, settings["image_size"], settings["same_size"])
    facts = {"source": table.name, "stand_in": None, "classes": classes}
    return Data({"x": x[..., None], "y": y}, facts)


def load(settings: Mapping, seed: int) -> Data:
    """Load or draw the images.

    Parameters
    ----------
    settings : dict
        ``path``: a folder in the public layout (``supervised_train.csv`` with the columns
        ``imgpaths`` and ``class`` and the images it names, grey or colour, beside it) or such a
        table; or ``stand_in``: ``{"rows": n, "mislabelled": share}`` for drawn images (see
        `tilesearch.problems.particles`). ``image_size``, ``classes`` and ``same_size`` as in
        `DEFAULTS`. Without a path the stand-in is drawn.
    seed : int
        Seed of the stand-in.

    Returns
    -------
    Data
        ``x``: float32, shape (rows, image_size, image_size, 1), grey values in [0, 1];
        ``y``: int64, shape (rows,), positions in ``facts["classes"]``.

    Raises
    ------
    InputError
        If the table or an image is missing, cannot be read, lies outside the folder or has
        another size than the first, or if a label is none of the classes.

    Examples
    --------
    >>> data = load({"stand_in": {"rows": 20}, "image_size": 16}, seed=1)
    >>> data.arrays["x"].shape, data.facts["classes"][0]
    ((20, 16, 16, 1), 'ash shard')
    """
    settings = {**DEFAULTS["data"], **settings}
    size = settings["image_size"]
    if size != int(size) or size < 8:
        raise InputError(f"data.image_size is {size}, it must be a whole number of 8 or more")
    if settings["path"]:
        return _load_files(settings)
    drawn = {**DEFAULTS["data"]["stand_in"], **(settings["stand_in"] or {})}
    x, y = particle_images(drawn["rows"], size, seed, drawn["mislabelled"])
    facts = {
        "source": f"{drawn['rows']} drawn images, seed {seed}",
        "stand_in": "drawn particles",
        "classes": list(CLASSES),
    }
    return Data({"x": x[..., None], "y": y}, facts)


def network(members: int, classes: int, settings: Mapping, seed: int, dtype=None):
    """Convolutional networks, one per member: convolutions of stride 2, then two dense layers.

    Parameters
    ----------
    members, classes : int
        Number of networks and of classes.
    settings : dict
        ``channels`` and ``units``, see `DEFAULTS`.
    seed : int
        Seed of the initial weights, the same for all members.
    dtype : str, optional
        Keras dtype.

    Returns
    -------
    tilesearch.training.fused.Chain
        Reads ``x`` (1, rows, side, side, 1), gives logits (members, rows, classes).
    """
    from tilesearch.training.convolution import Convolution, Flatten
    from tilesearch.training.fused import Chain, Dense

    options = {"seed": seed, "dtype": dtype}
    convolutions = [
        Convolution(members, channels, KERNEL, STRIDE, "relu", name=f"convolution_{i}", **options)
        for i, channels in enumerate(settings["channels"])
    ]
    hidden = Dense(members, settings["units"], "relu", name="hidden", **options)
    out = Dense(members, classes, name="classes", **options)
    return Chain([*convolutions, Flatten(dtype=dtype), hidden, out], dtype=dtype)


def lone_network(side: int, classes: int, settings: Mapping, seed: int, dtype=None):
    """Build one member of `network` in plain Keras, with the same initial weights.

    It is not used for training a study; tests and benchmarks compare with it.

    Returns
    -------
    keras.Sequential
        Takes (rows, side, side, 1), gives logits (rows, classes).
    """
    import keras

    from tilesearch.training.fused import glorot

    options = {"dtype": dtype}
    convolutions = [
        keras.layers.Conv2D(
            *(channels, KERNEL, STRIDE, "same"),
            activation="relu",
            name=f"convolution_{i}",
            **options,
        )
        for i, channels in enumerate(settings["channels"])
    ]
    dense = [
        keras.layers.Dense(settings["units"], "relu", name="hidden", **options),
        keras.layers.Dense(classes, name="classes", **options),
    ]
    model = keras.Sequential(
        [
            keras.Input((side, side, 1), dtype=dtype),
            *convolutions,
            keras.layers.Flatten(**options),
            *dense,
        ]
    )
    for layer in (*convolutions, *dense):
        *side_by_side, inputs, outputs = layer.kernel.shape
        taps = int(np.prod(side_by_side))
        weights = glorot(seed, layer.name, taps * inputs, outputs, taps=taps)
        layer.kernel.assign(weights.reshape(layer.kernel.shape))
    return model


def standardised(train: Mapping, test: Mapping) -> tuple[dict, dict]:
    """Arrays ``x`` and ``y`` of both parts; grey values of mean 0 and variance 1 in `train`."""
    middle, width = float(train["x"].mean()), float(train["x"].std()) or 1.0
    return tuple(
        {"x": ((part["x"] - middle) / width).astype(np.float32), "y": part["y"]}
        for part in (train, test)
    )


class InsolublesTrainer:
    """Trains the networks of one batch together, some members at a time; see `trainer`."""

    def __init__(self, batch: Batch, classes: int, settings: Mapping, seed: int):
        self.train, self.test = standardised(batch.train, batch.test)
        self.classes, self.settings, self.seed = classes, settings, seed

    def evaluate(self, points: Iterable[Mapping[str, float]]) -> Iterator[Outcome]:
        """Yield one outcome per point, a chunk of members at a time."""
        from tilesearch.training import fused

        points = list(points)
        if not points:
            return
        rates = np.array([float(p["learning_rate"]) for p in points])
        decays = np.array([float(p["decay"]) for p in points])
        epochs = self.settings["epochs"]
        chunks = fused.train_in_chunks(
            lambda members: network(len(members), self.classes, self.settings, self.seed),
            np.arange(len(points)),
            self.settings["members"],
            rates=fused.decayed(rates, decays, epochs),
            loss=fused.cross_entropy,
            optimiser=fused.OPTIMISERS[self.settings["optimiser"]](),
            xla=self.settings["xla"],
            train=self.train,
            test=self.test,
            epochs=epochs,
            evaluate=[epochs],
            batch_size=self.settings["batch_size"],
            score_rows=128,
            seed=self.seed,
        )
        for members, losses, seconds in chunks:
            for point, loss in zip(members, losses[:, -1], strict=True):
                yield fused.outcome(int(point), loss, seconds / len(members), rates[point])


def trainer(
    batch: Batch, facts: Mapping, tuned: Mapping, settings: Mapping, seed: int, threads: int
) -> InsolublesTrainer:
    """Trainer of one batch.

    Parameters
    ----------
    batch : Batch
        ``x`` and ``y`` of the train and test parts, as from `load`.
    facts : dict
        ``classes``: names of the classes.
    tuned : dict
        Not used: nothing is tuned.
    settings : dict
        Section ``training``; see `DEFAULTS`.
    seed : int
        Seed of initial weights and of the order of rows.
    threads : int
        Cores to use.
    """
    from tilesearch.training.fused import use_threads

    use_threads(threads)
    settings = {**DEFAULTS["training"], **settings}
    return InsolublesTrainer(batch, len(facts["classes"]), settings, seed)
