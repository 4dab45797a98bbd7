// The same operation in each framework's words, as tf_tconv/dialects says it, with what to do to
// the result where the call alone does not say it.

const DIALECTS = ["tf.nn", "Keras", "torch", "ONNX", "JAX", "tf_tconv"];

/** Cells cut off what the products span, [before, after]; negative after: zeros that stay. */
function cropsOf(axis) {
  return [axis.padBefore, axis.reach - 1 - axis.trail];
}

/** A call for two solved axes: its code, and warnings. */
function translate(dialect, axes) {
  return {
    "tf.nn": callTensorFlow,
    Keras: callKeras,
    torch: callTorch,
    ONNX: callOnnx,
    JAX: callJax,
    tf_tconv: callOurs,
  }[dialect](axes);
}

function callTensorFlow(axes) {
  const code = functionCall("tf.nn.conv2d_transpose", axes);
  const dilated = axes.some((axis) => axis.dilation > 1);
  const explicit = code.includes("padding=(");
  const warnings = [];
  if (explicit && dilated) {
    warnings.push(
      "TensorFlow's op refuses explicit padding with a dilation; tf_tconv.conv2d_transpose takes this call.",
    );
  } else if (dilated) {
    warnings.push(
      "TensorFlow's op takes a dilation in half, bfloat16 and float32 only, and only where oneDNN serves it; tf_tconv.conv2d_transpose takes this call everywhere.",
    );
  }
  return { code, warnings };
}

function callOurs(axes) {
  return { code: functionCall("tf_tconv.conv2d_transpose", axes), warnings: [] };
}

function functionCall(callee, axes) {
  const padding = ["SAME", "VALID"].find((name) =>
    axes.every((axis) => says(axis, name, axis.surplus)),
  );
  const explicit = axes.map((axis) => cropsOf(axis).map((cells) => Math.max(cells, 0)));
  return call(
    callee,
    ["x", "w"],
    [
      [
        "output_shape",
        `(tf.shape(x)[0], ${axes.map((axis) => axis.output).join(", ")}, out_channels)`,
      ],
      ["strides", pair(axes.map((axis) => axis.stride))],
      [
        "padding",
        padding ? `"${padding}"` : `((0, 0), ${explicit.map(tuple).join(", ")}, (0, 0))`,
        '"SAME"',
      ],
      ["dilations", pair(axes.map((axis) => axis.dilation)), "1"],
    ],
  );
}

function callKeras(axes) {
  const both = axes.some((axis) => axis.stride > 1) && axes.some((axis) => axis.dilation > 1);
  if (both) {
    return {
      code: keras("tf_tconv.Conv2DTranspose", axes, namedPadding(axes) ?? explicitPadding(axes)),
      warnings: [
        "Keras' layer takes no strides together with a dilation_rate, so no call of it says this; tf_tconv.Conv2DTranspose does.",
      ],
    };
  }
  const named = namedPadding(axes);
  if (named) return { code: keras("keras.layers.Conv2DTranspose", axes, named), warnings: [] };
  const kept = axes.map((axis) => Math.min(Math.max(-cropsOf(axis)[1], 0), axis.stride - 1));
  const usual = axes.every(
    (axis, at) => defaultSurplus(axis, "VALID") === defaultSurplus(axis, "VALID", kept[at]),
  );
  const code = keras("keras.layers.Conv2DTranspose", axes, [
    '"valid"',
    usual ? "None" : pair(kept),
  ]);
  const crop = axes.map((axis, at) => tuple([cropsOf(axis)[0], cropsOf(axis)[1] + kept[at]]));
  return {
    code: `${code}\ny = keras.layers.Cropping2D((${crop.join(", ")}))(y)`,
    warnings: [
      'Keras\' layer alone cannot say this: its padding is "same" or "valid". Crop its result.',
    ],
  };
}

function keras(callee, axes, [padding, outputPadding]) {
  return call(
    callee,
    ["filters"],
    [
      ["kernel_size", pair(axes.map((axis) => axis.kernel))],
      ["strides", pair(axes.map((axis) => axis.stride)), "1"],
      ["padding", padding, '"valid"'],
      ["output_padding", outputPadding, "None"],
      ["dilation_rate", pair(axes.map((axis) => axis.dilation)), "1"],
    ],
  );
}

/** Whether a named padding comes down to the axis' crops, at a size that it may have. */
function says(axis, padding, surplus) {
  const lowest = lowestSurplus(axis, padding);
  const legal = surplus === axis.surplus && lowest <= surplus && surplus < lowest + axis.stride;
  return legal && splitPadding(axis, surplus, padding)[0] === axis.padBefore;
}

