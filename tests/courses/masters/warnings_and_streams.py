# %% [markdown]
# # What else a call may do
# A function may print, warn, and write to the stream for errors.

# %%
import sys
import warnings

# %% solution="old_mean"
def old_mean(values):
    """Return the mean. Warn with a DeprecationWarning that says to use `mean` instead."""
    ### BEGIN SOLUTION
    warnings.warn("use mean instead of old_mean", DeprecationWarning, stacklevel=2)
    return sum(values) / len(values)
    ### END SOLUTION

# %% mistake="prints_the_warning"
def old_mean(values):
    """Return the mean. Warn with a DeprecationWarning that says to use `mean` instead."""
    print("DeprecationWarning: use mean instead")
    return sum(values) / len(values)

# %% mistake="raises_the_warning"
def old_mean(values):
    """Return the mean. Warn with a DeprecationWarning that says to use `mean` instead."""
    raise DeprecationWarning("use mean instead of old_mean")

# %% mistake="another_category"
def old_mean(values):
    """Return the mean. Warn with a DeprecationWarning that says to use `mean` instead."""
    warnings.warn("use mean instead of old_mean")
    return sum(values) / len(values)

# %% test="test_old_mean" points=1
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    assert old_mean([1, 2, 6]) == 3

# %% test="test_old_mean_warns" points=2 tags=["beside-student"]
# Warnings are caught beside your code: filters belong to the process.
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old_mean([1])
assert [warning.category for warning in caught] == [DeprecationWarning], caught
assert "mean" in str(caught[0].message)

# %% solution="divide"
def divide(a, b):
    """Return a / b, or None with a message on the stream for errors."""
    ### BEGIN SOLUTION
    if b == 0:
        print("division by zero", file=sys.stderr)
        return None
    return a / b
    ### END SOLUTION

# %% mistake="message_on_stdout"
def divide(a, b):
    """Return a / b, or None with a message on the stream for errors."""
    if b == 0:
        print("division by zero")
        return None
    return a / b

# %% mistake="always_talks" deserves={"test_divide": 1} because="stock takes whatever is written to stderr for a failed test"
def divide(a, b):
    """Return a / b, or None with a message on the stream for errors."""
    print("dividing", a, "by", b, file=sys.stderr)
    return a / b if b else None

# %% mistake="raises"
def divide(a, b):
    """Return a / b, or None with a message on the stream for errors."""
    return a / b

# %% test="test_divide" points=1
assert divide(6, 3) == 2

# %% test="test_divide_by_zero" points=2
import io
from contextlib import redirect_stderr, redirect_stdout

errors, output = io.StringIO(), io.StringIO()
with redirect_stderr(errors), redirect_stdout(output):
    result = divide(1, 0)
assert result is None
assert "division by zero" in errors.getvalue(), "write to sys.stderr"
### BEGIN HIDDEN TESTS
assert output.getvalue() == ""
### END HIDDEN TESTS

# %% solution="progress"
def progress(items, handle):
    """Call handle with each item; print "1/3", "2/3", ... after each; return the list of results."""
    ### BEGIN SOLUTION
    items, results = list(items), []
    for number, item in enumerate(items, 1):
        results.append(handle(item))
        print(f"{number}/{len(items)}")
    return results
    ### END SOLUTION

# %% mistake="prints_before"
def progress(items, handle):
    """Call handle with each item; print "1/3", "2/3", ... after each; return the list of results."""
    results = []
    for number, item in enumerate(items, 1):
        print(f"{number}/{len(items)}")
        results.append(handle(item))
    return results

# %% mistake="begins_with_zero"
def progress(items, handle):
    """Call handle with each item; print "1/3", "2/3", ... after each; return the list of results."""
    results = []
    for number, item in enumerate(list(items)):
        results += [handle(item)]
        print(number, len(items), sep="/")
    return results

# %% test="test_progress" points=2
output = io.StringIO()
with redirect_stdout(output):
    results = progress([1, 2, 3], lambda n: n * n)
assert results == [1, 4, 9]
assert output.getvalue() == "1/3\n2/3\n3/3\n", output.getvalue()

# %% test="test_progress_order" points=1
# What the test prints itself, and what the function prints, come in the order in which it happens.
output = io.StringIO()
with redirect_stdout(output):
    progress("ab", lambda letter: print("handling", letter))
### BEGIN HIDDEN TESTS
assert output.getvalue().split("\n") == ["handling a", "1/2", "handling b", "2/2", ""], output.getvalue()
### END HIDDEN TESTS
