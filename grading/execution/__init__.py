"""One submission, run: its cells, then the questions, whatever dies on the way.

In: jobs, plain data. Out: `Executed`, stored by the content of all that it depends on; answers read with suspicion.
Called by `pipeline`; only `workers` knows Dask.
"""

__all__ = ["answers", "execute", "job", "store", "workers"]
