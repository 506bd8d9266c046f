# %% [markdown]
# # Algorithms in place
# These functions change what they are given and return `None`, as `list.sort` does.

# %%
import numpy as np

# %% solution="bubble_sort"
def bubble_sort(items):
    """Sort a list in place."""
    ### BEGIN SOLUTION
    for end in range(len(items) - 1, 0, -1):
        for i in range(end):
            if items[i] > items[i + 1]:
                items[i], items[i + 1] = items[i + 1], items[i]
    ### END SOLUTION

# %% mistake="returns_a_new_list"
def bubble_sort(items):
    """Sort a list in place."""
    return sorted(items)

# %% mistake="one_pass_only"
def bubble_sort(items):
    """Sort a list in place."""
    for i in range(len(items) - 1):
        if items[i] > items[i + 1]:
            items[i], items[i + 1] = items[i + 1], items[i]

# %% mistake="rebinds_its_argument"
def bubble_sort(items):
    """Sort a list in place."""
    items = sorted(items)

# %% mistake="also_returns_it"
def bubble_sort(items):
    """Sort a list in place."""
    items.sort()
    return items

# %%
numbers = [3, 1, 2]
bubble_sort(numbers)
numbers

# %% test="test_bubble_sort" points=2
numbers = [5, 2, 9, 1]
bubble_sort(numbers)
assert numbers == [1, 2, 5, 9], f"numbers is {numbers}"
### BEGIN HIDDEN TESTS
for numbers in ([], [1], [2, 2, 1], list(range(20, 0, -1))):
    expected = sorted(numbers)
    bubble_sort(numbers)
    assert numbers == expected
names = ["bob", "ada"]
bubble_sort(names)
assert names == ["ada", "bob"]
### END HIDDEN TESTS

# %% test="test_bubble_sort_alias" points=1
first = [3, 2, 1]
second = first
result = bubble_sort(first)
assert result is None, "a function that works in place returns None"
assert second == [1, 2, 3] and second is first

# %% [markdown]
# ## Duplicates
# Remove what is there twice, in place, and keep the first of each.

# %% solution="remove_duplicates"
def remove_duplicates(items):
    """Remove duplicates from a list in place, keeping the first of each; return how many were removed."""
    ### BEGIN SOLUTION
    seen, kept = set(), []
    for item in items:
        if item not in seen:
            seen.add(item)
            kept.append(item)
    removed = len(items) - len(kept)
    items[:] = kept
    return removed
    ### END SOLUTION

# %% mistake="removes_while_iterating"
def remove_duplicates(items):
    """Remove duplicates from a list in place, keeping the first of each; return how many were removed."""
    removed = 0
    for item in items:
        if items.count(item) > 1:
            items.remove(item)
            removed += 1
    return removed

# %% mistake="sorts_them"
def remove_duplicates(items):
    """Remove duplicates from a list in place, keeping the first of each; return how many were removed."""
    before = len(items)
    items[:] = sorted(set(items))
    return before - len(items)

# %% mistake="a_new_set"
def remove_duplicates(items):
    """Remove duplicates from a list in place, keeping the first of each; return how many were removed."""
    return list(set(items))

# %% test="test_remove_duplicates" points=2
items = [3, 1, 3, 2, 1]
removed = remove_duplicates(items)
assert items == [3, 1, 2], items
assert removed == 2
### BEGIN HIDDEN TESTS
items = ["b", "a", "b"]
holder = {"items": items, "again": items}
assert remove_duplicates(holder["items"]) == 1
assert holder["again"] == ["b", "a"] and holder["again"] is items
### END HIDDEN TESTS

# %% [markdown]
# ## Turning a picture
# Turn a square array by 90 degrees, clockwise, in place.

# %% solution="rotate"
def rotate(picture):
    """Turn a square array clockwise by 90 degrees, in place."""
    ### BEGIN SOLUTION
    picture[:] = np.rot90(picture, -1).copy()
    ### END SOLUTION

def scale_rows(matrix, factors):
    """Multiply row i of a list of lists by factors[i], in place."""
    ### BEGIN SOLUTION
    for row, factor in zip(matrix, factors):
        for j in range(len(row)):
            row[j] *= factor
    ### END SOLUTION

# %% mistake="turns_the_other_way"
def rotate(picture):
    """Turn a square array clockwise by 90 degrees, in place."""
    picture[:] = np.rot90(picture).copy()

def scale_rows(matrix, factors):
    """Multiply row i of a list of lists by factors[i], in place."""
    for i, row in enumerate(matrix):
        matrix[i] = [value * factors[i] for value in row]

# %% mistake="a_view_that_is_lost"
def rotate(picture):
    """Turn a square array clockwise by 90 degrees, in place."""
    picture = picture.T[:, ::-1]

def scale_rows(matrix, factors):
    """Multiply row i of a list of lists by factors[i], in place."""
    for row, factor in zip(matrix, factors):
        for value in row:
            value *= factor

# %% test="test_rotate" points=2
picture = np.array([[1, 2], [3, 4]])
rotate(picture)
assert picture.tolist() == [[3, 1], [4, 2]], picture
### BEGIN HIDDEN TESTS
big = np.zeros((4, 6))
window = big[1:4, 2:5]
window[0] = [1, 2, 3]
rotate(window)
assert big[1:4, 4].tolist() == [1, 2, 3], "a window into a larger picture is turned inside of it"
assert big.sum() == 6
### END HIDDEN TESTS

# %% test="test_scale_rows" points=1
matrix = [[1, 2], [3, 4]]
first_row = matrix[0]
scale_rows(matrix, [10, 100])
assert matrix == [[10, 20], [300, 400]]
### BEGIN HIDDEN TESTS
assert first_row == [10, 20], "the rows themselves are changed"
### END HIDDEN TESTS
