"""Running a module of torch without changing it, and what it hands to torch's convolution.

A module's `weight` need not be what its forward pass computes with: hooks of `weight_norm` and
`spectral_norm` set it before each call, parametrizations compute it, subclasses scale it. So a copy
is run, and the arguments are read where torch's dispatcher receives them.
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tf_tconv.dialects import torch as dialect
from tf_tconv.geometry import a_type, brief
from tf_tconv.operation import TransposedConvolution

Array = NDArray[Any]

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


def record(module: Any, images: Array, *, own_forward: bool, seed: int = 0) -> list[Recorded]:
    """The transposed convolutions of two axes that one forward pass makes.

    Args:
        module: the module, which is left as it is.
        images: what to run it on, `[batch, channels, height, width]`.
        own_forward: whether to call the module's `forward`, or the one of
            `torch.nn.ConvTranspose2d` in its place.
        seed: of the random numbers that it may draw.

    Raises:
        Unrunnable: it fails before a transposed convolution.
    """
    result, calls = _run(module, images, own_forward=own_forward, seed=seed)
    # The arguments are known, however small the images were for what follows.
    if isinstance(result, Unrunnable) and not calls:
        raise result
    return calls


def same_weights(one: Recorded, other: Recorded) -> bool:
    """Whether two records are of the same numbers."""
    pairs = ((one.weight, other.weight), (one.bias, other.bias))
    return all(
        b is None if a is None else b is not None and a.shape == b.shape and _same_bits(a, b)
        for a, b in pairs
    )


def run(module: Any, images: Array) -> Array:
    """What a forward pass makes of images, as float64.

    Args:
        module: the module, which is left as it is.
        images: `[batch, channels, height, width]`.

    Raises:
        Unrunnable: it fails, or returns something else than a tensor.
    """
    import torch

    result, _ = _run(module, images, own_forward=True)
    if isinstance(result, Unrunnable):
        raise result
    if not isinstance(result, torch.Tensor):
        raise Unrunnable(f"returns {a_type(result)} instead of a tensor")
    array: Array = result.detach().cpu().double().numpy()
    return array


class Unrunnable(ValueError):
    """Why a module can't be run; the message goes on from the word "module"."""


def _run(
    module: Any, images: Array, *, own_forward: bool, seed: int = 0
) -> tuple[Any, list[Recorded]]:
    """What a copy returns, or an `Unrunnable`, and its transposed convolutions.

    The module itself is run, and put back, where it can't be copied, or where a function reaches
    for it by a closure, so that a copy tells nothing.
    """
    with warnings.catch_warnings():
        # What a module's own code warns of, it says when the user runs it.
        warnings.simplefilter("ignore")
        twin = _copied(module)
        if twin is not None:
            with _left_as_it_is(module) as touched:
                outcome = _attempt(twin.cpu(), images, own_forward, seed)
            if not touched:
                return outcome
        with _left_as_it_is(module):
            return _attempt(module, images, own_forward, seed)


def _attempt(
    module: Any, images: Array, own_forward: bool, seed: int
) -> tuple[Any, list[Recorded]]:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    calls: list[Recorded] = []

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            calls.extend(_transposed_convolutions(function, args, kwargs or {}))
            return function(*args, **(kwargs or {}))

    if not own_forward:
        module.forward = torch.nn.ConvTranspose2d.forward.__get__(module)
    numbers = [*module.parameters(), *module.buffers()]
    device = next((each.device for each in numbers), torch.device("cpu"))
    dtype = next((each.dtype for each in numbers if each.is_floating_point()), torch.float32)
    x = torch.from_numpy(np.ascontiguousarray(images)).to(device, dtype)
    try:
        with (
            torch.random.fork_rng(devices=[]),
            torch.no_grad(),
            torch.autocast(device.type, enabled=False),
            Recorder(),
        ):
            torch.default_generator.manual_seed(seed)
            return module(x), calls
    except Exception as error:  # Whatever a stranger's hook or forward raises.
        failed = Unrunnable(
            f"fails on images of shape {tuple(images.shape)}: {type(error).__name__}: "
            f"{brief(str(error).strip(), 300)}"
        )
        failed.__cause__ = error
        return failed, calls


def _copied(module: Any) -> Any:
    """A copy, or `None` where an attribute, such as a lock, has none."""
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
    except Exception:  # Whatever its attributes raise when they are copied.
        return None


@contextlib.contextmanager
def _left_as_it_is(module: Any) -> Iterator[list[str]]:
    """Puts back what is changed of a module, and lists it."""
    tensors = [(each, each.detach().clone()) for each in (*module.parameters(), *module.buffers())]
    holders = [vars(part) for part in module.modules()]
    holders += [part.get(name) for part in list(holders) for name in ("_parameters", "_buffers")]
    # TorchScript keeps something else under these names.
    attributes = [(holder, dict(holder)) for holder in holders if isinstance(holder, dict)]
    changed: list[str] = []
    try:
        yield changed
    finally:
        for holder, before in attributes:
            keys = [key for key in {**holder, **before} if holder.get(key) is not before.get(key)]
            if keys:
                changed += keys
                holder.clear()
                holder.update(before)
        for tensor, before in tensors:
            if not _same_bits(tensor, before):
                changed.append("values")
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
