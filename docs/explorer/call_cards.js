// The calls to copy.

function drawCalls(axes, command) {
  byId("calls").replaceChildren(
    ...DIALECTS.map((dialect) => {
      const { code, warnings } = translate(dialect, axes);
      return codeCard(dialect, code, warnings);
    }),
    codeCard("command line", command, []),
  );
}

function codeCard(name, code, warnings) {
  const copy = element(
    "button",
    { type: "button", "aria-label": `Copy the call of ${name}` },
    "Copy",
  );
  copy.addEventListener("click", async () => {
    copy.textContent = (await copied(code)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 1500);
  });
  return element(
    "article",
    { class: "call", "data-dialect": name },
    element("h3", {}, name),
    copy,
    element("pre", { tabindex: 0, "aria-label": `call of ${name}` }, element("code", {}, code)),
    ...warnings.map((text) => element("p", { class: "warning" }, element("b", {}, "Note "), text)),
  );
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function commandLine(axes, state, cell) {
  const both = (name) => [...new Set(axes.map((axis) => axis[name]))].join();
  const padding =
    state.mode === "EXPLICIT"
      ? axes.map((axis) => axis.padding.join()).join()
      : state.mode.toLowerCase();
  const sizes = axes.some((axis) => axis.size !== null) ? ` --output-size ${both("output")}` : "";
  return (
    `tf-tconv explain --input ${both("input")} --kernel ${both("kernel")}` +
    ` --stride ${both("stride")} --dilation ${both("dilation")} --padding ${padding}${sizes} --cell ${cell.join()}`
  );
}
