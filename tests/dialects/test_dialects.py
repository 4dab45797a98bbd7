"""Every dialect has the same functions, says what they take and give, and needs no framework."""

import inspect
import subprocess
import sys

import pytest

from tf_tconv import dialects
from tf_tconv.dialects import TransposedConvolution

MODULES = {name: getattr(dialects, name) for name in ("keras", "torch", "onnx", "jax", "tf_nn")}
FUNCTIONS = [
    (name, function)
    for name, module in MODULES.items()
    for function, value in vars(module).items()
    if inspect.isfunction(value)
    and value.__module__ == module.__name__
    and not function.startswith("_")
]


def test_all_dialects_are_here():
    modules = {name for name in dialects.__all__ if inspect.ismodule(getattr(dialects, name))}
    assert modules == set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_each_has_the_four_functions(name):
    operation = TransposedConvolution(kernel_size=3, strides=2, crops=((1, 1), (1, 1)))
    module = MODULES[name]
    assert module.to_arguments(operation, strict=True).exact
    assert callable(module.from_arguments)
    for function in (module.from_weights, module.to_weights):
        assert "groups" in inspect.signature(function).parameters


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_docstrings_are_whole(name, function):
    function = getattr(MODULES[name], function)
    text = inspect.getdoc(function)
    for section in ("Args:", "Returns:", "Raises:", "Example:"):
        assert section in text, f"{name}.{function.__name__} lacks {section}"
    for parameter in inspect.signature(function).parameters:
        assert f"{parameter}:" in text, f"{name}.{function.__name__} does not explain {parameter}"


@pytest.mark.slow
def test_no_framework_is_imported():
    program = (
        "import sys; import keras, tensorflow; before = set(sys.modules)\n"  # They look for jax.
        "import tf_tconv; from tf_tconv import dialects\n"
        "operation = dialects.torch.from_arguments(kernel_size=3, stride=2)\n"
        "for name in ('torch', 'onnx', 'jax'): getattr(dialects, name).to_arguments(operation)\n"
        "print(sorted({'torch', 'onnx', 'jax'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
