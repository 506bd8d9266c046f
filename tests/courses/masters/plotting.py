# %% [markdown]
# # Plots
# A figure says more with a title and labels.

# %%
import matplotlib.pyplot as plt
import numpy as np

# %% locked="measurements"
hours = np.arange(0, 24, 3)
degrees = np.array([8.0, 7.0, 7.5, 12.0, 17.0, 18.5, 14.0, 10.0])

# %% solution="plot_temperature"
def plot_temperature(hours, degrees):
    """Draw a line with markers, with title and labels for both axes; return the axes."""
    ### BEGIN SOLUTION
    figure, axes = plt.subplots()
    axes.plot(hours, degrees, marker="o", label="measured")
    axes.set_title("Temperature")
    axes.set_xlabel("hour")
    axes.set_ylabel("degrees")
    axes.legend()
    return axes
    ### END SOLUTION

# %% mistake="returns_the_figure"
def plot_temperature(hours, degrees):
    """Draw a line with markers, with title and labels for both axes; return the axes."""
    figure, axes = plt.subplots()
    axes.plot(hours, degrees, marker="o", label="measured")
    axes.set(title="Temperature", xlabel="hour", ylabel="degrees")
    axes.legend()
    return figure

# %% mistake="axes_swapped"
def plot_temperature(hours, degrees):
    """Draw a line with markers, with title and labels for both axes; return the axes."""
    plt.figure()
    plt.plot(degrees, hours, "o-", label="measured")
    plt.title("Temperature")
    plt.xlabel("degrees")
    plt.ylabel("hour")
    plt.legend()
    return plt.gca()

# %% mistake="no_labels"
def plot_temperature(hours, degrees):
    """Draw a line with markers, with title and labels for both axes; return the axes."""
    _, axes = plt.subplots()
    axes.plot(hours, degrees, "o-")
    return axes

# %% mistake="returns_nothing"
def plot_temperature(hours, degrees):
    """Draw a line with markers, with title and labels for both axes; return the axes."""
    plt.plot(hours, degrees, "o-", label="measured")
    plt.title("Temperature")
    plt.xlabel("hour")
    plt.ylabel("degrees")
    plt.legend()
    plt.show()

# %%
plot_temperature(hours, degrees);

# %% test="test_line" points=2
axes = plot_temperature(hours, degrees)
lines = axes.get_lines()
assert len(lines) == 1, "one line was expected"
assert np.allclose(lines[0].get_ydata(), degrees)
### BEGIN HIDDEN TESTS
assert list(lines[0].get_xdata()) == list(hours)
assert lines[0].get_marker() not in (None, "None", "")
### END HIDDEN TESTS

# %% test="test_texts" points=2
axes = plot_temperature(hours, degrees)
assert "emperature" in axes.get_title()
assert axes.get_xlabel().strip() and axes.get_ylabel().strip(), "both axes want a label"
### BEGIN HIDDEN TESTS
assert "hour" in axes.get_xlabel().lower()
assert axes.get_legend() is not None
### END HIDDEN TESTS

# %% test="test_drawn_figure" points=2 tags=["beside-student"]
# The figure itself is looked at, beside your code.
plt.close("all")
plot_temperature(hours[:4], degrees[:4])
figure = plt.gcf()
assert len(figure.axes) == 1
figure.canvas.draw()
pixels = np.asarray(figure.canvas.buffer_rgba())
assert (pixels[..., :3] < 200).any(), "nothing was drawn"
line = figure.axes[0].lines[0]
assert line.get_xdata().tolist() == [0, 3, 6, 9]
plt.close("all")

# %% solution="plot_histogram"
def plot_histogram(values, bins=5):
    """Draw a histogram and return (counts, axes)."""
    ### BEGIN SOLUTION
    _, axes = plt.subplots()
    counts, _, _ = axes.hist(values, bins=bins)
    axes.set_ylabel("how often")
    return counts, axes
    ### END SOLUTION

# %% mistake="ignores_bins"
def plot_histogram(values, bins=5):
    """Draw a histogram and return (counts, axes)."""
    _, axes = plt.subplots()
    counts, _, _ = axes.hist(values)
    return counts, axes

# %% mistake="bars_of_values"
def plot_histogram(values, bins=5):
    """Draw a histogram and return (counts, axes)."""
    _, axes = plt.subplots()
    axes.bar(range(len(values)), values)
    return values, axes

# %% test="test_histogram" points=2
counts, axes = plot_histogram([1, 1, 2, 9, 9, 9], bins=2)
assert counts.sum() == 6
assert len(axes.patches) == 2
### BEGIN HIDDEN TESTS
assert [patch.get_height() for patch in axes.patches] == [3, 3]
counts, _ = plot_histogram(np.arange(50))
assert len(counts) == 5 and counts.max() == 10
### END HIDDEN TESTS
plt.close("all")
