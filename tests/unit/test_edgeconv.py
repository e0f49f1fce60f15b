"""Edge convolution with a member axis, against loops over nodes and edges."""

import numpy as np
import pytest
from keras import ops

from tilesearch.training.edgeconv import EdgeConvolution, EdgeNetwork, edge_weights, gather

MEMBERS, ROWS, NODES, COLUMNS, FEATURES = 3, 4, 6, 5, 2
K, HITS = [1, 3, 5], [6, 4, 2, 1]


def tensor(values, dtype="float64"):
    return ops.convert_to_tensor(np.asarray(values, dtype=dtype))


def table():
    rng = np.random.default_rng(1)
    neighbours = np.tile(np.arange(NODES)[None, :, None], (ROWS, 1, COLUMNS))
    for row, hits in enumerate(HITS):
        for node in range(hits):
            others = rng.permutation([j for j in range(hits) if j != node])
            neighbours[row, node, : hits - 1] = others
    return neighbours


@pytest.mark.parametrize("shared", [True, False])
def test_edge_convolution_is_the_mean_over_edges(shared):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1 if shared else MEMBERS, ROWS, NODES, FEATURES))
    layer = EdgeConvolution(MEMBERS, 4, seed=1, dtype="float64")
    layer.build(x.shape)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    kernel, bias = (ops.convert_to_numpy(w) for w in (layer.kernel, layer.bias))
    neighbours = table()
    weights = edge_weights(COLUMNS, tensor(K), tensor([HITS], "int32"))
    outputs = layer(tensor(x), tensor(neighbours[None], "int32"), weights)
    expected = np.zeros((MEMBERS, ROWS, NODES, 4))
    for member, k in enumerate(K):
        values = x[0 if shared else member]
        for row, hits in enumerate(HITS):
            for node in range(hits):
                ends = neighbours[row, node, : min(k, hits - 1)]
                edges = [
                    np.concatenate([values[row, node], values[row, j] - values[row, node]])
                    for j in ends
                ]
                if edges:
                    messages = np.maximum(np.array(edges) @ kernel[member] + bias[member], 0)
                    expected[member, row, node] = messages.mean(axis=0)
    real = np.arange(NODES) < np.array(HITS)[:, None]
    outputs = ops.convert_to_numpy(outputs)
    np.testing.assert_allclose(outputs[:, real], expected[:, real], atol=1e-12)
    assert outputs.shape == layer.compute_output_shape(x.shape)


def test_gather_fetches_rows_of_the_same_event():
    values = np.random.default_rng(3).normal(size=(MEMBERS, ROWS, NODES, FEATURES))
    neighbours = table()
    found = ops.convert_to_numpy(gather(tensor(values), tensor(neighbours[None], "int32")))
    expected = np.take_along_axis(
        values[:, :, None], neighbours[None, ..., None].repeat(MEMBERS, 0), axis=3
    )
    np.testing.assert_array_equal(found, expected)


def test_members_share_initial_weights_and_differ_by_k():
    rng = np.random.default_rng(4)
    batch = {
        "x": tensor(rng.normal(size=(1, ROWS, NODES, FEATURES))),
        "hits": tensor([HITS], "int32"),
        "neighbours": tensor(table()[None], "int32"),
    }
    model = EdgeNetwork([2, 2, 5], [3], 4, 1, seed=1, dtype="float64")
    model.build({name: tuple(values.shape) for name, values in batch.items()})
    model.built = True
    outputs = ops.convert_to_numpy(model(batch))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.allclose(outputs[0, 0], outputs[2, 0])  # six hits: k matters
    np.testing.assert_allclose(outputs[0, 2], outputs[2, 2], rtol=1e-12)  # two: it does not


def test_bad_sizes():
    with pytest.raises(ValueError, match="members is 0"):
        EdgeConvolution(0, 4, seed=1)
    with pytest.raises(ValueError, match="channels is 0"):
        EdgeConvolution(1, 0, seed=1)
