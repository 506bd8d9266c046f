# %% [markdown]
# # Functions of functions
# Decorators are functions that get a function and return another.

# %%
import functools

# %% solution="compose"
def compose(*functions):
    """Return a function that applies these from right to left; without any it returns its argument."""
    ### BEGIN SOLUTION
    def composed(x):
        for function in reversed(functions):
            x = function(x)
        return x
    return composed
    ### END SOLUTION

# %% mistake="left_to_right"
def compose(*functions):
    """Return a function that applies these from right to left; without any it returns its argument."""
    def composed(x):
        for function in functions:
            x = function(x)
        return x
    return composed

# %% mistake="two_only"
def compose(f, g):
    """Return a function that applies these from right to left; without any it returns its argument."""
    return lambda x: f(g(x))

# %% mistake="applies_at_once"
def compose(*functions):
    """Return a function that applies these from right to left; without any it returns its argument."""
    return functools.reduce(lambda f, g: f(g), functions)

# %%
compose(str, abs)(-5)

# %% test="test_compose" points=2
double = lambda x: 2 * x
increase = lambda x: x + 1
assert compose(double, increase)(5) == 12, "the right one comes first"
### BEGIN HIDDEN TESTS
assert compose(double, increase, double)(5) == 22
assert compose()("same") == "same"
assert compose(sorted, set, str.lower)("AbBa") == ["a", "b"]
assert list(map(compose(len, str), [7, 42])) == [1, 2]
### END HIDDEN TESTS

# %% solution="counted"
def counted(function):
    """A decorator: the function counts its calls in its attribute `calls`, and keeps its name and docstring."""
    ### BEGIN SOLUTION
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)
    wrapper.calls = 0
    return wrapper
    ### END SOLUTION

# %% mistake="without_wraps"
def counted(function):
    """A decorator: the function counts its calls in its attribute `calls`, and keeps its name and docstring."""
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)
    wrapper.calls = 0
    return wrapper

# %% mistake="forgets_to_return"
def counted(function):
    """A decorator: the function counts its calls in its attribute `calls`, and keeps its name and docstring."""
    @functools.wraps(function)
    def wrapper(*args):
        wrapper.calls += 1
        function(*args)
    wrapper.calls = 0
    return wrapper

# %% mistake="one_count_for_all"
calls = 0

def counted(function):
    """A decorator: the function counts its calls in its attribute `calls`, and keeps its name and docstring."""
    function.calls = 0

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        global calls
        calls += 1
        wrapper.calls = calls
        return function(*args, **kwargs)
    return wrapper

# %% test="test_counted" points=2
@counted
def add(a, b=1):
    """Add two numbers."""
    return a + b

assert add(1) == 2 and add(1, b=5) == 6
assert add.calls == 2
### BEGIN HIDDEN TESTS
other = counted(lambda: None)
assert other.calls == 0
other()
assert (other.calls, add.calls) == (1, 2)
### END HIDDEN TESTS

# %% test="test_counted_name" points=1
@counted
def greet(name):
    """Say hello."""
    return f"Hello {name}"

assert greet.__name__ == "greet", "functools.wraps keeps the name"
assert greet.__doc__ == "Say hello."

# %% solution="retry"
def retry(times, kinds=(Exception,)):
    """A decorator with arguments: calls again, `times` times at most, while exceptions of these kinds are raised."""
    ### BEGIN SOLUTION
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(times):
                try:
                    return function(*args, **kwargs)
                except tuple(kinds):
                    if attempt == times - 1:
                        raise
        return wrapper
    return decorate
    ### END SOLUTION

# %% mistake="once_more_than_asked"
def retry(times, kinds=(Exception,)):
    """A decorator with arguments: calls again, `times` times at most, while exceptions of these kinds are raised."""
    def decorate(function):
        def wrapper(*args, **kwargs):
            for _ in range(times):
                try:
                    return function(*args, **kwargs)
                except kinds:
                    pass
            return function(*args, **kwargs)
        return wrapper
    return decorate

# %% mistake="gives_up_with_none"
def retry(times, kinds=(Exception,)):
    """A decorator with arguments: calls again, `times` times at most, while exceptions of these kinds are raised."""
    def decorate(function):
        def wrapper(*args, **kwargs):
            for _ in range(times):
                try:
                    return function(*args, **kwargs)
                except Exception:
                    continue
        return wrapper
    return decorate

# %% mistake="no_outer_function"
def retry(function, times=3):
    """A decorator with arguments: calls again, `times` times at most, while exceptions of these kinds are raised."""
    def wrapper(*args, **kwargs):
        for attempt in range(times):
            try:
                return function(*args, **kwargs)
            except Exception:
                pass
    return wrapper

# %% test="test_retry" points=2
attempts = []

@retry(3)
def flaky():
    attempts.append(1)
    if len(attempts) < 3:
        raise OSError("try again")
    return "fine"

assert flaky() == "fine"
assert len(attempts) == 3
### BEGIN HIDDEN TESTS
attempts.clear()
assert retry(5)(lambda x: x * 2)(21) == 42
### END HIDDEN TESTS

# %% test="test_retry_gives_up" points=2
attempts = []

@retry(2, kinds=(KeyError,))
def never(key):
    attempts.append(key)
    raise KeyError(key)

try:
    never("a")
except KeyError as error:
    assert error.args == ("a",)
else:
    raise AssertionError("after the last attempt the exception comes through")
assert attempts == ["a", "a"], f"{len(attempts)} attempts"
### BEGIN HIDDEN TESTS
@retry(9, kinds=(KeyError,))
def wrong():
    attempts.append("wrong")
    raise TypeError

try:
    wrong()
except TypeError:
    pass
assert attempts.count("wrong") == 1, "other kinds are not tried again"
### END HIDDEN TESTS
