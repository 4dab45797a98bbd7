"""The documentation inside the code: examples run, and public names say what they take and give."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import tf_tconv

MODULES = ["tf_tconv", *(m.name for m in pkgutil.walk_packages(tf_tconv.__path__, "tf_tconv."))]
CALLABLE = [name for name in tf_tconv.__all__ if callable(getattr(tf_tconv, name))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


@pytest.mark.parametrize("name", CALLABLE)
def test_public_docstrings_are_whole(name):
    thing = getattr(tf_tconv, name)
    text = inspect.getdoc(thing)
    wanted = ["Args:", "Example:"]
    if inspect.isfunction(thing):
        wanted += ["Returns:", "Raises:"]
    for section in wanted:
        assert section in text, f"{name} lacks {section}"
    for parameter in inspect.signature(thing).parameters.values():
        star = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        assert f"{star}{parameter.name}:" in text, f"{name} does not explain {parameter.name}"


def test_public_names():
    assert set(tf_tconv.__all__) == {
        "AxisGeometry",
        "Conv2DTranspose",
        "SparseMatrix",
        "Trace",
        "autotune",
        "checkerboard",
        "conv2d_transpose",
        "conversion",
        "convert_model",
        "convolution_matrix",
        "dialects",
        "from_onnx",
        "from_onnx_all",
        "from_torch",
        "legal_output_sizes",
        "lowerings",
        "plan",
        "trace",
        "transpose_geometry",
    }
