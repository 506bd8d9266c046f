# %% [markdown]
# # First steps
# No functions yet: put what is asked for into variables of the names that are given.

# %% locked="temperatures"
fahrenheit = [32, 50, 77, 212]
text = "to be or not to be"

# %% solution="conversion"
# celsius: the temperatures of `fahrenheit` in degrees Celsius, as a list.
# warmest: the largest of them.
### BEGIN SOLUTION
celsius = [(f - 32) * 5 / 9 for f in fahrenheit]
warmest = max(celsius)
### END SOLUTION

# %% mistake="wrong_formula"
celsius = [f - 32 * 5 / 9 for f in fahrenheit]
warmest = max(celsius)

# %% mistake="a_tuple"
celsius = tuple((f - 32) * 5 / 9 for f in fahrenheit)
warmest = celsius[-1]

# %% mistake="another_name"
Celsius = [(f - 32) * 5 / 9 for f in fahrenheit]
warmest = max(Celsius)

# %% mistake="converts_the_list_itself"
for i in range(len(fahrenheit)):
    fahrenheit[i] = (fahrenheit[i] - 32) * 5 / 9
celsius = fahrenheit
warmest = max(celsius)

# %% test="test_celsius" points=2
assert isinstance(celsius, list), "celsius must be a list"
assert celsius == [0, 10, 25, 100], celsius
### BEGIN HIDDEN TESTS
assert all(isinstance(value, float) for value in celsius)
### END HIDDEN TESTS

# %% test="test_warmest" points=1
assert warmest == 100

# %% test="test_given_is_kept" points=1
assert fahrenheit == [32, 50, 77, 212], "the list that was given has changed"

# %% solution="words"
# words: the words of `text`, in order. unique: the set of them. longest: the length of the longest.
### BEGIN SOLUTION
words = text.split()
unique = set(words)
longest = max(len(word) for word in words)
### END SOLUTION

# %% mistake="letters_for_words"
words = list(text)
unique = set(text)
longest = max(words)

# %% mistake="a_list_for_a_set"
words = text.split(" ")
unique = sorted(set(words))
longest = max(words, key=len)

# %% mistake="stops_with_an_error"
words = text.split()
unique = set(words)
longest = len(max(unique, key=lenght))

# %% test="test_words" points=2
assert words[2] == "or"
assert len(words) == 6
### BEGIN HIDDEN TESTS
assert unique == {"to", "be", "or", "not"}
### END HIDDEN TESTS

# %% test="test_longest" points=1
assert longest == 3

# %% [markdown]
# ## State
# `total` begins at 0; `add(amount)` adds to it, and returns nothing.

# %% solution="state"
### BEGIN SOLUTION
total = 0

def add(amount):
    global total
    total += amount
### END SOLUTION

# %% mistake="forgets_global"
total = 0

def add(amount):
    total = amount

# %% mistake="returns_the_total"
total = 0

def add(amount):
    return total + amount

# %% mistake="begins_at_one"
total = 1

def add(amount):
    global total
    total = total + amount

# %% test="test_state" points=2
assert total == 0
add(5)
add(2)
assert total == 7, f"0 + 5 + 2 is not {total}"
### BEGIN HIDDEN TESTS
total = 100
add(1)
assert total == 101, "add works with what total is now"
### END HIDDEN TESTS

# %% test="test_state_goes_on" points=1
before = total
add(-1)
assert total == before - 1
