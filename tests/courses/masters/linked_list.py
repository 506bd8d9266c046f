# %% [markdown]
# # A linked list
# Each node knows its value and the next node.

# %% solution="linked_list"
class Node:
    ### BEGIN SOLUTION
    def __init__(self, value, next=None):
        self.value = value
        self.next = next
    ### END SOLUTION

class LinkedList:
    """Has the attribute head (a Node or None) and the methods push, pop, reverse and to_list."""
    ### BEGIN SOLUTION
    def __init__(self, values=()):
        self.head = None
        for value in reversed(list(values)):
            self.push(value)

    def push(self, value):
        self.head = Node(value, self.head)

    def pop(self):
        if self.head is None:
            raise IndexError("the list is empty")
        value, self.head = self.head.value, self.head.next
        return value

    def reverse(self):
        before, node = None, self.head
        while node is not None:
            node.next, before, node = before, node, node.next
        self.head = before

    def to_list(self):
        values, node = [], self.head
        while node:
            values.append(node.value)
            node = node.next
        return values

    def __len__(self):
        return len(self.to_list())
    ### END SOLUTION

# %% mistake="a_list_inside"
class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next

class LinkedList:
    """Has the attribute head (a Node or None) and the methods push, pop, reverse and to_list."""
    def __init__(self, values=()):
        self.values = list(values)

    def push(self, value):
        self.values.insert(0, value)

    def pop(self):
        return self.values.pop(0)

    def reverse(self):
        self.values.reverse()

    def to_list(self):
        return self.values

# %% mistake="reverse_loses_the_rest"
class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next

class LinkedList:
    """Has the attribute head (a Node or None) and the methods push, pop, reverse and to_list."""
    def __init__(self, values=()):
        self.head = None
        for value in list(values)[::-1]:
            self.push(value)

    def push(self, value):
        self.head = Node(value, self.head)

    def pop(self):
        if not self.head:
            return None
        value = self.head.value
        self.head = self.head.next
        return value

    def reverse(self):
        before, node = None, self.head
        while node.next:
            after = node.next
            node.next = before
            before, node = node, after
        self.head = node

    def to_list(self):
        values, node = [], self.head
        while node:
            values.append(node.value)
            node = node.next
        return values

    def __len__(self):
        return len(self.to_list())

# %% mistake="pushes_at_the_end"
class Node:
    def __init__(self, value):
        self.value = value
        self.next = None

class LinkedList:
    """Has the attribute head (a Node or None) and the methods push, pop, reverse and to_list."""
    def __init__(self, values=()):
        self.head = None
        for value in values:
            self.push(value)

    def push(self, value):
        if self.head is None:
            self.head = Node(value)
            return
        node = self.head
        while node.next:
            node = node.next
        node.next = Node(value)

    def pop(self):
        value = self.head.value
        self.head = self.head.next
        return value

    def reverse(self):
        return LinkedList(self.to_list()[::-1])

    def to_list(self):
        values, node = [], self.head
        while node:
            values.append(node.value)
            node = node.next
        return values

    def __len__(self):
        return len(self.to_list())

# %%
LinkedList([1, 2, 3]).to_list()

# %% test="test_nodes" points=2
numbers = LinkedList([1, 2, 3])
assert numbers.head.value == 1
assert numbers.head.next.next.value == 3
assert numbers.head.next.next.next is None
### BEGIN HIDDEN TESTS
assert LinkedList().head is None
node = Node("a", Node("b"))
assert isinstance(node.next, Node) and node.next.value == "b"
### END HIDDEN TESTS

# %% test="test_push_pop" points=2
stack = LinkedList()
for word in ("a", "b", "c"):
    stack.push(word)
assert stack.to_list() == ["c", "b", "a"]
assert stack.pop() == "c"
assert len(stack) == 2
### BEGIN HIDDEN TESTS
stack.pop(), stack.pop()
try:
    stack.pop()
except IndexError:
    pass
else:
    assert False, "an empty list has nothing to pop"
### END HIDDEN TESTS

# %% test="test_reverse" points=2
numbers = LinkedList(range(5))
first = numbers.head
numbers.reverse()
assert numbers.to_list() == [4, 3, 2, 1, 0]
assert first.next is None, "the first node is the last now"
### BEGIN HIDDEN TESTS
empty = LinkedList()
empty.reverse()
assert empty.to_list() == []
numbers.head.value = "changed"
assert numbers.to_list()[0] == "changed"
### END HIDDEN TESTS

# %% solution="has_cycle"
def has_cycle(head):
    """Return whether one comes back to a node if one follows `next`."""
    ### BEGIN SOLUTION
    slow = fast = head
    while fast is not None and fast.next is not None:
        slow, fast = slow.next, fast.next.next
        if slow is fast:
            return True
    return False
    ### END SOLUTION

# %% mistake="compares_values"
def has_cycle(head):
    """Return whether one comes back to a node if one follows `next`."""
    seen = set()
    while head is not None:
        if head.value in seen:
            return True
        seen.add(head.value)
        head = head.next
    return False

# %% mistake="looks_for_the_head_only"
def has_cycle(head):
    """Return whether one comes back to a node if one follows `next`."""
    node, steps = head.next, 0
    while node is not None and steps < 1000:
        if node is head:
            return True
        node, steps = node.next, steps + 1
    return False

# %% test="test_has_cycle" points=2
head = Node(1)
head.next = Node(2)
head.next.next = Node(1)
assert not has_cycle(head)
head.next.next.next = head.next
assert has_cycle(head)
### BEGIN HIDDEN TESTS
assert has_cycle(None) is False
alone = Node("x")
alone.next = alone
assert has_cycle(alone) is True
### END HIDDEN TESTS
