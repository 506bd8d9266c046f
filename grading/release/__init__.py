"""From a master to what students get.

In: `source/<assignment>/`, masters and what lies beside them.
Out: `release/<assignment>/`, whole or not at all; ReleaseError names cell and mend. In memory the same notebooks
(`released`), and those from which tests are taken (`autotests`).
Called by `pipeline`, `authoring` and `cli`; nbgrader loads `preprocessors` by name (`steps`, in nbgrader_config.py).
Way: 1 a master becomes a release
"""

__all__ = [
    "autotests",
    "beside",
    "build",
    "leaks",
    "markers",
    "masters",
    "preprocessors",
    "released",
    "steps",
    "twin",
    "wheel",
]
