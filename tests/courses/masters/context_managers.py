# %% [markdown]
# # With
# What is begun with `with` is ended whatever happens.

# %%
import contextlib

# %% locked="resource"
class Resource:
    """Something that must be closed."""

    def __init__(self):
        self.events = []

    def open(self):
        self.events.append("open")

    def close(self):
        self.events.append("close")

# %% solution="opened"
class Opened:
    """A context manager: opens a resource on entering, gives it, and closes it on leaving, whatever happens."""
    ### BEGIN SOLUTION
    def __init__(self, resource):
        self.resource = resource

    def __enter__(self):
        self.resource.open()
        return self.resource

    def __exit__(self, kind, error, trace):
        self.resource.close()
        return False
    ### END SOLUTION

# %% mistake="gives_itself"
class Opened:
    """A context manager: opens a resource on entering, gives it, and closes it on leaving, whatever happens."""
    def __init__(self, resource):
        self.resource = resource

    def __enter__(self):
        self.resource.open()
        return self

    def __exit__(self, *_):
        self.resource.close()

# %% mistake="swallows_errors"
class Opened:
    """A context manager: opens a resource on entering, gives it, and closes it on leaving, whatever happens."""
    def __init__(self, resource):
        self.resource = resource

    def __enter__(self):
        self.resource.open()
        return self.resource

    def __exit__(self, kind, error, trace):
        self.resource.close()
        return True

# %% mistake="not_closed_after_errors"
class Opened:
    """A context manager: opens a resource on entering, gives it, and closes it on leaving, whatever happens."""
    def __init__(self, resource):
        self.resource = resource
        self.resource.open()

    def __enter__(self):
        return self.resource

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.resource.close()

# %%
with Opened(Resource()) as resource:
    print(resource.events)

# %% test="test_opened" points=2
resource = Resource()
with Opened(resource) as given:
    assert given is resource, "as gives the resource itself"
    assert resource.events == ["open"]
assert resource.events == ["open", "close"], resource.events

# %% test="test_opened_errors" points=2
resource = Resource()
try:
    with Opened(resource):
        raise KeyError("inside")
except KeyError:
    pass
else:
    raise AssertionError("the error must come through")
assert resource.events[-1] == "close"
### BEGIN HIDDEN TESTS
manager = Opened(Resource())
assert manager.resource.events == [], "nothing is opened before with"
### END HIDDEN TESTS

# %% [markdown]
# ## With a generator
# `temporarily(dictionary, key, value)` sets a key, and puts back what was there (or removes it). `quietly(*kinds)` ends
# silently if an exception of these kinds is raised inside.

# %% solution="generators"
@contextlib.contextmanager
def temporarily(dictionary, key, value):
    ### BEGIN SOLUTION
    missing = object()
    before = dictionary.get(key, missing)
    dictionary[key] = value
    try:
        yield dictionary
    finally:
        if before is missing:
            del dictionary[key]
        else:
            dictionary[key] = before
    ### END SOLUTION

@contextlib.contextmanager
def quietly(*kinds):
    ### BEGIN SOLUTION
    try:
        yield
    except kinds:
        pass
    ### END SOLUTION

# %% mistake="without_try"
@contextlib.contextmanager
def temporarily(dictionary, key, value):
    before = dictionary.get(key)
    dictionary[key] = value
    yield dictionary
    dictionary[key] = before

@contextlib.contextmanager
def quietly(*kinds):
    try:
        yield
    except Exception:
        pass

# %% mistake="a_copy_of_the_dictionary"
@contextlib.contextmanager
def temporarily(dictionary, key, value):
    yield {**dictionary, key: value}

@contextlib.contextmanager
def quietly(*kinds):
    yield

# %% mistake="forgets_yield"
@contextlib.contextmanager
def temporarily(dictionary, key, value):
    dictionary[key] = value
    return dictionary

@contextlib.contextmanager
def quietly(*kinds):
    with contextlib.suppress(*kinds):
        yield

# %% test="test_temporarily" points=2
settings = {"colour": "red"}
with temporarily(settings, "colour", "blue"):
    assert settings["colour"] == "blue"
assert settings == {"colour": "red"}
### BEGIN HIDDEN TESTS
with contextlib.suppress(ValueError), temporarily(settings, "size", 3) as inside:
    assert inside is settings and settings["size"] == 3
    raise ValueError
assert "size" not in settings, settings
### END HIDDEN TESTS

# %% test="test_quietly" points=2
reached = False
with quietly(ZeroDivisionError, KeyError):
    1 / 0
    reached = True
assert not reached
### BEGIN HIDDEN TESTS
try:
    with quietly(KeyError):
        raise TypeError("not quiet")
except TypeError as error:
    assert error.args == ("not quiet",)
else:
    assert False, "only the kinds that were given are silent"
### END HIDDEN TESTS
