# %% [markdown]
# # Sets, dictionaries, counters

# %%
from collections import Counter, defaultdict

# %% solution="anagrams"
def anagrams(words):
    """Return a dictionary: sorted letters -> set of the words made of them, for groups of at least two words."""
    ### BEGIN SOLUTION
    groups = defaultdict(set)
    for word in words:
        groups["".join(sorted(word))].add(word)
    return {letters: group for letters, group in groups.items() if len(group) > 1}
    ### END SOLUTION

# %% mistake="lists_of_words"
def anagrams(words):
    """Return a dictionary: sorted letters -> set of the words made of them, for groups of at least two words."""
    groups = {}
    for word in words:
        groups.setdefault("".join(sorted(word)), []).append(word)
    return {letters: group for letters, group in groups.items() if len(group) > 1}

# %% mistake="single_words_too"
def anagrams(words):
    """Return a dictionary: sorted letters -> set of the words made of them, for groups of at least two words."""
    groups = defaultdict(set)
    for word in words:
        groups["".join(sorted(word))].add(word)
    return groups

# %% mistake="sets_of_letters"
def anagrams(words):
    """Return a dictionary: sorted letters -> set of the words made of them, for groups of at least two words."""
    groups = defaultdict(set)
    for word in words:
        groups["".join(sorted(set(word)))].add(word)
    return {key: group for key, group in groups.items() if len(group) >= 2}

# %%
anagrams(["listen", "silent", "enlist", "tin", "nit", "code"])

# %% test="test_anagrams" points=2
groups = anagrams(["tin", "nit", "code"])
assert groups == {"int": {"tin", "nit"}}, groups
### BEGIN HIDDEN TESTS
assert anagrams([]) == {}
assert anagrams(["aab", "ab", "ba"]) == {"ab": {"ab", "ba"}}
assert all(isinstance(group, set) for group in groups.values())
### END HIDDEN TESTS

# %% solution="counting"
def letters(text):
    """Return a Counter of the letters of a text, without regard to capitals."""
    ### BEGIN SOLUTION
    return Counter(c for c in text.lower() if c.isalpha())
    ### END SOLUTION

def invert(dictionary):
    """Return a dictionary: value -> list of its keys, in their order."""
    ### BEGIN SOLUTION
    inverted = {}
    for key, value in dictionary.items():
        inverted.setdefault(value, []).append(key)
    return inverted
    ### END SOLUTION

# %% mistake="a_plain_dictionary"
def letters(text):
    """Return a Counter of the letters of a text, without regard to capitals."""
    counts = {}
    for c in text.lower():
        if c.isalpha():
            counts[c] = counts.get(c, 0) + 1
    return counts

def invert(dictionary):
    """Return a dictionary: value -> list of its keys, in their order."""
    return {value: key for key, value in dictionary.items()}

# %% mistake="counts_spaces"
def letters(text):
    """Return a Counter of the letters of a text, without regard to capitals."""
    return Counter(text.lower())

def invert(dictionary):
    """Return a dictionary: value -> list of its keys, in their order."""
    inverted = defaultdict(list)
    for key in sorted(dictionary):
        inverted[dictionary[key]].append(key)
    return inverted

# %% mistake="capitals_differ"
def letters(text):
    """Return a Counter of the letters of a text, without regard to capitals."""
    return Counter([c for c in text if c.isalpha()])

def invert(dictionary):
    """Return a dictionary: value -> list of its keys, in their order."""
    inverted = {}
    for key, value in dictionary.items():
        inverted[value] = inverted.get(value, ()) + (key,)
    return inverted

# %% test="test_letters" points=2
counts = letters("Anna, Otto!")
assert counts["n"] == 2 and counts["t"] == 2
assert counts["z"] == 0, "a Counter knows what is not there"
### BEGIN HIDDEN TESTS
assert counts.most_common(1) == [("a", 2)] or counts["a"] == 2
assert counts == Counter("annaotto")
assert (counts - Counter("ann"))["a"] == 1 and sum(counts.values()) == 8
### END HIDDEN TESTS

# %% test="test_invert" points=2
inverted = invert({"b": 1, "a": 1, "c": 2})
assert inverted == {1: ["b", "a"], 2: ["c"]}, inverted
### BEGIN HIDDEN TESTS
assert invert({(0, 1): "x", None: "x", 2.5: "y"}) == {"x": [(0, 1), None], "y": [2.5]}
assert list(invert({"q": 3, "r": 1})) == [3, 1]
### END HIDDEN TESTS

# %% solution="friends"
def common_friends(friends, a, b):
    """Return the frozenset of those who are friends of both; friends is a dictionary of sets."""
    ### BEGIN SOLUTION
    return frozenset(friends.get(a, set()) & friends.get(b, set()))
    ### END SOLUTION

def befriend(friends, a, b):
    """Make two people friends of each other, in the dictionary that is given; return nothing."""
    ### BEGIN SOLUTION
    friends.setdefault(a, set()).add(b)
    friends.setdefault(b, set()).add(a)
    ### END SOLUTION

# %% mistake="loses_friends"
def common_friends(friends, a, b):
    """Return the frozenset of those who are friends of both; friends is a dictionary of sets."""
    friends[a] &= friends[b]
    return frozenset(friends[a])

def befriend(friends, a, b):
    """Make two people friends of each other, in the dictionary that is given; return nothing."""
    friends[a] = {b}
    friends[b] = {a}

# %% mistake="one_sided"
def common_friends(friends, a, b):
    """Return the frozenset of those who are friends of both; friends is a dictionary of sets."""
    return friends[a] & friends[b]

def befriend(friends, a, b):
    """Make two people friends of each other, in the dictionary that is given; return nothing."""
    friends.setdefault(a, set()).add(b)

# %% mistake="sorted_lists"
def common_friends(friends, a, b):
    """Return the frozenset of those who are friends of both; friends is a dictionary of sets."""
    return sorted(friends.get(a, set()) & friends.get(b, set()))

def befriend(friends, a, b):
    """Make two people friends of each other, in the dictionary that is given; return nothing."""
    for x, y in ((a, b), (b, a)):
        friends[x] = friends.get(x, set()) | {y}

# %% test="test_common_friends" points=2
friends = {"Ada": {"Bob", "Cy", "Di"}, "Bob": {"Ada", "Di"}, "Cy": {"Ada"}}
assert common_friends(friends, "Ada", "Bob") == {"Di"}
assert friends["Ada"] == {"Bob", "Cy", "Di"}, "friends must stay"
### BEGIN HIDDEN TESTS
result = common_friends(friends, "Ada", "Nobody")
assert result == frozenset() and hash(result) == hash(frozenset())
### END HIDDEN TESTS

# %% test="test_befriend" points=2
friends = {}
befriend(friends, "Ada", "Bob")
assert friends == {"Ada": {"Bob"}, "Bob": {"Ada"}}, friends
### BEGIN HIDDEN TESTS
circle = friends["Ada"]
befriend(friends, "Ada", "Cy")
assert circle == {"Bob", "Cy"}, "Ada's set itself has one more"
assert list(friends) == ["Ada", "Bob", "Cy"]
### END HIDDEN TESTS
