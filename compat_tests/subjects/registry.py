"""All subjects by name."""

from __future__ import annotations

from collections.abc import Callable

from compat_tests.subjects.function import External
from compat_tests.subjects.native import Native
from compat_tests.subjects.ours import Ours
from compat_tests.subjects.subject import Subject

ADAPTERS: dict[str, Callable[[str], Subject]] = {"ours": Ours, "native": Native}
"""By the part of the name before the colon; what follows it is a variant of the adapter's own."""

DEFAULTS: dict[str, Subject] = {"ours": Ours(), "native": Native()}
"""The subjects of a run that names none."""

HELP: tuple[tuple[str, str], ...] = (
    ("ours", "tf_tconv.conv2d_transpose, lowering chosen by itself"),
    ("ours:LOWERING", "the same with that lowering, a name of tf_tconv.lowerings.NAMES"),
    ("ours:xla", "the function compiled by XLA"),
    ("ours:layer", "tf_tconv.Conv2DTranspose"),
    ("native", "tf.nn.conv2d_transpose with oneDNN"),
    ("native:plain", "tf.nn.conv2d_transpose without oneDNN"),
    ("native:xla", "tf.nn.conv2d_transpose compiled by XLA"),
    ("package.module:function", "any function with the signature of tf.nn.conv2d_transpose"),
)


def resolve(name: str) -> Subject:
    """The subject of that name.

    Args:
        name: one of `HELP`, or `package.module:function`.

    Returns:
        Its adapter; nothing is imported or started yet.

    Raises:
        ValueError: if there is no such subject.
    """
    if name in DEFAULTS:
        return DEFAULTS[name]
    prefix, colon, variant = name.partition(":")
    if prefix in ADAPTERS and colon:
        return ADAPTERS[prefix](variant)
    if not colon:
        known = ", ".join(known for known, _ in HELP)
        raise ValueError(f"no subject {name!r}; there are {known}")
    return External(name)
