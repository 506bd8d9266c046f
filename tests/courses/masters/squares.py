# %% [markdown]
# # Sums of squares
# The second function must call the first. The test takes the first one away to see whether it does.

# %% solution="squares"
def squares(n):
    """Return the squares of the numbers from 1 to n, as a list; raise a ValueError if n is below 1."""
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i**2 for i in range(1, n + 1)]
    ### END SOLUTION

# %% mistake="begins_with_zero"
def squares(n):
    """Return the squares of the numbers from 1 to n, as a list; raise a ValueError if n is below 1."""
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i**2 for i in range(n)]

# %% mistake="accepts_zero"
def squares(n):
    """Return the squares of the numbers from 1 to n, as a list; raise a ValueError if n is below 1."""
    return [i**2 for i in range(1, n + 1)]

# %% mistake="returns_a_map"
def squares(n):
    """Return the squares of the numbers from 1 to n, as a list; raise a ValueError if n is below 1."""
    if n < 1:
        raise ValueError("n must be at least 1")
    return map(lambda i: i**2, range(1, n + 1))

# %%
squares(10)

# %% test="test_squares" points=1
assert squares(1) == [1]
assert squares(2) == [1, 4]
### BEGIN HIDDEN TESTS
assert squares(10) == [1, 4, 9, 16, 25, 36, 49, 64, 81, 100]
### END HIDDEN TESTS

# %% test="test_squares_checks" points=1
for n in (0, -4):
    try:
        squares(n)
    except ValueError:
        continue
    assert False, f"squares({n}) should raise a ValueError"

# %% solution="sum_of_squares"
def sum_of_squares(n):
    """Return the sum of the squares from 1 to n. Use squares."""
    ### BEGIN SOLUTION
    return sum(squares(n))
    ### END SOLUTION

# %% mistake="a_formula_instead"
def sum_of_squares(n):
    """Return the sum of the squares from 1 to n. Use squares."""
    return n * (n + 1) * (2 * n + 1) // 6

# %% mistake="prints_the_sum"
def sum_of_squares(n):
    """Return the sum of the squares from 1 to n. Use squares."""
    print(sum(squares(n)))

# %% mistake="copies_the_loop"
def sum_of_squares(n):
    """Return the sum of the squares from 1 to n. Use squares."""
    total = 0
    for i in range(1, n + 1):
        total += i * i
    return total

# %% test="test_sum_of_squares" points=1
assert sum_of_squares(1) == 1
assert sum_of_squares(10) == 385
### BEGIN HIDDEN TESTS
assert sum_of_squares(11) == 506
### END HIDDEN TESTS

# %% test="test_sum_of_squares_uses_squares" points=2
# Without squares, sum_of_squares cannot work.
original = squares
del squares
try:
    sum_of_squares(3)
except NameError:
    pass
else:
    raise AssertionError("sum_of_squares does not use squares")
finally:
    squares = original

# %% test="test_sum_of_squares_calls_it_once" points=1
# Another squares is put in its place, which counts its calls.
original, calls = squares, []

def squares(n):
    calls.append(n)
    return [1, 1, 1]

try:
    total = sum_of_squares(5)
finally:
    squares = original
assert total == 3, "sum_of_squares must add up what squares returns"
### BEGIN HIDDEN TESTS
assert calls == [5]
assert sum_of_squares(2) == 5
### END HIDDEN TESTS
