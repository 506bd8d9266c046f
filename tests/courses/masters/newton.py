# %% [markdown]
# # Roots of functions
# Two methods that find where a function is zero. Both get the function as an argument: you never need to know which
# one it is.

# %%
import math

# %% [markdown]
# ## Newton's method
# Start at `x0` and follow the tangent: $x_{n+1} = x_n - f(x_n)/f'(x_n)$. Stop as soon as $|f(x)|$ is below the
# tolerance. If that has not happened after `most` steps, raise a `RuntimeError`.

# %% solution="newton"
def newton(f, df, x0, tolerance=1e-10, most=50):
    """Return a root of f near x0; df is the derivative of f."""
    ### BEGIN SOLUTION
    x = x0
    for _ in range(most + 1):
        value = f(x)
        if abs(value) < tolerance:
            return x
        x = x - value / df(x)
    raise RuntimeError(f"no root found after {most} steps")
    ### END SOLUTION

# %% mistake="one_step_only"
def newton(f, df, x0, tolerance=1e-10, most=50):
    """Return a root of f near x0; df is the derivative of f."""
    return x0 - f(x0) / df(x0)

# %% mistake="prints_the_root"
def newton(f, df, x0, tolerance=1e-10, most=50):
    """Return a root of f near x0; df is the derivative of f."""
    x = x0
    while abs(f(x)) > tolerance:
        x = x - f(x) / df(x)
    print(x)

# %% mistake="gives_up_silently"
def newton(f, df, x0, tolerance=1e-10, most=50):
    """Return a root of f near x0; df is the derivative of f."""
    x = x0
    for _ in range(most):
        if abs(f(x)) < tolerance:
            break
        x = x - f(x) / df(x)
    return x

# %% mistake="calls_f_too_often"
def newton(f, df, x0, tolerance=1e-10, most=50):
    """Return a root of f near x0; df is the derivative of f."""
    x = x0
    for _ in range(most):
        if abs(f(x)) < tolerance:
            return x
        old = f(x)
        x = x - f(x) / df(x)
        if abs(f(x)) > abs(old) > 1e9:
            raise RuntimeError("it runs away")
    raise RuntimeError("no root found")

# %%
# Try it: the root of 2.
newton(lambda x: x**2 - 2, lambda x: 2 * x, 1.0)

# %% test="test_newton" points=2
root = newton(lambda x: x**2 - 2, lambda x: 2 * x, 1.0)
assert abs(root - math.sqrt(2)) < 1e-9, f"The root of 2 is about 1.4142, you returned {root}."
### BEGIN HIDDEN TESTS
assert abs(newton(math.cos, lambda x: -math.sin(x), 1.0) - math.pi / 2) < 1e-8
assert abs(newton(lambda x: math.exp(x) - 5, math.exp, 2) - math.log(5)) < 1e-8
### END HIDDEN TESTS

# %% test="test_newton_gives_up" points=1
# x² + 1 has no root.
try:
    newton(lambda x: x**2 + 1, lambda x: 2 * x, 0.5, most=20)
except RuntimeError:
    pass
else:
    raise AssertionError("x² + 1 has no real root: a RuntimeError was expected")

# %% test="test_newton_is_thrifty" points=1
calls = []

def f(x):
    calls.append(x)
    return x**3 - 27

newton(f, lambda x: 3 * x**2, 4)
assert len(calls) <= 8, f"f was called {len(calls)} times; once for each step is enough"
### BEGIN HIDDEN TESTS
assert calls[0] == 4, "the first point is x0 itself"
assert all(abs(b - 3) <= abs(a - 3) for a, b in zip(calls, calls[1:]))
### END HIDDEN TESTS

# %% [markdown]
# ## Bisection
# If $f(a)$ and $f(b)$ have different signs, there is a root between. Halve the interval until it is shorter than the
# tolerance, and return its middle. Without a change of sign raise a `ValueError`.

# %% solution="bisect"
def bisect(f, a, b, tolerance=1e-8):
    """Return a root of f between a and b."""
    ### BEGIN SOLUTION
    if f(a) * f(b) > 0:
        raise ValueError("f(a) and f(b) have the same sign")
    while b - a > tolerance:
        middle = (a + b) / 2
        if f(a) * f(middle) <= 0:
            b = middle
        else:
            a = middle
    return (a + b) / 2
    ### END SOLUTION

# %% mistake="keeps_the_wrong_half"
def bisect(f, a, b, tolerance=1e-8):
    """Return a root of f between a and b."""
    if f(a) * f(b) > 0:
        raise ValueError("f(a) and f(b) have the same sign")
    while b - a > tolerance:
        middle = (a + b) / 2
        if f(a) * f(middle) <= 0:
            a = middle
        else:
            b = middle
    return (a + b) / 2

# %% mistake="does_not_check_the_signs"
def bisect(f, a, b, tolerance=1e-8):
    """Return a root of f between a and b."""
    while b - a > tolerance:
        middle = (a + b) / 2
        if f(a) * f(middle) <= 0:
            b = middle
        else:
            a = middle
    return (a + b) / 2

# %% mistake="returns_the_interval"
def bisect(f, a, b, tolerance=1e-8):
    """Return a root of f between a and b."""
    if f(a) * f(b) > 0:
        raise ValueError("f(a) and f(b) have the same sign")
    while b - a > tolerance:
        middle = (a + b) / 2
        a, b = (a, middle) if f(a) * f(middle) <= 0 else (middle, b)
    return a, b

# %% test="test_bisect" points=2
f = lambda x: x**3 - x - 2
root = bisect(f, 1, 2)
assert abs(f(root)) < 1e-6, f"f({root}) is {f(root)}, which is not zero"
### BEGIN HIDDEN TESTS
assert abs(bisect(math.sin, 3, 4) - math.pi) < 1e-7
assert bisect(lambda x: x - 0.5, 0, 1, tolerance=0.1) == 0.5 or abs(bisect(lambda x: x - 0.5, 0, 1, 0.1) - 0.5) < 0.1
### END HIDDEN TESTS

# %% test="test_bisect_signs" points=1
import pytest

with pytest.raises(ValueError):
    bisect(lambda x: x**2 + 1, -1, 1)
### BEGIN HIDDEN TESTS
def breaks(x):
    raise ZeroDivisionError("inside the callback")

with pytest.raises(ZeroDivisionError, match="inside the callback"):
    bisect(breaks, 0, 1)
### END HIDDEN TESTS
