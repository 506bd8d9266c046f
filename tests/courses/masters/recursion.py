# %% [markdown]
# # Recursion
# Each of these functions calls itself. Think of the case in which it must not.

# %% solution="power"
def power(base, exponent):
    """Return base to the power of exponent (a whole number, not negative), without ** and pow."""
    ### BEGIN SOLUTION
    if exponent == 0:
        return 1
    half = power(base, exponent // 2)
    return half * half * (base if exponent % 2 else 1)
    ### END SOLUTION

# %% mistake="no_base_case"
def power(base, exponent):
    """Return base to the power of exponent (a whole number, not negative), without ** and pow."""
    return base * power(base, exponent - 1)

# %% mistake="base_case_zero"
def power(base, exponent):
    """Return base to the power of exponent (a whole number, not negative), without ** and pow."""
    if exponent == 0:
        return 0
    return base * power(base, exponent - 1)

# %% mistake="deep_recursion"
def power(base, exponent):
    """Return base to the power of exponent (a whole number, not negative), without ** and pow."""
    return 1 if exponent == 0 else base * power(base, exponent - 1)

# %%
power(2, 10)

# %% test="test_power" points=1
assert power(2, 3) == 8
assert power(5, 0) == 1
### BEGIN HIDDEN TESTS
assert power(-3, 3) == -27
assert power(1.5, 2) == 2.25
### END HIDDEN TESTS

# %% test="test_power_large" points=1
result = power(3, 5000)
assert result == 3**5000, "halve the exponent: then a large one needs few calls"

# %% solution="flatten"
def flatten(nested):
    """Return all that is in a nested list, in one flat list."""
    ### BEGIN SOLUTION
    flat = []
    for item in nested:
        if isinstance(item, list):
            flat.extend(flatten(item))
        else:
            flat.append(item)
    return flat
    ### END SOLUTION

# %% mistake="one_level_only"
def flatten(nested):
    """Return all that is in a nested list, in one flat list."""
    return [item for part in nested for item in (part if isinstance(part, list) else [part])]

# %% mistake="takes_strings_apart"
def flatten(nested):
    """Return all that is in a nested list, in one flat list."""
    flat = []
    for item in nested:
        if hasattr(item, "__iter__") and len(item) > 1:
            flat.extend(flatten(item))
        else:
            flat.append(item)
    return flat

# %% mistake="keeps_from_the_last_call"
def flatten(nested, flat=[]):
    """Return all that is in a nested list, in one flat list."""
    for item in nested:
        if isinstance(item, list):
            flatten(item)
        else:
            flat.append(item)
    return flat

# %% test="test_flatten" points=2
result = flatten([1, [2, [3, 4]], 5])
assert result == [1, 2, 3, 4, 5], f"You returned {result}"
### BEGIN HIDDEN TESTS
assert flatten([]) == []
assert flatten([[[["deep"]]], "text", (1, 2)]) == ["deep", "text", (1, 2)]
### END HIDDEN TESTS

# %% [markdown]
# ## The towers of Hanoi
# Return the list of moves, each a pair such as `("A", "C")`.

# %% solution="hanoi"
def hanoi(n, source="A", target="C", spare="B"):
    """Return the moves that bring n discs from source to target."""
    ### BEGIN SOLUTION
    if n == 0:
        return []
    return hanoi(n - 1, source, spare, target) + [(source, target)] + hanoi(n - 1, spare, target, source)
    ### END SOLUTION

# %% mistake="pegs_confused"
def hanoi(n, source="A", target="C", spare="B"):
    """Return the moves that bring n discs from source to target."""
    if n == 0:
        return []
    return hanoi(n - 1, source, target, spare) + [(source, target)] + hanoi(n - 1, spare, target, source)

# %% mistake="prints_the_moves"
def hanoi(n, source="A", target="C", spare="B"):
    """Return the moves that bring n discs from source to target."""
    if n > 0:
        hanoi(n - 1, source, spare, target)
        print(source, "->", target)
        hanoi(n - 1, spare, target, source)

# %% mistake="lists_for_pairs"
def hanoi(n, source="A", target="C", spare="B"):
    """Return the moves that bring n discs from source to target."""
    if n == 0:
        return []
    return hanoi(n - 1, source, spare, target) + [[source, target]] + hanoi(n - 1, spare, target, source)

# %% test="test_hanoi" points=1
assert hanoi(1) == [("A", "C")]
assert hanoi(2) == [("A", "B"), ("A", "C"), ("B", "C")]

# %% test="test_hanoi_is_legal" points=2
def play(n, moves):
    pegs = {"A": list(range(n, 0, -1)), "B": [], "C": []}
    for source, target in moves:
        disc = pegs[source].pop()
        assert not pegs[target] or pegs[target][-1] > disc, "a larger disc lies on a smaller one"
        pegs[target].append(disc)
    return pegs

result = play(5, hanoi(5))
assert result == {"A": [], "B": [], "C": [5, 4, 3, 2, 1]}
### BEGIN HIDDEN TESTS
moves = hanoi(8)
assert len(moves) == 2**8 - 1
assert play(8, moves)["C"] == [8, 7, 6, 5, 4, 3, 2, 1]
### END HIDDEN TESTS
