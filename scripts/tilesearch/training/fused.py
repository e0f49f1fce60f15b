"""Many small networks trained as one program: fused training with a leading member axis.

Networks that differ only in hyperparameters are *members* of one big network. Every tensor
inside a model has a leading member axis: weights are (members, in, out), activations are
(members, rows, ...). What all members share (the data) has a leading axis of length 1. The
losses are summed over members, so each member's gradient is that of the member trained alone;
the optimiser's learning rate is a vector with one value per member and epoch. A whole epoch is
compiled into one program (`tf.function`, `jax.jit` with `scan`; PyTorch runs eagerly), which is
most of the gain on a CPU: a Python loop over training steps costs far more than small networks.

Written with `keras` and `keras.ops`, for each `KERAS_BACKEND` (tensorflow, jax, torch).

How to train
------------
A model is any Keras layer (or `Chain` of them) whose `call(batch)` takes the dict of arrays of
a minibatch and returns (members, rows, outputs). `train` gives the test losses::

    dense = [Dense(members, 32, "relu", seed=1, name="hidden"), Dense(members, 1, seed=1)]
    losses = train(
        Chain(dense, reads="x"),
        train={"x": x_train, "y": y_train},     # numpy, first axis = rows, shared by all members
        test={"x": x_test, "y": y_test},
        loss=squared_error,                     # (batch, outputs) -> (members, rows)
        rates=decayed(learning_rates, gammas, epochs),   # (members,) or (members, epochs)
        epochs=epochs, batch_size=32, seed=1,
    )                                           # -> (members, epochs), NaN/inf where diverged

How to add a layer
------------------
Subclass `keras.layers.Layer`; in `build` make trainable weights whose first axis is the member
(`self.add_weight(shape=(members, ...), initializer=constant(values))`, with values from
`glorot` so that a member starts from the same weights whoever its neighbours are); in `call`
expect (members or 1, rows, ...) and return (members, rows, ...). A convolution or an edge
convolution is patches or edges, gathered, then a `Dense` (which takes any number of axes between
members and features; `taps` sets the fan of a convolution's weights). What differs between
members but is not trained (a mask of widths, of neighbours) is a weight with
``trainable=False``. Layers must not have state that changes (dropout, batch normalisation).
Batch arrays reach `call` as (1, rows, ...), floats cast to the layer's dtype.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from tilesearch.problems.base import Outcome
from tilesearch.seeds import rng_for

log = logging.getLogger(__name__)

# -- initial weights ---------------------------------------------------------------------------


def glorot(seed: int, name: str, inputs: int, outputs: int, taps: int = 1) -> np.ndarray:
    """Initial weights of one lone layer: Glorot uniform, seeded by the layer's name and shape.

    Parameters
    ----------
    seed : int
        Seed of the network.
    name : str
        Name of the layer.
    inputs, outputs : int
        Width of the layer on either side (`inputs` counts all taps of a convolution).
    taps : int
        Pixels that a convolution's kernel covers; 1 for a dense layer.

    Returns
    -------
    ndarray of float64, shape (inputs, outputs)
        Uniform in ±sqrt(6 / (inputs + taps * outputs)) (Glorot & Bengio, AISTATS 2010).

    Examples
    --------
    >>> glorot(1, "hidden", 3, 2).shape
    (3, 2)
    """
    limit = np.sqrt(6.0 / (inputs + taps * outputs))
    return rng_for(seed, "weights", name, inputs, outputs).uniform(-limit, limit, (inputs, outputs))


def constant(values: np.ndarray) -> Callable:
    """Keras initialiser that gives exactly `values`."""

    def initialise(shape, dtype=None):
        if tuple(shape) != values.shape:
            raise ValueError(f"weight has shape {tuple(shape)}, its values have {values.shape}")
        return ops.convert_to_tensor(values.astype(keras.backend.standardize_dtype(dtype)))

    return initialise


def member_kernels(
    seed: int,
    name: str,
    in_widths: Sequence[int],
    out_widths: Sequence[int],
    inputs: int,
    outputs: int,
    taps: int = 1,
) -> np.ndarray:
    """Initial weights of all members: each its own `glorot`, padded with zeros.

    A padded row or column is dead: behind an activation with f(0) = 0 its value and its gradient
    are zero for ever, so a padded member is the narrower network, to rounding.

    Parameters
    ----------
    seed, name, taps
        As in `glorot`.
    in_widths, out_widths : sequence of int, length members
        Width of each member on either side.
    inputs, outputs : int
        Width of the padded layer; not smaller than any member's.

    Returns
    -------
    ndarray of float64, shape (members, inputs, outputs)

    Examples
    --------
    >>> member_kernels(1, "hidden", [2, 2], [1, 3], 2, 3)[0, :, 1:].tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    kernels = np.zeros((len(out_widths), inputs, outputs))
    known: dict[tuple[int, int], np.ndarray] = {}
    for member, shape in enumerate(zip(in_widths, out_widths, strict=True)):
        if shape not in known:
            known[shape] = glorot(seed, name, *shape, taps=taps)
        kernels[member, : shape[0], : shape[1]] = known[shape]
    return kernels


