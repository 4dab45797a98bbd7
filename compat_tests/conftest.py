"""Settings that must precede the import of TensorFlow and NumPy."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The oracle's products are small: threads that share the processors with other tests only wait.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
