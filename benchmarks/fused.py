"""Networks trained as one program against one Keras `model.fit` per point, in one run.

    python benchmarks/fused.py [--backend tensorflow|jax|torch] [--full] [--alone 3] [--threads 2]

bjet: 100 points (10 learning rates x 10 numbers of epochs) of a batch of 3,400 generated jets.
cifar10: 64 points (8 learning rates x 8 widths) of a head on 2,048 features of 2,000 images, and
what running ResNet50 on the images in each epoch would add. Times of fused training hold all that
a job pays: building, compiling, training, scoring. `model.fit` is measured at a few points that
are spread evenly over the design, after one that warms Keras up, and is extrapolated to all points
by linear interpolation (in epochs, in units); with --full every point is measured.
insolubles and icecube: 32 points of a batch of 2,000 stand-ins, see
`fused_graphs_images.py`; their ratios are of seconds of the processor, and the operations of a
training stand against the rate at which this machine does them.
"""

import argparse
import itertools
import os
import platform
import time

import numpy as np

RATES = {"bjet": np.linspace(0.001, 0.1, 10), "cifar10": np.geomspace(1e-4, 1e-1, 8)}
EPOCHS = np.linspace(35, 66, 10).round().astype(int)
UNITS = np.geomspace(16, 512, 8).round().astype(int)
HIDDEN = (32, 16)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["tensorflow", "jax", "torch"], default="tensorflow")
    parser.add_argument("--full", action="store_true", help="measure model.fit at every point")
    parser.add_argument("--alone", type=int, default=3, help="points measured with model.fit")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=list(PROBLEMS), help="one problem only")
    return parser.parse_args()


