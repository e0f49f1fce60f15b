"""Convolution of images with a leading member axis.

A convolution is patches and a dense layer: the pixels that a kernel covers are laid side by side,
and one product of matrices per member does the rest. Where all members see the same images (the
first layer) the patches are made once and multiplied with all members' kernels in one product.
"""

from keras import layers, ops

from tilesearch.training.fused import Dense


def _margins(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis under "same" padding, as TensorFlow and Keras put them."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def patches(images, kernel: int, stride: int):
    """Pixels under a square kernel at each of its places, under "same" padding.

    Parameters
    ----------
    images : tensor, shape (members, rows, height, width, channels)
        Images; height and width must be known.
    kernel : int
        Side of the kernel in pixels, >= 1.
    stride : int
        Pixels between two places of the kernel, >= 1.

    Returns
    -------
    tensor, shape (members, rows, ceil(height/stride), ceil(width/stride), kernel²·channels)
        The last axis runs over the kernel's rows, columns and channels, as the first three axes
        of the kernel of `keras.layers.Conv2D` do.

    Examples
    --------
    >>> tuple(patches(ops.ones((1, 2, 8, 8, 3)), kernel=3, stride=2).shape)
    (1, 2, 4, 4, 27)
    """
    height, width = images.shape[2:4]
    margins = [_margins(height, kernel, stride), _margins(width, kernel, stride)]
    padded = ops.pad(images, [(0, 0), (0, 0), *margins, (0, 0)])
    last = [(-(-length // stride) - 1) * stride + 1 for length in (height, width)]
    shifted = [
        padded[:, :, dy : dy + last[0] : stride, dx : dx + last[1] : stride]
        for dy in range(kernel)
        for dx in range(kernel)
    ]
    return ops.concatenate(shifted, axis=-1)


class Convolution(Dense):
    """One square 2-d convolution with "same" padding per member.

    Parameters
    ----------
    members, filters : int
        Number of members and of output channels, >= 1.
    kernel : int
        Side of the kernel in pixels, >= 1.
    stride : int
        Pixels between two places of the kernel, >= 1.
    activation, seed, **options
        As in `tilesearch.training.fused.Dense`.

    Notes
    -----
    Input (members or 1, rows, height, width, channels) gives output (members, rows,
    ceil(height/stride), ceil(width/stride), filters). A member's weights (kernel²·channels,
    filters), reshaped to (kernel, kernel, channels, filters), are those of `keras.layers.Conv2D`.
    """

    def __init__(self, members, filters, kernel, stride=1, activation=None, *, seed, **options):
        if kernel < 1 or stride < 1:
            raise ValueError(f"kernel is {kernel} and stride is {stride}, both must be >= 1")
        super().__init__(members, filters, activation, seed=seed, taps=kernel * kernel, **options)
        self.side, self.stride = kernel, stride

    def build(self, input_shape):
        """Make the weights for images of `input_shape`."""
        super().build((*input_shape[:-1], self.taps * input_shape[-1]))

    def call(self, inputs):
        """Convolve the images of each member."""
        return super().call(patches(inputs, self.side, self.stride))

    def compute_output_shape(self, input_shape):
        """(members, rows, ceil(height/stride), ceil(width/stride), filters)."""
        height, width = (-(-length // self.stride) for length in input_shape[2:4])
        return (self.members, input_shape[1], height, width, self.units)


class Flatten(layers.Layer):
    """(members, rows, ...) to (members, rows, all the rest), in Keras' order.

    Examples
    --------
    >>> tuple(Flatten()(ops.ones((2, 3, 4, 5))).shape)
    (2, 3, 20)
    """

    def call(self, inputs):
        """Flatten the features of each row."""
        members, rows = ops.shape(inputs)[:2]
        return ops.reshape(inputs, (members, rows, *self.compute_output_shape(inputs.shape)[2:]))

    def compute_output_shape(self, input_shape):
        """(members, rows, product of the other axes)."""
        features = 1
        for length in input_shape[2:]:
            features *= length
        return (*input_shape[:2], features)
