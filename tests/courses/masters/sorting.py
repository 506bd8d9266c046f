# %% [markdown]
# # Sorting by keys
# A key function says what to sort by.

# %% locked="people"
people = [
    {"name": "Ada", "age": 36, "city": "London"},
    {"name": "Alan", "age": 41, "city": "Wilmslow"},
    {"name": "grace", "age": 85, "city": "Arlington"},
    {"name": "Edsger", "age": 72, "city": "Nuenen"},
    {"name": "Barbara", "age": 41, "city": "London"},
]

def names(rows):
    return [row["name"] for row in rows]

# %% solution="by_age"
def by_age(rows):
    """Return the rows, the oldest first; those of one age by name, without regard to capitals."""
    ### BEGIN SOLUTION
    return sorted(rows, key=lambda row: (-row["age"], row["name"].lower()))
    ### END SOLUTION

# %% mistake="reverse_reverses_names"
def by_age(rows):
    """Return the rows, the oldest first; those of one age by name, without regard to capitals."""
    return sorted(rows, key=lambda row: (row["age"], row["name"]), reverse=True)

# %% mistake="sorts_in_place"
def by_age(rows):
    """Return the rows, the oldest first; those of one age by name, without regard to capitals."""
    rows.sort(key=lambda row: (-row["age"], row["name"].lower()))
    return rows

# %% mistake="capitals_first"
def by_age(rows):
    """Return the rows, the oldest first; those of one age by name, without regard to capitals."""
    return sorted(rows, key=lambda row: (-row["age"], row["name"]))

# %%
names(by_age(people))

# %% test="test_by_age" points=2
result = by_age(people)
assert names(result) == ["grace", "Edsger", "Alan", "Barbara", "Ada"], names(result)
### BEGIN HIDDEN TESTS
assert names(by_age([{"name": "b", "age": 1}, {"name": "A", "age": 1}, {"name": "C", "age": 1}])) == ["A", "b", "C"]
assert result[0] == people[2]
### END HIDDEN TESTS

# %% test="test_by_age_copies" points=1
before = names(people)
by_age(people)
assert names(people) == before, "the list that is given stays as it is"

# %% solution="insertion_sort"
def insertion_sort(items, key=None):
    """Return a new sorted list, by insertion, without sorted and sort; equals keep their order."""
    ### BEGIN SOLUTION
    result = []
    for item in items:
        value = item if key is None else key(item)
        i = len(result)
        while i > 0 and value < (result[i - 1] if key is None else key(result[i - 1])):
            i -= 1
        result.insert(i, item)
    return result
    ### END SOLUTION

# %% mistake="not_stable"
def insertion_sort(items, key=None):
    """Return a new sorted list, by insertion, without sorted and sort; equals keep their order."""
    key = key or (lambda item: item)
    result = []
    for item in items:
        i = 0
        while i < len(result) and key(result[i]) < key(item):
            i += 1
        result.insert(i, item)
    return result

# %% mistake="ignores_the_key"
def insertion_sort(items, key=None):
    """Return a new sorted list, by insertion, without sorted and sort; equals keep their order."""
    result = list(items)
    for n in range(1, len(result)):
        i = n
        while i > 0 and result[i] < result[i - 1]:
            result[i - 1], result[i] = result[i], result[i - 1]
            i -= 1
    return result

# %% mistake="returns_the_keys"
def insertion_sort(items, key=None):
    """Return a new sorted list, by insertion, without sorted and sort; equals keep their order."""
    values = [key(item) if key else item for item in items]
    result = []
    for value in values:
        i = len(result)
        while i and value < result[i - 1]:
            i -= 1
        result[i:i] = [value]
    return result

# %% test="test_insertion_sort" points=2
assert insertion_sort([3, 1, 2]) == [1, 2, 3]
assert insertion_sort(["pear", "fig"], key=len) == ["fig", "pear"]
### BEGIN HIDDEN TESTS
assert insertion_sort([]) == [] and insertion_sort((5.0, -1)) == [-1, 5.0]
assert insertion_sort(range(6), key=lambda n: -n) == [5, 4, 3, 2, 1, 0]
### END HIDDEN TESTS

# %% test="test_insertion_sort_is_stable" points=2
words = ["bb", "a", "aa", "b", "ab"]
assert insertion_sort(words, key=len) == ["a", "b", "bb", "aa", "ab"], "equals keep their order"
### BEGIN HIDDEN TESTS
asked = []

def first_letter(word):
    asked.append(word)
    return word[0]

assert insertion_sort(words, key=first_letter) == sorted(words, key=lambda word: word[0])
assert set(asked) == set(words)
### END HIDDEN TESTS

# %% [markdown]
# ## A key of your own
# `natural(text)` is a key function: with it, `"page 9"` comes before `"page 10"`.

# %% solution="natural"
def natural(text):
    """Return a key by which numbers inside of texts are sorted by their value."""
    ### BEGIN SOLUTION
    import re

    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]
    ### END SOLUTION

# %% mistake="numbers_only"
def natural(text):
    """Return a key by which numbers inside of texts are sorted by their value."""
    return int("".join(c for c in text if c.isdigit()) or 0)

# %% mistake="the_text_itself"
def natural(text):
    """Return a key by which numbers inside of texts are sorted by their value."""
    return text

# %% test="test_natural" points=2
pages = ["page 10", "page 9", "page 1"]
assert sorted(pages, key=natural) == ["page 1", "page 9", "page 10"]
### BEGIN HIDDEN TESTS
assert sorted(["b2", "a10", "a9"], key=natural) == ["a9", "a10", "b2"]
assert max(["x100", "x20"], key=natural) == "x100"
pages.sort(key=natural, reverse=True)
assert pages[0] == "page 10"
### END HIDDEN TESTS
