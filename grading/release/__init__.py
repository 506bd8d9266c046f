"""From a master to what students get.

In: `source/<assignment>/`. Out: `release/<assignment>/`, whole or not at all; ReleaseError names cell and mend.
Called by `authoring` and `cli`; nbgrader loads `preprocessors` by name (nbgrader_config.py).
"""

__all__ = ["build", "leaks", "markers", "preprocessors", "released", "twin", "wheel"]
