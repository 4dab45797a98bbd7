"""What an adapter has to offer for its implementation to be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs
from compat_tests.oracle import Array

Answer = dict[str, Array]
"""Result arrays by name, channels last: "y" `[batch, output_height, output_width, out_channels]`,
and where the case has gradients "dx" and "dw", shaped as input and filters."""


class Inexpressible(Exception):
    """Raised by an adapter for a case that its implementation has no words for."""


class Subject(Protocol):
    """An implementation under judgement.

    An adapter is made twice: in the judging process, which only asks for `name` and `environment`,
    and in the worker. It therefore imports its framework when first used, not when imported.
    """

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def faces_illegal_calls(self) -> bool:
        """Whether the illegal calls belong to a run that doesn't ask for them by name."""

    def environment(self) -> Mapping[str, str]:
        """Environment variables that must be set before its process starts."""

    def describe(self) -> dict[str, str]:
        """Versions and settings; loads the framework, and fails if it can't be loaded."""

    def compute(self, case: Case, inputs: Inputs) -> Answer:
        """Computes one case in the case's type and layout.

        Args:
            case: a legal call.
            inputs: what to compute it on, channels last.

        Returns:
            The output and, where the case has gradients, the two gradients. A subject that
            returns NumPy arrays may leave out the gradients.

        Raises:
            Exception: whatever the framework raises when it refuses.
        """

    def call_illegal(self, illegal: IllegalCase) -> object:
        """Makes a call that ought to be refused.

        Args:
            illegal: what to call with.

        Returns:
            What the implementation returned, if it accepted.

        Raises:
            Exception: whatever the framework raises when it refuses.
        """
