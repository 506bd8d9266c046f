# %% [markdown]
# # Pictures are arrays
# A grey picture has the shape (rows, columns), a coloured one (rows, columns, 3); values are whole numbers from 0 to 255,
# of the type `uint8`.

# %%
import numpy as np

# %% locked="picture"
def checkerboard(n, size=4):
    """Return a grey picture of n by n fields."""
    fields = np.indices((n, n)).sum(axis=0) % 2 * 255
    return np.kron(fields, np.ones((size, size))).astype(np.uint8)

grey = checkerboard(4)
colour = np.stack([grey, grey // 2, 255 - grey], axis=-1)

# %% solution="brighten"
def brighten(picture, amount):
    """Return a brighter picture: amount is added, but values stay between 0 and 255."""
    ### BEGIN SOLUTION
    return np.clip(picture.astype(int) + amount, 0, 255).astype(np.uint8)
    ### END SOLUTION

# %% mistake="overflows"
def brighten(picture, amount):
    """Return a brighter picture: amount is added, but values stay between 0 and 255."""
    return picture + np.array(amount).astype(np.uint8)

# %% mistake="floats"
def brighten(picture, amount):
    """Return a brighter picture: amount is added, but values stay between 0 and 255."""
    return np.clip(picture.astype(float) + amount, 0, 255)

# %% mistake="changes_the_picture" deserves={"test_brighten": 2, "test_to_grey": 0} because="in stock the demonstration before the test spoils the picture that the test asks about, so a right answer fails; it passes here and then spoils the next test's picture, as it does in stock for all whose test passes"
def brighten(picture, amount):
    """Return a brighter picture: amount is added, but values stay between 0 and 255."""
    picture[:] = np.clip(picture.astype(int) + amount, 0, 255)
    return picture

# %%
brighten(grey, 20)[:2, :6]

# %% test="test_brighten" points=2
result = brighten(grey, 100)
assert result.dtype == np.uint8, f"a picture is of type uint8, not {result.dtype}"
assert result.shape == grey.shape
assert set(np.unique(result)) == {100, 255}, "255 + 100 stays 255"
### BEGIN HIDDEN TESTS
assert brighten(np.array([[5, 200]], np.uint8), -50).tolist() == [[0, 150]]
assert brighten(colour, 1).shape == colour.shape
### END HIDDEN TESTS

# %% test="test_brighten_copies" points=1
before = grey.copy()
result = brighten(grey, 10)
assert np.array_equal(grey, before), "the picture that is given stays as it is"
assert not np.shares_memory(result, grey)

# %% solution="to_grey"
def to_grey(picture):
    """Return the grey picture of a coloured one: 0.299 red + 0.587 green + 0.114 blue, rounded."""
    ### BEGIN SOLUTION
    return np.round(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    ### END SOLUTION

# %% mistake="the_mean"
def to_grey(picture):
    """Return the grey picture of a coloured one: 0.299 red + 0.587 green + 0.114 blue, rounded."""
    return picture.mean(axis=2).astype(np.uint8)

# %% mistake="three_channels"
def to_grey(picture):
    """Return the grey picture of a coloured one: 0.299 red + 0.587 green + 0.114 blue, rounded."""
    grey = np.round(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return np.stack([grey] * 3, axis=-1)

# %% mistake="cuts_off"
def to_grey(picture):
    """Return the grey picture of a coloured one: 0.299 red + 0.587 green + 0.114 blue, rounded."""
    return (picture @ np.array([0.299, 0.587, 0.114])).astype("uint8")

# %% test="test_to_grey" points=2
result = to_grey(colour)
assert result.shape == (16, 16)
np.testing.assert_array_equal(np.unique(result), [29, 151])
### BEGIN HIDDEN TESTS
one = to_grey(np.array([[[255, 255, 255], [0, 0, 3]]], np.uint8))
assert one.dtype == np.uint8 and one.tolist() == [[255, 0]]
rng = np.random.default_rng(5)
noise = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
assert np.abs(to_grey(noise) - noise @ [0.299, 0.587, 0.114]).max() <= 0.501
### END HIDDEN TESTS

# %% solution="edges"
def convolve(picture, kernel):
    """Return an array of floats: the kernel's sum of products at each place where it fits."""
    ### BEGIN SOLUTION
    rows, columns = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(picture.astype(float), (rows, columns))
    return (windows * kernel).sum(axis=(2, 3))
    ### END SOLUTION

# %% mistake="turns_the_kernel"
def convolve(picture, kernel):
    """Return an array of floats: the kernel's sum of products at each place where it fits."""
    rows, columns = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(picture.astype(float), (rows, columns))
    return (windows * kernel[::-1, ::-1]).sum(axis=(2, 3))

# %% mistake="one_too_small"
def convolve(picture, kernel):
    """Return an array of floats: the kernel's sum of products at each place where it fits."""
    h, w = kernel.shape
    result = np.zeros((picture.shape[0] - h, picture.shape[1] - w))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = (picture[i : i + h, j : j + w] * kernel).sum()
    return result

# %% mistake="in_uint8"
def convolve(picture, kernel):
    """Return an array of floats: the kernel's sum of products at each place where it fits."""
    h, w = kernel.shape
    result = np.zeros((picture.shape[0] - h + 1, picture.shape[1] - w + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = (picture[i : i + h, j : j + w] * kernel.astype(picture.dtype)).sum(dtype=picture.dtype)
    return result

# %% test="test_convolve" points=2
result = convolve(np.arange(9).reshape(3, 3), np.ones((2, 2)))
assert result.tolist() == [[8, 12], [20, 24]], result
### BEGIN HIDDEN TESTS
assert convolve(grey, np.array([[-1, 1]])).shape == (16, 15)
assert convolve(np.array([[1, 5]], np.uint8), np.array([[1, -1]])).tolist() == [[-4]]
np.testing.assert_allclose(convolve(grey, np.full((3, 3), 1 / 9)).mean(), 127.5, atol=1)
### END HIDDEN TESTS
