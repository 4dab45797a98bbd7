"""What a dialect's `to_arguments` returns: a call, and what to do to its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tf_tconv.dialects.pairs import Sides

NOTHING: tuple[Sides, ...] = ((0, 0), (0, 0))


@dataclass(frozen=True)
class Translation:
    """An operation in one framework's words.

    Args:
        callee: the function or class to call, such as "torch.nn.ConvTranspose2d".
        arguments: its keyword arguments by name, defaults included; what the operation does not
            know, such as its channels, is left out.
        call: the call as text, defaults left out, names in place of what is unknown.
        data_format: "NHWC" or "NCHW", the layout of the images that the call takes.
        kernel: the layout of the kernel that it takes, as `to_weights` makes it.
        crop: ((top, bottom), (left, right)) cells to cut off the call's result; negative: zeros to
            add. All zero where the call says it all.
        after: lines of code that do so to a result named y. Where they add zeros, the call leaves
            the bias out, and the last line adds it to them as well.

    Example:
        >>> from tf_tconv.dialects import keras, torch
        >>> operation = keras.from_arguments(kernel_size=3, strides=2, padding="same")
        >>> translation = torch.to_arguments(operation)
        >>> translation.exact, translation.crop
        (False, ((0, 1), (0, 1)))
        >>> print(translation.text)
        torch.nn.ConvTranspose2d(in_channels, out_channels, kernel_size=3, stride=2)
        y = y[:, :, :-1, :-1]
    """

    callee: str
    arguments: Mapping[str, Any]
    call: str
    data_format: str
    kernel: str
    crop: tuple[Sides, ...] = NOTHING
    after: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the call alone is the operation."""
        return self.crop == NOTHING

    @property
    def text(self) -> str:
        """The call to paste and the lines that follow it."""
        return "\n".join((self.call, *self.after))


def adds_zeros(crops: tuple[Sides, ...], said: tuple[Sides, ...]) -> bool:
    """Whether zeros have to follow a call that cuts off `said` where `crops` are wanted."""
    return any(
        wanted < got
        for axis in zip(crops, said, strict=True)
        for wanted, got in zip(*axis, strict=True)
    )


def finish(
    callee: str,
    arguments: Mapping[str, Any],
    call: str,
    data_format: str,
    kernel: str,
    *,
    crops: tuple[Sides, ...],
    said: tuple[Sides, ...],
    rule: str,
    strict: bool,
    pad_line: Callable[[tuple[Sides, ...]], str],
    crop_line: Callable[[tuple[Sides, ...]], str] | None = None,
    bias_line: str = "",
) -> Translation:
    """The translation whose call cuts off `said` of the `crops` wanted.

    Args:
        callee: what is called.
        arguments: of the call.
        call: as text.
        data_format: layout of the call's images.
        kernel: layout of its kernel.
        crops: what the operation cuts off.
        said: what the call cuts off.
        rule: what the callee can cut off, for the message.
        strict: whether to raise where the two differ.
        pad_line: the line of code that adds zeros, given non-negative numbers of them.
        crop_line: likewise for what is cut off; `None` for a slice.
        bias_line: the line of code that adds a bias, which zeros need as well.

    Raises:
        ValueError: they differ, and `strict`.
    """
    crop = _map_sides(lambda wanted, got: wanted - got, crops, said)
    if strict and crop != NOTHING:
        change = _change(crop)
        follows = change if "add" in change else f"the {crop} to cut off"
        raise ValueError(
            f"{callee} alone cannot {_change(crops)} ((top, bottom), (left, right)): {rule}. "
            f"Without strict it gives the nearest call, and {follows} its result."
        )
    lines = []
    # Zeros first: where everything was cut off, they are what is left to cut.
    zeros = _map_sides(lambda cells: max(-cells, 0), crop)
    if zeros != NOTHING:
        lines.append(pad_line(zeros))
    excess = _map_sides(lambda cells: max(cells, 0), crop)
    if excess != NOTHING:
        lines.append(crop_line(excess) if crop_line else slice_line(excess, data_format))
    if zeros != NOTHING and bias_line:
        lines.append(bias_line)
    return Translation(callee, arguments, call, data_format, kernel, crop, tuple(lines))


def slice_line(crop: tuple[Sides, ...], data_format: str) -> str:
    """The line of code that cuts `crop` off a NumPy-like array y."""
    rows, columns = (f"{before or ''}:{-after or ''}" for before, after in crop)
    index = [":", ":", rows, columns] if data_format == "NCHW" else [":", rows, columns, ":"]
    return f"y = y[{', '.join(index)}]"


def format_call(
    callee: str,
    positional: Iterable[Any],
    arguments: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> str:
    """A call as text, without the arguments that have their default.

    Args:
        callee: what is called.
        positional: the first arguments, as they are to be shown.
        arguments: the others by name.
        defaults: what need not be said.
    """
    shown = [str(value) for value in positional]
    shown += [
        f"{name}={literal(value)}"
        for name, value in arguments.items()
        if name not in defaults or defaults[name] != value
    ]
    return f"{callee}({', '.join(shown)})"


def literal(value: Any) -> str:
    """A value as code: strings in double quotes, as the project's formatter has them."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Unquoted):
        return value.code
    if isinstance(value, (tuple, list)):
        inside = ", ".join(map(literal, value))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


@dataclass(frozen=True)
class Unquoted:
    """A piece of code in place of a value that only the caller's program knows."""

    code: str


def collapsed(pair: Any) -> Any:
    """A pair of equal entries as the one number that means both."""
    return pair[0] if isinstance(pair, tuple) and len(pair) == 2 and pair[0] == pair[1] else pair


def _change(crops: tuple[Sides, ...]) -> str:
    """What signed crops do, in numbers of cells."""
    cut, added = (
        _map_sides(lambda cells, sign=sign: max(sign * cells, 0), crops) for sign in (1, -1)
    )
    parts = [f"cut {cut} cells off"] if cut != NOTHING or added == NOTHING else []
    return " and ".join([*parts, *([f"add {added} zeros to"] if added != NOTHING else [])])


def _map_sides(function: Callable[..., int], *crops: tuple[Sides, ...]) -> tuple[Sides, ...]:
    rows, columns = (
        (function(*(sides[0] for sides in axis)), function(*(sides[1] for sides in axis)))
        for axis in zip(*crops, strict=True)
    )
    return rows, columns
