"""Modules of torch that compute with another kernel than the one they hold, or something else."""

import io
import threading
import types

import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, pad
from torch.nn.utils import parametrizations, parametrize, prune

ARGUMENTS = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
CHANNELS = 4


def plain(kind=nn.ConvTranspose2d, **arguments):
    torch.manual_seed(0)
    return kind(CHANNELS, 6, **{**ARGUMENTS, **arguments})


def loaded(module):
    """The module with another state, as a checkpoint gives it, and not called since."""
    torch.manual_seed(1)
    state = {
        name: torch.randn_like(value) if value.is_floating_point() else value
        for name, value in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module


def called(module):
    module(torch.ones(1, CHANNELS, 3, 3))
    return module


def with_pre_hook(hook, module=None):
    module = module or plain()
    module.register_forward_pre_hook(hook)
    return module


def with_hook(hook):
    module = plain()
    module.register_forward_hook(hook)
    return module


def halves_the_weight(module, inputs):
    module.weight.data.mul_(0.5)


def closure_over_the_weight():
    module = plain()
    return with_pre_hook(lambda _, inputs: halves_the_weight(module, inputs), module)


class Squared(nn.Module):
    def forward(self, weight):
        return weight * weight


def squared(name):
    module = plain()
    parametrize.register_parametrization(module, name, Squared())
    return module


def patched(change, module=None):
    module = module or plain()
    before = module.forward
    module.forward = lambda x: change(before(x))
    return module


def patched_method():
    module = plain()
    module.forward = types.MethodType(
        lambda self, x: nn.ConvTranspose2d.forward(self, x) + 1, module
    )
    return module


def with_lock():
    module = loaded(parametrizations.spectral_norm(plain()))
    module.lock = threading.Lock()
    return module


class Scaled(nn.ConvTranspose2d):
    """Equalized learning rate: the weights are scaled when they are used."""

    def forward(self, x):
        return conv_transpose2d(x, self.weight * 0.3, self.bias, self.stride, self.padding)


class WithoutBias(nn.ConvTranspose2d):
    def forward(self, x):
        return conv_transpose2d(x, self.weight, None, self.stride)


class OfAConvolution(nn.ConvTranspose2d):
    def forward(self, x):
        return conv2d(pad(x, (2, 2, 2, 2)), self.weight.flip(2, 3).transpose(0, 1), self.bias)


class Doubling(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x, output_size=[2 * cells for cells in x.shape[2:]])


class UnlikePaddings(nn.ConvTranspose2d):
    def _output_padding(self, *args, **kwargs):
        return [1, 0]


class Rectified(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x).relu()


class Cropped(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x)[:, :, :-1, :-1]


class Rolled(nn.ConvTranspose2d):
    def forward(self, x):
        return torch.roll(super().forward(x), 1, 2)


class Mirrored(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x.flip(3)).flip(3)


class Twice(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x) + super().forward(x)


class OfTwoInputs(nn.ConvTranspose2d):
    def forward(self, x, skip):
        return super().forward(x, output_size=skip.shape[2:])


class OfTwoOutputs(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x), 1


class PaddingByParity(nn.ConvTranspose2d):
    def _output_padding(self, x, *args, **kwargs):
        return [x.shape[2] % 2, 0]


class DroppingOut(nn.ConvTranspose2d):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.5, self.training)


def traced(module):
    return torch.jit.trace(module, torch.ones(1, CHANNELS, 3, 3))


def saved(script):
    file = io.BytesIO()
    torch.jit.save(script, file)
    file.seek(0)
    return torch.jit.load(file)


def in_inference_mode():
    with torch.inference_mode():
        return plain()


def rounding_reference():
    quantization = {
        "qscheme": torch.per_tensor_affine,
        "dtype": torch.quint8,
        "scale": torch.tensor(0.01),
        "zero_point": torch.tensor(100),
    }
    return torch.ao.nn.quantized.reference.ConvTranspose2d.from_float(plain(), quantization)


