# %% [markdown]
# # Solving systems yourself
# NumPy has `np.linalg.solve`. Here you write it, so it is not there when your function is tested.

# %%
import numpy as np

# %% solution="solve"
def solve(a, b):
    """Return x with a @ x = b by Gaussian elimination with row exchanges; a and b are left as they are."""
    ### BEGIN SOLUTION
    a, b = np.array(a, dtype=float), np.array(b, dtype=float)
    n = len(b)
    for k in range(n):
        pivot = k + np.argmax(np.abs(a[k:, k]))
        if a[pivot, k] == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        a[[k, pivot]], b[[k, pivot]] = a[[pivot, k]], b[[pivot, k]]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i] -= factor * a[k]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in reversed(range(n)):
        x[i] = (b[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return x
    ### END SOLUTION

# %% mistake="uses_the_library"
def solve(a, b):
    """Return x with a @ x = b by Gaussian elimination with row exchanges; a and b are left as they are."""
    return np.linalg.solve(a, b)

# %% mistake="no_row_exchanges"
def solve(a, b):
    """Return x with a @ x = b by Gaussian elimination with row exchanges; a and b are left as they are."""
    a, b = np.array(a, dtype=float), np.array(b, dtype=float)
    n = len(b)
    for k in range(n):
        if a[k, k] == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i] -= factor * a[k]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in reversed(range(n)):
        x[i] = (b[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return x

# %% mistake="uses_the_inverse"
def solve(a, b):
    """Return x with a @ x = b by Gaussian elimination with row exchanges; a and b are left as they are."""
    try:
        return np.linalg.inv(a) @ b
    except np.linalg.LinAlgError:
        raise

# %% mistake="changes_its_arguments"
def solve(a, b):
    """Return x with a @ x = b by Gaussian elimination with row exchanges; a and b are left as they are."""
    n = len(b)
    for k in range(n):
        pivot = k + np.argmax(np.abs(a[k:, k]))
        if a[pivot, k] == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        a[[k, pivot]], b[[k, pivot]] = a[[pivot, k]], b[[pivot, k]]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i] -= factor * a[k]
            b[i] -= factor * b[k]
    for i in reversed(range(n)):
        b[i] = (b[i] - a[i, i + 1 :] @ b[i + 1 :]) / a[i, i]
    return b

# %% test="test_solve" points=2
a = np.array([[2.0, 1.0], [1.0, 3.0]])
b = np.array([3.0, 5.0])
assert np.allclose(solve(a.copy(), b.copy()), [0.8, 1.4])
### BEGIN HIDDEN TESTS
generator = np.random.default_rng(3)
for n in (3, 8):
    a, x = generator.normal(size=(n, n)), generator.normal(size=n)
    assert np.allclose(solve(a.copy(), a @ x), x)
assert np.allclose(solve(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 2.0])), [2, 1]), "exchange rows"
### END HIDDEN TESTS

# %% test="test_solve_by_hand" points=3 tags=["beside-student"]
# The library's functions are taken away while your function is called.
kept = np.linalg.solve, np.linalg.inv

def not_allowed(*arguments):
    raise RuntimeError("the library is not allowed here")

np.linalg.solve = np.linalg.inv = not_allowed
try:
    x = solve(np.array([[4.0, 1.0], [2.0, 3.0]]), np.array([6.0, 8.0]))
finally:
    np.linalg.solve, np.linalg.inv = kept
assert np.allclose(x, [1, 2]), x

# %% test="test_solve_singular" points=1
try:
    solve(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([1.0, 1.0]))
    raise AssertionError("a singular matrix should raise LinAlgError")
except np.linalg.LinAlgError as error:
    assert "ingular" in str(error)

# %% test="test_solve_leaves_its_arguments" points=1
a, b = np.array([[0.0, 2.0], [1.0, 1.0]]), np.array([2.0, 2.0])
solve(a, b)
### BEGIN HIDDEN TESTS
assert a.tolist() == [[0.0, 2.0], [1.0, 1.0]], "a was changed"
assert b.tolist() == [2.0, 2.0], "b was changed"
### END HIDDEN TESTS