# -- layers ------------------------------------------------------------------------------------


class Dense(keras.layers.Layer):
    """One dense layer per member.

    Parameters
    ----------
    members : int
        Number of members, >= 1.
    units : int
        Outputs of the (padded) layer, >= 1.
    activation : str, callable or None
        As in `keras.layers.Dense`.
    seed : int
        Seed of the initial weights; a layer of another name starts from others.
    in_widths, out_widths : sequence of int, length members, optional
        Widths of the members, where they differ: units beyond a member's width are dead.
    taps : int
        See `glorot`.
    **options
        `name` and `dtype`, as in any Keras layer.

    Notes
    -----
    Input (members or 1, rows, ..., in) gives output (members, rows, ..., units). An input that all
    members share (leading axis 1) is multiplied with all members' weights in one product, for
    which the weights are kept as (members, units, in).
    """

    def __init__(
        self,
        members,
        units,
        activation=None,
        *,
        seed,
        in_widths=None,
        out_widths=None,
        taps=1,
        **options,
    ):
        super().__init__(**options)
        if members < 1 or units < 1:
            raise ValueError(f"members is {members} and units is {units}, both must be >= 1")
        self.members, self.units, self.taps, self.seed = members, units, taps, seed
        self.activation = keras.activations.get(activation)
        self.in_widths = None if in_widths is None else [int(w) for w in in_widths]
        self.out_widths = [units] * members if out_widths is None else [int(w) for w in out_widths]
        for widths in (self.in_widths, self.out_widths):
            if widths is not None and len(widths) != members:
                raise ValueError(f"{len(widths)} widths for {members} members, give one each")
        if max(self.out_widths) > units:
            raise ValueError(f"a member is {max(self.out_widths)} wide in a layer of {units} units")

    def build(self, input_shape):
        """Make the weights; the last axis of `input_shape` is the number of inputs."""
        inputs = input_shape[-1]
        self.shared = input_shape[0] == 1
        kernels = member_kernels(
            self.seed,
            self.name,
            self.in_widths or [inputs] * self.members,
            self.out_widths,
            inputs,
            self.units,
            self.taps,
        )
        if self.shared:
            kernels = np.ascontiguousarray(kernels.transpose(0, 2, 1))
        self.kernel = self.add_weight(
            shape=kernels.shape, initializer=constant(kernels), name="kernel"
        )
        self.bias = self.add_weight(
            shape=(self.members, self.units), initializer="zeros", name="bias"
        )
        self.mask = None
        # An activation with f(0) != 0 would wake units beyond a member's width.
        wakes = float(keras.ops.convert_to_numpy(self.activation(ops.zeros((1, 1))))[0, 0]) != 0.0
        if wakes and min(self.out_widths) < self.units:
            mask = np.arange(self.units) < np.array(self.out_widths)[:, None]
            self.mask = self.add_weight(
                shape=mask.shape,
                initializer=constant(mask.astype(float)),
                trainable=False,
                name="mask",
            )

    def call(self, inputs):
        """Outputs (members, rows, ..., units) of inputs (members or 1, rows, ..., in)."""
        shape = ops.shape(inputs)
        middle, features = shape[1:-1], shape[-1]
        flat = ops.reshape(inputs, (shape[0], -1, features))
        if self.shared:
            kernel = ops.reshape(self.kernel, (self.members * self.units, features))
            product = ops.matmul(flat[0], ops.transpose(kernel))
            product = ops.reshape(product, (-1, self.members, self.units))
            product = ops.transpose(product, (1, 0, 2))
        else:
            product = ops.matmul(flat, self.kernel)
        outputs = self.activation(product + self.bias[:, None, :])
        if self.mask is not None:
            outputs = outputs * self.mask[:, None, :]
        return ops.reshape(outputs, (self.members, *middle, self.units))

    def compute_output_shape(self, input_shape):
        """(members, rows, ..., units)."""
        return (self.members, *input_shape[1:-1], self.units)


