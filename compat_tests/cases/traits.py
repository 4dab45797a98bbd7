"""What kind of case a case is, in the words in which implementations differ."""

from __future__ import annotations

from dataclasses import replace

from compat_tests.cases.case import FIRST_ORDER, SECOND_ORDER, Case

Trait = str | bool | int


def traits(case: Case) -> dict[str, Trait]:
    """The traits of a case by name.

    Args:
        case: a legal call.

    Returns:
        Texts: "family"; "dtype"; "layout", "NHWC" or "NCHW"; "padding", "SAME", "VALID" or
        "explicit"; "groups", "one", "several" or "depthwise"; "gradients", "none", "dx", "dw",
        "first" or "second"; "empty", "no", "batch", "image" or "both": which of them has no cells.
        Truths: "strided" and "dilated", on any axis; "single_tap", a kernel of one tap;
        "no_output", an output image without cells; "unknown_size" and "unknown_output", not known
        when traced; "kernel_below_stride", an effective kernel smaller than its stride on any axis;
        "uneven", a side padded more than the other on any axis; "odd", an odd padding of both
        sides together, on any axis; "unreached", outputs beyond all kernels on any axis;
        "one_sided", the side before padded more than the one after by the stride and the dilation
        or more, on any axis; "cropped", a side padded by the effective kernel or more;
        "default_output", the output that is the default one.
        Numbers: "stride" and "kernel", the larger one of the two axes.
    """
    effective = [(k - 1) * d + 1 for k, d in zip(case.kernel, case.dilations, strict=True)]
    pads = [case.pads(axis) for axis in (0, 1)]
    explicit = not isinstance(case.padding, str)
    return {
        "family": case.family,
        "dtype": case.dtype,
        "layout": case.data_format,
        "padding": "explicit" if explicit else str(case.padding),
        "groups": _groups(case),
        "gradients": _gradients(case),
        "strided": max(case.strides) > 1,
        "dilated": max(case.dilations) > 1,
        "single_tap": max(case.kernel) == 1,
        "empty": _empty(case),
        "no_output": 0 in case.output_size,
        "unknown_size": bool({"batch", "height", "width"} & set(case.unknown)),
        "unknown_output": "output_shape" in case.unknown,
        "kernel_below_stride": any(k < s for k, s in zip(effective, case.strides, strict=True)),
        "uneven": any(before != after for before, after in pads),
        "odd": any(max(before + after, 0) % 2 for before, after in pads),
        "unreached": any(after < 0 for _, after in pads),
        "one_sided": any(
            before - after >= max(stride, dilation)
            for (before, after), stride, dilation in zip(
                pads, case.strides, case.dilations, strict=True
            )
        ),
        "cropped": any(max(sides) >= k for sides, k in zip(pads, effective, strict=True)),
        "default_output": case.output is None
        or (not explicit and case.output_size == _default(case)),
        "stride": max(case.strides),
        "kernel": max(case.kernel),
    }


def _groups(case: Case) -> str:
    if case.groups == 1:
        return "one"
    return "depthwise" if case.groups == case.in_channels == case.out_channels else "several"


def _gradients(case: Case) -> str:
    if case.gradients in (FIRST_ORDER, SECOND_ORDER):
        return "first" if case.gradients == FIRST_ORDER else "second"
    return case.gradients[0] if case.gradients else "none"


def _empty(case: Case) -> str:
    if case.batch:
        return "image" if 0 in case.input else "no"
    return "both" if 0 in case.input else "batch"


def _default(case: Case) -> tuple[int, int]:
    """The size that would be taken if none were asked for."""
    return replace(case, output=None).output_size
