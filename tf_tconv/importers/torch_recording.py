"""Running a module of torch without changing it, and what it hands to torch's convolution.

A module's `weight` need not be what its forward pass computes with: hooks of `weight_norm` and
`spectral_norm` set it before each call, parametrizations compute it, subclasses scale it. So a copy
is run, and the arguments are read where torch's dispatcher receives them.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.dialects import torch as dialect
from tf_tconv.dialects.operation import TransposedConvolution
from tf_tconv.geometry import brief

SCHEMAS = ("aten::convolution", "aten::_convolution", "aten::conv_transpose2d")


@dataclass(frozen=True)
class Recorded:
    """A transposed convolution of two axes, as torch was asked for it.

    Args:
        weight: its tensor, `[in, out/groups, height, width]`.
        bias: its tensor, or `None`.
        arguments: stride, padding, output_padding, dilation and groups.
    """

    weight: Any
    bias: Any
    arguments: dict[str, Any]

    @property
    def operation(self) -> TransposedConvolution:
        """What it performs."""
        channels, group_out, *kernel_size = self.weight.shape
        return dialect.from_arguments(
            **self.arguments,
            kernel_size=kernel_size,
            bias=self.bias is not None,
            in_channels=channels,
            out_channels=group_out * self.arguments["groups"],
        )


def record(module: Any, images: NDArray[Any], *, own_forward: bool) -> list[Recorded]:
    """The transposed convolutions of two axes that one forward pass of a copy makes.

    Args:
        module: the module, which is left as it is.
        images: what to run the copy on, `[batch, channels, height, width]`.
        own_forward: whether to call the module's `forward`, or the one of
            `torch.nn.ConvTranspose2d` in its place.

    Raises:
        ValueError: the module can't be copied, or fails before a transposed convolution.
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    calls: list[Recorded] = []

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            calls.extend(_transposed_convolutions(function, args, kwargs or {}))
            return function(*args, **(kwargs or {}))

    try:
        _run(module, images, own_forward=own_forward, mode=Recorder())
    except Unrunnable:
        # The arguments are known, however small the images were for what follows.
        if not calls:
            raise
    return calls


def run(module: Any, images: NDArray[Any]) -> NDArray[Any]:
    """What a forward pass of a copy makes of images, as float64.

    Args:
        module: the module, which is left as it is.
        images: `[batch, channels, height, width]`.

    Raises:
        ValueError: the module can't be copied, fails, or returns something else than a tensor.
    """
    import torch

    result = _run(module, images, own_forward=True, mode=contextlib.nullcontext())
    if not isinstance(result, torch.Tensor):
        raise Unrunnable(f"returns a {type(result).__name__} instead of a tensor")
    array: NDArray[Any] = result.detach().cpu().double().numpy()
    return array


class Unrunnable(ValueError):
    """Why a module can't be run; the message goes on from the word "module"."""


def _run(module: Any, images: NDArray[Any], *, own_forward: bool, mode: Any) -> Any:
    import torch

    numbers = [*module.parameters(), *module.buffers()]
    dtype = next((each.dtype for each in numbers if each.is_floating_point()), torch.float32)
    with (
        _left_as_it_is(module),
        torch.random.fork_rng(devices=[]),
        torch.no_grad(),
        torch.autocast("cpu", enabled=False),
    ):
        twin = _copied(module)
        if not own_forward:
            twin.forward = torch.nn.ConvTranspose2d.forward.__get__(twin)
        if any(each.device.type != "cpu" for each in numbers):
            twin = twin.cpu()
        x = torch.from_numpy(np.ascontiguousarray(images)).to(dtype)
        try:
            with mode:
                return twin(x)
        except Exception as error:  # Whatever a stranger's hook or forward raises.
            raise Unrunnable(
                f"fails on images of shape {tuple(images.shape)}: {type(error).__name__}: "
                f"{brief(str(error).strip(), 300)}"
            ) from error


def _copied(module: Any) -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    class LeavesOnly(TorchFunctionMode):
        """Copies what the hook of `weight_norm` left on a module, which torch refuses to copy."""

        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if function is torch.Tensor.__deepcopy__ and not args[0].is_leaf:
                tensor, memo = args
                if id(tensor) not in memo:
                    memo[id(tensor)] = tensor.detach().clone()
                return memo[id(tensor)]
            return function(*args, **(kwargs or {}))

    try:
        with LeavesOnly():
            return copy.deepcopy(module)
    except Exception as error:  # Whatever its attributes raise when they are copied.
        raise Unrunnable(
            f"can't be copied, and is not run itself, since that may change it: "
            f"{type(error).__name__}: {brief(str(error).strip(), 300)}"
        ) from error


@contextlib.contextmanager
def _left_as_it_is(module: Any) -> Iterator[None]:
    """Puts back what a function changes that holds on to the module itself, not to the copy."""
    tensors = [(each, each.detach().clone()) for each in (*module.parameters(), *module.buffers())]
    attributes = [(part, dict(vars(part))) for part in module.modules()]
    try:
        yield
    finally:
        for part, before in attributes:
            now = vars(part)
            if now.keys() != before.keys() or any(now[key] is not before[key] for key in before):
                now.clear()
                now.update(before)
        for tensor, before in tensors:
            # Bits are compared, as a number that is none differs from itself.
            if not _same_bits(tensor, before):
                tensor.data.copy_(before)


def _same_bits(a: Any, b: Any) -> bool:
    same = a.detach() == b
    if a.is_floating_point() or a.is_complex():
        same = same | ((a != a) & (b != b))
    return bool(same.all())


def _transposed_convolutions(
    function: Any, args: Any, kwargs: dict[str, Any]
) -> Iterator[Recorded]:
    """The call as a record, if it is one of a transposed convolution of two axes."""
    schema = getattr(function, "_schema", None)
    if schema is None or schema.name not in SCHEMAS:
        return
    given = {each.name: each.default_value for each in schema.arguments}
    given.update(zip((each.name for each in schema.arguments), args, strict=False), **kwargs)
    if given.get("transposed", True) and given["weight"].ndim == 4:
        names = ("stride", "padding", "output_padding", "dilation", "groups")
        weight, bias = given["weight"], given["bias"]
        yield Recorded(
            # A later step of the forward pass may write into them.
            weight.detach().clone(),
            None if bias is None else bias.detach().clone(),
            {name: given[name] for name in names},
        )