class Chain(keras.layers.Layer):
    """Layers one after the other, reading one array of the batch.

    Parameters
    ----------
    chain : sequence of keras.layers.Layer
        Layers that keep the leading member axis.
    reads : str
        Name of the batch's array that the first layer reads.
    """

    def __init__(self, chain, reads="x", **options):
        super().__init__(**options)
        self.chain, self.reads = list(chain), reads

    def build(self, input_shape):
        """Build each layer for the outputs of the one before."""
        shape = input_shape[self.reads]
        for layer in self.chain:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, batch):
        """Outputs of the last layer."""
        values = batch[self.reads]
        for layer in self.chain:
            values = layer(values)
        return values


# -- losses: (batch, outputs) -> (members, rows) --------------------------------------------------


def squared_error(batch, outputs):
    """Squared error of the first output against ``batch["y"]``, per member and row."""
    return ops.square(outputs[..., 0] - batch["y"])


def cross_entropy(batch, outputs):
    """Cross-entropy of softmax(outputs) against the integer labels ``batch["y"]``."""
    labels = ops.one_hot(ops.cast(batch["y"], "int32"), outputs.shape[-1], dtype=outputs.dtype)
    return -ops.sum(labels * ops.log_softmax(outputs), axis=-1)


# -- optimisers with one learning rate per member -------------------------------------------------


def _per_member(rate, weight):
    return ops.reshape(rate, (-1, *(1,) * (len(weight.shape) - 1)))


