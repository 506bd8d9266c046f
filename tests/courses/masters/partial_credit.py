# %% [markdown]
# # Points for parts
# Each right answer counts: the last line of a test says how many points there are.

# %%
import numpy as np

# %% solution="fizzbuzz"
def fizzbuzz(n):
    """Return "Fizz" for multiples of 3, "Buzz" for those of 5, "FizzBuzz" for both, else the number as text."""
    ### BEGIN SOLUTION
    return "Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or str(n)
    ### END SOLUTION

# %% mistake="no_fizzbuzz"
def fizzbuzz(n):
    """Return "Fizz" for multiples of 3, "Buzz" for those of 5, "FizzBuzz" for both, else the number as text."""
    if n % 3 == 0:
        return "Fizz"
    if n % 5 == 0:
        return "Buzz"
    return str(n)

# %% mistake="numbers_stay_numbers"
def fizzbuzz(n):
    """Return "Fizz" for multiples of 3, "Buzz" for those of 5, "FizzBuzz" for both, else the number as text."""
    return "Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or n

# %% mistake="prints_it"
def fizzbuzz(n):
    """Return "Fizz" for multiples of 3, "Buzz" for those of 5, "FizzBuzz" for both, else the number as text."""
    print("Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or n)

# %%
[fizzbuzz(n) for n in range(1, 16)]

# %% test="test_fizzbuzz" points=4
points = 0
for n, expected in [(3, "Fizz"), (10, "Buzz"), (30, "FizzBuzz"), (7, "7")]:
    if fizzbuzz(n) == expected:
        points += 1
points

# %% test="test_fizzbuzz_hidden" points=2
score = 0.0
### BEGIN HIDDEN TESTS
cases = {9: "Fizz", 25: "Buzz", 45: "FizzBuzz", 1: "1", 98: "98"}
for n, expected in cases.items():
    score += 0.4 * (fizzbuzz(n) == expected)
score = round(score, 2)
### END HIDDEN TESTS
score

# %% solution="statistics"
def mean(values):
    """Return the mean."""
    ### BEGIN SOLUTION
    return sum(values) / len(values)
    ### END SOLUTION

def median(values):
    """Return the median."""
    ### BEGIN SOLUTION
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    ### END SOLUTION

def mode(values):
    """Return the most frequent value."""
    ### BEGIN SOLUTION
    return max(values, key=values.count)
    ### END SOLUTION

# %% mistake="one_of_three"
def mean(values):
    """Return the mean."""
    return sum(values) / len(values)

def median(values):
    """Return the median."""
    return values[len(values) // 2]

def mode(values):
    """Return the most frequent value."""

# %% mistake="two_of_three"
def mean(values):
    """Return the mean."""
    return np.mean(values)

def median(values):
    """Return the median."""
    return np.median(values)

def mode(values):
    """Return the most frequent value."""
    return max(values)

# %% mistake="raises_in_the_middle"
def mean(values):
    """Return the mean."""
    return sum(values) / len(values)

def median(values):
    """Return the median."""
    return sorted(values)[len(values) / 2]

def mode(values):
    """Return the most frequent value."""
    return max(set(values), key=values.count)

# %% test="test_statistics" points=3
def attempt(function, values, expected):
    try:
        return float(function(values) == expected)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        return 0.0

values = [5, 1, 2, 1]
attempt(mean, values, 2.25) + attempt(median, values, 1.5) + attempt(mode, values, 1)

# %% test="test_statistics_strictly" points=2
assert mean([1, 2]) == 1.5
assert median([3, 1, 2]) == 2
1.5 if mode(["a", "b", "b"]) != "b" else 2

# %% test="test_statistics_true" points=1
# The last line is no number: that counts as full points.
mean([2, 4]) == 3

# %% [markdown]
# ## Near misses
# Half a point for half the truth.

# %% solution="words"
def count_words(text):
    """Return how many words a text has; words are parted by spaces."""
    ### BEGIN SOLUTION
    return len(text.split())
    ### END SOLUTION

def half():
    """Return one half."""
    ### BEGIN SOLUTION
    return 0.5
    ### END SOLUTION

# %% mistake="counts_letters" deserves={"test_fizzbuzz": 4, "test_fizzbuzz_hidden": 2, "test_statistics": 3, "test_statistics_strictly": 2, "test_statistics_true": 1, "test_words": 2, "test_half": 1} because="stock stops at a test that gives more points than its cell has, and grades nothing of the submission"
def count_words(text):
    """Return how many words a text has; words are parted by spaces."""
    return len(text)

def half():
    """Return one half."""
    return 0.5

# %% mistake="counts_spaces" deserves={"test_half": 0.75} because="stock does not read a NumPy scalar such as np.float64(0.75) as a number and gives all points"
def count_words(text):
    """Return how many words a text has; words are parted by spaces."""
    return text.count(" ")

def half():
    """Return one half."""
    return 0.25

# %% mistake="below_zero"
def count_words(text):
    """Return how many words a text has; words are parted by spaces."""
    return -len(text.split())

def half():
    """Return one half."""
    return 1 / 2

# %% test="test_words" points=2
# As many points as words.
count_words("two words")

# %% test="test_half" points=1
# A NumPy scalar: stock nbgrader shows its text, np.float64(1.0).
np.float64(1) - np.abs(half() - 0.5)
