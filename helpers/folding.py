"""Networks for prediction only: batch normalisation folded into the convolutions before it.

In prediction, batch normalisation is a fixed scale and shift of each channel (Ioffe and Szegedy 2015, section 3.1),
which a convolution can do itself: with s = gamma / sqrt(variance + epsilon), kernel' = kernel * s and
bias' = (bias - mean) * s + beta. ResNet50 then writes each of its 53 intermediate results to memory once, not twice.
"""

from typing import Any

import numpy as np


def fold_batch_norms(model: Any) -> Any:
    """Return a functional Keras model with the predictions of ``model`` (but for rounding) and fewer operations.

    Folded is every ``BatchNormalization`` over the last axis that alone reads a ``Conv2D`` without activation; all else
    stays. ``model`` is left as it is. The result must not be trained.
    """
    import keras  # slow to load

    class Folded(keras.layers.Layer):
        """Layer that stands where a batch normalisation was."""

        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return inputs

    pairs = {norm.name: convolution for norm, convolution in _pairs(model, keras.layers)}

    def cloned(layer: Any) -> Any:
        return Folded(name=layer.name) if layer.name in pairs else _with_bias(layer, pairs.values())

    folded = keras.models.clone_model(model, clone_function=cloned)
    for layer in model.layers:
        if layer.name in pairs:
            convolution = pairs[layer.name]
            folded.get_layer(convolution.name).set_weights(_merged(convolution, layer))
        elif layer.weights and not any(layer is convolution for convolution in pairs.values()):
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded


def _pairs(model: Any, layers: Any) -> list[tuple[Any, Any]]:
    """Pair batch normalisations with the convolutions that they may be folded into."""
    found = []
    outputs = {id(tensor) for tensor in model.outputs}
    for layer in model.layers:
        if not isinstance(layer, layers.BatchNormalization) or len(layer._inbound_nodes) != 1:
            continue
        (tensor,) = layer._inbound_nodes[0].input_tensors
        before = tensor._keras_history.operation
        alone = type(before) is layers.Conv2D and len(before._outbound_nodes) == 1 == len(before._inbound_nodes)
        last = layer.axis in (-1, len(tensor.shape) - 1)
        if alone and last and before.activation.__name__ == "linear" and id(tensor) not in outputs:
            found.append((layer, before))
    return found


def _with_bias(layer: Any, convolutions: Any) -> Any:
    config = layer.get_config()
    if any(layer is convolution for convolution in convolutions):
        config["use_bias"] = True
    return layer.__class__.from_config(config)


def _merged(convolution: Any, norm: Any) -> list[Any]:
    """Return kernel and bias of a convolution that does the normalisation too, computed in float64."""

    def plain(weight: Any) -> Any:
        return np.asarray(weight, dtype=np.float64)

    scale = 1 / np.sqrt(plain(norm.moving_variance) + norm.epsilon)
    scale = scale * plain(norm.gamma) if norm.scale else scale
    bias = plain(convolution.bias) if convolution.use_bias else 0.0
    shift = (bias - plain(norm.moving_mean)) * scale + (plain(norm.beta) if norm.center else 0.0)
    return [(plain(convolution.kernel) * scale).astype(np.float32), shift.astype(np.float32)]
