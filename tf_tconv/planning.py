"""Which lowering computes a call, and why: candidates with their work and its estimated cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tf_tconv.geometry import AxisGeometry, check_name
from tf_tconv.lowerings import NAMES, REGISTRY, costs, patches
from tf_tconv.lowerings.shapes import LARGEST
from tf_tconv.lowerings.work import Sizes, Work

MEMORY_MULTIPLE = 16
"""Temporaries of more bytes than input and output have, times this, exclude a lowering."""

ASSUMED_BATCH = 4
"""What a batch known only at run time is planned as."""

ASSUMED_SIZE = 48
"""What a height or width known only at run time is planned as."""

FALLBACK = "polyphase"
"""Where nothing can be counted: it multiplies and holds the least."""

Remembered = Callable[[Sizes, str], str | None]


@dataclass(frozen=True)
class Candidate:
    """One lowering, as considered for a call.

    Args:
        lowering: its name.
        flops: multiplications and additions, those with zeros included.
        bytes: read and written by its operations, each operand once.
        temporaries: bytes of the tensors that live at the same time beside input, filters and
            output, at their most.
        operations: convolutions, matrix products and copies.
        seconds: the estimated cost, on the machine that the coefficients were fitted on.
        excluded: why it can't be chosen, or "".
    """

    lowering: str
    flops: int
    bytes: int
    temporaries: int
    operations: int
    seconds: float
    excluded: str = ""


@dataclass(frozen=True)
class Plan:
    """The lowering chosen for a call, and what else was considered.

    Args:
        lowering: the name of what computes the call.
        reason: why, in one sentence.
        backend: what the costs are estimated for: "onednn", "plain" (no oneDNN) or "xla".
        flops: multiplications and additions of the definition.
        candidates: all lowerings, the cheapest first.
        assumed: what was assumed of sizes that only the run knows.
    """

    lowering: str
    reason: str
    backend: str
    flops: int
    candidates: tuple[Candidate, ...]
    assumed: tuple[str, ...] = ()

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that was chosen; none for "native", whose work isn't ours to count."""
        return next((c for c in self.candidates if c.lowering == self.lowering), None)

    def __str__(self) -> str:
        """A table of the candidates under the reason."""
        lines = [f"{self.lowering}: {self.reason}", *(f"assumed {text}" for text in self.assumed)]
        lines.append(
            f"{'':2}{'lowering':<16}{'GFLOP':>9}{'MB':>9}{'held MB':>9}{'steps':>7}{'ms':>9}"
        )
        for each in self.candidates:
            mark = ">" if each.lowering == self.lowering else ""
            lines.append(
                f"{mark:2}{each.lowering:<16}{each.flops / 1e9:>9.3f}{each.bytes / 1e6:>9.2f}"
                f"{each.temporaries / 1e6:>9.2f}{each.operations:>7}{each.seconds * 1e3:>9.3f}"
                f"  {each.excluded}".rstrip()
            )
        return "\n".join(lines)


def check_lowering(lowering: str) -> str:
    """`lowering`, if it is one.

    Raises:
        TypeError: not a string.
        ValueError: no such lowering.
    """
    return check_name("lowering", lowering, ("auto", *NAMES, "native"))


def call_sizes(
    x: Any, rows: Any, columns: Any, in_channels: Any, out_channels: Any, groups: Any, itemsize: int
) -> tuple[Sizes, tuple[str, ...]] | None:
    """A call in numbers, and what had to be assumed for that.

    Args:
        x: `[batch, height, width]`, integers or None.
        rows: the geometry of the height.
        columns: the geometry of the width.
        in_channels: channels of the input.
        out_channels: channels of the output.
        groups: channel groups.
        itemsize: bytes of a number.

    Returns:
        None if nothing can be counted: kernel, channels or groups are known only at run time, or
        empty.
    """
    known = (rows.kernel_size, columns.kernel_size, in_channels, out_channels, groups)
    if not all(isinstance(size, int) and size for size in known):
        return None
    batch, height, width = (size if isinstance(size, int) else None for size in x)
    assumed = [
        f"{name} {instead}"
        for name, size, instead in (
            ("batch", batch, ASSUMED_BATCH),
            ("height", height, ASSUMED_SIZE),
            ("width", width, ASSUMED_SIZE),
        )
        if size is None
    ]
    if batch is None:
        batch = ASSUMED_BATCH
    down, across = _known(rows, height), _known(columns, width)
    sizes = Sizes(
        batch,
        down,
        across,
        down.input_size,
        across.input_size,
        in_channels,
        out_channels,
        groups,
        itemsize,
    )
    return sizes, tuple(assumed)


def _known(axis: Any, size: int | None) -> AxisGeometry:
    """The geometry, with assumptions where only the run knows."""
    if isinstance(axis, AxisGeometry):
        return axis
    cells = ASSUMED_SIZE if size is None else size
    surplus = axis.surplus if isinstance(axis.surplus, int) else axis.stride
    output = max((cells - 1) * axis.stride + surplus, 0)
    before = axis.pad_before if isinstance(axis.pad_before, int) else 0
    after = axis.pad_after if isinstance(axis.pad_after, int) else 0
    return AxisGeometry(cells, axis.kernel_size, axis.stride, axis.dilation, output, before, after)


