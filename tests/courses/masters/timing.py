# %% [markdown]
# # How long does it take?
# Two right answers may differ by a factor of a thousand.

# %%
import time

# %% locked="stopwatch"
def seconds(function, *arguments):
    """Return how long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start

# %% solution="has_duplicates"
def has_duplicates(items):
    """Return whether something is in the list twice. It must be quick for long lists."""
    ### BEGIN SOLUTION
    return len(set(items)) < len(items)
    ### END SOLUTION

# %% mistake="all_pairs"
def has_duplicates(items):
    """Return whether something is in the list twice. It must be quick for long lists."""
    for i in range(len(items)):
        for j in range(i + 1, len(items)):
            if items[i] == items[j]:
                return True
    return False

# %% mistake="neighbours_only"
def has_duplicates(items):
    """Return whether something is in the list twice. It must be quick for long lists."""
    return any(a == b for a, b in zip(items, items[1:]))

# %% mistake="the_other_way_round"
def has_duplicates(items):
    """Return whether something is in the list twice. It must be quick for long lists."""
    return len(set(items)) == len(items)

# %%
seconds(has_duplicates, list(range(1000)))

# %% test="test_has_duplicates" points=2
assert has_duplicates([1, 2, 1]) is True
assert has_duplicates([1, 2, 3]) is False
### BEGIN HIDDEN TESTS
assert has_duplicates(["a", "b", "c", "b"])
assert not has_duplicates([])
### END HIDDEN TESTS

# %% test="test_has_duplicates_is_quick" points=2
start = time.perf_counter()
answer = has_duplicates(list(range(12_000)))
taken = time.perf_counter() - start
assert not answer
assert taken < 0.5, f"it took {taken:.2f} seconds for 12,000 numbers"

# %% [markdown]
# ## Remembering
# Fibonacci's numbers by their definition take for ever. Remember what has been computed.

# %% solution="fib"
### BEGIN SOLUTION
_known = {0: 0, 1: 1}

def fib(n):
    if n not in _known:
        _known[n] = fib(n - 1) + fib(n - 2)
    return _known[n]
### END SOLUTION

# %% mistake="by_definition"
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

# %% mistake="one_too_far"
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return b

# %% mistake="floats"
def fib(n):
    phi = (1 + 5**0.5) / 2
    return round(phi**n / 5**0.5)

# %% test="test_fib" points=1
assert [fib(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]

# %% test="test_fib_is_quick" points=2
start = time.time()
number = fib(31)
assert time.time() - start < 0.1, "remember what you have computed"
assert number == 1346269
### BEGIN HIDDEN TESTS
assert fib(90) == 2880067194370816120
### END HIDDEN TESTS

# %% [markdown]
# ## Waiting
# `slowly(function, pause)` waits for `pause` seconds, then returns `function()`.

# %% solution="slowly"
def slowly(function, pause):
    ### BEGIN SOLUTION
    time.sleep(pause)
    return function()
    ### END SOLUTION

# %% mistake="waits_after_it"
def slowly(function, pause):
    function()
    time.sleep(pause)

# %% mistake="does_not_wait"
def slowly(function, pause):
    return function()

# %% test="test_slowly" points=2
start = time.perf_counter()
called = []
result = slowly(lambda: called.append(time.perf_counter() - start) or "done", 0.3)
taken = time.perf_counter() - start
assert result == "done"
assert 0.29 < taken < 0.8, f"it took {taken:.2f} seconds"
### BEGIN HIDDEN TESTS
assert 0.29 < called[0] <= taken
### END HIDDEN TESTS