/** [padding, output_padding] that says it all by name: the latter None if that goes. */
function namedPadding(axes) {
  for (const name of ["SAME", "VALID"]) {
    if (axes.every((axis) => says(axis, name, defaultSurplus(axis, name)))) {
      return [`"${name.toLowerCase()}"`, "None"];
    }
  }
  for (const name of ["VALID", "SAME"]) {
    const kept = axes.map((axis) => axis.surplus - defaultSurplus(axis, name, 0));
    const fits = (axis, at) =>
      kept[at] >= 0 && kept[at] < axis.stride && says(axis, name, axis.surplus);
    if (axes.every(fits)) return [`"${name.toLowerCase()}"`, pair(kept)];
  }
  return null;
}

/** [padding, output_padding] of our layer, whose padding may be explicit. */
function explicitPadding(axes) {
  const sides = axes.map((axis) => cropsOf(axis).map((cells) => Math.max(cells, 0)));
  const kept = axes.map((axis) =>
    Math.min(Math.max(-cropsOf(axis)[1], 0), Math.max(axis.stride, axis.dilation) - 1),
  );
  const usual = axes.every(
    (axis, at) => defaultSurplus(axis, sides[at]) === defaultSurplus(axis, sides[at], kept[at]),
  );
  return [`(${sides.map(tuple).join(", ")})`, usual ? "None" : pair(kept)];
}

function callTorch(axes) {
  const paddings = [];
  const kept = [];
  const crops = [];
  for (const axis of axes) {
    const [before, after] = cropsOf(axis);
    const most = Math.max(axis.stride, axis.dilation) - 1;
    const padding = Math.max(Math.min(before, after + most), 0);
    const stays = Math.min(Math.max(padding - after, 0), most);
    paddings.push(padding);
    kept.push(stays);
    crops.push([before - padding, after - padding + stays]);
  }
  const code = call(
    "torch.nn.ConvTranspose2d",
    ["in_channels", "out_channels"],
    [
      ["kernel_size", pair(axes.map((axis) => axis.kernel))],
      ["stride", pair(axes.map((axis) => axis.stride)), "1"],
      ["padding", pair(paddings), "0"],
      ["output_padding", pair(kept), "0"],
      ["dilation", pair(axes.map((axis) => axis.dilation)), "1"],
    ],
  );
  if (crops.flat().every((cells) => cells === 0)) return { code, warnings: [] };
  const slices = crops.map(([before, after]) => `${before || ""}:${after ? -after : ""}`);
  return {
    code: `${code}\ny = y[:, :, ${slices.join(", ")}]`,
    warnings: [
      "One call of torch cannot say this: it cuts the same padding off both sides. Slice its result.",
    ],
  };
}

function callOnnx(axes) {
  const sides = axes.map((axis) => cropsOf(axis).map((cells) => Math.max(cells, 0)));
  const kept = axes.map((axis) => Math.min(Math.max(-cropsOf(axis)[1], 0), axis.stride - 1));
  const code = call(
    "onnx.helper.make_node",
    ['"ConvTranspose"', '["X", "W", "B"]', '["Y"]'],
    [
      ["kernel_shape", list(axes.map((axis) => axis.kernel))],
      ["strides", list(axes.map((axis) => axis.stride)), "[1, 1]"],
      ["dilations", list(axes.map((axis) => axis.dilation)), "[1, 1]"],
      ["pads", list([0, 1].flatMap((side) => sides.map((pads) => pads[side]))), "[0, 0, 0, 0]"],
      ["output_padding", list(kept), "[0, 0]"],
    ],
  );
  const warnings = axes.some((axis) => axis.kernel < axis.stride)
    ? [
        'Do not write auto_pad="SAME_UPPER" alone here: ONNX Runtime gives it a wrong size for a kernel smaller than its stride. These pads are safe.',
      ]
    : [];
  return { code, warnings };
}

function callJax(axes) {
  const code = call(
    "jax.lax.conv_transpose",
    ["x", "w"],
    [
      ["strides", tuple(axes.map((axis) => axis.stride))],
      ["padding", `(${axes.map((axis) => tuple([axis.lead, axis.trail])).join(", ")})`],
      ["rhs_dilation", tuple(axes.map((axis) => axis.dilation)), "(1, 1)"],
      ["transpose_kernel", "True"],
    ],
  );
  return { code, warnings: [] };
}

/** A call as text, without the arguments that have their default. */
function call(callee, positional, named) {
  const shown = named
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => `${name}=${value}`);
  return `${callee}(${[...positional, ...shown].join(", ")})`;
}

function tuple(entries) {
  return `(${entries.join(", ")})`;
}

function list(entries) {
  return `[${entries.join(", ")}]`;
}

/** Two entries, or the one number that means both. */
function pair([height, width]) {
  return height === width ? `${height}` : tuple([height, width]);
}
