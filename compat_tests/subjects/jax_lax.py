"""JAX: the general convolution with a dilated input, and `jax.lax.conv_transpose` on top of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from compat_tests.cases.case import FIRST_ORDER, SECOND_ORDER, Case, Part
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array, Pair
from compat_tests.subjects.calling import from_layout, to_layout
from compat_tests.subjects.numpy_types import numpy_dtype
from compat_tests.subjects.subject import Absent, Answer, Inexpressible, Script, Subject

VARIANTS = ("conv_general_dilated", "conv_transpose")

JAX_SAMPLE = 300
"""Legal cases for a subject that JAX compiles, which takes about a sixth of a second a case."""

JAX_ENVIRONMENT = {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
"""Both are read once, when JAX is loaded; without the first there is no float64."""


class Jax(Subject):
    """JAX's functions.

    Attributes:
        variant: the function's name in `jax.lax`.
    """

    def __init__(self, variant: str = "conv_general_dilated") -> None:
        """Takes the variant.

        Raises:
            ValueError: if there is no such variant.
        """
        if variant not in VARIANTS:
            raise ValueError(f"jax has no variant {variant!r}; there are {', '.join(VARIANTS)}")
        self.variant = variant

    @property
    def name(self) -> str:
        """The name that `resolve` knows it by."""
        return "jax" if self.variant == "conv_general_dilated" else f"jax:{self.variant}"

    @property
    def sample(self) -> int | None:
        """JAX compiles every case."""
        return JAX_SAMPLE

    def environment(self) -> Mapping[str, str]:
        """With float64, and on the processor."""
        return JAX_ENVIRONMENT

    def describe(self) -> dict[str, str]:
        """Versions and settings."""
        jax = jax_module()
        return {
            "implementation": f"jax.lax.{self.variant}",
            "jax": str(jax.__version__),
            "numpy": np.__version__,
            "platform": str(jax.default_backend()),
            "float64": "on" if jax.config.jax_enable_x64 else "off",
        }

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case; gradients by `jax.vjp`."""
        refuse_run_time_shape(case)
        function = getattr(jax_module().lax, self.variant)
        arguments = self._arguments(case)

        def call(x: Any, w: Any) -> Any:
            return function(x, self._filters(case, w), **arguments)

        return differentiate(call, case, inputs)

    def script(self, case: Case) -> Script | None:
        """The call as source text."""
        if case.gradients == SECOND_ORDER:
            return None
        try:
            refuse_run_time_shape(case)
            arguments = self._arguments(case)
        except Inexpressible:
            return None
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        moved = case.data_format == "NCHW"
        image, last = ("jnp.moveaxis(x, 3, 1)", "jnp.moveaxis({}, 1, 3)") if moved else ("x", "{}")
        filters = "w"
        if self.variant == "conv_general_dilated":
            filters = "w[::-1, ::-1]"
            if case.groups != 1:
                split, joined = _grouped_shapes(case)
                filters += f".reshape{split}.swapaxes(2, 3).reshape{joined}"
        call = last.format(f"jax.lax.{self.variant}({image}, {filters}, {given})")
        return jax_script("import jax, jax.numpy as jnp", call, case)

    def _arguments(self, case: Case) -> dict[str, Any]:
        """What to call the function with beside input and filters."""
        around = (_around_dilated_input(case, 0), _around_dilated_input(case, 1))
        layouts = (case.data_format, "HWOI", case.data_format)
        if self.variant == "conv_general_dilated":
            return {
                "window_strides": (1, 1),
                "padding": around,
                "lhs_dilation": case.strides,
                "rhs_dilation": case.dilations,
                "dimension_numbers": layouts,
                "feature_group_count": case.groups,
            }
        if case.groups != 1:
            raise Inexpressible("jax.lax.conv_transpose has no groups")
        by_name = isinstance(case.padding, str) and _is_of_default_size(case)
        return {
            "strides": case.strides,
            "padding": case.padding if by_name else around,
            "rhs_dilation": case.dilations,
            # The filters are those of the forward convolution, whose input is this one's output.
            "dimension_numbers": (case.data_format, "HWIO", case.data_format),
            "transpose_kernel": True,
        }

    def _filters(self, case: Case, w: Any) -> Any:
        """The filters as the function takes them, from `[kh, kw, out / groups, in]`."""
        if self.variant == "conv_transpose":
            return w
        split, joined = _grouped_shapes(case)
        return w[::-1, ::-1].reshape(split).swapaxes(2, 3).reshape(joined)


