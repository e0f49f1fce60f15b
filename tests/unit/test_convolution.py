"""Convolution with a member axis, against Keras' own layers."""

import keras
import numpy as np
import pytest
from keras import ops

from tilesearch.training.convolution import Convolution, Flatten

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 2), (2, 2), (2, 3)])
@pytest.mark.parametrize("shared", [True, False])
def test_convolution_is_conv2d(side, kernel, stride, shared):
    images = RNG.normal(size=(1 if shared else 3, 2, side, side + 1, 2))
    layer = Convolution(3, 4, kernel, stride, "relu", seed=1, dtype="float64")
    layer.build(images.shape)
    # Three members with weights of their own.
    for weight in layer.trainable_variables:
        weight.assign(RNG.normal(size=weight.shape))
    outputs = ops.convert_to_numpy(layer(ops.convert_to_tensor(images)))
    assert outputs.shape == layer.compute_output_shape(images.shape)
    for member in range(3):
        alone = keras.layers.Conv2D(4, kernel, stride, "same", activation="relu", dtype="float64")
        own = ops.convert_to_tensor(images[0 if shared else member])
        alone.build(own.shape)
        weights = ops.convert_to_numpy(layer.kernel)[member]
        weights = weights.T if shared else weights
        alone.kernel.assign(weights.reshape(alone.kernel.shape))
        alone.bias.assign(layer.bias[member])
        np.testing.assert_allclose(outputs[member], ops.convert_to_numpy(alone(own)), atol=1e-12)


def test_convolution_starts_with_glorot_uniform_of_its_fans():
    layer = Convolution(1, 50, 3, seed=1)
    layer.build((1, None, 8, 8, 20))
    weights = ops.convert_to_numpy(layer.kernel)
    limit = np.sqrt(6 / (9 * 20 + 9 * 50))  # fans as `keras.initializers.GlorotUniform` counts
    assert 0.99 * limit < np.abs(weights).max() <= limit * (1 + 1e-6)


def test_flatten_keeps_keras_order():
    images = RNG.normal(size=(2, 3, 4, 5, 6)).astype(np.float32)
    outputs = ops.convert_to_numpy(Flatten()(ops.convert_to_tensor(images)))
    np.testing.assert_array_equal(outputs, images.reshape(2, 3, 120))


@pytest.mark.parametrize(("kernel", "stride"), [(0, 1), (3, 0)])
def test_bad_kernel(kernel, stride):
    with pytest.raises(ValueError, match=f"kernel is {kernel} and stride is {stride}"):
        Convolution(1, 1, kernel, stride, seed=1)
