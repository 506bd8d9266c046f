# %% [markdown]
# # Exceptions
# Errors that say what happened, for those who catch them.

# %%
import pytest

# %% [markdown]
# ## Your own exceptions
# `ConfigError` is a `ValueError`; it is made with a `key` and a `reason`, keeps both as attributes, and its text is
# `"key: reason"`. `MissingKey` is a `ConfigError` whose reason is always `missing`.

# %% solution="own_exceptions"
### BEGIN SOLUTION
class ConfigError(ValueError):
    def __init__(self, key, reason):
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason

class MissingKey(ConfigError):
    def __init__(self, key):
        super().__init__(key, "missing")
### END SOLUTION

# %% mistake="derives_from_exception"
class ConfigError(Exception):
    def __init__(self, key, reason):
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason

class MissingKey(ConfigError):
    def __init__(self, key):
        super().__init__(key, "missing")

# %% mistake="forgets_the_text"
class ConfigError(ValueError):
    def __init__(self, key, reason):
        self.key = key
        self.reason = reason

class MissingKey(ConfigError):
    def __init__(self, key):
        super().__init__(key, "missing")

# %% mistake="two_families"
class ConfigError(ValueError):
    def __init__(self, key, reason):
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason

class MissingKey(KeyError):
    def __init__(self, key):
        super().__init__(key)
        self.key = key

# %% test="test_own_exceptions" points=2
error = ConfigError("port", "not a number")
assert isinstance(error, ValueError)
assert (error.key, error.reason) == ("port", "not a number")
assert str(error) == "port: not a number"

# %% test="test_hierarchy" points=1
assert issubclass(MissingKey, ConfigError)
assert issubclass(ConfigError, Exception)
### BEGIN HIDDEN TESTS
try:
    raise MissingKey("host")
except ConfigError as error:
    assert error.reason == "missing"
    assert repr(str(error)) == "'host: missing'"
### END HIDDEN TESTS

# %% [markdown]
# ## Raising and chaining
# `read_port(config)` returns the port as an `int`. Without one it raises `MissingKey`; if it is no number, `ConfigError`,
# raised `from` the `ValueError` that was the cause; ports outside of 1 to 65535 raise a plain `ConfigError`.

# %% solution="read_port"
def read_port(config):
    """Return config["port"] as an int."""
    ### BEGIN SOLUTION
    if "port" not in config:
        raise MissingKey("port")
    try:
        port = int(config["port"])
    except ValueError as error:
        raise ConfigError("port", "not a number") from error
    if not 1 <= port <= 65535:
        raise ConfigError("port", "out of range")
    return port
    ### END SOLUTION

# %% mistake="returns_none_on_errors"
def read_port(config):
    """Return config["port"] as an int."""
    try:
        return int(config["port"])
    except (KeyError, ValueError):
        return None

# %% mistake="no_chain"
def read_port(config):
    """Return config["port"] as an int."""
    if "port" not in config:
        raise MissingKey("port")
    try:
        port = int(config["port"])
    except ValueError:
        raise ConfigError("port", "not a number") from None
    if port < 1 or port > 65535:
        raise ConfigError("port", "out of range")
    return port

# %% mistake="a_key_error_escapes"
def read_port(config):
    """Return config["port"] as an int."""
    try:
        port = int(config["port"])
    except ValueError as error:
        raise ConfigError("port", "not a number") from error
    if port not in range(1, 65535):
        raise ConfigError("port", "out of range")
    return port

# %% mistake="returns_the_error"
def read_port(config):
    """Return config["port"] as an int."""
    if "port" not in config:
        return MissingKey("port")
    if not str(config["port"]).isdigit():
        return ConfigError("port", "not a number")
    return int(config["port"])

# %%
read_port({"port": "8080"})

# %% test="test_read_port" points=1
assert read_port({"port": "80"}) == 80
assert read_port({"port": 65535}) == 65535

# %% test="test_missing_port" points=1
with pytest.raises(MissingKey) as caught:
    read_port({})
assert caught.value.key == "port"
### BEGIN HIDDEN TESTS
with pytest.raises(ConfigError, match="missing"):
    read_port({"host": "example.org"})
### END HIDDEN TESTS

# %% test="test_bad_port" points=2
try:
    read_port({"port": "eighty"})
except ConfigError as error:
    assert isinstance(error.__cause__, ValueError), "raise it from the ValueError"
    assert not isinstance(error, MissingKey)
    ### BEGIN HIDDEN TESTS
    assert "eighty" in str(error.__cause__)
    ### END HIDDEN TESTS
else:
    raise AssertionError("'eighty' is no port")
for port in (0, 65536, -1):
    with pytest.raises(ConfigError, match="range"):
        read_port({"port": port})

# %% [markdown]
# ## Cleaning up
# `attempt(action, log)` calls `action()`. It returns what that returns, appends `"ok"` or the name of the exception's
# class to the log, in any case `"done"` after that, and lets exceptions through.

# %% solution="attempt"
def attempt(action, log):
    """Call action, and keep a log."""
    ### BEGIN SOLUTION
    try:
        result = action()
    except Exception as error:
        log.append(type(error).__name__)
        raise
    else:
        log.append("ok")
        return result
    finally:
        log.append("done")
    ### END SOLUTION

# %% mistake="swallows_the_error"
def attempt(action, log):
    """Call action, and keep a log."""
    try:
        result = action()
        log.append("ok")
        return result
    except Exception as error:
        log.append(type(error).__name__)
    finally:
        log.append("done")

# %% mistake="raises_another"
def attempt(action, log):
    """Call action, and keep a log."""
    try:
        result = action()
    except Exception as error:
        log.append(type(error).__name__)
        log.append("done")
        raise RuntimeError("action failed")
    log.append("ok")
    log.append("done")
    return result

# %% test="test_attempt" points=1
log = []
assert attempt(lambda: 42, log) == 42
assert log == ["ok", "done"]

# %% test="test_attempt_fails" points=2
log = []
with pytest.raises(ZeroDivisionError):
    attempt(lambda: 1 / 0, log)
assert log == ["ZeroDivisionError", "done"], log
### BEGIN HIDDEN TESTS
class Odd(Exception):
    """Made in the test: its name must be in the log."""

problem = Odd("keep me")

def action():
    raise problem

with pytest.raises(Odd) as caught:
    attempt(action, log := [])
assert caught.value is problem, "the very same exception comes through"
assert log == ["Odd", "done"]
### END HIDDEN TESTS
