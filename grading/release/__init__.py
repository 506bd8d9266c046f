"""From a master to what students get.

In: `source/<assignment>/`, a master and what lies beside it.
Out: `release/<assignment>/`, whole or not at all; ReleaseError names cell and mend.
Called by `pipeline`, `authoring` and `cli`; nbgrader loads `preprocessors` by name (nbgrader_config.py).
Way: 1 a master becomes a release
"""

__all__ = ["beside", "build", "leaks", "markers", "masters", "preprocessors", "released", "steps", "twin", "wheel"]
