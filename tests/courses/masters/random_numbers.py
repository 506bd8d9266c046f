# %% [markdown]
# # Random numbers
# With the same seed, the same numbers come: so results can be compared.

# %%
import random

import numpy as np

# %% solution="throw_dice"
def throw_dice(n):
    """Throw n dice with Python's random.randint, one after another; return a list."""
    ### BEGIN SOLUTION
    return [random.randint(1, 6) for _ in range(n)]
    ### END SOLUTION

# %% mistake="zero_to_five"
def throw_dice(n):
    """Throw n dice with Python's random.randint, one after another; return a list."""
    return [random.randint(0, 5) for _ in range(n)]

# %% mistake="one_throw_for_all"
def throw_dice(n):
    """Throw n dice with Python's random.randint, one after another; return a list."""
    return [random.randint(1, 6)] * n

# %% mistake="a_seed_of_its_own"
def throw_dice(n):
    """Throw n dice with Python's random.randint, one after another; return a list."""
    random.seed(42)
    return [random.randint(1, 6) for _ in range(n)]

# %% mistake="numpy_instead"
def throw_dice(n):
    """Throw n dice with Python's random.randint, one after another; return a list."""
    return list(np.random.randint(1, 7, n))

# %%
throw_dice(3)

# %% test="test_dice" points=1
throws = throw_dice(200)
assert len(throws) == 200
assert set(throws) <= {1, 2, 3, 4, 5, 6}, "a die shows 1 to 6"

# %% test="test_dice_seed" points=2
random.seed(5)
first = throw_dice(10)
random.seed(5)
assert throw_dice(10) == first, "with the same seed the same throws come"
### BEGIN HIDDEN TESTS
random.seed(2024)
expected = [random.randint(1, 6) for _ in range(8)]
random.seed(2024)
assert throw_dice(8) == expected
assert throw_dice(30) != throw_dice(30)
### END HIDDEN TESTS

# %% [markdown]
# ## A random walk
# Draw all steps at once: `np.random.choice([-1, 1], size=n)`. The walk begins at 0, so it has `n + 1` points.

# %% solution="random_walk"
def random_walk(n):
    """Return the points of a walk of n steps, an array of n + 1 whole numbers."""
    ### BEGIN SOLUTION
    steps = np.random.choice([-1, 1], size=n)
    return np.concatenate([[0], np.cumsum(steps)])
    ### END SOLUTION

# %% mistake="without_the_start"
def random_walk(n):
    """Return the points of a walk of n steps, an array of n + 1 whole numbers."""
    return np.cumsum(np.random.choice([-1, 1], size=n))

# %% mistake="uniform_steps"
def random_walk(n):
    """Return the points of a walk of n steps, an array of n + 1 whole numbers."""
    return np.concatenate([[0], np.cumsum(np.random.uniform(-1, 1, size=n))])

# %% mistake="a_list_of_positions"
def random_walk(n):
    """Return the points of a walk of n steps, an array of n + 1 whole numbers."""
    walk = [0]
    for step in np.random.choice([-1, 1], size=n):
        walk.append(walk[-1] + step)
    return walk

# %% test="test_walk" points=2
np.random.seed(0)
walk = random_walk(100)
assert len(walk) == 101 and walk[0] == 0
assert np.all(np.abs(np.diff(walk)) == 1), "each step goes one to the left or one to the right"
### BEGIN HIDDEN TESTS
np.random.seed(0)
expected = np.cumsum(np.random.choice([-1, 1], size=100))
assert np.array_equal(walk[1:], expected)
assert isinstance(walk, np.ndarray) and walk.dtype.kind == "i"
### END HIDDEN TESTS

# %% [markdown]
# ## Generators of NumPy
# A generator is passed in. Use nothing but it.

# %% solution="bootstrap"
def bootstrap(values, rng, repeats=100):
    """Return the means of `repeats` samples, drawn with rng.choice with replacement, each as large as values."""
    ### BEGIN SOLUTION
    return np.array([rng.choice(values, size=len(values)).mean() for _ in range(repeats)])
    ### END SOLUTION

# %% mistake="another_generator"
def bootstrap(values, rng, repeats=100):
    """Return the means of `repeats` samples, drawn with rng.choice with replacement, each as large as values."""
    rng = np.random.default_rng()
    return np.array([rng.choice(values, size=len(values)).mean() for _ in range(repeats)])

# %% mistake="without_replacement"
def bootstrap(values, rng, repeats=100):
    """Return the means of `repeats` samples, drawn with rng.choice with replacement, each as large as values."""
    return np.array([rng.choice(values, size=len(values), replace=False).mean() for _ in range(repeats)])

# %% test="test_bootstrap" points=2
values = np.array([2.0, 4.0, 9.0, 1.0, 7.0])
means = bootstrap(values, np.random.default_rng(1), repeats=50)
assert means.shape == (50,)
assert abs(means.mean() - values.mean()) < 1.5
### BEGIN HIDDEN TESTS
again = bootstrap(values, np.random.default_rng(1), repeats=50)
assert np.array_equal(means, again)
assert means.std() > 0.3
### END HIDDEN TESTS

# %% test="test_bootstrap_uses_the_generator" points=1
rng = np.random.default_rng(11)
expected = rng.choice(np.arange(6.0), size=6).mean()
assert bootstrap(np.arange(6.0), np.random.default_rng(11), repeats=1)[0] == expected
### BEGIN HIDDEN TESTS
rng, other = np.random.default_rng(3), np.random.default_rng(3)
bootstrap(np.arange(4.0), rng, repeats=2)
assert rng.random() != other.random(), "the generator must have gone on"
### END HIDDEN TESTS
