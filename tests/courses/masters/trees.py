# %% [markdown]
# # Trees and graphs
# The class of a tree's nodes is given; what is done with it is yours.

# %% locked="tree"
class Tree:
    """A node with a value and two branches, each another node or None."""

    def __init__(self, value, left=None, right=None):
        self.value = value
        self.left = left
        self.right = right

def example():
    return Tree(8, Tree(3, Tree(1), Tree(6)), Tree(10, None, Tree(14)))

roads = {
    "A": {"B": 4, "C": 1},
    "B": {"D": 1},
    "C": {"B": 2, "D": 5},
    "D": {},
    "E": {"A": 1},
}

# %% solution="measures"
def depth(tree):
    """Return the number of levels; nothing has none."""
    ### BEGIN SOLUTION
    return 0 if tree is None else 1 + max(depth(tree.left), depth(tree.right))
    ### END SOLUTION

def in_order(tree):
    """Yield the values of the left branch, the node, the right branch."""
    ### BEGIN SOLUTION
    if tree is not None:
        yield from in_order(tree.left)
        yield tree.value
        yield from in_order(tree.right)
    ### END SOLUTION

# %% mistake="forgets_none"
def depth(tree):
    """Return the number of levels; nothing has none."""
    return 1 + max(depth(tree.left), depth(tree.right))

def in_order(tree):
    """Yield the values of the left branch, the node, the right branch."""
    if tree.left:
        yield from in_order(tree.left)
    yield tree.value
    if tree.right:
        yield from in_order(tree.right)

# %% mistake="edges_for_levels"
def depth(tree):
    """Return the number of levels; nothing has none."""
    return -1 if tree is None else 1 + max(depth(tree.left), depth(tree.right))

def in_order(tree):
    """Yield the values of the left branch, the node, the right branch."""
    if tree:
        yield tree.value
        yield from in_order(tree.left)
        yield from in_order(tree.right)

# %% mistake="yields_generators"
def depth(tree):
    """Return the number of levels; nothing has none."""
    if not tree:
        return 0
    return 1 + depth(tree.left) + depth(tree.right)

def in_order(tree):
    """Yield the values of the left branch, the node, the right branch."""
    if tree:
        yield in_order(tree.left)
        yield tree.value
        yield in_order(tree.right)

# %%
depth(example())

# %% test="test_depth" points=1
assert depth(example()) == 3
assert depth(None) == 0
### BEGIN HIDDEN TESTS
assert depth(Tree(1, Tree(2, Tree(3, Tree(4))))) == 4
### END HIDDEN TESTS

# %% test="test_in_order" points=2
assert list(in_order(example())) == [1, 3, 6, 8, 10, 14]
### BEGIN HIDDEN TESTS
assert list(in_order(None)) == [] and next(in_order(example())) == 1
### END HIDDEN TESTS

# %% solution="insert"
def insert(tree, value):
    """Insert a value into a search tree, in place, and return the tree (a new node, if there was none)."""
    ### BEGIN SOLUTION
    if tree is None:
        return Tree(value)
    if value < tree.value:
        tree.left = insert(tree.left, value)
    elif value > tree.value:
        tree.right = insert(tree.right, value)
    return tree
    ### END SOLUTION

# %% mistake="overwrites_a_branch"
def insert(tree, value):
    """Insert a value into a search tree, in place, and return the tree (a new node, if there was none)."""
    if tree is None:
        return Tree(value)
    if value < tree.value:
        tree.left = Tree(value)
    else:
        tree.right = Tree(value)
    return tree

# %% mistake="returns_the_new_node"
def insert(tree, value):
    """Insert a value into a search tree, in place, and return the tree (a new node, if there was none)."""
    if tree is None:
        return Tree(value)
    side = "left" if value < tree.value else "right"
    if getattr(tree, side) is None:
        setattr(tree, side, Tree(value))
        return getattr(tree, side)
    return insert(getattr(tree, side), value)

# %% mistake="duplicates"
def insert(tree, value):
    """Insert a value into a search tree, in place, and return the tree (a new node, if there was none)."""
    if tree is None:
        return Tree(value)
    if value < tree.value:
        tree.left = insert(tree.left, value)
    else:
        tree.right = insert(tree.right, value)
    return tree

# %% test="test_insert" points=2
tree = example()
result = insert(tree, 7)
assert result is tree, "the tree itself comes back"
assert tree.left.right.right.value == 7
### BEGIN HIDDEN TESTS
new = insert(None, 5)
assert isinstance(new, Tree) and new.value == 5 and new.left is None
left = tree.left
insert(tree, 2)
assert tree.left is left and left.left.right.value == 2
### END HIDDEN TESTS

# %% test="test_insert_twice" points=1
tree = Tree(5)
for value in (5, 3, 3, 9):
    insert(tree, value)
assert tree.left.left is None and tree.right.value == 9 and tree.right.left is None

# %% solution="shortest"
def shortest(graph, start, end):
    """Return (length, path as a list) of the shortest way, or None; graph[a][b] is the length from a to b."""
    ### BEGIN SOLUTION
    import heapq

    heap, done = [(0, [start])], set()
    while heap:
        length, path = heapq.heappop(heap)
        if path[-1] == end:
            return length, path
        if path[-1] not in done:
            done.add(path[-1])
            for neighbour, more in graph[path[-1]].items():
                heapq.heappush(heap, (length + more, path + [neighbour]))
    return None
    ### END SOLUTION

# %% mistake="fewest_roads"
def shortest(graph, start, end):
    """Return (length, path as a list) of the shortest way, or None; graph[a][b] is the length from a to b."""
    queue, seen = [(0, [start])], {start}
    while queue:
        length, path = queue.pop(0)
        if path[-1] == end:
            return length, path
        for neighbour, more in graph[path[-1]].items():
            if neighbour not in seen:
                seen.add(neighbour)
                queue.append((length + more, path + [neighbour]))

# %% mistake="destroys_the_graph"
def shortest(graph, start, end):
    """Return (length, path as a list) of the shortest way, or None; graph[a][b] is the length from a to b."""
    if start == end:
        return 0, [start]
    best = None
    for neighbour, more in graph.pop(start, {}).items():
        found = shortest(dict(graph), neighbour, end)
        if found and (best is None or found[0] + more < best[0]):
            best = found[0] + more, [start, *found[1]]
    return best

# %% mistake="length_only"
def shortest(graph, start, end):
    """Return (length, path as a list) of the shortest way, or None; graph[a][b] is the length from a to b."""
    lengths = {start: 0}
    for _ in graph:
        for a in list(lengths):
            for b, more in graph[a].items():
                lengths[b] = min(lengths.get(b, 10**9), lengths[a] + more)
    return lengths.get(end)

# %% test="test_shortest" points=2
length, path = shortest(roads, "A", "D")
assert length == 4, "A, C, B, D"
assert path == ["A", "C", "B", "D"]
### BEGIN HIDDEN TESTS
assert shortest(roads, "E", "B") == (4, ["E", "A", "C", "B"])
assert shortest(roads, "D", "A") is None
### END HIDDEN TESTS

# %% test="test_shortest_keeps_the_graph" points=1
shortest(roads, "A", "D")
assert len(roads) == 5 and roads["A"] == {"B": 4, "C": 1}, "the roads have changed"