def _around_dilated_input(case: Case, axis: int) -> Pair:
    """What is padded before and after the input once zeros lie between its pixels.

    Negative where it is to be cropped instead.
    """
    size, stride = case.input[axis], case.strides[axis]
    before, _ = case.pads(axis)
    dilated = (size - 1) * stride + 1 if size else 0
    lead = (case.kernel[axis] - 1) * case.dilations[axis] - before
    return lead, case.output_size[axis] - dilated + before


def _is_of_default_size(case: Case) -> bool:
    """Whether the output has the size that JAX, like Keras, gives it for padding by name."""
    return case.output_size == replace(case, output=None).output_size


def _grouped_shapes(case: Case) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of the filters with their groups apart, and with the groups in line in the output.

    Between the two the axes 2 and 3 change places.
    """
    height, width, group_out, inner = case.filters_shape
    group_in = inner // case.groups
    split = (height, width, group_out, case.groups, group_in)
    return split, (height, width, case.out_channels, group_in)


def differentiate(function: Callable[[Any, Any], Any], case: Case, inputs: Inputs) -> Answer:
    """Calls a function of JAX's arrays, with gradients, compiled as one program.

    Args:
        function: takes the input in the case's layout and the filters as in TensorFlow.
        case: a legal call.
        inputs: what to call it on, channels last.

    Returns:
        An array for each of `case.parts`; an output of the wrong shape comes alone.
    """
    jax = jax_module()
    names = tuple(part for part in FIRST_ORDER if part in case.gradients)

    def of_type(array: Array) -> Array:
        return array.astype(numpy_dtype(case.dtype))

    def image(array: Array) -> Array:
        return of_type(to_layout(array, case.data_format))

    def program(x: Any, w: Any, g: Any, u: Any, v: Any) -> dict[Part, Any]:
        everything = {"dx": x, "dw": w}

        def forward(sources: dict[str, Any]) -> Any:
            return function(*(everything | sources).values())

        y, pullback = jax.vjp(forward, {name: everything[name] for name in names})
        answer: dict[Part, Any] = {"y": y}
        if not names or y.shape != g.shape:
            return answer
        if case.gradients != SECOND_ORDER:
            return answer | pullback(g)[0]

        def gradients(g: Any, x: Any, w: Any) -> Any:
            return jax.vjp(function, x, w)[1](g)

        first, second_pullback = jax.vjp(gradients, g, x, w)
        found = (*first, *second_pullback((u, v)))
        return answer | dict(zip(SECOND_ORDER, found, strict=True))

    x, g, u = image(inputs.x), image(inputs.g), image(inputs.u)
    found = jax.jit(program)(x, of_type(inputs.w), g, u, of_type(inputs.v))
    answer: Answer = {}
    for name, value in found.items():
        array = np.asarray(value)
        answer[name] = array if name in ("dw", "ddw") else from_layout(array, case.data_format)
    return answer


def refuse_run_time_shape(case: Case) -> None:
    """Refuses a size known only at run time, as every shape is part of what JAX compiles.

    Raises:
        Inexpressible: if the case's output_shape is known only at run time.
    """
    if "output_shape" in case.unknown:
        raise Inexpressible("JAX compiles for known sizes; this one is known only at run time")


def jax_script(imports: str, call: str, case: Case) -> Script:
    """A call of JAX's arrays as source text.

    Args:
        imports: statements on one line, `jax` and `jnp` among what they import.
        call: an expression of `x` and `w`.
        case: a legal call.

    Returns:
        The script; it switches float64 on where the case needs it.
    """
    if case.dtype == "float64":
        imports = f"import os; os.environ['JAX_ENABLE_X64'] = '1'; {imports}"
    name = "float16" if case.dtype == "half" else case.dtype
    return Script(
        imports=imports,
        call=call,
        tensor=f"jnp.asarray({{}}, jnp.{name})",
        array="np.asarray({})",
        gradients="jax.vjp(f, x, w)[1](g)",
    )


def jax_module() -> Any:
    """The jax module, loaded when first asked for.

    Raises:
        Absent: if it is not installed.
    """
    try:
        return importlib.import_module("jax")
    except ModuleNotFoundError as error:
        raise Absent("jax is not installed") from error
