"""The cause in what Keras says of an object that it cannot make, which comes last."""

from __future__ import annotations

import re

# What follows is the whole config of a model, or Keras' advice to those who write its classes.
_NOISE = re.compile(
    r"\s*(Full object config:|config=\{|Please (?:ensure|implement) |Make sure custom classes"
    r"|If they are already|See https?://|Arguments received by|Received: config).*",
    re.DOTALL,
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_STEPS = ("Exception encountered: ", "Original error: ")
MISSING = re.compile(
    r"Could not (?:locate|deserialize) (?:class|function) '([^']+)'"
    r"|Unknown \w+(?: \w+)*: '?([\w>.]+)"
    r"|Could not interpret \w+(?: \w+)* identifier: '?([\w>.]+)"
)


def cause(error: BaseException) -> str:
    """The innermost reason of an error, on one line.

    Args:
        error: what was raised.

    Example:
        >>> cause(
        ...     TypeError(
        ...         "Model could not be deserialized. config={'layers': []}. Exception "
        ...         "encountered: Could not locate class 'GELU'. Full object config: {}"
        ...     )
        ... )
        "Could not locate class 'GELU'."
    """
    text = " ".join(_COLOURS.sub("", str(error)).split())
    for step in _STEPS:
        text = text.rpartition(step)[2]
    called = re.match(r"Exception encountered when calling \S+ ", text)
    text = text[called.end() :] if called else text
    short = _NOISE.sub("", text).strip()
    return short or text or type(error).__name__


def missing_name(error: BaseException) -> str | None:
    """The name of a class or function that Keras does not know, if that is the cause."""
    found = MISSING.search(" ".join(str(error).split()))
    return next(filter(None, found.groups()), None) if found else None
