"""Edge convolution on nearest-neighbour graphs, with a leading member axis.

The edge convolution of Wang et al. [1]_ gives each node the mean, over the edges to its k nearest
nodes, of a small dense layer of the node and of the edge::

    x'_i = mean_j f([x_i, x_j - x_i] W + b)

With W = [W_1; W_2] the product is x_i (W_1 - W_2) + x_j W_2: one product per *node* instead of one
per edge, k times fewer operations, and the same function of the same weights.

Members that differ in k share one table of neighbours, sorted by distance: column j is an edge of
a member if j < k. So the neighbours' values are gathered once for all of them, and `edge_weights`
says which of them a member sees.

References
----------
.. [1] Y. Wang et al., "Dynamic graph CNN for learning on point clouds", ACM Trans. Graph. 38(5),
   146, 2019.
"""

import numpy as np
from keras import activations, layers, ops

from tilesearch.training.fused import Dense, constant, member_kernels


def edge_weights(columns: int, k, nodes):
    """Weight of each neighbour in a mean over the k nearest (over all, where there are fewer).

    Parameters
    ----------
    columns : int
        Columns of the table of neighbours.
    k : tensor, shape (members,)
        Number of neighbours that each member sees.
    nodes : tensor of int, shape (1, rows)
        Number of real nodes of each row.

    Returns
    -------
    tensor, shape (members, rows, columns)
        1 / min(k, nodes - 1) in as many columns, then 0.

    Examples
    --------
    >>> weights = edge_weights(3, ops.convert_to_tensor([2.0]), ops.convert_to_tensor([[4, 2]]))
    >>> ops.convert_to_numpy(weights).tolist()
    [[[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]]
    """
    edges = ops.minimum(k[:, None], ops.cast(nodes, k.dtype) - 1)[..., None]
    near = ops.cast(ops.arange(columns), k.dtype) < edges
    return ops.cast(near, k.dtype) / ops.maximum(edges, 1)


def gather(values, table):
    """Values of the neighbours.

    Parameters
    ----------
    values : tensor, shape (members, rows, nodes, channels)
        Values of the nodes.
    table : tensor of int32, shape (1, rows, nodes, columns)
        Neighbours of each node.

    Returns
    -------
    tensor, shape (members, rows, nodes, columns, channels)
    """
    members, rows, nodes, channels = ops.shape(values)
    first = ops.arange(rows, dtype="int32")[:, None, None] * nodes
    index = ops.reshape(ops.cast(table[0], "int32") + first, (-1,))
    ends = ops.take(ops.reshape(values, (members, rows * nodes, channels)), index, axis=1)
    return ops.reshape(ends, (members, rows, nodes, table.shape[-1], channels))


class EdgeConvolution(layers.Layer):
    """One edge convolution per member; see the module's text.

    Parameters
    ----------
    members, channels : int
        Number of members and of output channels, >= 1.
    activation : str or callable
        As in `keras.layers.Dense`.
    seed : int
        Seed of the initial weights.
    **options
        `name` and `dtype`, as in any Keras layer.

    Notes
    -----
    A member's kernel has shape (2 features, channels): the first half meets the node, the second
    the difference to its neighbour, as in a dense layer of [x_i, x_j - x_i].
    """

    def __init__(self, members, channels, activation="relu", *, seed, **options):
        super().__init__(**options)
        if members < 1 or channels < 1:
            raise ValueError(f"members is {members} and channels is {channels}, need >= 1")
        self.members, self.channels, self.seed = members, channels, seed
        self.activation = activations.get(activation)

    def build(self, input_shape):
        """Make the weights; the last axis of `input_shape` is the number of features."""
        features = input_shape[-1]
        wide, narrow = [2 * features] * self.members, [self.channels] * self.members
        kernels = member_kernels(self.seed, self.name, wide, narrow, 2 * features, self.channels)
        self.features = features
        self.kernel = self.add_weight(
            shape=kernels.shape, initializer=constant(kernels), name="kernel"
        )
        self.bias = self.add_weight(
            shape=(self.members, self.channels), initializer="zeros", name="bias"
        )

    def call(self, inputs, table, weights):
        """Convolve.

        Parameters
        ----------
        inputs : tensor, shape (members or 1, rows, nodes, features)
            Values of the nodes.
        table : tensor of int32, shape (1, rows, nodes, columns)
            Neighbours of each node, the nearest first.
        weights : tensor, shape (members, rows, columns)
            See `edge_weights`.

        Returns
        -------
        tensor, shape (members, rows, nodes, channels)
        """
        own, rise = self.kernel[:, : self.features], self.kernel[:, self.features :]
        kernel = ops.concatenate([own - rise, rise], axis=-1)
        shape = ops.shape(inputs)
        flat = ops.reshape(inputs, (shape[0], shape[1] * shape[2], shape[3]))
        product = ops.matmul(flat, kernel)
        product = ops.reshape(product, (self.members, *shape[1:3], 2 * self.channels))
        node = product[..., : self.channels] + self.bias[:, None, None]
        ends = gather(product[..., self.channels :], table)
        edges = self.activation(node[:, :, :, None] + ends)
        return ops.sum(edges * weights[:, :, None, :, None], axis=3)

    def compute_output_shape(self, input_shape):
        """(members, rows, nodes, channels)."""
        return (self.members, *input_shape[1:-1], self.channels)


class EdgeNetwork(layers.Layer):
    """Edge convolutions, the mean over nodes after each, and two dense layers, per member.

    Reads the arrays ``x`` (nodes' values), ``hits`` (number of real nodes) and ``neighbours``
    (table of neighbours) of a batch; gives (members, rows, outputs).

    Parameters
    ----------
    neighbours : sequence of int
        Number of neighbours that each member sees, at most the columns of the table.
    channels : sequence of int
        Channels of the edge convolutions, one or more.
    units, outputs : int
        Widths of the two dense layers.
    seed : int
        Seed of the initial weights.
    **options
        `name` and `dtype`, as in any Keras layer.
    """

    def __init__(self, neighbours, channels, units, outputs, *, seed, **options):
        super().__init__(**options)
        self.neighbours = np.asarray(neighbours, dtype=float)
        members, inner = len(self.neighbours), {"seed": seed, "dtype": self.dtype}
        self.edges = [
            EdgeConvolution(members, width, name=f"edges_{i}", **inner)
            for i, width in enumerate(channels)
        ]
        self.hidden = Dense(members, units, "relu", name="hidden", **inner)
        self.direction = Dense(members, outputs, name="direction", **inner)

    def build(self, input_shape):
        """Build the layers for the shapes of the batch's arrays."""
        shape = input_shape["x"]
        for layer in self.edges:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        members = len(self.neighbours)
        self.hidden.build((members, None, sum(layer.channels for layer in self.edges)))
        self.direction.build((members, None, self.hidden.units))
        self.k = self.add_weight(
            shape=(members,), initializer=constant(self.neighbours), trainable=False, name="k"
        )

    def call(self, batch):
        """Outputs (members, rows, outputs)."""
        values, table, hits = batch["x"], batch["neighbours"], batch["hits"]
        weights = edge_weights(table.shape[-1], ops.convert_to_tensor(self.k), hits)
        real = ops.cast(ops.arange(values.shape[2]) < hits[..., None], weights.dtype)
        share = (real / ops.cast(hits[..., None], weights.dtype))[..., None]
        means = []
        for layer in self.edges:
            values = layer(values, table, weights)
            means.append(ops.sum(values * share, axis=2))
        return self.direction(self.hidden(ops.concatenate(means, axis=-1)))
