// The views of one call. Each draws its grids once, and then shows a focus: an output cell
// {output: [t, u]}, an input cell {input: [j, m]} or a phase {phase: [p, q]}. `frames` is the film:
// the focuses it steps through; `done` is how many of them have been, or null outside of the film.

const VIEWS = {
  zeros: {
    label: "Zero insertion",
    draw: zeroInsertionView,
    about:
      "Put zeros between and around the inputs; every output cell is one window of the reversed kernel at stride 1.",
  },
  scatter: {
    label: "Scatter",
    draw: scatterView,
    about: "Every input adds the kernel, times its value, to the output. This is the definition.",
  },
  phases: {
    label: "Phases",
    draw: phasesView,
    about:
      "Output cells that lie a stride apart share their taps: a small convolution each, with no zeros in it.",
  },
  forward: {
    label: "Forward",
    draw: forwardView,
    about:
      "The convolution that is transposed: it goes from the output's size to the input's, and its padding decides everything.",
  },
  overlap: {
    label: "Overlap",
    draw: overlapView,
    about:
      "How many products reach each output cell. Uneven counts are what checkerboards grow from.",
  },
};
