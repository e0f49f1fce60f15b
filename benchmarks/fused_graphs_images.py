"""Fused training of insolubles and icecube against one `model.fit` per point.

`insolubles_rows` and `icecube_rows` return the tables that `benchmarks/fused.py` prints.

Both ways train the same networks from the same weights on the same rows for the same epochs. A row
has the wall time and the time of the processor, which says more on a machine that others use too.
Few points are enough for one by one: its time per point does not depend on their number. The last
rows count operations: how many a training takes (of images: products of matrices only, two
operations per multiplication, a backward pass for two forward ones), how many a second that is, and
how many a second the forward products alone reach, in a program that does nothing else.
"""

import time

import numpy as np

from tilesearch.problems import icecube, insolubles
from tilesearch.problems.base import Batch
from tilesearch.space import Parameter, Space


def _batch(problem, rows: int, seed: int = 1):
    data = problem.load({"stand_in": {"rows": rows}}, seed)
    arrays = dict(data.arrays)
    if hasattr(problem, "embed"):
        arrays |= problem.embed(data, {}, seed)
    cut = rows * 4 // 5
    train, test = ({n: a[s] for n, a in arrays.items()} for s in (np.s_[:cut], np.s_[cut:]))
    return Batch(train, {}, test), data.facts


def _points(problem, n: int, seed: int = 1) -> list[dict]:
    """Independent uniform points of the problem's default space."""
    space = Space("d2", tuple(Parameter(k, **v) for k, v in problem.PARAMETERS.items()))
    values = space.values(np.random.default_rng(seed).random((n, space.d)))
    return [dict(zip(values, point, strict=True)) for point in zip(*values.values(), strict=True)]


def _timed(work) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def _row(problem, way, points, wall, processor) -> dict:
    return {
        "problem": problem,
        "way": way,
        "points": points,
        "wall_s": wall,
        "cpu_s": processor,
        "wall_s_per_point": wall / points,
        "cpu_s_per_point": processor / points,
    }


def _compare(problem, name, batch, facts, settings, n, lone, lone_points, threads) -> list[dict]:
    trainer = problem.trainer(batch, facts, {}, settings, 1, threads)
    points = _points(problem, n)
    fused = _timed(lambda: list(trainer.evaluate(points)))
    epochs: list[tuple[float, float]] = []
    alone = _timed(lambda: [lone(point, epochs) for point in points[:lone_points]])
    # Each network's first epoch holds its tracing; the others say what a long training takes.
    warm = np.mean(epochs, axis=0) * settings["epochs"] * lone_points
    rows = [
        _row(name, "model.fit, one by one", lone_points, *alone),
        _row(name, "model.fit, without its first epochs", lone_points, *warm),
        _row(name, "fused", n, *fused),
    ]
    for row in rows:
        row["ratio"] = row["cpu_s_per_point"] / rows[-1]["cpu_s_per_point"]
    return rows


def _fit(model, x, y, rate, decay, settings, epochs: list) -> None:
    """Train by `model.fit`; appends (wall, processor) seconds of each epoch but the first."""
    import keras

    clock = []
    now = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: clock.append((time.perf_counter(), time.process_time()))
    )
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, _: rate * decay**epoch)
    model.fit(
        *(x, y),
        batch_size=settings["batch_size"],
        epochs=settings["epochs"],
        callbacks=[schedule, now],
        verbose=0,
    )
    epochs.extend(np.diff(clock, axis=0).tolist())


