"""Judges implementations of transposed convolution against its definition.

`python -m compat_tests --help` shows how to point it at an implementation.
"""
