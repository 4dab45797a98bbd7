"""Check the installed tf_tconv from outside its checkout.

Usage, from an empty directory: python - ROOT VERSION < check_installed.py

ROOT is the folder tf_tconv must have been installed under, VERSION the version it must report.
Read from standard input, the program brings no folder of the checkout onto sys.path. It exits
non-zero, with the reason, on the first fact that does not hold.
"""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import numpy as np

import tf_tconv


def main(root: Path, version: str) -> None:
    """Check every fact, from the cheapest to the dearest."""
    assert not any(Path.cwd().iterdir()), f"{Path.cwd()} is not empty, so it may hide the wheel"

    package = Path(tf_tconv.__file__).resolve().parent
    assert root.resolve() in package.parents, f"tf_tconv was imported from {package}, not {root}"
    assert (package / "py.typed").is_file(), f"{package} has no py.typed"

    distribution = importlib.metadata.distribution("tf-tconv")
    assert distribution.metadata["Name"] == "tf-tconv", distribution.metadata["Name"]
    assert distribution.version == version, f"metadata say {distribution.version}, not {version}"
    assert tf_tconv.__version__ == version, f"__version__ is {tf_tconv.__version__}, not {version}"

    # Another distribution may own a module called tests, so that one is looked for in ours only.
    shipped = {file.parts[0] for file in distribution.files or ()}
    assert "tf_tconv" in shipped, f"the wheel ships only {sorted(shipped)}"
    assert not shipped & {"compat_tests", "tests"}, f"the wheel ships {sorted(shipped)}"
    assert importlib.util.find_spec("compat_tests") is None, "compat_tests can be imported"

    # SAME, kernel 3, stride 2, 3 -> 6: nothing is cut before, so the centre of the kernel lays
    # input j on output 2j + 1.
    image = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = 2
    expected = np.zeros((1, 6, 6, 1), np.float32)
    expected[:, 1::2, 1::2] = 2 * image
    result = np.asarray(tf_tconv.conv2d_transpose(image, kernel, [1, 6, 6, 1], 2, "SAME"))
    np.testing.assert_array_equal(result, expected)
    assert result[0, 5, 5, 0] == 18, result[0, 5, 5, 0]

    print(f"tf_tconv {version} in {package}: as it should be")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
