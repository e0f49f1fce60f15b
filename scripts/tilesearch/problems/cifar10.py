"""The `cifar10` problem: a dense head on a frozen ResNet50 sorts small images into ten classes.

ResNet50's layers are frozen, so what it makes of an image never changes: the globally pooled
features are computed once per data set (`embed`) and stored. Searched are the learning rate and
the units of the dense layer between the features and the softmax; the loss is the categorical
cross-entropy of the test part. Members of different width are padded, and grouped by width.
"""

import gzip
import logging
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tilesearch.errors import InputError
from tilesearch.problems.base import Batch, Data, Outcome
from tilesearch.problems.download import fetch, fetch_from
from tilesearch.problems.scaling import Scaling, check_finite
from tilesearch.seeds import rng_for

log = logging.getLogger(__name__)

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
#: A record is a label byte and three planes (red, green, blue) of 32 x 32 pixels, row by row.
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
FEATURES = 2048

PARAMETERS = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "type": "float", "scale": "log"},
    "units": {"low": 16, "high": 512, "type": "int", "scale": "log"},
}
#: Parameters that need a training of their own.
TRAINED = ("learning_rate", "units")

DEFAULTS = {
    # data: path (archive, .bin or .bin.gz file, folder of those, or a list of such), or url with
    # sha256, or stand_in with rows (scikit-learn's digits, at most 1797, labelled as stand-in)
    "data": {
        "url": "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "sha256": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        "weights": "imagenet",  # imagenet, random (seeded; labelled as stand-in), or a path
        "image_size": 32,  # images are enlarged to this side before ResNet50, >= 32
        "embed_rows": 256,  # images that pass through ResNet50 at a time
    },
    "training": {
        "epochs": 10,
        "batch_size": 64,
        "optimiser": "sgd",  # sgd or adam (whose best learning rates lie below this range)
        "memory_mb": 2048,  # weights and activations of members trained at a time
        "group_overhead": 2000,  # what compiling one more group of widths costs, in units
        "xla": True,  # compile with XLA under TensorFlow
    },
}


# -- the binary layout ---------------------------------------------------------------------------


def decode(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one file of CIFAR-10's binary version.

    Parameters
    ----------
    content : bytes
        Records of 3,073 bytes.
    name : str
        Name of the file, for messages.

    Returns
    -------
    images : ndarray of uint8, shape (rows, 32, 32, 3)
        Red, green, blue.
    labels : ndarray of uint8, shape (rows,)
        0 to 9.

    Raises
    ------
    InputError
        If the file ends within a record, is empty, or a label is no class.

    Examples
    --------
    >>> images, labels = decode(bytes([3]) + bytes(3072), "one.bin")
    >>> images.shape, labels.tolist()
    ((1, 32, 32, 3), [3])
    """
    if not content or len(content) % RECORD:
        raise InputError(
            f"'{name}' has {len(content)} bytes, which is no multiple of {RECORD} (one record) "
            "above 0: it is truncated or no CIFAR-10 binary file, fetch it again"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    labels = records[:, 0]
    wrong = np.flatnonzero(labels >= len(CLASSES))
    if len(wrong):
        raise InputError(
            f"'{name}' has label {labels[wrong[0]]} in record {wrong[0]}, labels are 0 to "
            f"{len(CLASSES) - 1}: it is damaged or no CIFAR-10 binary file, fetch it again"
        )
    images = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.copy()


def _archive_parts(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as tar:
            # In the order of the names, whatever the order in the archive.
            members = sorted(
                (m for m in tar.getmembers() if m.isfile() and m.name.endswith(".bin")),
                key=lambda m: m.name,
            )
            for member in members:
                # Nothing is written, yet such an archive is not what its publisher made.
                tarfile.data_filter(member, ".")
                yield f"{path}:{member.name}", tar.extractfile(member).read()
    except tarfile.FilterError as error:
        raise InputError(
            f"archive '{path}' has a member that would leave its folder ({error}), take the "
            "archive from its publisher"
        ) from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(
            f"archive '{path}' cannot be read ({error}): it is truncated or no tar file, "
            "fetch it again"
        ) from error


def _parts(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the binary files at `path`."""
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if p.name.endswith((".bin", ".bin.gz"))):
            yield from _parts(file)
    elif not path.is_file():
        raise InputError(f"data file '{path}' does not exist, give data.path the right path")
    elif path.name.endswith(".bin"):
        yield str(path), path.read_bytes()
    elif path.name.endswith(".bin.gz"):
        try:
            yield str(path), gzip.decompress(path.read_bytes())
        except (EOFError, OSError) as error:
            raise InputError(
                f"'{path}' cannot be unpacked ({error}): it is truncated or no gzip file, "
                "fetch it again"
            ) from error
    else:
        yield from _archive_parts(path)


def _paths(settings: Mapping) -> list[Path]:
    path = settings.get("path")
    if isinstance(path, (list, tuple)):
        return [Path(p) for p in path]
    if path is not None and Path(path).is_dir():
        return [Path(path)]
    return [fetch_from(settings)]


