"""Keras models with their transposed convolutions exchanged for ours, or ours for Keras'."""

from tf_tconv.conversion.model import convert
from tf_tconv.conversion.model import convert_model as convert_model
from tf_tconv.conversion.result import Conversion, LeftLayer, SwappedLayer

__all__ = ["Conversion", "LeftLayer", "SwappedLayer", "convert"]
