"""The checkerboard of transposed convolutions: measured, avoided, or gone around.

A kernel whose size is not a multiple of the stride reaches some output cells with more products
than others. A network can learn to make up for it, and often does not. `overlap` counts, `response`
measures trained kernels, `initializers` start even, and `ResizeConv2D` has no overlap at all.

Source:
    Odena, Dumoulin & Olah, "Deconvolution and Checkerboard Artifacts",
    https://doi.org/10.23915/distill.00003.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tf_tconv.checkerboard.initializers import ICNR, BilinearUpsampling
    from tf_tconv.checkerboard.overlap import (
        even_kernel_sizes,
        evenness,
        overlap_counts,
        stack_counts,
        stack_evenness,
    )
    from tf_tconv.checkerboard.resize_convolution import ResizeConv2D
    from tf_tconv.checkerboard.response import checkerboard_energy, phase_sums
else:
    from tf_tconv.late_imports import on_demand

    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "tf_tconv.checkerboard.initializers": ["ICNR", "BilinearUpsampling"],
            "tf_tconv.checkerboard.overlap": [
                "even_kernel_sizes",
                "evenness",
                "overlap_counts",
                "stack_counts",
                "stack_evenness",
            ],
            "tf_tconv.checkerboard.resize_convolution": ["ResizeConv2D"],
            "tf_tconv.checkerboard.response": ["checkerboard_energy", "phase_sums"],
        },
    )

__all__ = [
    "ICNR",
    "BilinearUpsampling",
    "ResizeConv2D",
    "checkerboard_energy",
    "even_kernel_sizes",
    "evenness",
    "overlap_counts",
    "phase_sums",
    "stack_counts",
    "stack_evenness",
]
