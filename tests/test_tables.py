"""Tables of the commands at several widths: nothing is cut, and names stay whole."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tf_tconv.benchmark.machine import Machine
from tf_tconv.benchmark.rows import Row as Measured
from tf_tconv.cli import app
from tf_tconv.commands import bench, tables
from tf_tconv.commands.tables import Row, Sheet
from tf_tconv.lowerings import NAMES

NAMES_ALIKE = [f"u2net_in_decoder_stage_{n}/upsampling_{n % 2}" for n in range(1, 6)]
SHEET = Sheet(
    "5 layers",
    ["layer", "channels", "first\nheading", "a longer heading", "words", ""],
    [
        Row([name, "512>256", "1.25", "0+1 0-13", "one of several words", "a remark of its own"])
        for name in NAMES_ALIKE
    ],
)


def shown(sheet, width):
    """The lines on a terminal of some width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(sheet)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_nothing_is_cut(width):
    lines = shown(SHEET, width)
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    assert max(map(len, lines)) <= width
    for name in NAMES_ALIKE:
        assert sum(name in line for line in lines) == 1
    for word in ("0+1 0-13", "512>256", "one of several words"):
        assert text.count(word) == len(NAMES_ALIKE)
    if width >= 100:
        assert text.count("remark") == len(NAMES_ALIKE)


def test_a_name_wider_than_the_screen_is_broken_and_whole():
    name = "".join(NAMES_ALIKE)
    lines = shown(Sheet("", ["layer", "size"], [Row([name, "12"])]), 30)
    assert name in "".join(line.strip() for line in lines)
    assert "12" in lines[-1]


def test_it_is_a_table_where_it_fits_and_lines_with_headings_where_not():
    wide, narrow = shown(SHEET, 200), shown(SHEET, 80)
    assert len(wide) == 1 + 2 + len(NAMES_ALIKE)
    assert "channels" in wide[2]
    assert sum("channels 512>256" in line for line in narrow) == len(NAMES_ALIKE)
    assert any("first heading 1.25" in line for line in narrow)


def test_an_empty_table():
    assert shown(Sheet("none", ["layer", "", "size"], []), 80)[0] == "none"


def measured(number):
    others = {"zero_insertion": 0.3, "torch channels_last": 0.1}
    return Measured(
        *("graph", f"U2-Net {NAMES_ALIKE[number]}", "16x32x32 128>3 k5 s2", "block_matmul"),
        *(0.123456, 0.1, 0.9 + number / 10, 0.8, 1.4, 10**9, 10**8, others),
    )


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_of_the_benchmark(width):
    machine = Machine("processor", 2, "2", "3", 1e11, 1e10)
    lines = shown(bench.table([measured(n) for n in range(5)], machine), width)
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    assert max(map(len, lines)) <= width
    for name in NAMES_ALIKE:
        assert f"U2-Net {name}" in text
    for word in ("block_matmul", "123.456", "torch channels_last", "128>3 k5 s2"):
        assert text.count(word) == 5, word


PLAN = "plan --input ?,128,128,64 --filters 16,16,3,64 --stride 8 --backend onednn"


@pytest.mark.parametrize("columns", ["60", "80", "200", None])
def test_what_is_piped_is_never_cut_or_wrapped(columns):
    result = CliRunner(env={"COLUMNS": columns}).invoke(app, PLAN.split())
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) == 1 + 1 + len(NAMES) + 2
    rows = {line.split()[0]: line for line in lines[2 : 2 + len(NAMES)]}
    assert set(rows) == set(NAMES)
    assert rows["zero_insertion"].rstrip().endswith("holds more than 16 times input plus output")


def test_a_terminal_has_its_own_width(monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setenv("COLUMNS", "70")
    assert tables.screen().width == 70
