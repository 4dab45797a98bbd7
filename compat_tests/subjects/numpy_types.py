"""NumPy's types for the types of cases."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from compat_tests.cases.case import Dtype


def numpy_dtype(name: Dtype) -> np.dtype[Any]:
    """NumPy's type for a TensorFlow name; NumPy gets bfloat16 from `ml_dtypes`."""
    if name == "bfloat16":
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    return np.dtype("float16" if name == "half" else name)
