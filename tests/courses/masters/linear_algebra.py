# %% [markdown]
# # Linear algebra on arrays
# All exercises get and return NumPy arrays. Leave your arguments as they are.

# %%
import numpy as np

# %% locked="matrices"
rng = np.random.default_rng(7)
hilbert = np.array([[1 / (i + j + 1) for j in range(4)] for i in range(4)])
symmetric = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])

def is_orthonormal(q):
    return np.allclose(q.T @ q, np.eye(q.shape[1]))

# %% [markdown]
# ## Back substitution
# Solve $Ux = b$ for an upper triangular matrix.

# %% solution="back_substitution"
def back_substitution(u, b):
    """Return x with u @ x = b; u is upper triangular (n, n), b has shape (n,)."""
    ### BEGIN SOLUTION
    n = len(b)
    x = np.zeros(n)
    for i in reversed(range(n)):
        x[i] = (b[i] - u[i, i + 1 :] @ x[i + 1 :]) / u[i, i]
    return x
    ### END SOLUTION

# %% mistake="works_in_b"
def back_substitution(u, b):
    """Return x with u @ x = b; u is upper triangular (n, n), b has shape (n,)."""
    for i in reversed(range(len(b))):
        b[i] = (b[i] - u[i, i + 1 :] @ b[i + 1 :]) / u[i, i]
    return b

# %% mistake="forgets_the_diagonal"
def back_substitution(u, b):
    """Return x with u @ x = b; u is upper triangular (n, n), b has shape (n,)."""
    x = np.zeros(len(b))
    for i in reversed(range(len(b))):
        x[i] = b[i] - u[i, i + 1 :] @ x[i + 1 :]
    return x

# %% mistake="returns_a_column"
def back_substitution(u, b):
    """Return x with u @ x = b; u is upper triangular (n, n), b has shape (n,)."""
    return np.linalg.solve(u, b[:, None])

# %% test="test_back_substitution" points=2
u = np.array([[2.0, 1.0], [0.0, 4.0]])
b = np.array([4.0, 8.0])
x = back_substitution(u, b)
assert np.shape(x) == (2,), f"x has shape (2,), not {np.shape(x)}"
assert np.allclose(x, [1, 2]), f"x should be [1, 2], you returned {x}"
### BEGIN HIDDEN TESTS
u = np.triu(rng.normal(size=(6, 6))) + 5 * np.eye(6)
x = rng.normal(size=6)
np.testing.assert_allclose(back_substitution(u, u @ x), x, rtol=1e-9)
### END HIDDEN TESTS

# %% test="test_back_substitution_leaves_b" points=1
b = np.array([3.0, 6.0])
before = b.copy()
back_substitution(np.array([[1.0, 1.0], [0.0, 2.0]]), b)
assert (b == before).all(), "b was changed"

# %% [markdown]
# ## Gram-Schmidt
# Make the columns of a matrix orthonormal.

# %% solution="gram_schmidt"
def gram_schmidt(a):
    """Return a matrix of the same shape with orthonormal columns that span the same spaces."""
    ### BEGIN SOLUTION
    q = np.array(a, dtype=float)
    for j in range(q.shape[1]):
        for i in range(j):
            q[:, j] -= (q[:, i] @ q[:, j]) * q[:, i]
        q[:, j] /= np.linalg.norm(q[:, j])
    return q
    ### END SOLUTION

# %% mistake="does_not_normalise"
def gram_schmidt(a):
    """Return a matrix of the same shape with orthonormal columns that span the same spaces."""
    q = np.array(a, dtype=float)
    for j in range(q.shape[1]):
        for i in range(j):
            q[:, j] -= (q[:, i] @ q[:, j]) / (q[:, i] @ q[:, i]) * q[:, i]
    return q

# %% mistake="rows_for_columns"
def gram_schmidt(a):
    """Return a matrix of the same shape with orthonormal columns that span the same spaces."""
    q = np.array(a, dtype=float)
    for j in range(len(q)):
        for i in range(j):
            q[j] -= (q[i] @ q[j]) * q[i]
        q[j] /= np.linalg.norm(q[j])
    return q

# %% mistake="whole_numbers_stay_whole"
def gram_schmidt(a):
    """Return a matrix of the same shape with orthonormal columns that span the same spaces."""
    q = a.copy()
    for j in range(q.shape[1]):
        for i in range(j):
            q[:, j] = q[:, j] - (q[:, i] @ q[:, j]) * q[:, i]
        q[:, j] = q[:, j] / np.linalg.norm(q[:, j])
    return q

# %%
gram_schmidt(symmetric).round(3)

# %% test="test_gram_schmidt" points=2
q = gram_schmidt(symmetric)
assert q.shape == symmetric.shape
assert is_orthonormal(q), "the columns are not orthonormal"
### BEGIN HIDDEN TESTS
a = rng.normal(size=(7, 3))
q = gram_schmidt(a)
assert is_orthonormal(q)
assert np.allclose(q @ (q.T @ a), a), "q must span what a spans"
assert np.allclose(np.tril(q.T @ a, -1), 0, atol=1e-9)
### END HIDDEN TESTS

# %% test="test_gram_schmidt_integers" points=1
q = gram_schmidt(np.array([[1, 1], [0, 1]]))
assert q.dtype == np.float64, f"whole numbers go in, but floats must come out, not {q.dtype}"
assert np.allclose(np.abs(q), np.eye(2))

# %% [markdown]
# ## Power iteration

# %% solution="largest_eigenvalue"
def largest_eigenvalue(a, steps=200):
    """Return (eigenvalue, eigenvector) for the largest eigenvalue of a symmetric matrix, the vector of length 1."""
    ### BEGIN SOLUTION
    v = np.ones(len(a))
    for _ in range(steps):
        v = a @ v
        v = v / np.linalg.norm(v)
    return v @ a @ v, v
    ### END SOLUTION

# %% mistake="only_the_eigenvalue"
def largest_eigenvalue(a, steps=200):
    """Return (eigenvalue, eigenvector) for the largest eigenvalue of a symmetric matrix, the vector of length 1."""
    return np.linalg.eigvalsh(a).max()

# %% mistake="vector_not_normalised"
def largest_eigenvalue(a, steps=200):
    """Return (eigenvalue, eigenvector) for the largest eigenvalue of a symmetric matrix, the vector of length 1."""
    v = np.ones(len(a))
    for _ in range(steps):
        v = a @ v
        v = v / v.max()
    return (v @ a @ v) / (v @ v), v

# %% test="test_largest_eigenvalue" points=2
value, vector = largest_eigenvalue(symmetric)
assert np.isclose(value, np.linalg.eigvalsh(symmetric)[-1])
### BEGIN HIDDEN TESTS
assert np.allclose(symmetric @ vector, value * vector, atol=1e-6)
value, vector = largest_eigenvalue(hilbert)
np.testing.assert_almost_equal(value, np.linalg.eigvalsh(hilbert).max(), decimal=8)
### END HIDDEN TESTS

# %% test="test_eigenvector" points=1
_, vector = largest_eigenvalue(symmetric)
np.testing.assert_allclose(np.linalg.norm(vector), 1)
