# %% [markdown]
# # Iterators
# What `for` does: it asks `iter` for an iterator, then `next` until there is a `StopIteration`.

# %%
import itertools

# %% solution="countdown"
class Countdown:
    """An iterator: n, n - 1, ..., 1."""
    ### BEGIN SOLUTION
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n + 1
    ### END SOLUTION

# %% mistake="stops_too_late"
class Countdown:
    """An iterator: n, n - 1, ..., 1."""
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n < 0:
            raise StopIteration
        self.n -= 1
        return self.n + 1

# %% mistake="without_iter"
class Countdown:
    """An iterator: n, n - 1, ..., 1."""
    def __init__(self, n):
        self.n = n

    def __next__(self):
        if not self.n:
            raise StopIteration
        self.n -= 1
        return self.n + 1

# %% mistake="returns_none_at_the_end"
class Countdown:
    """An iterator: n, n - 1, ..., 1."""
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n, 0, -1))

    def __next__(self):
        if self.n > 0:
            self.n -= 1
            return self.n + 1

# %%
for n in Countdown(3):
    print(n)

# %% test="test_countdown" points=2
assert list(Countdown(3)) == [3, 2, 1]
assert [n * n for n in Countdown(2)] == [4, 1]
### BEGIN HIDDEN TESTS
assert sum(Countdown(4)) == 10 and list(Countdown(0)) == []
assert dict(zip("ab", Countdown(9))) == {"a": 9, "b": 8}
assert 2 in Countdown(3) and max(Countdown(5)) == 5
### END HIDDEN TESTS

# %% test="test_countdown_protocol" points=2
countdown = Countdown(2)
assert iter(countdown) is countdown, "an iterator gives itself"
assert next(countdown) == 2
assert next(countdown) == 1
try:
    next(countdown)
except StopIteration:
    pass
else:
    raise AssertionError("after 1 it is over")
### BEGIN HIDDEN TESTS
assert next(countdown, "over") == "over"
assert list(countdown) == []
### END HIDDEN TESTS

# %% solution="deck"
class Deck:
    """A sequence of cards: "A♠", "2♠", ... Ranks vary within a suit. It can be iterated any number of times."""
    ### BEGIN SOLUTION
    def __init__(self, ranks, suits):
        self.cards = [rank + suit for suit in suits for rank in ranks]

    def __len__(self):
        return len(self.cards)

    def __getitem__(self, index):
        return self.cards[index]

    def __contains__(self, card):
        return card in self.cards

    def __reversed__(self):
        return reversed(self.cards)
    ### END SOLUTION

# %% mistake="only_once"
class Deck:
    """A sequence of cards: "A♠", "2♠", ... Ranks vary within a suit. It can be iterated any number of times."""
    def __init__(self, ranks, suits):
        self.cards = (rank + suit for suit in suits for rank in ranks)
        self.size = len(ranks) * len(suits)

    def __len__(self):
        return self.size

    def __iter__(self):
        return self.cards

# %% mistake="suits_vary"
class Deck:
    """A sequence of cards: "A♠", "2♠", ... Ranks vary within a suit. It can be iterated any number of times."""
    def __init__(self, ranks, suits):
        self.cards = [rank + suit for rank in ranks for suit in suits]

    def __len__(self):
        return len(self.cards)

    def __getitem__(self, index):
        return self.cards[index]

# %% mistake="length_is_forgotten"
class Deck:
    """A sequence of cards: "A♠", "2♠", ... Ranks vary within a suit. It can be iterated any number of times."""
    def __init__(self, ranks, suits):
        self.cards = [rank + suit for suit in suits for rank in ranks]

    def __getitem__(self, index):
        return self.cards[index % len(self.cards)]

# %% test="test_deck" points=2
deck = Deck("A23", "♠♥")
assert len(deck) == 6
assert list(deck) == ["A♠", "2♠", "3♠", "A♥", "2♥", "3♥"]
assert list(deck) == list(deck), "the second time, too"
### BEGIN HIDDEN TESTS
assert deck[-1] == "3♥" and deck[:2] == ["A♠", "2♠"]
assert "2♥" in deck and "K♠" not in deck
### END HIDDEN TESTS

# %% test="test_deck_end" points=1
deck = Deck("AK", "♠")
try:
    deck[2]
except IndexError:
    pass
else:
    assert False, "there are two cards"
### BEGIN HIDDEN TESTS
assert [card for _, card in zip(range(5), deck)] == ["A♠", "K♠"]
assert list(reversed(deck)) == ["K♠", "A♠"]
### END HIDDEN TESTS

# %% solution="pairs"
def pairs(iterable):
    """Return an iterator over neighbours: (a, b), (b, c), ... for whatever can be iterated, even without end."""
    ### BEGIN SOLUTION
    first, second = itertools.tee(iterable)
    next(second, None)
    return zip(first, second)
    ### END SOLUTION

# %% mistake="lists_only"
def pairs(iterable):
    """Return an iterator over neighbours: (a, b), (b, c), ... for whatever can be iterated, even without end."""
    return [(iterable[i], iterable[i + 1]) for i in range(len(iterable) - 1)]

# %% mistake="no_overlap"
def pairs(iterable):
    """Return an iterator over neighbours: (a, b), (b, c), ... for whatever can be iterated, even without end."""
    iterator = iter(iterable)
    return zip(iterator, iterator)

# %% test="test_pairs" points=2
assert list(pairs("abc")) == [("a", "b"), ("b", "c")]
### BEGIN HIDDEN TESTS
assert list(pairs(n for n in (1, 4, 9))) == [(1, 4), (4, 9)]
assert list(itertools.islice(pairs(itertools.count()), 3)) == [(0, 1), (1, 2), (2, 3)]
assert list(pairs([1])) == []
### END HIDDEN TESTS
