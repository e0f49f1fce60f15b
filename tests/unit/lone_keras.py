"""The same network trained alone with plain Keras: what fused members are compared with."""

import keras
import numpy as np
import pytest

from tilesearch.training import fused


@pytest.fixture
def float64():
    """Keras in float64; the policy of layers is set too, it does not follow floatx later."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def lone(layers, train, test, *, loss, optimiser, rates, epochs, batch_size=16, seed=7):
    """Test losses of one network under plain Keras `model.fit`, in the same order of rows.

    `layers` are (name, width, activation); weights are those a fused member starts from.
    """
    inputs = train["x"].shape[1]
    model = keras.Sequential([keras.Input((inputs,))])
    for name, width, activation in layers:
        layer = keras.layers.Dense(width, activation)
        model.add(layer)
        layer.set_weights([fused.glorot(seed, name, inputs, width), np.zeros(width)])
        inputs = width
    model.compile(optimizer=optimiser, loss=loss, jit_compile=False)
    losses = []
    for epoch in range(epochs):
        model.optimizer.learning_rate = rates[epoch]
        order = fused.row_order(len(train["x"]), seed, epoch)
        history = model.fit(
            *(train["x"][order], train["y"][order]),
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
            validation_data=(test["x"], test["y"]),
            validation_batch_size=1000,
        )
        losses += history.history["val_loss"]
    return np.array(losses)