def digits(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Scikit-learn's handwritten digits (8 x 8 pixels) as 32 x 32 RGB images.

    Parameters
    ----------
    rows : int
        Images, 1 to 1797, drawn without replacement.
    seed : int

    Returns
    -------
    dict
        ``x`` of shape (rows, 32, 32, 3) and ``y``, both uint8.

    Raises
    ------
    InputError
        If there are not so many digits.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    if not 1 <= rows <= len(labels):
        raise InputError(f"data.stand_in.rows is {rows}, it must be 1 to {len(labels)}")
    chosen = np.sort(rng_for(seed, "cifar10", "digits").permutation(len(labels))[:rows])
    grey = np.round(images[chosen].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    large = grey.repeat(SIDE // 8, axis=1).repeat(SIDE // 8, axis=2)
    return {"x": np.repeat(large[..., None], 3, axis=-1), "y": labels[chosen].astype(np.uint8)}


def load(settings: Mapping, seed: int) -> Data:
    """Images ``x`` (rows, 32, 32, 3), red-green-blue, and labels ``y``, both uint8.

    Parameters
    ----------
    settings : mapping
        Section ``data``: ``path`` (the archive, a ``.bin`` or ``.bin.gz`` file, a folder of such
        files, or a list of any of these), or ``url`` and ``sha256``, or ``stand_in`` with
        ``rows``; and ``weights``, which decides whether the features are a stand-in.
    seed : int
        Seeds the choice of the stand-in's rows.

    Raises
    ------
    InputError
        If the files cannot be had or used.
    """
    labels = []
    if settings.get("stand_in"):
        arrays = digits(int(settings["stand_in"]["rows"]), seed)
        source, classes = "sklearn.datasets.load_digits", tuple("0123456789")
        labels.append("scikit-learn digits")
    else:
        paths = _paths(settings)
        decoded = [decode(content, name) for path in paths for name, content in _parts(path)]
        if not decoded:
            raise InputError(
                f"'{paths[0]}' holds no .bin file, give data.path the archive of CIFAR-10's "
                "binary version or a folder with its files"
            )
        x, y = (np.concatenate(part) for part in zip(*decoded, strict=True))
        arrays = {"x": x, "y": y}
        named = settings.get("url") if settings.get("path") is None else None
        source, classes = named or ", ".join(p.name for p in paths), CLASSES
    if settings.get("weights") == "random":
        labels.append("ResNet50 with random weights")
    facts = {"source": source, "stand_in": ", ".join(labels) or None, "classes": list(classes)}
    return Data(arrays, facts)


# -- frozen ResNet50 -----------------------------------------------------------------------------


def _resnet(weights, size: int):
    """ResNet50 without its top, pooled; weights as `embed` takes them."""
    import keras

    if weights not in ("imagenet", "random"):
        fetch(path=weights)  # one sentence if it is not there
    try:
        return keras.applications.ResNet50(
            include_top=False,
            weights=None if weights == "random" else os.fspath(weights),
            input_shape=(size, size, 3),
            pooling="avg",
        )
    except Exception as error:  # Keras raises bare Exceptions for downloads, many for bad files
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        if weights == "imagenet":
            raise InputError(
                f"the ImageNet weights of ResNet50 cannot be downloaded ({reason}), give "
                "data.weights the path of resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5, "
                "or take weights: random (labelled as stand-in)"
            ) from error
        raise InputError(
            f"weights file '{weights}' does not fit ResNet50 without its top ({reason}), give "
            "data.weights another path, imagenet or random"
        ) from error


def _draw_weights(model, seed: int) -> None:
    """Draw the kernels of `model` anew: Glorot uniform, seeded by layer, on every backend."""
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            shape = tuple(kernel.shape)
            taps = int(np.prod(shape[:-2]))
            limit = np.sqrt(6.0 / (taps * (shape[-2] + shape[-1])))
            rng = rng_for(seed, "cifar10", "resnet50", layer.name)
            kernel.assign(rng.uniform(-limit, limit, shape).astype(np.float32))


def embed(data: Data, settings: Mapping, seed: int) -> dict[str, np.ndarray]:
    """Globally pooled features of the frozen ResNet50, computed once.

    The images are enlarged to `image_size` (bilinear), turned from RGB to BGR and centred on
    ImageNet's mean per channel, without scaling (Keras' "caffe" mode).

    Parameters
    ----------
    data : Data
        Array ``x``, uint8, shape (rows, 32, 32, 3).
    settings : mapping
        Section ``data``: ``weights`` ("imagenet", "random" or a path), ``image_size`` >= 32,
        ``embed_rows``.
    seed : int
        Seeds random weights.

    Returns
    -------
    dict
        ``features`` of shape (rows, 2048), float16.

    Raises
    ------
    InputError
        If the weights cannot be had, or features are no finite numbers.
    """
    import keras
    from keras import ops

    settings = {**DEFAULTS["data"], **settings}
    size, step = int(settings["image_size"]), int(settings["embed_rows"])
    if size < SIDE:
        raise InputError(f"data.image_size is {size}, ResNet50 needs {SIDE} or more")
    model = _resnet(settings["weights"], size)
    if settings["weights"] == "random":
        _draw_weights(model, seed)
    images, features = data.arrays["x"], np.empty((data.rows, FEATURES), np.float16)
    for start in range(0, data.rows, step):
        part = ops.convert_to_tensor(images[start : start + step].astype(np.float32))
        if size != SIDE:
            part = ops.image.resize(part, (size, size), data_format="channels_last")
        part = keras.applications.resnet50.preprocess_input(part, data_format="channels_last")
        values = model.predict_on_batch(part)
        features[start : start + step] = values
        done = min(start + step, data.rows)
        if done == data.rows or (start // step) % 10 == 9:
            log.info("ResNet50: %d of %d images", done, data.rows)
    remedy = f"the weights '{settings['weights']}' do not suit float16, give others"
    check_finite(features, "the table of ResNet50's features", remedy)
    return {"features": features}


# -- the dense head ------------------------------------------------------------------------------


def network(widths, pad: int, classes: int, seed: int, dtype=None):
    """Dense heads: one hidden ReLU layer and one output per class (before the softmax).

    Parameters
    ----------
    widths : sequence of int
        Units of each member's hidden layer.
    pad : int
        Width to which the layer is padded.
    classes : int
        Number of classes.
    seed : int
        Seed of the initial weights.
    dtype : str, optional
        Keras dtype.

    Returns
    -------
    tilesearch.training.fused.Chain
    """
    from tilesearch.training.fused import Chain, Dense

    members, options = len(widths), {"seed": seed, "dtype": dtype}
    return Chain(
        [
            Dense(members, pad, "relu", out_widths=widths, name="hidden", **options),
            Dense(members, classes, in_widths=widths, name="classes", **options),
        ],
        dtype=dtype,
    )


class Cifar10Trainer:
    """Trains the dense heads of one batch together; see `trainer`."""

    def __init__(self, batch: Batch, classes: int, settings: Mapping, seed: int):
        parts = {"train": batch.train, "test": batch.test}
        for name, part in parts.items():
            check_finite(
                part["features"],
                f"the {name} part's table of features",
                "delete the file of features: it is made anew",
            )
            labels = np.asarray(part["y"])
            if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
                raise InputError(
                    f"the {name} part has label {labels.max()}, labels are 0 to {classes - 1}: "
                    "mend the data file"
                )
        scale = Scaling.of(batch.train["features"])
        self.train, self.test = (
            {"x": scale.apply(part["features"]), "y": np.asarray(part["y"], dtype=np.int32)}
            for part in parts.values()
        )
        self.classes, self.settings, self.seed = classes, settings, seed

    def evaluate(self, points: Iterable[Mapping[str, float]]) -> Iterator[Outcome]:
        """Yield one outcome per point, a chunk of members at a time."""
        from tilesearch.training import fused

        points = list(points)
        if not points:
            return
        rates = np.array([float(p["learning_rate"]) for p in points])
        units = np.array([int(p["units"]) for p in points])
        epochs = int(self.settings["epochs"])
        inputs = self.train["x"].shape[1]
        for group in fused.group_by_width(units, self.settings["group_overhead"]):
            pad = int(units[group].max())
            size = fused.members_that_fit(
                weights=(inputs + self.classes + 1) * pad + self.classes,
                activations=1024 * (pad + 2 * self.classes),
                memory_mb=self.settings["memory_mb"],
            )
            chunks = fused.train_in_chunks(
                lambda members, pad=pad: network(
                    units[members].tolist(), pad, self.classes, self.seed
                ),
                group,
                size,
                rates=rates,
                loss=fused.cross_entropy,
                optimiser=fused.OPTIMISERS[self.settings["optimiser"]](),
                xla=self.settings["xla"],
                train=self.train,
                test=self.test,
                epochs=epochs,
                evaluate=[epochs],
                batch_size=self.settings["batch_size"],
                seed=self.seed,
            )
            for members, losses, seconds in chunks:
                for point, loss in zip(members, losses[:, 0], strict=True):
                    yield fused.outcome(int(point), loss, seconds / len(members), rates[point])


def trainer(
    batch: Batch, facts: Mapping, tuned: Mapping, settings: Mapping, seed: int, threads: int
) -> Cifar10Trainer:
    """Trainer of one batch.

    Parameters
    ----------
    batch : Batch
        ``features`` (from `embed`) and ``y`` of the train and test parts.
    facts : mapping
        `Data.facts`; its ``classes`` count.
    tuned : mapping
        Not used.
    settings : mapping
        Section ``training``; see `DEFAULTS`.
    seed : int
        Seeds initial weights and the order of the rows.
    threads : int
        Cores to use.

    Raises
    ------
    InputError
        If features are no finite numbers or labels lie outside the classes.
    """
    from tilesearch.training.fused import use_threads

    use_threads(threads)
    settings = {**DEFAULTS["training"], **settings}
    return Cifar10Trainer(batch, len(facts["classes"]), settings, seed)
