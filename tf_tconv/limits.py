"""Limits of TensorFlow's that are said before a kernel meets them."""

LARGEST = 2**31 - 1
"""What its kernels count cells, and elements of a tensor, with."""