def _compiled(work):
    """`work` as one program of the backend (PyTorch runs it as it is)."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(work, jit_compile=True)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(work)
    return work


def _product_rate(shapes, members: int, repeats: int = 20) -> float:
    """Operations per second of products of matrices, members apart, in a compiled loop.

    Parameters
    ----------
    shapes : list of (rows, inner, columns)
        Products that are measured one after the other.
    members : int
        Products of each shape at a time.
    repeats : int
        How often.
    """
    from keras import ops, random

    operands = [
        (random.normal((members, r, i)), random.normal((members, i, c))) for r, i, c in shapes
    ]

    # The sums are small and taken to numpy, so that the products are done when the clock is read.
    products = _compiled(lambda pairs: ops.stack([ops.sum(ops.matmul(a, b)) for a, b in pairs]))
    ops.convert_to_numpy(products(operands))
    began = time.process_time()
    for _ in range(repeats):
        ops.convert_to_numpy(products(operands))
    spent = time.process_time() - began
    return repeats * members * sum(2 * r * i * c for r, i, c in shapes) / spent


def _counted(rows, shapes, per_row, steps, settings) -> list[dict]:
    """Append the rate of the fused training and that of bare products of its shapes."""
    fused = rows[-1]
    operations = 3 * per_row * steps * settings["batch_size"] * settings["epochs"]
    bare = _product_rate(shapes, settings["members"])
    name = fused["problem"]
    return [
        *rows,
        {"problem": name, "way": "GFLOP per training", "value": operations / 1e9},
        {
            "problem": name,
            "way": "GFLOP/s, fused",
            "value": operations / fused["cpu_s_per_point"] / 1e9,
        },
        {"problem": name, "way": "GFLOP/s, bare products of its shapes", "value": bare / 1e9},
    ]


def insolubles_rows(
    points: int = 32, lone_points: int = 2, rows: int = 2000, threads: int = 1
) -> list[dict]:
    """Compare fused networks with lone ones on drawn particles."""
    settings = insolubles.DEFAULTS["training"]
    batch, facts = _batch(insolubles, rows)
    train, _ = insolubles.standardised(batch.train, batch.test)
    side, classes = train["x"].shape[1], len(facts["classes"])

    def lone(point, epochs):
        import keras

        model = insolubles.lone_network(side, classes, settings, 1)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(), loss)
        _fit(
            *(model, train["x"], train["y"], point["learning_rate"], point["decay"]),
            *(settings, epochs),
        )

    table = _compare(
        *(insolubles, "insolubles", batch, facts, settings, points, lone, lone_points, threads)
    )
    size, inputs, shapes = side, 1, []
    for channels in settings["channels"]:
        size = -(-size // insolubles.STRIDE)
        shapes.append((size * size, insolubles.KERNEL**2 * inputs, channels))
        inputs = channels
    shapes += [(1, size * size * inputs, settings["units"]), (1, settings["units"], classes)]
    per_row = sum(2 * r * i * c for r, i, c in shapes)
    steps = -(-len(train["y"]) // settings["batch_size"])
    shapes = [(settings["batch_size"] * r, i, c) for r, i, c in shapes]
    return _counted(table, shapes, per_row, steps, settings)


def icecube_rows(
    points: int = 64, lone_points: int = 4, rows: int = 2000, threads: int = 1
) -> list[dict]:
    """Compare fused networks with lone ones on simulated events."""
    settings = icecube.DEFAULTS["training"]
    batch, facts = _batch(icecube, rows)

    def lone(point, epochs):
        import keras

        k = int(point["k"])
        x = {name: batch.train[name] for name in ("x", "hits", "neighbours")}
        x["neighbours"] = x["neighbours"][..., :k]
        model = icecube.lone_network(k, x, settings, 1)
        model.compile(keras.optimizers.Adam(), lambda y, v: icecube.chord({"y": y[:, 0]}, v))
        y = batch.train["y"][:, None].astype(np.float32)
        _fit(model, x, y, point["learning_rate"], 1.0, settings, epochs)

    table = _compare(
        *(icecube, "icecube", batch, facts, settings, points, lone, lone_points, threads)
    )
    # Edges are gathered, added, activated and averaged: no products of matrices. So their values
    # are counted, once per training row and epoch.
    nodes = batch.train["neighbours"].shape[1]
    k = np.mean([p["k"] for p in _points(icecube, points)])
    values = len(batch.train["y"]) * settings["epochs"] * nodes * sum(settings["channels"]) * k
    rate = values / table[-1]["cpu_s_per_point"]
    return [
        *table,
        {"problem": "icecube", "way": "1e9 edge values per training", "value": values / 1e9},
        {"problem": "icecube", "way": "1e9 edge values/s, fused", "value": rate / 1e9},
    ]
