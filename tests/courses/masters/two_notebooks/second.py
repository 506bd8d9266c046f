# %% [markdown]
# # Sequences, part two

# %%
from helper import digits, read_numbers

numbers = read_numbers("numbers.txt")

# %% solution="digit_sum"
# Another function of this name as in part one: here it goes on until one digit is left.
def digit_sum(n):
    """Return the digit sum of the digit sum of ... of n, until it has one digit."""
    ### BEGIN SOLUTION
    while n > 9:
        n = sum(digits(n))
    return n
    ### END SOLUTION

# %% mistake="once_only"
def digit_sum(n):
    """Return the digit sum of the digit sum of ... of n, until it has one digit."""
    return sum(digits(n))

# %% mistake="until_ten"
def digit_sum(n):
    """Return the digit sum of the digit sum of ... of n, until it has one digit."""
    while n > 10:
        n = sum(digits(n))
    return n

# %% test="test_digit_sum" points=2
assert digit_sum(38) == 2
### BEGIN HIDDEN TESTS
assert [digit_sum(n) for n in (7, 19, 99999)] == [7, 1, 9]
### END HIDDEN TESTS

# %% solution="largest"
### BEGIN SOLUTION
largest = max(numbers)
evens = [n for n in numbers if n % 2 == 0]
### END SOLUTION

# %% mistake="smallest"
largest = min(numbers)
evens = [n for n in numbers if n % 2]

# %% mistake="sorts_the_numbers"
numbers.sort()
largest = numbers[-1]
evens = [n for n in numbers if n % 2 == 0]

# %% test="test_numbers" points=2
assert largest == 512, f"the largest number of the file is not {largest}"
### BEGIN HIDDEN TESTS
assert evens == [4, 512, 30]
assert numbers == [17, 4, 512, 30, 9]
### END HIDDEN TESTS
