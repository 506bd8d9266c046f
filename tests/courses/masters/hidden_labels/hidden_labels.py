# %% [markdown]
# # Iris by hand
# `flowers.csv` holds measured flowers with their kind; `unknown.csv` holds flowers whose kind only your teacher knows.

# %%
import csv

import numpy as np

# %% locked="load"
def load(name):
    """Return measurements (n, 2) and, where they are known, kinds."""
    with open(name, newline="") as file:
        rows = list(csv.DictReader(file))
    measurements = np.array([[float(row["length"]), float(row["width"])] for row in rows])
    return measurements, [row["kind"] for row in rows if row.get("kind")]

x, kinds = load("flowers.csv")
unknown, _ = load("unknown.csv")

# %% [markdown]
# ## The nearest neighbour
# A flower is probably of the same kind as the known flower that is most like it.

# %% solution="nearest"
def nearest(flower, x):
    """Return the row number of the known flower that is nearest."""
    ### BEGIN SOLUTION
    return int(np.argmin(((x - flower) ** 2).sum(axis=1)))
    ### END SOLUTION

# %% mistake="the_distance"
def nearest(flower, x):
    """Return the row number of the known flower that is nearest."""
    return np.sqrt(((x - flower) ** 2).sum(axis=1)).min()

# %% mistake="the_farthest"
def nearest(flower, x):
    """Return the row number of the known flower that is nearest."""
    return int(np.argmax(((x - flower) ** 2).sum(axis=1)))

# %% mistake="length_only"
def nearest(flower, x):
    """Return the row number of the known flower that is nearest."""
    return int(np.argmin(np.abs(x[:, 0] - flower[0])))

# %%
nearest(unknown[0], x)

# %% test="test_nearest" points=1
assert nearest(x[4], x) == 4
### BEGIN HIDDEN TESTS
assert nearest(np.array([5.0, 1.7]), np.array([[5.0, 9.0], [1.0, 1.7], [4.8, 1.5]])) == 2
### END HIDDEN TESTS

# %% [markdown]
# ## Predictions
# Put your predictions for the unknown flowers into `predicted`, a list of kinds in the order of the file. At least eight
# in ten must be right.

# %% solution="predictions"
### BEGIN SOLUTION
predicted = [kinds[nearest(flower, x)] for flower in unknown]
### END SOLUTION

# %% mistake="all_the_same"
predicted = ["setosa"] * len(unknown)

# %% mistake="one_is_missing"
predicted = [kinds[nearest(flower, x)] for flower in unknown[1:]]

# %% mistake="numbers_for_kinds"
predicted = np.array([sorted(set(kinds)).index(kinds[nearest(flower, x)]) for flower in unknown])

# %% mistake="an_array"
predicted = np.array([kinds[nearest(flower, x)] for flower in unknown])

# %% test="test_predictions" points=1
assert len(predicted) == len(unknown), f"{len(unknown)} flowers want {len(unknown)} predictions"
assert set(predicted) <= set(kinds), "only the kinds of flowers.csv"

# %% test="test_accuracy" points=3
accuracy = 0
### BEGIN HIDDEN TESTS
true_kinds = ["setosa", "virginica", "versicolor", "setosa", "virginica", "versicolor", "setosa", "versicolor"]
right = [prediction == truth for prediction, truth in zip(predicted, true_kinds)]
accuracy = sum(right) / len(true_kinds)
assert accuracy >= 0.8, f"{accuracy:.0%} of your predictions are right"
### END HIDDEN TESTS

# %% solution="accuracy"
def accuracy_of(predicted, truth):
    """Return which part of the predictions is right, between 0 and 1."""
    ### BEGIN SOLUTION
    return float(np.mean(np.asarray(predicted) == np.asarray(truth)))
    ### END SOLUTION

# %% mistake="a_count"
def accuracy_of(predicted, truth):
    """Return which part of the predictions is right, between 0 and 1."""
    return sum(a == b for a, b in zip(predicted, truth))

# %% mistake="compares_lists"
def accuracy_of(predicted, truth):
    """Return which part of the predictions is right, between 0 and 1."""
    return np.mean(predicted == truth)

# %% test="test_accuracy_of" points=2
assert accuracy_of(["a", "b", "c"], ["a", "x", "c"]) == 2 / 3
### BEGIN HIDDEN TESTS
assert accuracy_of(np.array([1, 2]), np.array([1, 2])) == 1
assert accuracy_of(true_kinds, ["setosa"] * 8) == 3 / 8
### END HIDDEN TESTS
