# %% [markdown]
# # Sequences, part one
# The second part is in `second.ipynb`, with the same helper.

# %%
from helper import digits

# %% solution="digit_sum"
def digit_sum(n):
    """Return the sum of the digits of n."""
    ### BEGIN SOLUTION
    return sum(digits(n))
    ### END SOLUTION

# %% mistake="last_digit"
def digit_sum(n):
    """Return the sum of the digits of n."""
    return n % 10

# %% mistake="text_sum"
def digit_sum(n):
    """Return the sum of the digits of n."""
    return sum(str(n))

# %% test="test_digit_sum" points=2
assert digit_sum(123) == 6
### BEGIN HIDDEN TESTS
assert digit_sum(0) == 0 and digit_sum(99999) == 45
### END HIDDEN TESTS

# %% solution="collatz"
def collatz(n):
    """Return the numbers from n to 1: halve even ones, take 3n + 1 of odd ones."""
    ### BEGIN SOLUTION
    numbers = [n]
    while n != 1:
        n = 3 * n + 1 if n % 2 else n // 2
        numbers.append(n)
    return numbers
    ### END SOLUTION

# %% mistake="without_the_start"
def collatz(n):
    """Return the numbers from n to 1: halve even ones, take 3n + 1 of odd ones."""
    numbers = []
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        numbers.append(n)
    return numbers

# %% mistake="floats"
def collatz(n):
    """Return the numbers from n to 1: halve even ones, take 3n + 1 of odd ones."""
    numbers = [n]
    while n != 1:
        n = 3 * n + 1 if n % 2 else n / 2
        numbers.append(n)
    return numbers

# %% test="test_collatz" points=2
numbers = collatz(6)
assert numbers == [6, 3, 10, 5, 16, 8, 4, 2, 1], numbers
### BEGIN HIDDEN TESTS
assert collatz(1) == [1]
assert all(isinstance(n, int) for n in collatz(27)) and len(collatz(27)) == 112
### END HIDDEN TESTS
