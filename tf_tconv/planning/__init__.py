"""Which lowering computes a call, and why: candidates with their work and its estimated cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tf_tconv.geometry import check_name
from tf_tconv.limits import LARGEST
from tf_tconv.lowerings import REGISTRY
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.counting import Work
from tf_tconv.planning import costs
from tf_tconv.planning.load import Load, gradient_work, work

MEMORY_MULTIPLE = 16
"""Temporaries of more bytes than input and output have, times this, exclude a lowering."""

FALLBACK = "polyphase"
"""Where nothing can be counted: it multiplies and holds the least."""

Remembered = Callable[[Load, str], str | None]


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
        assumed: what was assumed of sizes known only at run time.
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
    return check_name("lowering", lowering, ("auto", *REGISTRY))


def choose(
    lowering: str,
    operation: TransposedConvolution,
    load: Load | None,
    backend: str,
    remembered: Remembered,
) -> str:
    """The lowering that computes a call.

    Args:
        lowering: "auto", or the name that the caller asked for.
        operation: what is computed; `None` for what is known only at run time.
        load: the call in numbers; `None` where they can't be counted.
        backend: one of `tf_tconv.planning.costs.BACKENDS`.
        remembered: what was measured to be fastest on this machine, if it was.

    Returns:
        A name of `tf_tconv.lowerings.REGISTRY`; "native" only if asked for.
    """
    unless = None if lowering == "auto" else REGISTRY[lowering]
    if None in operation.kernel_size:
        if unless is None or unless.known_kernel:
            return "zero_insertion"
    elif operation.groups is None and (unless is None or unless.known_groups):
        return "overlap_add"
    if lowering != "auto":
        return lowering
    if load is None:
        return FALLBACK
    return remembered(load, backend) or cheapest(load, backend)


def check_largest(lowering: str, load: Load | None) -> None:
    """That a lowering makes no tensor too large for TensorFlow, as far as sizes are known.

    Raises:
        ValueError: it does.
    """
    if load is None or (largest := _largest(lowering, load)) <= LARGEST:
        return
    raise ValueError(
        f'lowering "{lowering}" would make a tensor of {largest} elements for an output of '
        f'{load.outputs}; the most is {LARGEST}: let "auto" choose, or name a lowering that holds '
        'less, as "polyphase".'
    )


def _largest(lowering: str, load: Load) -> int:
    counted = work(load, lowering)
    return counted.largest if counted else load.outputs


def gradients_by_products(load: Load | None, backend: str) -> tuple[bool, bool]:
    """Which of a call's gradients are matrix products of patches and not convolutions.

    Args:
        load: the call in numbers, if all are known.
        backend: one of `tf_tconv.planning.costs.BACKENDS`.

    Returns:
        Of the input's gradient and of the filters'. Only under XLA: elsewhere TensorFlow has ops
        for both, which the native op's gradients are, too.
    """
    if load is None or backend != "xla" or load.operation.groups > 1:
        return False, False
    return by_product(load, "input"), by_product(load, "filters")


@lru_cache(maxsize=4096)
def by_product(load: Load, gradient: str) -> bool:
    """Whether XLA is to compute one gradient, "input" or "filters", as a matrix product."""
    ways = {way: gradient_work(load, gradient, way) for way in ("convolution", "product")}
    if ways["product"].held * load.itemsize > _allowed(load):
        return False
    cost = {
        name: costs.seconds(counted, "xla", load.itemsize, f"{gradient} {name}")
        for name, counted in ways.items()
    }
    return cost["product"] < cost["convolution"]


def _allowed(load: Load) -> int:
    """Bytes that the temporaries of a call may take."""
    return MEMORY_MULTIPLE * (load.inputs + load.outputs) * load.itemsize


def cheapest(load: Load, backend: str) -> str:
    """The lowering of the least estimated cost among those that keep within memory."""
    return next((c.lowering for c in candidates(load, backend) if not c.excluded), FALLBACK)


@lru_cache(maxsize=4096)
def candidates(load: Load, backend: str) -> tuple[Candidate, ...]:
    """All lowerings for a call, the cheapest first."""
    allowed = _allowed(load)
    counted = {name: work(load, name) for name in REGISTRY}
    found = [
        _candidate(name, each, load, backend, allowed)
        for name, each in counted.items()
        if each is not None
    ]
    return tuple(sorted(found, key=lambda candidate: candidate.seconds))


def _candidate(name: str, counted: Work, load: Load, backend: str, allowed: int) -> Candidate:
    held = counted.held * load.itemsize
    excluded = ""
    if counted.largest > LARGEST:
        excluded = f"needs a tensor of more than {LARGEST} elements"
    elif held > allowed:
        excluded = f"holds more than {MEMORY_MULTIPLE} times input plus output"
    return Candidate(
        name,
        counted.flops,
        counted.moved * load.itemsize,
        held,
        len(counted.steps),
        costs.seconds(counted, backend, load.itemsize, name),
        excluded,
    )


def explain(
    lowering: str,
    operation: TransposedConvolution,
    load: Load | None,
    assumed: tuple[str, ...],
    backend: str,
    remembered: Remembered,
) -> Plan:
    """The choice for a call with its reason; see `choose` for the arguments."""
    name = choose(lowering, operation, load, backend, remembered)
    if load is None:
        reason = "kernel or channels are known only at run time, so there are no phases to plan"
        if operation.groups is None:
            reason = "the number of groups is known only at run time"
        return Plan(name, reason, backend, 0, (), assumed)
    found = candidates(load, backend)
    if lowering != "auto":
        reason = "asked for by name"
    elif remembered(load, backend):
        reason = "measured on this machine to be the fastest"
    else:
        reason = _reason(found)
    return Plan(name, reason, backend, load.flops, found, assumed)


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
