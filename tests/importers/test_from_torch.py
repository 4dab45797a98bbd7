"""Layers made from torch's modules compute what the modules do, which are left as they are."""

import copy
import doctest
import importlib
import warnings

import numpy as np
import pytest
from integers import ramp

import tf_tconv

ARGUMENTS = [
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False},
    {"kernel_size": (3, 5), "stride": (2, 1), "padding": (0, 3), "dilation": (1, 2), "groups": 2},
    {"kernel_size": 2, "stride": 3, "dilation": 4, "output_padding": 3},
    {"kernel_size": 1, "stride": (2, 3), "groups": 4},
]


def images(layout, y):
    """A result of ours as torch has it."""
    return np.asarray(y).transpose(0, 3, 1, 2) if layout == "channels_last" else np.asarray(y)


def in_layout(layout, x):
    return x.transpose(0, 2, 3, 1) if layout == "channels_last" else x


def samples():
    """The tables of modules, which are made of torch."""
    return importlib.import_module("torch_samples")


def sample_names(table):
    """Their names; where torch is missing, one that is skipped."""
    try:
        return list(getattr(samples(), table))
    except ImportError:
        return ["torch"]


def made(make):
    """A module, in the silence of what torch deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def state(module):
    """All that reading a module must not change."""
    torch = importlib.import_module("torch")
    numbers = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    weight = vars(module).get("weight")
    if isinstance(weight, torch.Tensor):
        numbers["the plain attribute"] = weight
    kept = {name: value.detach().double().numpy().copy() for name, value in numbers.items()}
    hooks = {name: len(value) for name, value in vars(module).items() if name.endswith("_hooks")}
    return kept, (getattr(module, "training", None), hooks, torch.get_rng_state().tolist())


def assert_same_state(module, before):
    after = state(module)
    assert after[1] == before[1]
    assert after[0].keys() == before[0].keys()
    for name, value in before[0].items():
        np.testing.assert_array_equal(after[0][name], value, name)


def assert_computes(layer, module):
    """The layer gives what the module gives, in the dtype of its weights."""
    torch = importlib.import_module("torch")
    dtype = getattr(torch, layer.compute_dtype)
    x = ramp(2, layer.kernel.shape[3], 12, 11)
    with torch.no_grad():
        expected = module(torch.tensor(x).to(dtype)).double().numpy()
    y = layer(in_layout(layer.data_format, x).astype("float32"))
    # Half the digits: sums rounded in another order keep them, another kernel does not.
    spacing = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-23, "float64": 2**-52}
    np.testing.assert_allclose(
        images(layer.data_format, y).astype(np.float64),
        expected,
        rtol=0,
        atol=spacing[layer.compute_dtype] ** 0.5 * np.abs(expected).max(),
    )


@pytest.mark.peers("torch")
class TestTorch:
    @pytest.fixture
    def torch(self):
        return importlib.import_module("torch")

    def module(self, torch, dtype=None, **arguments):
        module = torch.nn.ConvTranspose2d(4, 8, **arguments)
        with torch.no_grad():
            for seed, weights in enumerate(module.parameters()):
                weights.copy_(torch.tensor(ramp(*weights.shape, seed=seed)))
        return module.to(dtype or torch.float32)

    @pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
    @pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
    def test_gives_what_the_module_gives(self, torch, arguments, layout):
        module = self.module(torch, **arguments)
        x = ramp(2, 4, 5, 3).astype(np.float32)
        with torch.no_grad():
            expected = module(torch.tensor(x)).numpy()
        layer = tf_tconv.from_torch(module, data_format=layout, name="up")
        assert isinstance(layer, tf_tconv.Conv2DTranspose)
        assert (layer.built, layer.name, layer.data_format) == (True, "up", layout)
        np.testing.assert_array_equal(images(layout, layer(in_layout(layout, x))), expected)

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
    def test_dtype(self, torch, dtype):
        module = self.module(torch, getattr(torch, dtype), kernel_size=3)
        layer = tf_tconv.from_torch(module, lowering="native")
        assert (layer.dtype_policy.name, layer.lowering) == (dtype, "native")
        weights = module.weight.detach().double().numpy()
        np.testing.assert_array_equal(
            np.asarray(layer.kernel).astype(np.float64), weights.transpose(2, 3, 1, 0)
        )

    def test_the_module_keeps_its_weights_to_itself(self, torch):
        module = self.module(torch, kernel_size=3)
        layer = tf_tconv.from_torch(module)
        before = layer.get_weights()[0].copy()
        with torch.no_grad():
            module.weight.zero_()
        np.testing.assert_array_equal(layer.get_weights()[0], before)

    def test_other_modules_are_refused(self, torch):
        with pytest.raises(
            TypeError, match=r"module is of type Conv2d; it must be a torch\.nn\.ConvTra"
        ):
            tf_tconv.from_torch(torch.nn.Conv2d(2, 3, 3))

    @pytest.mark.parametrize("name", sample_names("READ"))
    def test_reads_the_kernel_of_a_forward_pass(self, torch, name):
        module = made(samples().READ[name])
        before = state(module)
        layer = tf_tconv.from_torch(module)
        assert_same_state(module, before)
        assert_computes(layer, module)

    @pytest.mark.parametrize("name", sample_names("REFUSED"))
    def test_refuses_what_computes_something_else(self, torch, name):
        make, error, message = samples().REFUSED[name]
        with pytest.raises(error, match=message):
            tf_tconv.from_torch(made(make))

    @pytest.mark.parametrize("name", sample_names("WITHOUT_COMPARISON"))
    def test_without_comparison_the_weights_are_taken_alone(self, torch, name):
        module = samples().REFUSED[name][0]()
        layer = tf_tconv.from_torch(module, verify=False)
        plain = torch.nn.ConvTranspose2d(4, 6, **samples().ARGUMENTS)
        plain.load_state_dict(module.state_dict())
        assert_computes(layer, plain)

    def test_a_stale_kernel_is_not_read(self, torch):
        """By the formula of weight norm itself, in NumPy."""
        module = made(samples().READ["weight_norm, called before"])
        v, g = (each.detach().numpy() for each in (module.weight_v, module.weight_g))
        expected = g * v / np.sqrt((v**2).sum(axis=(1, 2, 3), keepdims=True))
        assert np.abs(module.weight.detach().numpy() - expected).max() > 0.1
        kernel = np.asarray(tf_tconv.from_torch(module).kernel)
        # A norm of 54 squares in float32, summed in whatever order.
        np.testing.assert_allclose(kernel, expected.transpose(2, 3, 1, 0), rtol=1e-5)

    def test_training_mode_takes_one_power_iteration(self, torch):
        module = made(samples().READ["spectral_norm, training"])
        trained = np.asarray(tf_tconv.from_torch(module).kernel)
        settled = np.asarray(tf_tconv.from_torch(module.eval()).kernel)
        assert np.abs(trained - settled).max() > 0.1
        module.train()
        module(torch.ones(1, 4, 3, 3))
        np.testing.assert_array_equal(trained, module.weight.detach().numpy().transpose(2, 3, 1, 0))

    @pytest.mark.parametrize("drawn", ["weight", "bias"])
    @pytest.mark.parametrize("verify", [True, False])
    def test_weights_of_chance_are_no_weights(self, torch, drawn, verify):
        class Dropped(torch.nn.Module):
            def forward(self, x):
                return torch.nn.functional.dropout(x, 0.5, self.training)

        module = torch.nn.ConvTranspose2d(3, 40, 3, 2)
        torch.nn.utils.parametrize.register_parametrization(module, drawn, Dropped())
        before = torch.get_rng_state()
        with pytest.raises(ValueError, match=r"weights of random numbers.*module\.eval\(\)"):
            tf_tconv.from_torch(module, verify=verify)
        assert torch.equal(torch.get_rng_state(), before)
        module.eval()
        assert_computes(tf_tconv.from_torch(module, verify=verify), module)

    @pytest.mark.parametrize(
        "around",
        [
            lambda torch: torch.inference_mode(),
            lambda torch: torch.autocast("cpu", dtype=torch.bfloat16),
            lambda torch: torch.device("meta"),
            lambda torch: torch.nn.utils.parametrize.cached(),
            lambda torch: torch.enable_grad(),
        ],
        ids=["inference_mode", "autocast", "default device", "cached", "enable_grad"],
    )
    def test_whatever_is_around_the_call(self, torch, around):
        module = samples().READ["spectral_norm, parametrized"]()
        before = state(module)
        with around(torch):
            layer = tf_tconv.from_torch(module)
        assert_same_state(module, before)
        assert layer.compute_dtype == "float32"
        assert_computes(layer, copy.deepcopy(module))

    def test_traced_modules_keep_no_arguments(self, torch):
        module = made(samples().READ["traced"])
        with pytest.raises(TypeError, match=r"traced TorchScript, .* tf_tconv\.from_torch reads"):
            tf_tconv.dialects.torch.from_module(module)
        scripted = made(samples().READ["scripted"])
        assert tf_tconv.dialects.torch.from_module(scripted).strides == (2, 2)

    def test_what_would_not_fit_is_not_compared(self, torch):
        module = torch.nn.ConvTranspose2d(1, 1, 3, stride=30000)
        with pytest.warns(UserWarning, match="were not compared: a comparison would take 32,4"):
            layer = tf_tconv.from_torch(module)
        assert layer.strides == (30000, 30000)
        tf_tconv.from_torch(module, verify=False)  # Asked for, so that there is nothing to say.

    def test_example(self, torch):
        run_example(tf_tconv.from_torch)


def test_from_torch_refuses_what_is_no_module():
    with pytest.raises(TypeError, match="module is of type int; it must be a"):
        tf_tconv.from_torch(3)


def run_example(function):
    """The example in a docstring, which the other tests skip where the framework is missing."""
    (test,) = (t for t in doctest.DocTestFinder(recurse=False).find(function) if t.examples)
    for example in test.examples:
        example.options.pop(doctest.SKIP)
    assert doctest.DocTestRunner().run(test).failed == 0