def of_integers():
    module = plain(bias=False)
    weight = torch.ones(CHANNELS, 6, 3, 3, dtype=torch.int32)
    module.weight = nn.Parameter(weight, requires_grad=False)
    return module


READ = {
    **{
        f"weight_norm, dim={dim}": lambda dim=dim: loaded(nn.utils.weight_norm(plain(), dim=dim))
        for dim in (0, 1, 2, None)
    },
    "weight_norm, called before": lambda: loaded(called(nn.utils.weight_norm(plain()))),
    "weight_norm, removed": lambda: nn.utils.remove_weight_norm(
        loaded(nn.utils.weight_norm(plain()))
    ),
    "weight_norm, bfloat16": lambda: loaded(nn.utils.weight_norm(plain()).bfloat16()),
    "spectral_norm, training": lambda: loaded(nn.utils.spectral_norm(plain())),
    "spectral_norm, evaluation": lambda: loaded(nn.utils.spectral_norm(plain())).eval(),
    "spectral_norm, three iterations": lambda: loaded(
        called(nn.utils.spectral_norm(plain(), n_power_iterations=3))
    ),
    "spectral_norm, float16": lambda: loaded(nn.utils.spectral_norm(plain())).half(),
    "weight_norm, parametrized": lambda: loaded(parametrizations.weight_norm(plain())),
    "spectral_norm, parametrized": lambda: loaded(parametrizations.spectral_norm(plain())),
    "spectral_norm, parametrized, evaluation": lambda: loaded(
        parametrizations.spectral_norm(plain())
    ).eval(),
    "orthogonal": lambda: parametrizations.orthogonal(plain()),
    "pruned": lambda: prune.l1_unstructured(plain(), "weight", 0.4),
    "pruned bias": lambda: prune.random_unstructured(
        prune.ln_structured(plain(), "weight", 0.4, 2, 1), "bias", 0.5
    ),
    "parametrization": lambda: squared("weight"),
    "parametrized bias": lambda: squared("bias"),
    "pre-hook sets weight": lambda: with_pre_hook(halves_the_weight),
    "pre-hook sets weight by a closure": closure_over_the_weight,
    "hook that looks": lambda: with_hook(lambda module, inputs, outputs: None),
    "patched, the same": lambda: patched(
        lambda y: y, loaded(parametrizations.spectral_norm(plain()))
    ),
    "holds a lock": with_lock,
    "forward scales weights": lambda: plain(Scaled),
    "forward leaves the bias": lambda: plain(WithoutBias),
    "forward convolves": lambda: OfAConvolution(CHANNELS, 6, 3),
    "forward asks for a size": lambda: plain(Doubling, output_padding=0),
    "output padding of its own": lambda: plain(UnlikePaddings, output_padding=0),
    "no dropout in evaluation": lambda: plain(DroppingOut).eval(),
    "bfloat16": lambda: plain().bfloat16(),
    "float64": lambda: plain().double(),
    "frozen": lambda: plain().requires_grad_(False),
    "made in inference mode": in_inference_mode,
    "channels last": lambda: plain().to(memory_format=torch.channels_last),
    "scripted": lambda: torch.jit.script(plain()),
    "traced": lambda: traced(plain()),
    "traced, saved, loaded": lambda: saved(traced(plain())),
    "traced parametrization": lambda: traced(parametrizations.weight_norm(plain())),
    "scripted, frozen": lambda: torch.jit.freeze(torch.jit.script(plain().eval())),
    "traced, frozen": lambda: torch.jit.freeze(traced(plain().eval())),
    "scripted part": lambda: torch.jit.script(nn.Sequential(plain()))[0],
    "quantization's reference": rounding_reference,
    "cuts off more than there is": lambda: nn.ConvTranspose2d(CHANNELS, 6, 1, padding=5),
}

