# %% [markdown]
# # Your functions, used by a library
# SciPy and NumPy call what you write.

# %%
import math

import numpy as np
from scipy import integrate, optimize

# %% solution="bell"
def bell(x, mean=0.0, deviation=1.0):
    """Return the density of the normal distribution, for numbers and arrays."""
    ### BEGIN SOLUTION
    z = (x - mean) / deviation
    return np.exp(-(z**2) / 2) / (deviation * math.sqrt(2 * math.pi))
    ### END SOLUTION

# %% mistake="numbers_only"
def bell(x, mean=0.0, deviation=1.0):
    """Return the density of the normal distribution, for numbers and arrays."""
    z = (x - mean) / deviation
    return math.exp(-(z**2) / 2) / (deviation * math.sqrt(2 * math.pi))

# %% mistake="not_normalised"
def bell(x, mean=0.0, deviation=1.0):
    """Return the density of the normal distribution, for numbers and arrays."""
    return np.exp(-(((x - mean) / deviation) ** 2) / 2)

# %% mistake="forgets_the_square"
def bell(x, mean=0.0, deviation=1.0):
    """Return the density of the normal distribution, for numbers and arrays."""
    z = (x - mean) / deviation
    return np.exp(-z / 2) / (deviation * math.sqrt(2 * math.pi))

# %%
bell(np.array([-1.0, 0.0, 1.0]))

# %% test="test_bell" points=1
assert abs(bell(0) - 0.3989423) < 1e-6
assert abs(bell(3.0, mean=3.0, deviation=2.0) - 0.1994711) < 1e-6

# %% test="test_bell_integral" points=2
area, _ = integrate.quad(bell, -8, 8)
assert abs(area - 1) < 1e-6, f"the area below the curve is {area}"
### BEGIN HIDDEN TESTS
area, _ = integrate.quad(bell, 0, 20, args=(10.0, 2.0))
assert abs(area - 1) < 1e-5
part = integrate.quad(lambda x: x * bell(x, 5.0, 0.5), 0, 10)[0]
assert abs(part - 5) < 1e-4
### END HIDDEN TESTS

# %% test="test_bell_arrays" points=2
values = bell(np.linspace(-2, 2, 5))
assert isinstance(values, np.ndarray) and values.shape == (5,)
assert np.allclose(values, values[::-1])
### BEGIN HIDDEN TESTS
assert np.allclose(np.vectorize(bell)([0.0, 1.0]), [0.39894228, 0.24197072])
assert np.apply_along_axis(bell, 0, np.zeros((2, 3))).shape == (2, 3)
### END HIDDEN TESTS

# %% solution="trapezoid"
def trapezoid(f, a, b, n=100):
    """Integrate f from a to b by n trapezoids; f takes an array."""
    ### BEGIN SOLUTION
    x = np.linspace(a, b, n + 1)
    y = f(x)
    return float((b - a) / n * (y.sum() - (y[0] + y[-1]) / 2))
    ### END SOLUTION

# %% mistake="n_points"
def trapezoid(f, a, b, n=100):
    """Integrate f from a to b by n trapezoids; f takes an array."""
    x = np.linspace(a, b, n)
    y = f(x)
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum())

# %% mistake="ends_count_fully"
def trapezoid(f, a, b, n=100):
    """Integrate f from a to b by n trapezoids; f takes an array."""
    x = np.linspace(a, b, n + 1)
    return float((b - a) / n * f(x).sum())

# %% mistake="one_number_at_a_time"
def trapezoid(f, a, b, n=100):
    """Integrate f from a to b by n trapezoids; f takes an array."""
    h = (b - a) / n
    return h * (f(a) / 2 + sum(f(a + i * h) for i in range(1, n)) + f(b) / 2)

# %% test="test_trapezoid" points=2
assert abs(trapezoid(np.sin, 0, np.pi, 200) - 2) < 1e-3
assert trapezoid(lambda x: 2 * x, 0, 1, n=1) == 1, "one trapezoid is enough for a straight line"
### BEGIN HIDDEN TESTS
assert abs(trapezoid(lambda x: x**2, 0, 3, 4) - 9.28125) < 1e-9
### END HIDDEN TESTS

# %% test="test_trapezoid_asks_once" points=1
asked = []

def square(x):
    asked.append(np.shape(x))
    return x**2

trapezoid(square, 0, 1, 10)
assert asked == [(11,)], f"f is asked once, with 11 points: {asked}"

# %% solution="minimum"
def valley(point):
    """Return (x - 1)² + 10 (y - x²)² for a point (x, y)."""
    ### BEGIN SOLUTION
    x, y = point
    return (x - 1) ** 2 + 10 * (y - x**2) ** 2
    ### END SOLUTION

def best_line(x, y):
    """Return (slope, intercept) of the line with the smallest sum of squares."""
    ### BEGIN SOLUTION
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return slope, y.mean() - slope * x.mean()
    ### END SOLUTION

# %% mistake="two_arguments"
def valley(x, y):
    """Return (x - 1)² + 10 (y - x²)² for a point (x, y)."""
    return (x - 1) ** 2 + 10 * (y - x**2) ** 2

def best_line(x, y):
    """Return (slope, intercept) of the line with the smallest sum of squares."""
    return np.polyfit(x, y, 1)

# %% mistake="the_other_order"
def valley(point):
    """Return (x - 1)² + 10 (y - x²)² for a point (x, y)."""
    y, x = point
    return (x - 1) ** 2 + 10 * (y - x**2) ** 2

def best_line(x, y):
    """Return (slope, intercept) of the line with the smallest sum of squares."""
    return tuple(np.polyfit(x, y, 1)[::-1])

# %% test="test_valley" points=2
found = optimize.minimize(valley, [0.0, 0.0])
assert np.allclose(found.x, [1, 1], atol=1e-3), found.x
### BEGIN HIDDEN TESTS
assert valley((2, 3)) == 11
### END HIDDEN TESTS

# %% test="test_best_line" points=1
x = np.array([0.0, 1.0, 2.0, 3.0])
slope, intercept = best_line(x, 2 * x - 1)
assert np.isclose(slope, 2) and np.isclose(intercept, -1)
