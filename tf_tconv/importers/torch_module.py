"""A `torch.nn.ConvTranspose2d` as a layer of ours."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tf_tconv.dialects import torch as dialect
from tf_tconv.geometry import a_type
from tf_tconv.importers.built_layer import DTYPES, built_layer
from tf_tconv.importers.comparison import difference
from tf_tconv.importers.torch_recording import Recorded, Unrunnable, record, run, same_weights
from tf_tconv.layers import Conv2DTranspose


def from_torch(
    module: Any,
    *,
    data_format: str = "channels_last",
    lowering: str = "auto",
    name: str | None = None,
    verify: bool = True,
) -> Conv2DTranspose:
    """A `torch.nn.ConvTranspose2d` as a layer of ours, built and with its weights.

    What torch computes of images `[batch, channels, height, width]`, the layer computes of the same
    images in its own layout. Cells that torch cuts off unevenly are the layer's explicit padding.

    The weights are those that a forward pass of the module would use now, in the mode it is in:
    `weight_norm`, `spectral_norm` (in training mode with its power iteration), pruning and other
    parametrizations are part of the kernel. Copies are run to learn it, and the module itself is
    left as it is. TorchScript of a `ConvTranspose2d`, scripted or traced, is read as well.

    Args:
        module: the module, on any device.
        data_format: "channels_last" or "channels_first", the layer's layout.
        lowering: the layer's: "auto", a name of `tf_tconv.lowerings.NAMES`, or "native".
        name: the layer's; `None` lets Keras choose.
        verify: whether to run module and layer on the same images, of two sizes, and to raise where
            they differ by more than rounding explains. With `False` the layer is the transposed
            convolution that `torch.nn.ConvTranspose2d` makes of the module's weights, whatever a
            `forward` of the module's own, or a hook, does around it.

    Returns:
        The layer, of the dtype of the weights.

    Raises:
        TypeError: `module` is another object, a quantized module, or of one or three axes.
        ValueError: another argument is out of range; the module has no weights yet, or none that
            are real floats; it computes something else than one transposed convolution, or fails.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> module = torch.nn.ConvTranspose2d(4, 6, 3, stride=2)  # doctest: +SKIP
        >>> layer = from_torch(module)  # doctest: +SKIP
        >>> tuple(layer.kernel.shape)  # doctest: +SKIP
        (3, 3, 6, 4)
    """
    dialect.check_module(module)
    _check_numbers(module)
    recorded = _recorded(module, own_forward=verify)
    dtype = _dtype(recorded.weight)
    operation = recorded.operation
    layer = built_layer(
        operation,
        dialect.from_weights(_array(recorded.weight), groups=operation.groups),
        None if recorded.bias is None else _array(recorded.bias),
        data_format=data_format,
        lowering=lowering,
        name=name,
        dtype=dtype,
    )
    if verify:
        try:
            differs = difference(layer, operation, lambda images: run(module, images))
        except Unrunnable as error:
            raise ValueError(_told(module, str(error))) from error
        except ValueError as error:
            warnings.warn(f"module and layer were not compared: {error}.", stacklevel=2)
            return layer
        if differs:
            raise ValueError(
                _told(module, f"and the layer made of its transposed convolution differ: {differs}")
            )
    return layer


def _recorded(module: Any, *, own_forward: bool) -> Recorded:
    """The transposed convolution of a forward pass."""
    images = np.ones((1, _channels(module), 4, 5))
    reason = "makes no transposed convolution of two axes in its forward pass"
    # A forward of its own may say the same in other operations: then the comparison tells.
    for own in dict.fromkeys((own_forward or dialect.is_scripted(module), False)):
        if not own and dialect.is_scripted(module):
            break
        try:
            calls, again = (record(module, images, own_forward=own, seed=seed) for seed in (0, 1))
        except Unrunnable as error:
            reason = str(error)
            continue
        if len(calls) == len(again) == 1:
            if not same_weights(calls[0], again[0]):
                raise ValueError(
                    "module makes its weights of random numbers, others in each forward pass; "
                    "module.eval() ends that where it is meant for training."
                )
            return calls[0]
        if calls:
            reason = f"makes {len(calls)} transposed convolutions in its forward pass"
    raise ValueError(_told(module, reason))


def _channels(module: Any) -> int:
    """The input channels, which a traced module tells by its weights alone."""
    if not dialect.is_scripted(module) or hasattr(module, "in_channels"):
        return int(module.in_channels)
    weights = [each for each in module.parameters() if each.ndim == 4]
    graph = module.inlined_graph  # Its nodes live as long as it does.
    for kind in ("aten::_convolution", "aten::convolution", "aten::conv_transpose2d"):
        for node in graph.findAllNodes(kind):
            # What torch.jit.freeze has made a constant of the graph.
            weights.append(list(node.inputs())[1].toIValue())
    channels = [each.shape[0] for each in weights if each is not None]
    if not channels:
        raise ValueError(
            "module is TorchScript in which no weights are found; give the module from before the "
            "script."
        )
    return int(channels[0])


def _check_numbers(module: Any) -> None:
    """One sentence for each kind of weights that can't be read."""
    from torch.nn.parameter import is_lazy

    numbers = dict([*module.named_parameters(), *module.named_buffers()])
    for name, tensor in numbers.items():
        if is_lazy(tensor):
            raise ValueError(
                f"module is {a_type(module)} whose {name} has no shape yet; call it on "
                "images once, which initializes it, and give it then."
            )
        if tensor.is_meta:
            raise ValueError(
                f'module has its {name} on the device "meta", which keeps shapes and no numbers; '
                'give the module after module.to_empty(device="cpu") and load_state_dict.'
            )
    weight = numbers.get("weight")
    if weight is not None:
        _dtype(weight)


def _dtype(weight: Any) -> str:
    name = str(weight.dtype).removeprefix("torch.")
    if name not in DTYPES:
        way = (
            "a complex one is two layers, of module.weight.real and module.weight.imag"
            if weight.is_complex()
            else "give module.float()"
        )
        raise ValueError(
            f"module has weights of dtype {name}; they must be {', '.join(DTYPES)}: {way}."
        )
    return name


def _array(tensor: Any) -> Any:
    """A tensor of torch as an array."""
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16 of its own; float32 holds all its values.
    return (tensor.float() if _dtype(tensor) == "bfloat16" else tensor).numpy()


def _told(module: Any, fault: str) -> str:
    """What is wrong with a module, what of it may be the cause, and the way out."""
    causes = ", ".join(dialect.additions(module))
    has = f" It has {causes}." if causes else ""
    way = (
        ""
        if dialect.is_scripted(module)
        else " verify=False takes the transposed convolution of its weights alone."
    )
    return f"module {fault}.{has}{way}"
