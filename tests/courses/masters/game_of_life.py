# %% [markdown]
# # The game of life
# One exercise leads to the next; a student who is stuck at the first loses the others, too.

# %%
import numpy as np

# %% locked="patterns"
blinker = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=bool)
block = np.pad(np.ones((2, 2), dtype=bool), 1)

def show(world):
    """Return the world as text."""
    return "\n".join("".join("#" if cell else "." for cell in row) for row in world)

# %% solution="neighbours"
def neighbours(world):
    """Return how many living neighbours each cell has; beyond the edge everything is dead."""
    ### BEGIN SOLUTION
    padded = np.pad(world.astype(int), 1)
    rows, columns = world.shape
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    return sum(padded[i : i + rows, j : j + columns] for i, j in shifts)
    ### END SOLUTION

# %% mistake="counts_itself"
def neighbours(world):
    """Return how many living neighbours each cell has; beyond the edge everything is dead."""
    padded = np.pad(world.astype(int), 1)
    rows, columns = world.shape
    return sum(padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3))

# %% mistake="a_torus"
def neighbours(world):
    """Return how many living neighbours each cell has; beyond the edge everything is dead."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return sum(np.roll(world.astype(int), shift, (0, 1)) for shift in shifts)

# %% mistake="booleans"
def neighbours(world):
    """Return how many living neighbours each cell has; beyond the edge everything is dead."""
    padded = np.pad(world, 1)
    rows, columns = world.shape
    count = np.zeros(world.shape, bool)
    for i in range(3):
        for j in range(3):
            if (i, j) != (1, 1):
                count += padded[i : i + rows, j : j + columns]
    return count

# %%
print(show(blinker))
neighbours(blinker)

# %% test="test_neighbours" points=2
assert neighbours(blinker).tolist() == [[2, 3, 2], [1, 2, 1], [2, 3, 2]]
### BEGIN HIDDEN TESTS
assert neighbours(np.ones((1, 4), bool)).tolist() == [[1, 2, 2, 1]]
assert neighbours(block)[1:3, 1:3].tolist() == [[3, 3], [3, 3]]
### END HIDDEN TESTS

# %% solution="step"
def step(world):
    """Return the next world: living cells with 2 or 3 neighbours live on, dead ones with 3 come to life."""
    ### BEGIN SOLUTION
    count = neighbours(world)
    return (count == 3) | (world & (count == 2))
    ### END SOLUTION

# %% mistake="in_place"
def step(world):
    """Return the next world: living cells with 2 or 3 neighbours live on, dead ones with 3 come to life."""
    count = neighbours(world)
    world[:] = (count == 3) | (world & (count == 2))
    return world

# %% mistake="nothing_is_born"
def step(world):
    """Return the next world: living cells with 2 or 3 neighbours live on, dead ones with 3 come to life."""
    count = neighbours(world)
    return world & ((count == 2) | (count == 3))

# %% mistake="numbers_for_truth"
def step(world):
    """Return the next world: living cells with 2 or 3 neighbours live on, dead ones with 3 come to life."""
    count = neighbours(world)
    return np.where(count == 3, 1, np.where(count == 2, world, 0))

# %% test="test_step" points=2
following = step(blinker)
assert show(following) == ".#.\n.#.\n.#.", show(following)
### BEGIN HIDDEN TESTS
assert (step(block) == block).all()
assert following.dtype == bool
### END HIDDEN TESTS

# %% test="test_step_copies" points=1
before = blinker.copy()
step(blinker)
assert (blinker == before).all(), "the old world is gone"

# %% solution="evolve"
def evolve(world, steps):
    """Yield the world and each of the following ones: steps + 1 worlds."""
    ### BEGIN SOLUTION
    yield world
    for _ in range(steps):
        world = step(world)
        yield world
    ### END SOLUTION

# %% mistake="without_the_first"
def evolve(world, steps):
    """Yield the world and each of the following ones: steps + 1 worlds."""
    for _ in range(steps):
        world = step(world)
        yield world

# %% mistake="a_list"
def evolve(world, steps):
    """Yield the world and each of the following ones: steps + 1 worlds."""
    worlds = [world]
    while len(worlds) <= steps:
        worlds.append(step(worlds[-1]))
    return worlds

# %% test="test_evolve" points=2
worlds = list(evolve(blinker, 3))
assert len(worlds) == 4
assert np.array_equal(worlds[0], blinker) and np.array_equal(worlds[2], blinker)
### BEGIN HIDDEN TESTS
assert not np.array_equal(worlds[1], worlds[0])
assert [int(world.sum()) for world in evolve(block, 5)] == [4] * 6
### END HIDDEN TESTS
