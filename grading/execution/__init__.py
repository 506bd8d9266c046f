"""One submission, run, whatever dies on the way; only `cluster` knows Dask.

In: jobs, plain data.
Out: `Executed`, stored by the content of all that it depends on; answers read with suspicion.
Called by `pipeline`, `authoring`, `pages`, `service` and `cli` (which keep the workers) and nbgrader's plug-ins.
Way: 5 what is not stored is run, here or on many machines
"""

__all__ = ["ahead", "answers", "cluster", "execute", "job", "local_workers", "store", "workers"]
