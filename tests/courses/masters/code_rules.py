# %% [markdown]
# # Not everything is allowed
# In these exercises it matters how a function is written: tests read its source, its signature and its docstring.

# %%
import ast
import inspect
import textwrap

# %% locked="rules"
def uses(function, kind):
    """Return whether a function's source has a node of this kind of syntax."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, kind) for node in ast.walk(tree))

def calls(function):
    """Return the names of all functions that are called in a function's source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

# %% solution="total"
def total(numbers):
    """Return the sum of a list of numbers, without a loop and without sum: recursively."""
    ### BEGIN SOLUTION
    return numbers[0] + total(numbers[1:]) if numbers else 0
    ### END SOLUTION

# %% mistake="a_loop"
def total(numbers):
    """Return the sum of a list of numbers, without a loop and without sum: recursively."""
    result = 0
    for number in numbers:
        result += number
    return result

# %% mistake="sum"
def total(numbers):
    """Return the sum of a list of numbers, without a loop and without sum: recursively."""
    return sum(numbers)

# %% mistake="a_lambda"
total = lambda numbers: numbers[0] + total(numbers[1:]) if numbers else 0

# %% mistake="built_in"
total = sum

# %%
total([1, 2, 3])

# %% test="test_total" points=1
assert total([1, 2, 3]) == 6
assert total([]) == 0
### BEGIN HIDDEN TESTS
assert total([0.5, 0.25]) == 0.75
### END HIDDEN TESTS

# %% test="test_total_rules" points=2
assert not uses(total, (ast.For, ast.While)), "no loop, please"
assert "sum" not in calls(total)
### BEGIN HIDDEN TESTS
assert "total" in calls(total), "total must call itself"
### END HIDDEN TESTS

# %% [markdown]
# ## A signature
# `area(width, height=1.0, *, unit="m")` returns a text such as `"6.0 m²"`. It has annotations for everything and a
# docstring.

# %% solution="area"
### BEGIN SOLUTION
def area(width: float, height: float = 1.0, *, unit: str = "m") -> str:
    """Return the area of a rectangle as text."""
    return f"{float(width * height)} {unit}²"
### END SOLUTION

# %% mistake="no_annotations"
def area(width, height=1.0, *, unit="m"):
    """Return the area of a rectangle as text."""
    return f"{float(width * height)} {unit}²"

# %% mistake="unit_by_position"
def area(width: float, height: float = 1.0, unit: str = "m") -> str:
    return f"{float(width * height)} {unit}²"

# %% mistake="comment_for_docstring"
def area(width: float, height: float = 1, *, unit: str = "m"):
    # Return the area of a rectangle as text.
    return str(float(width * height)) + " " + unit + "²"

# %% test="test_area" points=1
assert area(2, 3) == "6.0 m²"
assert area(2, unit="cm") == "2.0 cm²"

# %% test="test_signature" points=2
signature = inspect.signature(area)
assert list(signature.parameters) == ["width", "height", "unit"]
assert signature.parameters["unit"].kind is inspect.Parameter.KEYWORD_ONLY, "unit is given by name only"
### BEGIN HIDDEN TESTS
assert signature.parameters["height"].default == 1.0
assert signature.parameters["width"].default is inspect.Parameter.empty
try:
    area(1, 2, "km")
except TypeError:
    pass
else:
    assert False, "unit must not be given by position"
### END HIDDEN TESTS

# %% test="test_documentation" points=2
assert area.__doc__, "write a docstring"
assert len(inspect.getdoc(area).split()) >= 4
### BEGIN HIDDEN TESTS
assert area.__annotations__ == {"width": float, "height": float, "unit": str, "return": str}
assert inspect.signature(area).return_annotation is str
### END HIDDEN TESTS

# %% solution="apply_twice"
def apply_twice(f, *args, **kwargs):
    """Return f of f of the arguments; keyword arguments go to both calls."""
    ### BEGIN SOLUTION
    return f(f(*args, **kwargs), **kwargs)
    ### END SOLUTION

# %% mistake="once"
def apply_twice(f, *args, **kwargs):
    """Return f of f of the arguments; keyword arguments go to both calls."""
    return f(*args, **kwargs)

# %% mistake="drops_keywords"
def apply_twice(f, *args, **kwargs):
    """Return f of f of the arguments; keyword arguments go to both calls."""
    return f(f(*args))

# %% test="test_apply_twice" points=2
assert apply_twice(lambda x: x + 3, 4) == 10
### BEGIN HIDDEN TESTS
assert apply_twice(lambda text, end="": text + end, "a", end="!") == "a!!"
assert inspect.getfullargspec(apply_twice).varkw == "kwargs"
assert apply_twice.__name__ == "apply_twice" and apply_twice.__module__ == "__main__"
### END HIDDEN TESTS
