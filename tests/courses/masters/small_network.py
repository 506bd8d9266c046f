# %% [markdown]
# # A small network
# Two clouds of points are to be told apart.

# %%
import keras
import numpy as np

# %% locked="points"
rng = np.random.default_rng(0)
x_train = np.concatenate([rng.normal(-1.5, 0.7, (60, 2)), rng.normal(1.5, 0.7, (60, 2))]).astype("float32")
y_train = np.repeat([0, 1], 60)

# %% solution="build_model"
def build_model(hidden=8):
    """Return a compiled model: 2 inputs, a hidden layer with ReLU, 2 outputs with softmax."""
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(hidden, activation="relu", name="hidden"),
            keras.layers.Dense(2, activation="softmax", name="classes"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
    ### END SOLUTION

# %% mistake="one_output"
def build_model(hidden=8):
    """Return a compiled model: 2 inputs, a hidden layer with ReLU, 2 outputs with softmax."""
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(hidden, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model

# %% mistake="no_activation"
def build_model(hidden=8):
    """Return a compiled model: 2 inputs, a hidden layer with ReLU, 2 outputs with softmax."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"])
    return model

# %% mistake="not_compiled"
def build_model(hidden=8):
    """Return a compiled model: 2 inputs, a hidden layer with ReLU, 2 outputs with softmax."""
    inputs = keras.Input((2,))
    x = keras.layers.Dense(hidden, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))

# %%
build_model().count_params()

# %% test="test_model" points=2
model = build_model()
assert isinstance(model, keras.Model)
assert model.output_shape == (None, 2), f"two classes, so two outputs: not {model.output_shape}"
### BEGIN HIDDEN TESTS
assert build_model(16).count_params() == 2 * 16 + 16 + 16 * 2 + 2
assert [layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")] == ["relu", "softmax"]
### END HIDDEN TESTS

# %% test="test_probabilities" points=1
probabilities = build_model().predict(x_train[:5], verbose=0)
assert probabilities.shape == (5, 2)
assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5), "softmax makes probabilities"

# %% solution="train"
def train(model, x, y, epochs=15):
    """Train the model and return the accuracy of each epoch, as a list."""
    ### BEGIN SOLUTION
    history = model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
    return history.history["accuracy"]
    ### END SOLUTION

# %% mistake="returns_the_history"
def train(model, x, y, epochs=15):
    """Train the model and return the accuracy of each epoch, as a list."""
    return model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)

# %% mistake="one_epoch"
def train(model, x, y, epochs=15):
    """Train the model and return the accuracy of each epoch, as a list."""
    return model.fit(x, y, batch_size=32, verbose=0).history["accuracy"]

# %% test="test_train" points=2
keras.utils.set_random_seed(1)
model = build_model()
accuracies = train(model, x_train, y_train)
assert len(accuracies) == 15
assert accuracies[-1] > 0.9, f"an accuracy of {accuracies[-1]:.2f} is too low"
### BEGIN HIDDEN TESTS
x_test = np.array([[-2.0, -2.0], [2.0, 2.0], [-1.0, -2.0]], "float32")
assert np.argmax(model.predict(x_test, verbose=0), axis=1).tolist() == [0, 1, 0]
### END HIDDEN TESTS
