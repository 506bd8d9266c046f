"""Starts the kernel inside the sandbox. Standard library and ipykernel only; runs before any student code.

Called as `python kernel.py CONNECTION_FILE SETTINGS`, where SETTINGS is JSON: seed, tasks, file_bytes.
"""

import importlib.abc
import importlib.util
import json
import random
import resource
import sys
from types import ModuleType


class SeedOnImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Seeds NumPy and TensorFlow at the moment when they are first imported: importing them here costs seconds."""

    def __init__(self, seed):
        self.seed = seed
        self.waiting = {"numpy": self._numpy, "tensorflow": self._tensorflow}
        self.loaders = {}

    def find_spec(self, name, path=None, target=None):
        if name not in self.waiting:
            return None
        seeding = self.waiting.pop(name)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        self.loaders[name] = (spec.loader, seeding)
        spec.loader = self
        return spec

    def create_module(self, spec):
        return self.loaders[spec.name][0].create_module(spec)

    def exec_module(self, module: ModuleType):
        loader, seeding = self.loaders[module.__name__]
        module.__loader__ = module.__spec__.loader = loader
        loader.exec_module(module)
        seeding(module)

    def _numpy(self, numpy):
        numpy.random.seed(self.seed)

    def _tensorflow(self, tensorflow):
        tensorflow.random.set_seed(self.seed)


def limit(kind, value):
    """Lower a limit for good: without capabilities it cannot be raised again."""
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def main():
    connection_file, settings = sys.argv[1], json.loads(sys.argv[2])
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, settings["file_bytes"])
    if settings["tasks"]:
        limit(resource.RLIMIT_NPROC, settings["tasks"])
    random.seed(settings["seed"])
    sys.meta_path.insert(0, SeedOnImport(settings["seed"]))
    # The working directory instead of this file's folder, as in any kernel, but after the course's library: a file
    # called helpers.py that was handed in, too, must not stand in for it.
    sys.path[:2] = [sys.path[1], ""]
    sys.argv = ["kernel", "-f", connection_file, "--HistoryManager.enabled=False"]
    sys.modules["debugpy"] = None  # nobody steps through cells here, and its import is a fifth of the start
    from ipykernel import kernelapp

    del sys.modules["debugpy"]
    kernelapp.launch_new_instance()


if __name__ == "__main__":
    main()
