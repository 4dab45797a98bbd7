"""`tf-tconv explain`: what it prints, writes and refuses."""

import json
import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from tf_tconv.cli import app
from tf_tconv.commands.failure import FAILED

CLASSIC = "--input 3 --kernel 3 --stride 2 --padding same"


def run(line):
    """The command as it is installed."""
    return CliRunner().invoke(app, ["explain", *line.split()])


@pytest.mark.parametrize("cell", ["--output cell 5,5", "--cell 5,5"])
def test_the_classic_cell(cell):
    result = run(f"{CLASSIC} {cell}")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "transposed convolution: 3 x 3 -> 6 x 6, kernel 3 x 3, padding SAME"
    assert lines[-1] == "output[5, 5] = 2*9 = 18"
    assert "  <  <  7  .  8 [.][9][>]" in lines


@pytest.mark.parametrize(
    "arguments", ["--output size 5,6 --cell 0,0", "--output-size 5,6 --output cell 0,0"]
)
def test_the_cell_and_the_size(arguments):
    result = run(f"{CLASSIC} {arguments}")
    assert "3 x 3 -> 5 x 6" in result.output
    assert "output[0, 0] = 2*1 = 2" not in result.output  # As size 6 has it, whose rows pad less.
    assert result.output.splitlines()[-1] == "output[0, 0] = 1*1 = 1"


def test_values_padding_and_view():
    line = "--input-values 1,2;3,4 --kernel-values 1,0;0,1.5 --padding 1,0,0,1 --view matrix"
    result = run(line)
    assert result.exit_code == 0
    assert "padding [[0, 0], [1, 0], [0, 1], [0, 0]]" in result.output
    assert "[0, 1]   1.5    0    0    1" in result.output
    assert result.output.splitlines()[-2:] == ["    3  5.5", "    0  4.5"]


@pytest.mark.parametrize(
    ("said", "meant"), [("zero-insertion", "zero_insertion"), ("polyphase", "phases")]
)
def test_views_by_their_other_names(said, meant):
    result = run(f"{CLASSIC} --view {said}")
    assert result.exit_code == 0
    assert result.output == run(f"{CLASSIC} --view {meant}").output
    assert result.output != run(f"{CLASSIC} --view scatter").output


def test_json_has_what_is_too_large_to_read():
    refused = run("--input 50")
    assert refused.exit_code == FAILED
    assert refused.stderr.endswith("Here: a smaller --input, or --json.\n")
    result = run("--input 50 --cell 49,49 --json")
    assert result.exit_code == 0
    assert json.loads(result.output)["cell"]["cell"] == [49, 49]


def test_json_holds_the_numbers():
    result = run(f"{CLASSIC} --output cell 5,5 --json")
    found = json.loads(result.output)
    assert found["cell"] == {
        "cell": [5, 5],
        "products": [{"input_cell": [2, 2], "tap": [1, 1], "input": 9, "weight": 2, "product": 18}],
        "sum": 18,
    }
    assert (found["rows"]["lead"], found["rows"]["trail"], found["columns"]["stride"]) == (2, 1, 2)
    assert found["padded_input"][6] == [0, 0, 7, 0, 8, 0, 9, 0]
    value, zero = "value", "inserted"
    assert found["padded_kinds"][6] == ["lead", "lead", value, zero, value, zero, value, "trail"]
    assert found["reversed_kernel"] == [[6, 5, 4], [3, 2, 1], [0, -1, -2]]
    assert found["output"][5] == [7, 14, 29, 16, 33, 18]


def test_save_writes_a_picture(tmp_path):
    path = tmp_path / "still.svg"
    result = run(f"{CLASSIC} --cell 5,5 --view scatter --save {path}")
    assert result.output.splitlines()[-1] == f"{path} is written."
    assert any(text.text == "output[5, 5] = 2 × 9 = 18" for text in ET.parse(path).iter())


@pytest.mark.parametrize("size", ["1", "2", "3,4", "5"])
def test_default_numbers_have_two_in_the_centre(size):
    found = json.loads(run(f"--kernel {size} --json").output)["kernel"]
    assert found[len(found) // 2][len(found[0]) // 2] == 2
    flat = [entry for row in found for entry in row]
    assert flat == list(range(int(flat[0]), int(flat[0]) + len(flat)))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "--output place 5,5",
            "--output place 5,5: it must be cell row,column or size height,width.",
        ),
        (
            "--output cell 1,1 --cell 2,2",
            "--output cell 1,1 and --cell 2,2 say the same; give one.",
        ),
        ("--cell 9,9", "cell[0]=9 is out of range; it must be an integer from 0 to 2."),
        ("--input 0", "--input=0 is out of range; it must be an integer from 1 to 2147483647."),
        ("--kernel x", "--kernel: 'x' is not an integer."),
        (
            "--kernel 1,2,3",
            "--kernel '1,2,3' has 3 numbers; it must have 1, or 2 with a comma between.",
        ),
        ("--padding some", "--padding 'some' is unknown; it must be same, valid or four numbers,"),
        ("--input-values 1,2;3", "--input-values '1,2;3' has rows of unequal lengths;"),
        ("--input-values 1,a", "--input-values '1,a' must be numbers, as in 1,2;3,4."),
        ("--input 5000", "--input 5000 is too large; at most 1048576 cells."),
        ("--input 50", "a padded input of 52 x 52 cells is too large to read;"),
        ("--padding 0,0,-1,0", "--padding=-1 is out of range; it must be an integer from 0 to"),
        (
            "--dilation 3000000000",
            "--dilation=3000000000 is out of range; it must be an integer from 1 to 2147483647.",
        ),
        ("--stride 2147483647", "the output would have 6442450941 x 6442450941 elements; at most"),
        (
            "--stride 2 --output-size 7,5",
            "--output-size=7 cannot come from 3 input rows: kernel 3, stride 2, dilation 1, "
            'padding "SAME" reach 5..6. But --padding 0,1,1,1 reaches 7 and 5 (6..7 rows).',
        ),
        ("--padding 9,9,0,0", "--padding=(9, 9) takes off more than 3 input rows give: kernel 3,"),
        ("--save x.bmp", 'the ending of path=".bmp" is unknown;'),
    ],
)
def test_errors_are_one_sentence(line, message):
    result = run(line)
    assert result.exit_code == FAILED
    assert result.stderr.startswith(f"tf-tconv: {message}")
    assert result.stderr.count("\n") == 1


def test_help_explains_itself():
    result = run("--help")
    assert result.exit_code == 0
    assert "--output cell 5,5" in " ".join(result.output.split())
    assert "counting up" in " ".join(result.output.split())
