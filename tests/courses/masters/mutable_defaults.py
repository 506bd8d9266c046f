# %% [markdown]
# # What is shared, and what is not
# A default value is made once, when the function is defined. That surprises everybody, once.

# %% solution="collect"
def collect(item, items=None):
    """Append an item to the list, or to a new one, and return the list."""
    ### BEGIN SOLUTION
    if items is None:
        items = []
    items.append(item)
    return items
    ### END SOLUTION

# %% mistake="mutable_default"
def collect(item, items=[]):
    """Append an item to the list, or to a new one, and return the list."""
    items.append(item)
    return items

# %% mistake="empty_is_none"
def collect(item, items=None):
    """Append an item to the list, or to a new one, and return the list."""
    items = items or []
    items.append(item)
    return items

# %% mistake="always_a_new_list"
def collect(item, items=()):
    """Append an item to the list, or to a new one, and return the list."""
    return [*items, item]

# %% mistake="returns_none"
def collect(item, items=None):
    """Append an item to the list, or to a new one, and return the list."""
    items = [] if items is None else items
    return items.append(item)

# %%
collect(1), collect(2)

# %% test="test_collect" points=2
assert collect("a") == ["a"]
assert collect("b") == ["b"], "the list of the call before is still there"
### BEGIN HIDDEN TESTS
first, second = collect(1), collect(1)
assert first == second and first is not second
### END HIDDEN TESTS

# %% test="test_collect_into" points=2
basket = []
result = collect("pear", basket)
assert basket == ["pear"], "an empty list is a list, too"
assert result is basket
### BEGIN HIDDEN TESTS
assert collect("fig", items=basket) is basket and basket == ["pear", "fig"]
assert collect.__defaults__ == (None,)
### END HIDDEN TESTS

# %% solution="team"
class Team:
    """A team has a name and members of its own."""
    ### BEGIN SOLUTION
    def __init__(self, name, members=()):
        self.name = name
        self.members = list(members)

    def add(self, member):
        self.members.append(member)
        return self
    ### END SOLUTION

# %% mistake="a_list_of_the_class"
class Team:
    """A team has a name and members of its own."""
    members = []

    def __init__(self, name, members=()):
        self.name = name
        self.members.extend(members)

    def add(self, member):
        self.members.append(member)
        return self

# %% mistake="keeps_the_callers_list"
class Team:
    """A team has a name and members of its own."""
    def __init__(self, name, members=[]):
        self.name = name
        self.members = members

    def add(self, member):
        self.members.append(member)
        return self

# %% mistake="add_returns_nothing"
class Team:
    """A team has a name and members of its own."""
    def __init__(self, name, members=()):
        self.name = name
        self.members = list(members)

    def add(self, member):
        self.members += [member]

# %% test="test_team" points=2
red, blue = Team("red"), Team("blue")
red.add("Ada")
assert red.members == ["Ada"]
assert blue.members == [], "both teams have the same list"
### BEGIN HIDDEN TESTS
names = ["Bob"]
green = Team("green", names)
green.add("Eve")
assert names == ["Bob"], "the caller's list is not yours"
assert green.members == ["Bob", "Eve"]
### END HIDDEN TESTS

# %% test="test_team_chain" points=1
team = Team("x").add(1).add(2)
assert team.members == [1, 2]

# %% solution="grid"
def grid(rows, columns):
    """Return a list of rows, each a list of zeros."""
    ### BEGIN SOLUTION
    return [[0] * columns for _ in range(rows)]
    ### END SOLUTION

# %% mistake="the_same_row"
def grid(rows, columns):
    """Return a list of rows, each a list of zeros."""
    return [[0] * columns] * rows

# %% test="test_grid" points=2
cells = grid(2, 3)
assert cells == [[0, 0, 0], [0, 0, 0]]
cells[0][1] = 7
assert cells == [[0, 7, 0], [0, 0, 0]], f"one cell was set, the grid is {cells}"
### BEGIN HIDDEN TESTS
assert len({id(row) for row in grid(4, 1)}) == 4
### END HIDDEN TESTS
