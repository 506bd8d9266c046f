# %% [markdown]
# # Waiting for many things at once
# A notebook may `await` at the top of a cell.

# %%
import asyncio
import inspect
import time

# %% locked="services"
async def fetch(name, seconds=0.05):
    """Pretend to ask a server."""
    await asyncio.sleep(seconds)
    if name == "down":
        raise ConnectionError(name)
    return name.upper()

# %% solution="fetch_all"
async def fetch_all(names):
    """Fetch all names at the same time; return the answers in their order."""
    ### BEGIN SOLUTION
    return list(await asyncio.gather(*(fetch(name) for name in names)))
    ### END SOLUTION

# %% mistake="one_after_another"
async def fetch_all(names):
    """Fetch all names at the same time; return the answers in their order."""
    return [await fetch(name) for name in names]

# %% mistake="forgets_to_await" deserves={"test_fetch_all_at_once": 2} because="Python's warning about a coroutine that was never awaited goes to stderr, which stock takes for a failure"
async def fetch_all(names):
    """Fetch all names at the same time; return the answers in their order."""
    return [fetch(name) for name in names]

# %% mistake="not_a_coroutine"
def fetch_all(names):
    """Fetch all names at the same time; return the answers in their order."""
    return [name.upper() for name in names]

# %% mistake="as_they_come"
async def fetch_all(names):
    """Fetch all names at the same time; return the answers in their order."""
    answers = []
    for answer in asyncio.as_completed([fetch(name, 0.2 / (n + 1)) for n, name in enumerate(names)]):
        answers.append(await answer)
    return answers

# %%
await fetch_all(["a", "b"])

# %% test="test_fetch_all" points=2
answers = await fetch_all(["x", "y", "z"])
assert answers == ["X", "Y", "Z"], answers
### BEGIN HIDDEN TESTS
assert inspect.iscoroutinefunction(fetch_all)
assert await fetch_all([]) == []
### END HIDDEN TESTS

# %% test="test_fetch_all_at_once" points=2
start = time.perf_counter()
await fetch_all([str(n) for n in range(20)])
taken = time.perf_counter() - start
assert taken < 0.5, f"20 answers took {taken:.2f} seconds: one after another?"

# %% solution="first_answer"
async def with_default(waiting, seconds, default):
    """Await what is given, but for so many seconds at most: then return the default."""
    ### BEGIN SOLUTION
    try:
        return await asyncio.wait_for(waiting, seconds)
    except (asyncio.TimeoutError, ConnectionError):
        return default
    ### END SOLUTION

# %% mistake="waits_for_ever"
async def with_default(waiting, seconds, default):
    """Await what is given, but for so many seconds at most: then return the default."""
    return await waiting or default

# %% mistake="returns_the_coroutine"
async def with_default(waiting, seconds, default):
    """Await what is given, but for so many seconds at most: then return the default."""
    return asyncio.wait_for(waiting, seconds)

# %% mistake="catches_nothing"
async def with_default(waiting, seconds, default):
    """Await what is given, but for so many seconds at most: then return the default."""
    return await asyncio.wait_for(waiting, seconds)

# %% test="test_with_default" points=2 tags=["beside-student"]
# A coroutine of the test's own is passed in.
assert await with_default(fetch("quick"), 5, "nothing") == "QUICK"
assert await with_default(fetch("slow", 1), 0.05, "nothing") == "nothing"
### BEGIN HIDDEN TESTS
assert await with_default(fetch("down"), 5, None) is None
### END HIDDEN TESTS

# %% solution="countdown"
async def countdown(n, pause=0.01):
    """Yield n, n - 1, ..., 1 with pauses between."""
    ### BEGIN SOLUTION
    while n > 0:
        yield n
        n -= 1
        await asyncio.sleep(pause)
    ### END SOLUTION

# %% mistake="until_zero"
async def countdown(n, pause=0.01):
    """Yield n, n - 1, ..., 1 with pauses between."""
    for i in range(n, -1, -1):
        yield i
        await asyncio.sleep(pause)

# %% mistake="a_plain_generator"
def countdown(n, pause=0.01):
    """Yield n, n - 1, ..., 1 with pauses between."""
    for i in range(n, 0, -1):
        yield i
        time.sleep(pause)

# %% test="test_countdown" points=2
numbers = [number async for number in countdown(3)]
assert numbers == [3, 2, 1], numbers
### BEGIN HIDDEN TESTS
generator = countdown(2)
assert await anext(generator) == 2
assert [number async for number in generator] == [1]
### END HIDDEN TESTS