DIFFER = "and the layer made of its transposed convolution differ: on images of shape"
REFUSED = {
    "pre-hook scales inputs": (
        lambda: with_pre_hook(lambda module, inputs: (inputs[0] * 2,)),
        ValueError,
        f"{DIFFER}.*It has a forward pre-hook. verify=False takes",
    ),
    "hook": (
        lambda: with_hook(lambda module, inputs, outputs: outputs.relu()),
        ValueError,
        f"{DIFFER}.*It has a forward hook",
    ),
    "rectified": (
        lambda: plain(Rectified),
        ValueError,
        f"{DIFFER}.*the forward of class Rectified",
    ),
    "cropped": (lambda: plain(Cropped), ValueError, r"shapes are \(6, .*\) and \(6, .*\)\. It has"),
    "rolled": (lambda: plain(Rolled), ValueError, DIFFER),
    "mirrored": (lambda: plain(Mirrored, padding=0), ValueError, DIFFER),
    "twice": (lambda: plain(Twice), ValueError, DIFFER),
    "two inputs": (lambda: plain(OfTwoInputs), ValueError, "fails on images of shape .*'skip'"),
    "two outputs": (lambda: plain(OfTwoOutputs), ValueError, "returns a tuple instead of a tensor"),
    "padding by parity": (
        lambda: plain(PaddingByParity, output_padding=0),
        ValueError,
        "the _output_padding of class PaddingByParity",
    ),
    "dropout": (lambda: plain(DroppingOut), ValueError, DIFFER),
    "patched": (lambda: patched(lambda y: y * 2), ValueError, f"{DIFFER}.*a forward of its own"),
    "patched method": (patched_method, ValueError, f"{DIFFER}.*a forward of its own"),
    "meta": (
        lambda: plain(device="meta"),
        ValueError,
        'its weight on the device "meta", which keeps shapes and no numbers; give the module after',
    ),
    "lazy": (
        lambda: nn.LazyConvTranspose2d(6, 3),
        ValueError,
        "a LazyConvTranspose2d whose weight has no shape yet; call it on images once",
    ),
    "complex": (
        lambda: plain().to(torch.complex64),
        ValueError,
        "weights of dtype complex64; .*: a complex one is two layers",
    ),
    "integers": (of_integers, ValueError, r"weights of dtype int32; .*: give module\.float"),
    "float8": (lambda: plain().to(torch.float8_e4m3fn), ValueError, "weights of dtype float8_e4m3"),
    "one axis": (
        lambda: nn.ConvTranspose1d(4, 6, 3),
        TypeError,
        "of type ConvTranspose1d; .* of one and of three axes are not supported yet",
    ),
    "three axes": (
        lambda: nn.ConvTranspose3d(4, 6, 3),
        TypeError,
        "of type ConvTranspose3d; .* of one and of three axes are not supported yet",
    ),
    "quantized": (
        lambda: torch.ao.nn.quantized.ConvTranspose2d(4, 6, 3),
        TypeError,
        r"of type quantized ConvTranspose2d; .* weight is module\.weight\(\)\.dequantize\(\)",
    ),
    "dynamically quantized": (
        lambda: torch.ao.nn.quantized.dynamic.ConvTranspose2d(4, 6, 3),
        TypeError,
        "of type quantized ConvTranspose2d",
    ),
    "scripted container": (
        lambda: torch.jit.script(nn.Sequential(plain())),
        TypeError,
        "of type TorchScript of Sequential; .* Give that module of it which is one",
    ),
    "container": (
        lambda: nn.Sequential(plain()),
        TypeError,
        "of type Sequential; .* Give the ConvTranspose2d inside it",
    ),
    "data-parallel": (lambda: nn.DataParallel(plain()), TypeError, r"Give module\.module"),
    "compiled": (lambda: torch.compile(plain()), TypeError, r"give module\._orig_mod"),
    "another": (
        lambda: nn.Conv2d(2, 3, 3),
        TypeError,
        r"module is of type Conv2d; it must be a torch\.nn\.ConvTranspose2d\.$",
    ),
}
"""What makes the module, the error and what it says."""

WITHOUT_COMPARISON = ["pre-hook scales inputs", "rectified", "cropped", "two inputs", "dropout"]
"""Of the refused, those that verify=False reads: the weights alone."""
