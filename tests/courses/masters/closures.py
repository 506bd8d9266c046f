# %% [markdown]
# # Functions that make functions, and generators

# %%
import inspect
import itertools

# %% [markdown]
# ## Closures
# `make_adder(n)` returns a function that adds `n`; `make_counter()` returns a function that counts its calls, from 1.

# %% solution="closures"
def make_adder(n):
    ### BEGIN SOLUTION
    def add(x):
        return x + n
    return add
    ### END SOLUTION

def make_counter(start=0):
    ### BEGIN SOLUTION
    count = start
    def counter():
        nonlocal count
        count += 1
        return count
    return counter
    ### END SOLUTION

# %% mistake="one_counter_for_all"
count = 0

def make_adder(n):
    return lambda x: x + n

def make_counter(start=0):
    def counter():
        global count
        count += 1
        return count
    return counter

# %% mistake="returns_the_value"
def make_adder(n):
    def add(x):
        return x + n
    return add(n)

def make_counter(start=0):
    def counter():
        return start + 1
    return counter

# %% mistake="forgets_nonlocal"
def make_adder(n):
    def add(x):
        return x + n
    return add

def make_counter(start=0):
    count = start
    def counter():
        count += 1
        return count
    return counter

# %%
add_five = make_adder(5)
add_five(10)

# %% test="test_make_adder" points=1
adder = make_adder(3)
assert callable(adder), "make_adder must return a function"
assert adder(4) == 7
### BEGIN HIDDEN TESTS
assert [make_adder(n)(1) for n in range(3)] == [1, 2, 3]
assert make_adder("!")("hello") == "hello!"
assert list(map(make_adder(0.5), [1, 2])) == [1.5, 2.5]
### END HIDDEN TESTS

# %% test="test_make_counter" points=2
first, second = make_counter(), make_counter()
assert [first(), first(), first()] == [1, 2, 3]
assert second() == 1, "each counter counts for itself"
### BEGIN HIDDEN TESTS
assert make_counter(10)() == 11
assert first() == 4
### END HIDDEN TESTS

# %% [markdown]
# ## Generators
# `fibonacci()` yields 1, 1, 2, 3, 5, ... without end. `chunks(items, size)` yields lists of that size; the last one may
# be shorter. `running_mean()` is sent numbers and yields their mean so far.

# %% solution="generators"
def fibonacci():
    ### BEGIN SOLUTION
    a, b = 1, 1
    while True:
        yield a
        a, b = b, a + b
    ### END SOLUTION

def chunks(items, size):
    ### BEGIN SOLUTION
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
    ### END SOLUTION

def running_mean():
    ### BEGIN SOLUTION
    total, n, mean = 0, 0, None
    while True:
        total += yield mean
        n += 1
        mean = total / n
    ### END SOLUTION

# %% mistake="lists_instead"
def fibonacci():
    numbers = [1, 1]
    for _ in range(100):
        numbers.append(numbers[-1] + numbers[-2])
    return numbers

def chunks(items, size):
    items = list(items)
    return [items[i : i + size] for i in range(0, len(items), size)]

def running_mean():
    return 0

# %% mistake="drops_the_rest"
def fibonacci():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b

def chunks(items, size):
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []

def running_mean():
    numbers = []
    while True:
        numbers.append((yield sum(numbers) / len(numbers) if numbers else None))

# %% mistake="yields_the_same_list"
def fibonacci():
    a = b = 1
    while True:
        yield a
        a, b = b, a + b

def chunks(items, size):
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk.clear()
    if chunk:
        yield chunk

def running_mean():
    total = 0
    while True:
        total += yield total

# %%
for number in fibonacci():
    if number > 50:
        break
    print(number, end=" ")

# %% test="test_fibonacci" points=2
assert list(itertools.islice(fibonacci(), 8)) == [1, 1, 2, 3, 5, 8, 13, 21]
### BEGIN HIDDEN TESTS
numbers = fibonacci()
assert inspect.isgenerator(numbers), "fibonacci must be a generator"
assert next(itertools.dropwhile(lambda n: n < 1000, numbers)) == 1597
assert next(numbers) == 2584, "the generator goes on where it was"
### END HIDDEN TESTS

# %% test="test_chunks" points=2
assert list(chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
### BEGIN HIDDEN TESTS
assert list(chunks("abcdef", 3)) == [["a", "b", "c"], ["d", "e", "f"]]
assert list(chunks([], 3)) == []
assert next(iter(chunks(iter(range(10)), 4))) == [0, 1, 2, 3]
### END HIDDEN TESTS

# %% test="test_chunks_is_lazy" points=1
assert inspect.isgeneratorfunction(chunks)
taken = []

def watched():
    for n in range(100):
        taken.append(n)
        yield n

generator = chunks(watched(), 5)
assert taken == [], "nothing is taken before it is asked for"
assert next(generator) == [0, 1, 2, 3, 4]
assert len(taken) <= 6, f"{len(taken)} items were taken for a chunk of five"

# %% test="test_running_mean" points=1
mean = running_mean()
next(mean)
assert mean.send(10) == 10
assert mean.send(20) == 15
### BEGIN HIDDEN TESTS
assert mean.send(0) == 10
mean.close()
try:
    mean.send(1)
except StopIteration:
    pass
else:
    assert False
### END HIDDEN TESTS