@dataclass(frozen=True)
class Adam:
    """`keras.optimizers.Adam` (Kingma & Ba, ICLR 2015) with one learning rate per member."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    slots = 2

    def update(self, weight, gradient, slots, rate, step):
        """New weight and slots; `rate` has shape (members,), `step` counts from 1."""
        m, v = slots
        dtype = weight.dtype
        correction = ops.sqrt(1 - ops.power(ops.cast(self.beta_2, dtype), step)) / (
            1 - ops.power(ops.cast(self.beta_1, dtype), step)
        )
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        alpha = _per_member(rate * correction, weight)
        return weight - m * alpha / (ops.sqrt(v) + self.epsilon), [m, v]


@dataclass(frozen=True)
class SGD:
    """`keras.optimizers.SGD` with momentum (not Nesterov's) and one learning rate per member."""

    momentum: float = 0.0

    @property
    def slots(self) -> int:
        """Arrays kept per weight."""
        return 1 if self.momentum else 0

    def update(self, weight, gradient, slots, rate, step):
        """New weight and slots; `rate` has shape (members,)."""
        change = -gradient * _per_member(rate, weight)
        if slots:
            # Cast as Keras does, so that the rounding of the constant is the same.
            change = change + ops.cast(self.momentum, weight.dtype) * slots[0]
        return weight + change, [change] if slots else []


OPTIMISERS = {"adam": Adam, "sgd": SGD}


def decayed(learning_rates, decays, epochs: int) -> np.ndarray:
    """Learning rates per member and epoch: rate times decay to the power of the epoch.

    Parameters
    ----------
    learning_rates, decays : array_like, shape (members,)
        First rate, and the factor γ by which it falls per epoch.
    epochs : int
        Number of epochs.

    Returns
    -------
    ndarray, shape (members, epochs)

    Examples
    --------
    >>> decayed([1.0, 0.5], [1.0, 0.5], 3).tolist()
    [[1.0, 1.0, 1.0], [0.5, 0.25, 0.125]]
    """
    rates, decays = np.asarray(learning_rates, float), np.asarray(decays, float)
    return rates[:, None] * decays[:, None] ** np.arange(epochs)


# -- order of the rows ---------------------------------------------------------------------------


def row_order(rows: int, seed: int, epoch: int) -> np.ndarray:
    """Order in which epoch `epoch` (from 0) visits the training rows; the same for all members.

    Examples
    --------
    >>> sorted(row_order(4, seed=1, epoch=0).tolist())
    [0, 1, 2, 3]
    """
    return rng_for(seed, "order", epoch).permutation(rows)


def minibatches(order: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut an order of rows into equal minibatches; the last one is filled up with weight 0.

    Parameters
    ----------
    order : ndarray of int, shape (rows,)
        Rows in the order of their visit.
    batch_size : int
        Rows per minibatch, >= 1.

    Returns
    -------
    index : ndarray of int32, shape (steps, batch_size)
        Rows of each minibatch.
    weight : ndarray of float32, shape (steps, batch_size)
        1, or 0 for a row that only fills up.

    Examples
    --------
    >>> index, weight = minibatches(np.array([2, 0, 1]), 2)
    >>> index.tolist(), weight.tolist()
    ([[2, 0], [1, 1]], [[1.0, 1.0], [1.0, 0.0]])
    """
    size = min(batch_size, len(order))
    steps = -(-len(order) // size)
    index = np.full(steps * size, order[-1], dtype=np.int32)
    index[: len(order)] = order
    weight = (np.arange(steps * size) < len(order)).astype(np.float32)
    return index.reshape(steps, size), weight.reshape(steps, size)


# -- the program ---------------------------------------------------------------------------------


def _values(variables) -> list:
    # By way of numpy: TensorFlow would trace a program for variables and another for tensors.
    return [ops.convert_to_tensor(ops.convert_to_numpy(v.value)) for v in variables]


def _floating(tensor) -> bool:
    return "float" in keras.backend.standardize_dtype(tensor.dtype)


class Program:
    """A model's epoch of training and its scoring, each compiled into one program.

    Parameters
    ----------
    model : keras.layers.Layer
        See the module's text. Built by the first call of `load`.
    loss : callable
        (batch, outputs) -> losses per member and row.
    optimiser : Adam or SGD
        How weights are updated.
    xla : bool
        Compile with XLA under TensorFlow (JAX always does, PyTorch never).
    """

    def __init__(self, model, loss, optimiser, xla: bool = True):
        self.model, self.loss, self.optimiser = model, loss, optimiser
        wrap = {"tensorflow": _tensorflow_loop, "jax": _jax_loop, "torch": _torch_loop}
        backend = keras.backend.backend()
        self._gradient = {
            "tensorflow": _tensorflow_gradient,
            "jax": _jax_gradient,
            "torch": _torch_gradient,
        }[backend]
        self.epoch = wrap[backend](self._step, xla)
        self.score = wrap[backend](self._add_losses, xla)

    def load(self, arrays: Mapping[str, np.ndarray]) -> dict:
        """Tensors of `arrays`; builds the model for their shapes if it is not built yet."""
        if not self.model.built:
            shapes = {name: (1, None, *a.shape[1:]) for name, a in arrays.items()}
            self.model.build(shapes)
            self.model.built = True
        return {name: self._tensor(a) for name, a in arrays.items()}

    def _tensor(self, array):
        array = np.asarray(array)
        if array.dtype == np.float64:
            array = array.astype(self.model.compute_dtype)
        return ops.convert_to_tensor(array)

    def adopt(self, model, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on with another model of the same structure, without compiling again.

        Parameters
        ----------
        model : keras.layers.Layer
            Same layers, members and padded widths; its weights (and constants) may differ.
        arrays : mapping of str to ndarray
            As in `load`.

        Raises
        ------
        ValueError
            If the shapes of the weights differ.
        """
        shapes = [tuple(v.shape) for v in self.model.variables]
        self.model = model
        self.load({name: a[:1] for name, a in arrays.items()})
        if [tuple(v.shape) for v in model.variables] != shapes:
            raise ValueError("the model's weights have other shapes than the compiled program's")

    def start(self) -> tuple:
        """Initial state: weights, the optimiser's slots, and the number of steps done."""
        weights = _values(self.model.trainable_variables)
        slots = [[ops.zeros_like(w) for _ in range(self.optimiser.slots)] for w in weights]
        return weights, slots, ops.zeros((), dtype=self.model.compute_dtype)

    def constants(self) -> list:
        """Weights that are not trained."""
        return _values(self.model.non_trainable_variables)

    def _losses(self, weights, constants, data, rows):
        """Losses (members, rows) of the rows `rows` of `data`."""
        batch = {}
        for name, tensor in data.items():
            part = ops.expand_dims(ops.take(tensor, rows, axis=0), 0)
            batch[name] = ops.cast(part, self.model.compute_dtype) if _floating(part) else part
        outputs, _ = self.model.stateless_call(weights, constants, batch)
        return self.loss(batch, outputs)

    def _step(self, state, data, constants, rate, rows, row_weight):
        """One step of training, on the minibatch `rows`."""
        weights, slots, count = state
        dtype = self.model.compute_dtype
        row_weight = ops.cast(row_weight, dtype)

        def objective(weights):
            losses = self._losses(weights, constants, data, rows)
            # The mean over rows, as Keras has it, and the sum over members: gradients do not mix.
            kept = ops.where(row_weight > 0, losses, ops.zeros_like(losses))
            return ops.sum(kept) / ops.sum(row_weight)

        gradients = self._gradient(objective, weights)
        count = count + 1
        rate = ops.cast(rate, dtype)
        updated = [
            self.optimiser.update(w, g, s, rate, count)
            for w, g, s in zip(weights, gradients, slots, strict=True)
        ]
        return [w for w, _ in updated], [s for _, s in updated], count

    def _add_losses(self, state, data, constants, weights, rows, row_weight):
        """Add the losses of the rows `rows` to the sum over rows, shape (members,)."""
        losses = self._losses(weights, constants, data, rows)
        kept = ops.where(row_weight > 0, losses, ops.zeros_like(losses))
        return state + ops.sum(kept, axis=-1)


def _tensorflow_gradient(objective, weights):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        value = objective(weights)
    return tape.gradient(value, weights, unconnected_gradients="zero")


def _tensorflow_loop(step, xla):
    import tensorflow as tf

    @tf.function(autograph=False, jit_compile=xla)
    def loop(state, data, constants, argument, index, weight):
        steps = index.shape[0]

        def body(i, state):
            return i + 1, step(state, data, constants, argument, index[i], weight[i])

        start = (tf.constant(0), state)
        return tf.while_loop(lambda i, _: i < steps, body, start, parallel_iterations=1)[1]

    return loop


def _jax_gradient(objective, weights):
    import jax

    return jax.grad(objective)(weights)


def _jax_loop(step, xla):
    import jax

    @jax.jit
    def loop(state, data, constants, argument, index, weight):
        def body(state, batch):
            return step(state, data, constants, argument, *batch), None

        return jax.lax.scan(body, state, (index, weight))[0]

    return loop


def _torch_gradient(objective, weights):
    import torch

    weights = [w.detach().requires_grad_() for w in weights]
    gradients = torch.autograd.grad(objective(weights), weights, allow_unused=True)
    return [
        torch.zeros_like(w) if g is None else g for w, g in zip(weights, gradients, strict=True)
    ]


def _torch_loop(step, xla):
    import torch

    def loop(state, data, constants, argument, index, weight):
        # Gradients are asked for inside a step only; without this the graph of an epoch would stay.
        detach = torch.utils._pytree.tree_map
        for rows, row_weight in zip(index, weight, strict=True):
            state = step(state, data, constants, argument, rows, row_weight)
            state = detach(lambda t: t.detach(), state)
        return state

    return loop


def train(
    model,
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    *,
    loss: Callable,
    rates: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int,
    optimiser=None,
    evaluate: Sequence[int] | None = None,
    score_rows: int = 1024,
    xla: bool = True,
    program: Program | None = None,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Train all members of a model and measure their losses on the test rows.

    Parameters
    ----------
    model : keras.layers.Layer
        Takes the dict of a minibatch, returns (members, rows, outputs); see the module's text.
    train, test : mapping of str to ndarray, shape (rows, ...)
        Rows to train on and rows to measure the loss on; all members share them.
    loss : callable
        (batch, outputs) -> losses of shape (members, rows), such as `squared_error`.
    rates : array_like, shape (members,) or (members, epochs)
        Learning rate of each member (in each epoch).
    epochs : int
        Number of epochs, >= 1.
    batch_size : int
        Rows per step, >= 1; the last step of an epoch takes what is left.
    seed : int
        Seeds the order of the rows (`row_order`).
    optimiser : Adam or SGD, optional
        Adam with Keras' constants by default.
    evaluate : sequence of int, optional
        Epochs after which the loss is measured, in 1..epochs; all by default.
    score_rows : int
        Rows that are scored at a time.
    xla : bool
        See `Program`.
    program : Program, optional
        Compiled program of a model of the same structure; it is used again (`Program.adopt`)
        with its own loss and optimiser.
    progress : callable, optional
        Called with the number of finished epochs after each.

    Returns
    -------
    ndarray of float64, shape (members, len(evaluate))
        Mean test loss of each member after each epoch of `evaluate`; NaN or inf once a member has
        diverged.

    Raises
    ------
    ValueError
        If `epochs`, `batch_size`, `rates` or `evaluate` cannot be used.
    """
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs is {epochs} and batch_size is {batch_size}, both must be >= 1")
    rates = np.asarray(rates, dtype=float)
    rates = np.repeat(rates[:, None], epochs, axis=1) if rates.ndim == 1 else rates
    if rates.ndim != 2 or rates.shape[1] != epochs:
        raise ValueError(f"rates has shape {rates.shape}, it must be (members, {epochs})")
    evaluate = list(range(1, epochs + 1)) if evaluate is None else [int(e) for e in evaluate]
    if not evaluate or min(evaluate) < 1 or max(evaluate) > epochs:
        raise ValueError(f"evaluate is {evaluate}, its epochs must lie in 1..{epochs}")

    if program is None:
        program = Program(model, loss, optimiser or Adam(), xla)
    elif program.model is not model:
        program.adopt(model, train)
    train_data, test_data = program.load(train), program.load(test)
    state, constants = program.start(), program.constants()
    rows, test_rows = len(next(iter(train.values()))), len(next(iter(test.values())))
    test_index, test_weight = minibatches(np.arange(test_rows), score_rows)
    test_index, test_weight = _tensors(test_index, test_weight)
    zero = ops.zeros((len(rates),), dtype=model.compute_dtype)

    losses = {}
    for epoch in range(max(evaluate)):
        index, weight = _tensors(*minibatches(row_order(rows, seed, epoch), batch_size))
        rate = ops.convert_to_tensor(rates[:, epoch])
        state = program.epoch(state, train_data, constants, rate, index, weight)
        if epoch + 1 in evaluate:
            total = program.score(zero, test_data, constants, state[0], test_index, test_weight)
            losses[epoch + 1] = ops.convert_to_numpy(total).astype(float) / test_rows
        if progress is not None:
            progress(epoch + 1)
    return np.stack([losses[e] for e in evaluate], axis=1)


def _tensors(*arrays):
    return [ops.convert_to_tensor(a) for a in arrays]


# -- many members: groups, chunks, outcomes ------------------------------------------------------


def group_by_width(widths: Sequence[int], overhead: float) -> list[np.ndarray]:
    """Groups of members that are trained together, each padded to its widest member.

    Parameters
    ----------
    widths : sequence of int
        Width of each member.
    overhead : float
        What one more group costs (its compilation), in units of width.

    Returns
    -------
    list of ndarray of int
        Members of each group, from the narrowest group to the widest. The sum over groups of
        members times largest width, plus `overhead`, is the smallest possible (dynamic
        programming over the sorted widths).

    Examples
    --------
    >>> [g.tolist() for g in group_by_width([4, 100, 5, 90], overhead=20)]
    [[0, 2], [3, 1]]
    >>> [g.tolist() for g in group_by_width([4, 100, 5, 90], overhead=1000)]
    [[0, 2, 3, 1]]
    """
    widths = np.asarray(widths)
    order = np.argsort(widths, kind="stable")
    ends = np.flatnonzero(np.diff(widths[order], append=np.inf)) + 1
    starts = np.concatenate([[0], ends])
    best, cut = [0.0], [0]
    for end in ends:
        costs = [
            best[i] + (end - starts[i]) * widths[order[end - 1]] + overhead
            for i in range(len(best))
        ]
        cut.append(int(np.argmin(costs)))
        best.append(min(costs))
    groups, last = [], len(ends)
    while last:
        groups.append(order[starts[cut[last]] : starts[last]])
        last = cut[last]
    return groups[::-1]


def members_that_fit(weights: int, activations: int, memory_mb: float, itemsize: int = 4) -> int:
    """Members that can be trained at a time in `memory_mb`.

    Parameters
    ----------
    weights : int
        Weights of one member; eight copies are counted (weight, gradient, two moments, and the
        new ones beside the old).
    activations : int
        Numbers that one member's layers give for the rows of a minibatch or of a scored part,
        whichever is larger; three copies are counted (value, gradient, intermediate).
    memory_mb : float
        Memory for weights and activations in MB.
    itemsize : int
        Bytes per number.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> members_that_fit(weights=1000, activations=1000, memory_mb=1)
    22
    """
    return max(1, int(memory_mb * 1e6 / (itemsize * (8 * weights + 3 * activations))))


def train_in_chunks(
    build: Callable,
    members: Sequence[int],
    size: int,
    *,
    rates: np.ndarray,
    loss: Callable,
    optimiser=None,
    xla: bool = True,
    **options,
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Train members in chunks of equal size, compiled once.

    Parameters
    ----------
    build : callable
        Gives the model for an array of members.
    members : sequence of int
        Members to train; indices into `rates`.
    size : int
        Largest number of members at a time. The chunks are as even as they can be; the last is
        filled up with copies of its last member, so that all have one shape.
    rates : ndarray, shape (all members,) or (all members, epochs)
        See `train`.
    loss, optimiser, xla, **options
        See `train`.

    Yields
    ------
    members : ndarray of int
        Members of a chunk.
    losses : ndarray, shape (len(members), epochs)
        Their losses.
    seconds : float
        Wall time of the chunk.
    """
    members, rates = np.asarray(members), np.asarray(rates, dtype=float)
    count = -(-len(members) // size)
    size = -(-len(members) // count)
    program = None
    for start in range(0, len(members), size):
        began = time.perf_counter()
        chunk = members[start : start + size]
        filled = np.concatenate([chunk, np.repeat(chunk[-1:], size - len(chunk))])
        model = build(filled)
        if program is None:
            program = Program(model, loss, optimiser or Adam(), xla)
        losses = train(model, loss=loss, rates=rates[filled], program=program, **options)
        yield chunk, losses[: len(chunk)], time.perf_counter() - began


def outcome(point: int, loss: float, seconds: float, rate: float) -> Outcome:
    """Outcome of a trained member; failed if its loss is not finite.

    Examples
    --------
    >>> outcome(3, float("nan"), 0.1, rate=10.0).status
    'failed'
    """
    if np.isfinite(loss):
        return Outcome(point, float(loss), seconds=seconds)
    reason = f"the training diverged (loss {loss}) at learning rate {rate:g}, take a lower one"
    return Outcome(point, float("nan"), "failed", reason, seconds)


def use_threads(threads: int) -> None:
    """Let the backend use `threads` cores; to be called before it computes anything.

    TensorFlow also gets memory growth on its GPUs, so that several jobs can share one. Where the
    backend has already started with another number of threads, that stays, and a line in the log
    says so.

    Parameters
    ----------
    threads : int
        Cores to use, >= 1.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    elif backend == "jax":
        # The size of the CPU client's pool (XLA's DefaultThreadPoolSize reads this variable).
        os.environ["NPROC"] = str(threads)
    else:
        import tensorflow as tf

        try:
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:
            if tf.config.threading.get_intra_op_parallelism_threads() != threads:
                log.warning("TensorFlow runs already; its number of threads stays as it is")