def seconds(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def parts(arrays):
    """A batch: the first four fifths of the rows train, the others test."""
    from tilesearch.problems.base import Batch

    cut = len(next(iter(arrays.values()))) * 4 // 5
    train, test = ({k: a[s] for k, a in arrays.items()} for s in (slice(cut), slice(cut, None)))
    return Batch(train, {}, test)


def fit(train, test, widths, outputs, rate, epochs, batch_size, loss, optimiser):
    """Train one network with plain Keras and measure its loss, as the deck's study did."""
    import keras

    layers = [keras.layers.Dense(width, "relu") for width in widths]
    model = keras.Sequential(
        [keras.Input(train["x"].shape[1:]), *layers, keras.layers.Dense(outputs)]
    )
    model.compile(keras.optimizers.get(optimiser), loss)
    model.optimizer.learning_rate = rate
    model.fit(train["x"], train["y"], batch_size, int(epochs), verbose=0)
    return model.evaluate(test["x"], test["y"], verbose=0)


def alone(one, values, count, full):
    """Times of `one(value)` at `values`: measured at `count` of them, else interpolated."""
    one(values[0])  # warm-up: imports and pools are not charged to `model.fit`
    at = range(len(values)) if full else np.linspace(0, len(values) - 1, count).round().astype(int)
    measured = [seconds(lambda i=i: one(values[i]))[0] for i in at]
    return np.interp(values, np.asarray(values)[list(at)], measured), len(measured)


def line(name, what, count, took, note=""):
    print(f"{name:10} {what:44} {count:6d} {took:10.2f} s {1e3 * took / count:10.1f} ms  {note}")


def bjet(args):
    from tilesearch.problems import bjet

    batch = parts(bjet.load({"stand_in": {"rows": 3400}}, seed=1).arrays)
    points = [
        {"learning_rate": r, "epochs": e} for r, e in itertools.product(RATES["bjet"], EPOCHS)
    ]
    tuned = {"hidden": list(HIDDEN)}

    def fused(**settings):
        trainer = bjet.trainer(batch, {}, tuned, settings, 1, args.threads)
        return list(trainer.evaluate(points))

    trainer = bjet.trainer(batch, {}, tuned, {}, 1, args.threads)
    each, measured = alone(
        lambda epochs: fit(trainer.train, trainer.test, HIDDEN, 1, 0.01, epochs, 32, "mse", "adam"),
        *(EPOCHS, args.alone, args.full),
    )
    plain = each.sum() * len(RATES["bjet"])
    line("bjet", "model.fit per point", len(points), plain, f"({measured} of 10 epochs measured)")
    results = {}
    for name, share in (("fused, one training per point", False), ("fused, shared epochs", True)):
        took, outcomes = seconds(lambda share=share: fused(share_epochs=share))
        line("bjet", name, len(outcomes), took)
        results[name] = plain / took
    return {f"bjet {name}": ratio for name, ratio in results.items()}


def cifar10(args):
    import keras

    from tilesearch.problems import cifar10
    from tilesearch.problems.base import Data

    rng = np.random.default_rng(1)
    rows, images = 2000, 128
    data = Data({"x": rng.integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)})
    took, _ = seconds(lambda: cifar10.embed(data, {"weights": "random"}, 1))
    resnet, _ = seconds(lambda: cifar10.embed(data, {"weights": "random", "embed_rows": 64}, 1))
    resnet = min(took, resnet) / images * rows
    arrays = {
        "features": np.abs(rng.normal(size=(rows, cifar10.FEATURES))).astype(np.float16),
        "y": rng.integers(0, 10, rows),
    }
    batch, defaults = parts(arrays), cifar10.DEFAULTS["training"]
    points = [
        {"learning_rate": r, "units": u} for r, u in itertools.product(RATES["cifar10"], UNITS)
    ]
    facts = {"classes": cifar10.CLASSES}
    trainer = cifar10.trainer(batch, facts, {}, {}, 1, args.threads)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    each, measured = alone(
        lambda units: fit(
            *(trainer.train, trainer.test, [int(units)], 10, 0.001),
            *(defaults["epochs"], defaults["batch_size"], loss, defaults["optimiser"]),
        ),
        *(UNITS, args.alone, args.full),
    )
    plain = each.sum() * len(RATES["cifar10"])
    name = "model.fit per point on stored features"
    line("cifar10", name, len(points), plain, f"({measured} of 8 widths measured)")
    whole = plain + resnet * len(points) * (defaults["epochs"] + 1)
    name = "model.fit per point, ResNet50 in each epoch"
    line("cifar10", name, len(points), whole, "(ResNet50's rate measured, product computed)")
    took, outcomes = seconds(lambda: list(trainer.evaluate(points)))
    line("cifar10", "fused heads on stored features", len(outcomes), took)
    weights = sum(p["units"] for p in points) * cifar10.FEATURES
    steps = -(-len(trainer.train["x"]) // defaults["batch_size"]) * defaults["epochs"]
    work = 4 * weights * len(trainer.train["x"]) * defaults["epochs"]
    size = 2000
    a = rng.normal(size=(size, size)).astype(np.float32)
    product, _ = seconds(lambda: a @ a)
    copy, _ = seconds(lambda: np.multiply(a, 1.5, out=a))
    rate, stream = 2 * size**3 / product, 2 * a.nbytes / copy
    # A step reads the weights twice and writes their gradient and their new values, at least.
    floor = work / rate + steps * 5 * 4 * weights / stream
    print(
        f"cifar10  the heads' products are {work / 1e9:.0f} GFlop and their weights "
        f"{steps * 20 * weights / 1e9:.0f} GB of traffic: at this machine's "
        f"{rate / 1e9:.0f} GFlop/s and {stream / 1e9:.1f} GB/s (numpy, now) "
        f"that alone is {floor:.1f} s, {plain / floor:.1f} x below model.fit"
    )
    return {
        "cifar10 fused heads": plain / took,
        "cifar10 with ResNet50 run once, further": (whole - plain) / resnet,
        "cifar10 whole": whole / (took + resnet),
    }


def insolubles(args):
    from fused_graphs_images import insolubles_rows

    return counted(insolubles_rows(points=32, lone_points=2, threads=args.threads))


def icecube(args):
    from fused_graphs_images import icecube_rows

    return counted(icecube_rows(points=32, lone_points=2, threads=args.threads))


def counted(rows):
    """Print a table of times and counts; the ratios to the fused way."""
    ratios = {}
    for row in rows:
        if "value" in row:
            print(f"{row['problem']:10} {row['way']:44} {row['value']:17.3f}")
            continue
        note = f"({1e3 * row['cpu_s_per_point']:.1f} ms of the processor per point)"
        line(row["problem"], row["way"], row["points"], row["wall_s"], note)
        if row["way"] != "fused":
            ratios[f"{row['problem']} fused, against {row['way']}"] = row["ratio"]
    return ratios


PROBLEMS = {"bjet": bjet, "cifar10": cifar10, "insolubles": insolubles, "icecube": icecube}


def main():
    args = arguments()
    os.environ["KERAS_BACKEND"] = args.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    from tilesearch.training.fused import use_threads

    use_threads(args.threads)
    print(
        f"backend {keras.backend.backend()}, keras {keras.__version__}, {args.threads} threads of "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, {platform.platform()}"
    )
    print(f"{'problem':10} {'way':44} {'points':>6} {'time':>12} {'per point':>13}")
    ratios = {}
    for name, problem in PROBLEMS.items():
        if args.only in (None, name):
            ratios |= problem(args)
    print(f"load {os.getloadavg()[0]:.1f} after")
    for name, ratio in ratios.items():
        print(f"{name:56} {ratio:8.1f} x")


if __name__ == "__main__":
    main()
