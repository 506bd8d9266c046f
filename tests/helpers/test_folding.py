"""A folded network predicts what the network predicts."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.folding import fold_batch_norms


def with_statistics(model: keras.Model) -> keras.Model:
    """A model whose weights, means and variances are those of no fresh model."""
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in model.get_weights()])
    return model


def norms(model: keras.Model) -> int:
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model.layers)


def plain() -> keras.Model:
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.BatchNormalization(scale=False, center=False)(layers.Conv2D(4, 3, padding="same")(x))
    return keras.Model(inputs, x)


def residual() -> keras.Model:
    inputs = layers.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 1)(inputs))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    return keras.Model(inputs, layers.Add()([x, y]))


def read_twice() -> keras.Model:
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 1)(inputs)
    return keras.Model(inputs, layers.Add()([x, layers.BatchNormalization()(x)]))


def activated() -> keras.Model:
    inputs = layers.Input((8, 8, 3))
    return keras.Model(inputs, layers.BatchNormalization()(layers.Conv2D(4, 1, activation="relu")(inputs)))


def an_output_itself() -> keras.Model:
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 1)(inputs)
    return keras.Model(inputs, [x, layers.BatchNormalization()(x)])


def over_rows() -> keras.Model:
    inputs = layers.Input((8, 8, 3))
    return keras.Model(inputs, layers.BatchNormalization(axis=1)(layers.Conv2D(4, 1)(inputs)))


def check(got, wanted, **tolerance):
    for one, other in zip(*(x if isinstance(x, list) else [x] for x in (got, wanted)), strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


@pytest.mark.parametrize(
    ("build", "left"),
    [(plain, 0), (residual, 0), (read_twice, 1), (activated, 1), (an_output_itself, 1), (over_rows, 1)],
)
def test_folded_predictions_are_those_of_the_network(build, left):
    model = with_statistics(build())
    inputs = np.random.default_rng(1).uniform(-1, 1, (5, 8, 8, 3)).astype("float32")
    expected = model.predict(inputs, verbose=0)
    folded = fold_batch_norms(model)
    assert norms(folded) == left
    check(folded.predict(inputs, verbose=0), expected, rtol=1e-4, atol=1e-4)
    check(model.predict(inputs, verbose=0), expected, rtol=0)  # it is left as it is


@pytest.mark.slow
def test_resnet50_is_folded_whole():
    model = with_small_statistics(keras.applications.ResNet50(include_top=False, weights=None))
    inputs = np.random.default_rng(1).uniform(-100, 100, (2, 224, 224, 3)).astype("float32")
    folded = fold_batch_norms(model)
    assert (norms(model), norms(folded)) == (53, 0)
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(folded.predict(inputs, verbose=0), expected, atol=1e-4 * np.abs(expected).max())


def with_small_statistics(model: keras.Model) -> keras.Model:
    """Random means and variances; kernels as they are, so that values neither vanish nor explode."""
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model
