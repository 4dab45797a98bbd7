"""`torch.nn.functional.conv_transpose2d`: by itself, and without padding, its output cropped."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from compat_tests.cases.case import FIRST_ORDER, SECOND_ORDER, Case
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array, Pair
from compat_tests.subjects.calling import from_layout, to_layout
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.subject import Absent, Answer, Inexpressible, Script, Subject

VARIANTS = ("padded", "cropped")


class PyTorch(Subject):
    """PyTorch's function.

    Attributes:
        variant: "padded", one call with torch's own padding and output padding; "cropped", a call
            without either, its output extended by `torch.nn.functional.pad` and sliced.
    """

    def __init__(self, variant: str = "padded") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        if variant not in VARIANTS:
            raise ValueError(f"torch has no variant {variant!r}; there are {', '.join(VARIANTS)}")
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "torch" if self.variant == "padded" else f"torch:{self.variant}"

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        torch = torch_module()
        cropped = ", unpadded and cropped" if self.variant == "cropped" else ""
        return {
            "implementation": f"torch.nn.functional.conv_transpose2d{cropped}",
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "oneDNN": "on" if torch.backends.mkldnn.is_available() else "off",
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case; gradients by `torch.autograd.grad`."""
        arguments = self._arguments(case)
        functional = torch_module().nn.functional
        last, beyond = case.data_format == "NHWC", _beyond(case)

        def call(x: Any, w: Any) -> Any:
            image = x.permute(0, 3, 1, 2) if last else x
            weight = w.permute(3, 2, 0, 1).contiguous()
            y = functional.conv_transpose2d(image, weight, **arguments)
            if self.variant == "cropped":
                (top, bottom), (left, right) = _window(case)
                y = functional.pad(y, beyond) if any(beyond) else y
                y = y[:, :, top:bottom, left:right]
            return y.permute(0, 2, 3, 1) if last else y

        return differentiate(call, case, inputs)

    def script(self, case: Case) -> Script | None:
        """The call as source text."""
        if case.gradients == SECOND_ORDER:
            return None
        try:
            arguments = self._arguments(case)
        except Inexpressible:
            return None
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        image = "x.permute(0, 3, 1, 2)"
        if case.data_format == "NCHW":
            image += ".contiguous()"
        call = f"F.conv_transpose2d({image}, w.permute(3, 2, 0, 1).contiguous(), {given})"
        if self.variant == "cropped":
            (top, bottom), (left, right) = _window(case)
            call = f"F.pad({call}, {_beyond(case)})" if any(_beyond(case)) else call
            call += f"[:, :, {top}:{bottom}, {left}:{right}]"
        return torch_script(
            "import torch, torch.nn.functional as F", f"{call}.permute(0, 2, 3, 1)", case
        )

    def _arguments(self, case: Case) -> dict[str, Any]:
        """What to call the function with beside input and weight."""
        arguments: dict[str, Any] = {"stride": case.strides}
        if self.variant == "padded":
            arguments |= _alike_on_both_sides(case)
        return {**arguments, "groups": case.groups, "dilation": case.dilations}


def _alike_on_both_sides(case: Case) -> dict[str, Any]:
    """Padding and output padding of each axis, in torch's words.

    Raises:
        Inexpressible: if the case pads more after an axis than before it.
    """
    pads = (case.pads(0), case.pads(1))
    output_padding = tuple(before - after for before, after in pads)
    if min(output_padding) < 0:
        raise Inexpressible("torch pads both sides alike: it can pad less at the end, but not more")
    return {"padding": tuple(before for before, _ in pads), "output_padding": output_padding}


def _window(case: Case) -> tuple[Pair, Pair]:
    """The rows and the columns of the unpadded output between which the case's output lies."""
    (top, _), (left, _) = case.pads(0), case.pads(1)
    height, width = case.output_size
    return (top, top + height), (left, left + width)


def _beyond(case: Case) -> tuple[int, int, int, int]:
    """How far that goes beyond the unpadded output, in the order of torch's `pad`."""
    (_, bottom), (_, right) = case.pads(0), case.pads(1)
    return 0, max(-right, 0), 0, max(-bottom, 0)


def differentiate(function: Callable[[Any, Any], Any], case: Case, inputs: Inputs) -> Answer:
    """Calls a function of torch's tensors, and asks autograd for the gradients.

    Only what the case asks for requires a gradient.

    Args:
        function: takes the input in the case's layout and the filters as in TensorFlow.
        case: a legal call.
        inputs: what to call it on, channels last.

    Returns:
        An array for each of `case.parts`; an output of the wrong shape comes alone.
    """
    torch = torch_module()
    dtype = getattr(torch, _dtype_name(case))

    def image(array: Array) -> Any:
        return torch.tensor(to_layout(array, case.data_format), dtype=dtype)

    x, w = image(inputs.x), torch.tensor(inputs.w, dtype=dtype)
    second = case.gradients == SECOND_ORDER
    names = tuple(part for part in FIRST_ORDER if part in case.gradients)
    sources = [x if name == "dx" else w for name in names]
    for source in sources:
        source.requires_grad_()
    y = function(x, w)
    answer: Answer = {"y": from_layout(_to_numpy(y), case.data_format)}
    if not case.gradients or answer["y"].shape != case.output_shape:
        return answer
    g = image(inputs.g).requires_grad_(second)
    found = torch.autograd.grad(y, sources, g, create_graph=second)
    if second:
        u, v = image(inputs.u), torch.tensor(inputs.v, dtype=dtype)
        names = SECOND_ORDER
        found += torch.autograd.grad(found, (g, x, w), (u, v))
    for name, gradient in zip(names, found, strict=True):
        array = _to_numpy(gradient)
        answer[name] = array if name in ("dw", "ddw") else from_layout(array, case.data_format)
    return answer


def torch_script(imports: str, call: str, case: Case) -> Script:
    """A call of torch's tensors as source text.

    Args:
        imports: statements on one line, `torch` among what they import.
        call: an expression of `x` and `w`.
        case: a legal call.

    Returns:
        The script; bfloat16, which torch can't exchange with NumPy, goes by way of float32.
    """
    tensor, array = "{}", "{}.detach().numpy()"
    if case.dtype == "bfloat16":
        tensor, array = "{}.astype('float32')", "{}.detach().float().numpy().astype('bfloat16')"
    return Script(
        imports=imports,
        call=call,
        tensor=f"torch.tensor({tensor}, dtype=torch.{_dtype_name(case)})",
        array=array,
        gradients="torch.autograd.functional.vjp(f, (x, w), g)[1]",
    )


def torch_module() -> Any:
    """The torch module, loaded when first asked for.

    Raises:
        Absent: if it is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError as error:
        raise Absent("torch is not installed") from error


def _dtype_name(case: Case) -> str:
    """Torch's name for the type of a case."""
    return "float16" if case.dtype == "half" else case.dtype


def _to_numpy(tensor: Any) -> Array:
    """The tensor as an array of its type; torch knows no NumPy type for its bfloat16."""
    tensor = tensor.detach()
    if tensor.dtype == torch_module().bfloat16:
        array: Array = tensor.float().numpy().astype(numpy_dtype("bfloat16"))
        return array
    array = tensor.numpy()
    return array
