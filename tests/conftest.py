"""For all tests: TensorFlow logs at length, and only its own developers need to see it."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
