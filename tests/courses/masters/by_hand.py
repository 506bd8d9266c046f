# %% [markdown]
# # Answers that people read
# Some answers are for a test, some for your teacher.

# %% solution="is_prime"
def is_prime(n):
    """Return whether n is a prime number."""
    ### BEGIN SOLUTION
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))
    ### END SOLUTION

# %% mistake="one_is_prime"
def is_prime(n):
    """Return whether n is a prime number."""
    return all(n % d for d in range(2, int(n**0.5) + 1))

# %% mistake="squares_are_prime"
def is_prime(n):
    """Return whether n is a prime number."""
    return n > 1 and all(n % d for d in range(2, int(n**0.5)))

# %% mistake="returns_the_divisors"
def is_prime(n):
    """Return whether n is a prime number."""
    return [d for d in range(2, n) if n % d == 0]

# %% test="test_is_prime" points=2
assert is_prime(7)
assert not is_prime(8)
### BEGIN HIDDEN TESTS
assert not is_prime(1) and not is_prime(49)
assert [n for n in range(30) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
# Why is it enough to look at divisors up to the square root?

# %% [markdown] by_hand="why" points=3
# Divisors come in pairs, and one of the two is at most the root: 36 = 4 · 9.

# %% [markdown] mistake="a_formula"
# Because of $n = ab$: if both were larger than the root, their product would be larger than $n$.

# %% [markdown] mistake="does_not_know"
# I do not know.

# %% by_hand="faster" points=2
# Write a faster is_prime, and say in a comment why it is faster.
### BEGIN SOLUTION
def faster_is_prime(n):
    if n < 4:
        return n > 1
    return n % 2 > 0 and all(n % d for d in range(3, int(n**0.5) + 1, 2))  # even divisors are left out
### END SOLUTION

# %% mistake="not_faster"
faster_is_prime = is_prime

# %% test="test_faster" points=1
assert [n for n in range(60) if faster_is_prime(n)] == [n for n in range(60) if is_prime(n)]

# %% [markdown] task="drawing" points=2
# Draw the first hundred primes as you like. Add as many cells as you want.
#
# ### BEGIN MARK SCHEME
# One point for the right numbers, one for a picture that shows something.
# ### END MARK SCHEME
