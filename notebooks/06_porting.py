# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Porting between Keras, torch, ONNX and JAX
#
# Every framework has transposed convolutions, and each describes padding in its own words. A port
# that has the right shapes can still be one pixel off. This notebook takes one layer through four
# frameworks, runs it in each on the same numbers, and demands equality.

# %%
import jax
import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch

import tf_tconv
from tf_tconv import dialects

# %% [markdown]
# ## The layer
#
# A `Conv2DTranspose` with padding "same" and an odd kernel at stride 2: its padding is odd, which
# is where ports go wrong. Integers for weights and images, so that nothing is rounded.


# %%
def integers(*shape, seed=0):
    """Small integers as float32."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float32)


x = integers(2, 5, 4, 3)
layer = keras.layers.Conv2DTranspose(6, kernel_size=(3, 5), strides=2, padding="same")
layer.build(x.shape)
layer.set_weights([integers(3, 5, 6, 3, seed=1), integers(6, seed=2)])
wanted = np.array(layer(x))
wanted.shape

# %% [markdown]
# ## One operation, many words
#
# `dialects.keras.from_layer` reads the layer into a `TransposedConvolution`, which belongs to no
# framework. All that padding, output padding and output size mean comes down to `crops`: cells cut
# off before and after.

# %%
operation = dialects.keras.from_layer(layer, input_size=x.shape[1:3])
kernel, bias = layer.get_weights()
neutral = dialects.keras.from_weights(kernel)
operation.crops, operation.output_size

# %% [markdown]
# What each framework would be told:

# %%
for name in ("tf_nn", "torch", "onnx", "jax"):
    print(f"{name}:\n{getattr(dialects, name).to_arguments(operation).text}\n")

# %% [markdown]
# ## torch
#
# One call of torch can't say it: it cuts the same number of cells off both sides. The translation
# says so (`exact` is False), and what to cut off the result. A port without that line has the right
# shape with `padding=1, output_padding=1`, and is one pixel off.

# %%
translation = dialects.torch.to_arguments(operation)
assert not translation.exact

module = torch.nn.ConvTranspose2d(**translation.arguments)
module.weight.data = torch.tensor(dialects.torch.to_weights(neutral).copy())
module.bias.data = torch.tensor(bias)
channels_first = x.transpose(0, 3, 1, 2).copy()
with torch.no_grad():
    y = module(torch.tensor(channels_first)).numpy()

(top, bottom), (left, right) = translation.crop
y = y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right].transpose(0, 2, 3, 1)
assert np.array_equal(y, wanted)

# %%
careless = torch.nn.ConvTranspose2d(3, 6, (3, 5), 2, padding=(1, 2), output_padding=1)
careless.load_state_dict(module.state_dict())
with torch.no_grad():
    shifted = careless(torch.tensor(channels_first)).numpy().transpose(0, 2, 3, 1)

assert shifted.shape == wanted.shape
assert not np.array_equal(shifted, wanted)
assert np.array_equal(shifted[:, :-1, :-1], wanted[:, 1:, 1:])

# %% [markdown]
# ## ONNX
#
# `pads` are cut off each side by itself, so one node says it. The translation never writes
# `auto_pad`, in which runtimes differ.

# %%
attributes = dialects.onnx.to_arguments(operation, strict=True).arguments
weights = {"W": dialects.onnx.to_weights(neutral).copy(), "B": bias}
graph = onnx.helper.make_graph(
    [onnx.helper.make_node("ConvTranspose", ["X", "W", "B"], ["Y"], **attributes)],
    "ported",
    [onnx.helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, channels_first.shape)],
    [onnx.helper.make_tensor_value_info("Y", onnx.TensorProto.FLOAT, ["n", "c", "h", "w"])],
    [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
)
model = onnx.helper.make_model(
    graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
)
onnx.checker.check_model(model)
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"]
)
(y,) = session.run(None, {"X": channels_first})
assert np.array_equal(y.transpose(0, 2, 3, 1), wanted)

# %% [markdown]
# ## JAX
#
# JAX pads the dilated input, so it is told `lead` and `trail`. With `transpose_kernel=True` it
# takes TensorFlow's kernel as it is; without, the kernel has to be reversed.

# %%
arguments = dialects.jax.to_arguments(operation, strict=True).arguments
y = jax.lax.conv_transpose(x, dialects.jax.to_weights(neutral), **arguments) + bias
assert np.array_equal(y, wanted)

transposing = dict(arguments, transpose_kernel=True)
assert np.array_equal(jax.lax.conv_transpose(x, neutral, **transposing) + bias, wanted)

# %% [markdown]
# ## TensorFlow

# %%
arguments = dict(dialects.tf_nn.to_arguments(operation, strict=True).arguments)
arguments["output_shape"] = wanted.shape
assert np.array_equal(tf.nn.conv2d_transpose(x, neutral, **arguments) + bias, wanted)
assert np.array_equal(tf_tconv.conv2d_transpose(x, neutral, **arguments) + bias, wanted)

# %% [markdown]
# ## And back
#
# The other way round it is the same: a module of torch becomes an operation, and that a layer.
# torch's `padding=1, output_padding=1` is not "same"; Keras' own layer needs a crop after it, ours
# takes explicit padding. `from_torch` makes the layer with its weights, for channels-last images.

# %%
back = dialects.torch.from_module(careless, input_size=x.shape[1:3])
print(dialects.keras.to_arguments(back).text)
print(dialects.keras.to_arguments(back, layer="tf_tconv").text)

# %%
ours = tf_tconv.from_torch(careless)
assert np.array_equal(ours(x), shifted)

# %% [markdown]
# What Keras' layer cannot express at all is refused, in one sentence:

# %%
grouped = dialects.torch.from_arguments(kernel_size=4, stride=2, padding=1, groups=2)
try:
    dialects.keras.to_arguments(grouped)
except ValueError as error:
    print(error)
print(dialects.keras.to_arguments(grouped, layer="tf_tconv").text)