def choose(
    lowering: str,
    sizes: Sizes | None,
    known_kernel: bool,
    backend: str,
    remembered: Remembered,
    known_groups: bool = True,
) -> str:
    """The lowering that computes a call.

    Args:
        lowering: "auto", or the name that the caller asked for.
        sizes: the call in numbers; None where they can't be counted.
        known_kernel: whether the kernel's height and width are known.
        backend: one of `tf_tconv.lowerings.costs.BACKENDS`.
        remembered: what was measured to be fastest on this machine, if it was.
        known_groups: whether the number of channel groups is known.

    Returns:
        A name of `tf_tconv.lowerings.REGISTRY`; "native" only if asked for.
    """
    if not known_kernel and (lowering == "auto" or REGISTRY[lowering].known_kernel):
        return "zero_insertion"
    if (
        not known_groups
        and known_kernel
        and (lowering == "auto" or REGISTRY[lowering].known_groups)
    ):
        return "overlap_add"
    if lowering != "auto":
        return lowering
    if sizes is None:
        return FALLBACK
    return remembered(sizes, backend) or cheapest(sizes, backend)


def check_largest(lowering: str, sizes: Sizes | None) -> None:
    """That a lowering makes no tensor too large for TensorFlow, as far as sizes are known.

    Raises:
        ValueError: it does.
    """
    if sizes is None or (largest := _largest(lowering, sizes)) <= LARGEST:
        return
    raise ValueError(
        f'lowering "{lowering}" would make a tensor of {largest} elements for an output of '
        f'{sizes.outputs}; the most is {LARGEST}: let "auto" choose, or name a lowering that holds '
        'less, as "polyphase".'
    )


@lru_cache(maxsize=4096)
def _largest(lowering: str, sizes: Sizes) -> int:
    work = REGISTRY[lowering].work
    return work(sizes).largest if work else sizes.outputs


def gradients_by_products(sizes: Sizes | None, backend: str) -> tuple[bool, bool]:
    """Which of a call's gradients are matrix products of patches and not convolutions.

    Args:
        sizes: the call in numbers, if all are known.
        backend: one of `tf_tconv.lowerings.costs.BACKENDS`.

    Returns:
        Of the input's gradient and of the filters'. Only under XLA: elsewhere TensorFlow has ops
        for both, which the native op's gradients are, too.
    """
    if sizes is None or backend != "xla" or sizes.groups > 1:
        return False, False
    return by_product(sizes, "input"), by_product(sizes, "filters")


@lru_cache(maxsize=4096)
def by_product(sizes: Sizes, gradient: str) -> bool:
    """Whether XLA is to compute one gradient, of `patches.GRADIENTS`, as a matrix product."""
    ways = patches.GRADIENTS[gradient](sizes)
    if ways["product"].held * sizes.itemsize > _allowed(sizes):
        return False
    cost = {
        name: costs.seconds(work, "xla", sizes.itemsize, f"{gradient} {name}")
        for name, work in ways.items()
    }
    return cost["product"] < cost["convolution"]


def _allowed(sizes: Sizes) -> int:
    """Bytes that the temporaries of a call may take."""
    return MEMORY_MULTIPLE * (sizes.inputs + sizes.outputs) * sizes.itemsize


def cheapest(sizes: Sizes, backend: str) -> str:
    """The lowering of the least estimated cost among those that keep within memory."""
    return next((c.lowering for c in candidates(sizes, backend) if not c.excluded), FALLBACK)


@lru_cache(maxsize=4096)
def candidates(sizes: Sizes, backend: str) -> tuple[Candidate, ...]:
    """All lowerings for a call, the cheapest first."""
    allowed = _allowed(sizes)
    found = [
        _candidate(name, registered.work(sizes), sizes, backend, allowed)
        for name, registered in REGISTRY.items()
        if registered.work is not None
    ]
    return tuple(sorted(found, key=lambda candidate: candidate.seconds))


def _candidate(name: str, work: Work, sizes: Sizes, backend: str, allowed: int) -> Candidate:
    held = work.held * sizes.itemsize
    excluded = ""
    if work.largest > LARGEST:
        excluded = f"needs a tensor of more than {LARGEST} elements"
    elif held > allowed:
        excluded = f"holds more than {MEMORY_MULTIPLE} times input plus output"
    return Candidate(
        name,
        work.flops,
        work.moved * sizes.itemsize,
        held,
        len(work.steps),
        costs.seconds(work, backend, sizes.itemsize, name),
        excluded,
    )


def explain(
    lowering: str,
    sizes: Sizes | None,
    known_kernel: bool,
    assumed: tuple[str, ...],
    backend: str,
    remembered: Remembered,
    known_groups: bool = True,
) -> Plan:
    """The choice for a call with its reason; see `choose` for the arguments."""
    name = choose(lowering, sizes, known_kernel, backend, remembered, known_groups)
    if sizes is None:
        reason = "kernel or channels are known only at run time, so there are no phases to plan"
        if not known_groups:
            reason = "the number of groups is known only at run time"
        return Plan(name, reason, backend, 0, (), assumed)
    found = candidates(sizes, backend)
    if lowering != "auto":
        reason = "asked for by name"
    elif remembered(sizes, backend):
        reason = "measured on this machine to be the fastest"
    else:
        reason = _reason(found)
    return Plan(name, reason, backend, sizes.flops, found, assumed)


def _reason(found: tuple[Candidate, ...]) -> str:
    """Why the cheapest is it, against the next one."""
    usable = [candidate for candidate in found if not candidate.excluded]
    if not usable:
        return "none keeps within memory; this one multiplies the least"
    if len(usable) < 2:
        return "the only one that keeps within memory"
    first, second = usable[:2]
    times = second.seconds / first.seconds if first.seconds else math.inf
    return f"the least estimated cost, {times:.2f} times less than {second.lowering}"
