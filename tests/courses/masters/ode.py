# %% [markdown]
# # Differential equations, step by step
# The right-hand side of $y' = f(t, y)$ is passed in as a function; $y$ is an array.

# %%
import numpy as np

# %% locked="problems"
def decay(t, y):
    """y' = -y."""
    return -y

def oscillator(t, y):
    """Position and velocity of a spring."""
    return np.array([y[1], -y[0]])

def exact_decay(t):
    return np.exp(-t)

# %% solution="euler"
def euler(f, y0, times):
    """Solve y' = f(t, y) by Euler's method; return an array of shape (len(times), len(y0))."""
    ### BEGIN SOLUTION
    ys = [np.asarray(y0, dtype=float)]
    for t, t_next in zip(times[:-1], times[1:]):
        ys.append(ys[-1] + (t_next - t) * f(t, ys[-1]))
    return np.array(ys)
    ### END SOLUTION

# %% mistake="whole_numbers"
def euler(f, y0, times):
    """Solve y' = f(t, y) by Euler's method; return an array of shape (len(times), len(y0))."""
    ys = np.zeros((len(times), len(y0)), dtype=np.asarray(y0).dtype)
    ys[0] = y0
    for n in range(len(times) - 1):
        ys[n + 1] = ys[n] + (times[n + 1] - times[n]) * f(times[n], ys[n])
    return ys

# %% mistake="changes_its_start"
def euler(f, y0, times):
    """Solve y' = f(t, y) by Euler's method; return an array of shape (len(times), len(y0))."""
    y, ys = y0, []
    for n in range(len(times)):
        ys.append(y.copy())
        if n + 1 < len(times):
            y += (times[n + 1] - times[n]) * f(times[n], y)
    return np.array(ys)

# %% mistake="y_before_t"
def euler(f, y0, times):
    """Solve y' = f(t, y) by Euler's method; return an array of shape (len(times), len(y0))."""
    ys = [np.asarray(y0, dtype=float)]
    for t, t_next in zip(times[:-1], times[1:]):
        ys.append(ys[-1] + (t_next - t) * f(ys[-1], t))
    return np.array(ys)

# %%
times = np.linspace(0, 1, 5)
euler(decay, np.array([1.0]), times)

# %% test="test_euler_shape" points=1
times = np.linspace(0, 1, 11)
ys = euler(oscillator, np.array([1.0, 0.0]), times)
assert isinstance(ys, np.ndarray), "return an array, not a list"
assert ys.shape == (11, 2), f"11 times and 2 unknowns: shape (11, 2), not {ys.shape}"

# %% test="test_euler" points=2
ys = euler(decay, np.array([1.0]), np.array([0.0, 0.5, 1.0]))
assert np.allclose(ys.ravel(), [1, 0.5, 0.25]), ys
### BEGIN HIDDEN TESTS
start = np.array([1, 0])
ys = euler(oscillator, start, np.linspace(0, 0.2, 3))
np.testing.assert_allclose(ys, [[1, 0], [1, -0.1], [0.99, -0.2]], atol=1e-12)
### END HIDDEN TESTS

# %% test="test_euler_keeps_its_start" points=1
start = np.array([2.0, -1.0])
euler(oscillator, start, np.linspace(0, 1, 4))
assert np.array_equal(start, [2.0, -1.0]), "y0 is the caller's: leave it as it is"

# %% [markdown]
# ## Runge-Kutta
# The classical method of fourth order asks four times a step.

# %% solution="rk4"
def rk4(f, y0, times):
    """Solve y' = f(t, y) by the classical Runge-Kutta method."""
    ### BEGIN SOLUTION
    ys = [np.asarray(y0, dtype=float)]
    for t, t_next in zip(times[:-1], times[1:]):
        h, y = t_next - t, ys[-1]
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h / 2 * k1)
        k3 = f(t + h / 2, y + h / 2 * k2)
        k4 = f(t + h, y + h * k3)
        ys.append(y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(ys)
    ### END SOLUTION

# %% mistake="is_only_euler"
def rk4(f, y0, times):
    """Solve y' = f(t, y) by the classical Runge-Kutta method."""
    return euler(f, y0, times)

# %% mistake="forgets_the_weights"
def rk4(f, y0, times):
    """Solve y' = f(t, y) by the classical Runge-Kutta method."""
    ys = [np.asarray(y0, dtype=float)]
    for t, t_next in zip(times[:-1], times[1:]):
        h, y = t_next - t, ys[-1]
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h / 2 * k1)
        k3 = f(t + h / 2, y + h / 2 * k2)
        k4 = f(t + h, y + h * k3)
        ys.append(y + h / 4 * (k1 + k2 + k3 + k4))
    return np.array(ys)

# %% test="test_rk4" points=2
times = np.linspace(0, 2, 21)
ys = rk4(decay, np.array([1.0]), times)
assert abs(ys[-1, 0] - exact_decay(2)) < 1e-6
### BEGIN HIDDEN TESTS
ys = rk4(oscillator, np.array([0.0, 1.0]), np.linspace(0, np.pi, 50))
assert np.allclose(ys[-1], [0, -1], atol=1e-5)
### END HIDDEN TESTS

# %% test="test_rk4_order" points=2
def error(method, steps):
    ys = method(decay, np.array([1.0]), np.linspace(0, 1, steps + 1))
    return abs(ys[-1, 0] - exact_decay(1))

assert 1.8 < error(euler, 50) / error(euler, 100) < 2.2, "Euler's error halves with the step"
assert 14 < error(rk4, 5) / error(rk4, 10) < 19, "the error of a method of fourth order falls sixteenfold"
### BEGIN HIDDEN TESTS
asked = []

def watched(t, y):
    asked.append((t, y.shape))
    return -2 * t * y

rk4(watched, np.ones(3), np.array([0.0, 1.0]))
assert [t for t, _ in asked] == [0, 0.5, 0.5, 1]
assert {shape for _, shape in asked} == {(3,)}
### END HIDDEN TESTS
