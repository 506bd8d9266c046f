# %% [markdown]
# # Probability by trying
# What is hard to compute is often easy to try many times. Answers need not be exact, but near.

# %%
import math
import random

import numpy as np

# %% locked="near"
def near(value, expected, tolerance):
    """Return whether a value is a number near to what is expected."""
    return isinstance(value, (int, float, np.floating)) and abs(value - expected) < tolerance

# %% solution="estimate_pi"
def estimate_pi(n):
    """Estimate pi from n random points in a square."""
    ### BEGIN SOLUTION
    x, y = np.random.random((2, n))
    return 4 * np.mean(x**2 + y**2 < 1)
    ### END SOLUTION

# %% mistake="forgets_the_four"
def estimate_pi(n):
    """Estimate pi from n random points in a square."""
    x, y = np.random.random((2, n))
    return np.mean(x**2 + y**2 < 1)

# %% mistake="one_random_number"
def estimate_pi(n):
    """Estimate pi from n random points in a square."""
    x = np.random.random(n)
    return 4 * np.mean(x**2 + x**2 < 1)

# %% mistake="just_pi"
def estimate_pi(n):
    """Estimate pi from n random points in a square."""
    return math.pi

# %%
estimate_pi(1000)

# %% test="test_estimate_pi" points=2
assert near(estimate_pi(100_000), math.pi, 0.05)
### BEGIN HIDDEN TESTS
few = [estimate_pi(50) for _ in range(40)]
assert np.std(few) > 0.05, "few points must make a rough estimate"
assert near(np.mean(few), math.pi, 0.25)
### END HIDDEN TESTS

# %% solution="birthday"
def birthday(people, trials=3000):
    """Estimate the probability that at least two of so many people have the same birthday."""
    ### BEGIN SOLUTION
    hits = 0
    for _ in range(trials):
        days = [random.randrange(365) for _ in range(people)]
        hits += len(set(days)) < people
    return hits / trials
    ### END SOLUTION

# %% mistake="a_percentage"
def birthday(people, trials=3000):
    """Estimate the probability that at least two of so many people have the same birthday."""
    hits = sum(len({random.randrange(365) for _ in range(people)}) < people for _ in range(trials))
    return 100 * hits / trials

# %% mistake="all_different"
def birthday(people, trials=3000):
    """Estimate the probability that at least two of so many people have the same birthday."""
    hits = sum(len({random.randrange(365) for _ in range(people)}) == people for _ in range(trials))
    return hits / trials

# %% mistake="whole_division"
def birthday(people, trials=3000):
    """Estimate the probability that at least two of so many people have the same birthday."""
    hits = sum(len({random.randrange(365) for _ in range(people)}) < people for _ in range(trials))
    return hits // trials

# %% test="test_birthday" points=2
assert near(birthday(23), 0.507, 0.06)
assert birthday(1) == 0
### BEGIN HIDDEN TESTS
assert near(birthday(40), 0.891, 0.05)
assert birthday(366, trials=10) == 1
### END HIDDEN TESTS

# %% solution="sample_exponential"
def sample_exponential(rate, n):
    """Return an array of n random numbers with the density rate * exp(-rate * x), made from uniform ones."""
    ### BEGIN SOLUTION
    return -np.log(1 - np.random.random(n)) / rate
    ### END SOLUTION

# %% mistake="times_the_rate"
def sample_exponential(rate, n):
    """Return an array of n random numbers with the density rate * exp(-rate * x), made from uniform ones."""
    return -np.log(1 - np.random.random(n)) * rate

# %% mistake="normal_numbers"
def sample_exponential(rate, n):
    """Return an array of n random numbers with the density rate * exp(-rate * x), made from uniform ones."""
    return np.abs(np.random.normal(1 / rate, 1 / rate, n))

# %% test="test_exponential_mean" points=1
sample = sample_exponential(2.0, 20_000)
assert sample.shape == (20_000,) and sample.min() >= 0
assert near(sample.mean(), 0.5, 0.03)

# %% test="test_exponential_shape" points=2
sample = sample_exponential(0.5, 20_000)
### BEGIN HIDDEN TESTS
for x in (0.5, 2, 4):
    assert near(np.mean(sample > x), math.exp(-0.5 * x), 0.03), "the tail has the wrong weight"
assert near(np.median(sample), 2 * math.log(2), 0.08)
### END HIDDEN TESTS
