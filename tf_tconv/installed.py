"""Which version of this library is installed."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tf-tconv")
except PackageNotFoundError:  # A checkout that was never installed.
    __version__ = "0.0.0"
