# %% [markdown]
# # Text and regular expressions

# %%
import re
from collections import Counter

# %% locked="poem"
poem = """\
The road goes ever on and on,
Down from the door where it began.
Now far ahead the road has gone --
it's mine, and I must follow."""

# %% [markdown]
# ## Words
# Words are made of letters; an apostrophe inside belongs to the word. All come back in lower case.

# %% solution="words"
def words(text):
    """Return the words of a text, in order, in lower case."""
    ### BEGIN SOLUTION
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())
    ### END SOLUTION

# %% mistake="splits_at_spaces"
def words(text):
    """Return the words of a text, in order, in lower case."""
    return text.lower().split()

# %% mistake="drops_apostrophes"
def words(text):
    """Return the words of a text, in order, in lower case."""
    return re.findall(r"[a-z]+", text.lower())

# %% mistake="keeps_capitals"
def words(text):
    """Return the words of a text, in order, in lower case."""
    return re.findall(r"[A-Za-z]+(?:'[A-Za-z]+)*", text)

# %%
words("It's a test, isn't it?")

# %% test="test_words" points=2
assert words("Hello, hello world!") == ["hello", "hello", "world"]
assert words("it's 5 o'clock") == ["it's", "o'clock"]
### BEGIN HIDDEN TESTS
assert words("") == []
assert len(words(poem)) == 27 and words(poem)[-5:] == ["mine", "and", "i", "must", "follow"]
### END HIDDEN TESTS

# %% solution="most_common"
def most_common(text, n):
    """Return the n most frequent words with their numbers, as a list of pairs; equals in alphabetical order."""
    ### BEGIN SOLUTION
    counts = Counter(words(text))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]
    ### END SOLUTION

# %% mistake="order_of_equals"
def most_common(text, n):
    """Return the n most frequent words with their numbers, as a list of pairs; equals in alphabetical order."""
    return Counter(words(text)).most_common(n)

# %% mistake="a_dictionary"
def most_common(text, n):
    """Return the n most frequent words with their numbers, as a list of pairs; equals in alphabetical order."""
    counts = Counter(words(text))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n])

# %% mistake="one_too_many"
def most_common(text, n):
    """Return the n most frequent words with their numbers, as a list of pairs; equals in alphabetical order."""
    counts = {}
    for word in words(text):
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: n + 1]

# %% test="test_most_common" points=2
assert most_common("a b b c c c", 2) == [("c", 3), ("b", 2)]
### BEGIN HIDDEN TESTS
assert most_common("pear fig apple fig", 3) == [("fig", 2), ("apple", 1), ("pear", 1)]
assert most_common(poem, 1) == [("the", 3)]
### END HIDDEN TESTS

# %% [markdown]
# ## Patterns
# Write two patterns as strings: `date_pattern` matches dates such as 2024-03-09 with groups `year`, `month` and `day`;
# `mail_pattern` matches addresses such as `ada.lovelace@example.org`.

# %% solution="patterns"
### BEGIN SOLUTION
date_pattern = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
mail_pattern = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
### END SOLUTION

# %% mistake="without_names"
date_pattern = r"(\d{4})-(\d{2})-(\d{2})"
mail_pattern = r"\w+@\w+"

# %% mistake="compiled"
date_pattern = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
mail_pattern = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")

# %% mistake="matches_too_much"
date_pattern = r"(?P<year>.*)-(?P<month>.*)-(?P<day>.*)"
mail_pattern = r".*@.*"

# %% test="test_date_pattern" points=1
match = re.search(date_pattern, "It was on 2024-03-09, a Saturday.")
assert match, "nothing was found"
assert match["year"] == "2024"
### BEGIN HIDDEN TESTS
assert match.groupdict() == {"year": "2024", "month": "03", "day": "09"}
assert not re.fullmatch(date_pattern, "24-3-9")
### END HIDDEN TESTS

# %% test="test_mail_pattern" points=1
text = "Write to ada.lovelace@example.org or to bob@mail.example.com."
assert re.findall(mail_pattern, text) == ["ada.lovelace@example.org", "bob@mail.example.com"]

# %% solution="censor"
def censor(text, forbidden):
    """Replace each forbidden word (whole words, any case) by as many stars as it has letters."""
    ### BEGIN SOLUTION
    pattern = r"\b(" + "|".join(map(re.escape, sorted(forbidden))) + r")\b"
    return re.sub(pattern, lambda match: "*" * len(match[0]), text, flags=re.IGNORECASE) if forbidden else text
    ### END SOLUTION

# %% mistake="inside_of_words"
def censor(text, forbidden):
    """Replace each forbidden word (whole words, any case) by as many stars as it has letters."""
    for word in forbidden:
        text = re.sub(word, "*" * len(word), text, flags=re.IGNORECASE)
    return text

# %% test="test_censor" points=2
assert censor("You darn cat!", {"darn"}) == "You **** cat!"
assert censor("Darn it", ["darn", "it"]) == "**** **"
### BEGIN HIDDEN TESTS
assert censor("darning", {"darn"}) == "darning"
assert censor("nothing", frozenset()) == "nothing"
### END HIDDEN TESTS
