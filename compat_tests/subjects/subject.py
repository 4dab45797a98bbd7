"""What an adapter provides so that its implementation can be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from compat_tests.cases.case import Case, Part
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array

Answer = dict[Part, Array]
"""Result arrays for `case.parts`, channels last: "y" and "ddg"
`[batch, output_height, output_width, out_channels]`, "dx" and "ddx" shaped as the input, "dw" and
"ddw" shaped as the filters."""


class Inexpressible(Exception):
    """Raised by an adapter for a case that its implementation cannot express."""


class Absent(Exception):
    """Raised by an adapter whose implementation is not installed."""


@dataclass(frozen=True)
class Script:
    """A case in the implementation's own words, as source text, for the reproducer of a fault.

    Attributes:
        imports: statements on one line, such as "import tensorflow as tf".
        call: an expression of `x` and `w`, tensors of the framework, channels last and filters as
            in TensorFlow; its value is the output, channels last.
        tensor: how a NumPy array becomes such a tensor; "{}" stands for it.
        array: how a result becomes a NumPy array; "{}" stands for it.
        gradients: an expression of `f`, a function of `x` and `w` that makes the call, `x`, `w` and
            the upstream gradient `g`; its value is the pair of gradients. Empty if there are none.
    """

    imports: str
    call: str
    tensor: str = "{}"
    array: str = "{}"
    gradients: str = ""


class Subject(Protocol):
    """An implementation under judgement.

    Adapters inherit from it, and say what differs from the usual: judged on every legal case and on
    no illegal call, in the environment that it finds, with no short script.

    An adapter is made twice: in the judging process, which only asks for `name` and `environment`,
    and in the worker. It therefore imports its framework when first used, not when imported.
    """

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def faces_illegal_calls(self) -> bool:
        """Whether the illegal calls belong to a run that doesn't ask for them by name."""
        return False

    @property
    def sample(self) -> int | None:
        """How many legal cases a run takes unless the caller chooses; None for all."""
        return None

    def environment(self) -> Mapping[str, str]:
        """Environment variables that must be set before its process starts."""
        return {}

    def describe(self) -> dict[str, str]:
        """Versions and settings; loads the framework.

        Returns:
            "implementation", the function or class judged, and under their names the versions of
            the packages that compute it.

        Raises:
            Absent: if the framework is not installed.
        """

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case in the case's type and layout.

        Args:
            case: a legal call.
            inputs: what to compute it on, channels last.

        Returns:
            An array for each of `case.parts`. A subject that has no gradients at all returns the
            output alone; so does one whose output has a wrong shape, as no upstream gradient fits.

        Raises:
            Inexpressible: if the framework cannot express the case; the message says why.
            Exception: whatever the framework raises when it refuses.
        """

    def script(self, case: Case) -> Script | None:
        """The call of a case as source text; None if there is no short one."""
        return None

    def call_illegal(self, illegal: IllegalCase) -> object:
        """Makes a call that ought to be refused.

        Args:
            illegal: what to call with.

        Returns:
            What the implementation returned, if it accepted.

        Raises:
            Inexpressible: if the implementation has another signature, as most have.
            Exception: whatever the framework raises when it refuses.
        """
        raise Inexpressible("the rows are calls of tf.nn.conv2d_transpose")
