"""Plants small faults in the arithmetic, one at a time, and lists which test catches each.

    python -m tools.plant_faults --jobs 2 --json build/faults.json --markdown build/faults.md

Exits with 1 where a fault survives that `equivalent_faults.toml` does not explain. The checkout is
never touched: faults go into copies of it, which are removed. About a hundred faults take half an
hour on two cores, most of which are caught by the first test or two.

Why no mutation library: mutmut (3) plants every fault there is, some thousands here, and calls the
tests in forks of a process that has loaded TensorFlow; cosmic-ray edits the working tree. Neither
draws a sample that stays, runs likely tests first, or swaps pairs, twins of names and casts.
"""

from __future__ import annotations

import queue
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tools.faults.report import as_json, markdown, outcome, survivors, table
from tools.faults.sites import Fault, faults_in, sample, unlisted
from tools.faults.trials import Copy, Stage, Trial

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = "tools/equivalent_faults.toml"

MODULES = (
    "tf_tconv/geometry.py",
    "tf_tconv/operation.py",
    "tf_tconv/phases.py",
    "tf_tconv/lowerings/**/*.py",
    "tf_tconv/ops/**/*.py",
    "tf_tconv/functional/differentiation.py",
)
"""Where the arithmetic is; a pattern may match nothing."""

LIKELY = (
    "tests/test_geometry.py",
    "tests/test_operation.py",
    "tests/test_phases.py",
    "tests/test_lowerings.py",
    "tests/lowerings",
    "tests/ops",
    "compat_tests/test_axis.py",
    "compat_tests/test_explicit.py",
    "compat_tests/test_plane.py",
    "compat_tests/test_channels.py",
    "compat_tests/test_gradient.py",
    "compat_tests/test_layout.py",
    "compat_tests/test_dtype.py",
    "compat_tests/test_edge.py",
)
"""Tests that run first, those of them that there are; before these, those named like the module."""

NEAR = {
    "ops/counting": ("tests/test_planning.py",),
}
"""Tests that run first, by a word of the module's path."""

FAST = ("-m", "not slow and not exhaustive and not peers")
SLOW = ("-m", "slow and not exhaustive and not browser and not peers")

LIKELY_STAGE, FAST_STAGE, SLOW_STAGE = "likely", "fast", "slow"

TEST_SECONDS = 120
"""What one test may take: more than any does, on a busy machine too."""

console = Console()


def targets(root: Path, only: Sequence[str]) -> list[str]:
    """The modules to plant faults in, `only` those whose path has one of these words."""
    found = [
        path.relative_to(root).as_posix()
        for pattern in MODULES
        for path in sorted(root.glob(pattern))
    ]
    return [module for module in found if not only or any(word in module for word in only)]


def likely_tests(root: Path, module: str) -> tuple[str, ...]:
    """The tests to run first for a module, those that exist."""
    inner = Path(module).relative_to("tf_tconv")
    stem = inner.stem.strip("_") or inner.parent.name
    mirrored = [f"tests/{inner.parent.as_posix()}/test_{stem}.py", f"tests/test_{stem}.py"]
    near = [test for word, tests in NEAR.items() if word in module for test in tests]
    wanted = dict.fromkeys(Path(name).as_posix() for name in (*mirrored, *near, *LIKELY))
    return tuple(name for name in wanted if (root / name).exists())


def known_equivalent(root: Path) -> dict[str, str]:
    """The faults that change nothing that can be seen, with the reason for each."""
    file = root / EQUIVALENT
    if not file.exists():
        return {}
    return dict(tomllib.loads(file.read_text("utf-8")).get("equivalent", {}))


def stages(root: Path, module: str, broken: Sequence[str], minutes: float) -> dict[str, Stage]:
    """What a fault in the module has to get past, by name.

    Args:
        root: the checkout.
        module: the module with the fault.
        broken: tests that fail without any fault, which are left out.
        minutes: what the fast tests may take.
    """
    without = (*(f"--deselect={test}" for test in broken), "-o", f"timeout={TEST_SECONDS}")
    seconds = 60 * minutes
    likely = likely_tests(root, module)
    return {
        LIKELY_STAGE: Stage(LIKELY_STAGE, (*likely, *FAST, *without), seconds),
        FAST_STAGE: Stage(FAST_STAGE, (*FAST, *without), seconds),
        SLOW_STAGE: Stage(SLOW_STAGE, (*SLOW, *without), 3 * seconds),
    }


@contextmanager
def copies(root: Path, count: int) -> Iterator[queue.SimpleQueue[Copy]]:
    """So many copies of the checkout, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        idle: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(count):
            idle.put(Copy(root, Path(folder, str(number))))
        yield idle


def try_all(
    root: Path, faults: Sequence[Fault], jobs: int, slow: bool, minutes: float, trust: bool
) -> Iterator[Trial]:
    """Tries faults, `jobs` at a time: all on the likely tests, what is left on the fast ones.

    Args:
        root: the checkout; only read.
        faults: what to plant.
        jobs: how many copies are tested at once.
        slow: whether slow tests run for what the others let through.
        minutes: what the fast tests may take.
        trust: whether to believe that all tests pass without a fault.

    Yields:
        Each fault once: as soon as it is caught, or when the last stage has let it through.
    """
    names = [LIKELY_STAGE, FAST_STAGE, *([SLOW_STAGE] if slow else [])]
    with copies(root, jobs) as idle:
        broken: list[str] = []
        if not trust:
            copy = idle.get()
            broken = copy.failures(FAST, 60 * minutes)
            if slow:
                broken += copy.failures(SLOW, 120 * minutes)
            idle.put(copy)
            for test in broken:
                console.print(f"fails without a fault, so it counts for nothing: {test}")

        def tried(fault: Fault, stage: str) -> Trial:
            copy = idle.get()
            try:
                found = stages(root, fault.module, broken, minutes)[stage]
                return copy.try_fault(fault, found)
            finally:
                idle.put(copy)

        left = list(faults)
        for stage in names:
            survived = []
            with ThreadPoolExecutor(jobs) as pool:
                waiting = [pool.submit(tried, fault, stage) for fault in left]
                for each in as_completed(waiting):
                    trial = each.result()
                    if trial.caught_by is None and stage != names[-1]:
                        survived.append(trial.fault)
                    else:
                        yield trial
            left = survived
            if left and stage != names[-1]:
                console.print(f"{len(left)} got past the tests of the stage {stage!r}")


def write(path: Path | None, text: str) -> None:
    """Writes a report, where one is wanted."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def main(
    only: Annotated[list[str] | None, typer.Option(help="Words of paths of modules.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many faults.")] = 100,
    seed: Annotated[int, typer.Option(help="Draws another sample.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Copies that are tested at once.")] = 2,
    slow: Annotated[bool, typer.Option(help="Try slow tests on what survives.")] = False,
    trust: Annotated[bool, typer.Option(help="Don't run the tests without a fault first.")] = False,
    minutes: Annotated[float, typer.Option(help="What the fast tests may take.")] = 30,
    again: Annotated[
        list[str] | None, typer.Option("--key", help="Faults by key, instead of a sample.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Where to write all that is known.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Where to write the table.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only list the faults.")] = False,
    root: Annotated[Path, typer.Option(help="The checkout.", hidden=True)] = ROOT,
) -> None:
    """Plant small faults, one at a time, and list which test catches each."""
    modules = targets(root, only or ())
    possible = [
        fault
        for module in modules
        for fault in faults_in(module, (root / module).read_text("utf-8"))
    ]
    faults = sample(possible, count, seed)
    if again:
        faults = [fault for fault in possible if fault.key in again]
    if not faults:
        console.print("[red]no fault can be planted there")
        raise typer.Exit(2)
    if listed:
        for fault in faults:
            console.print(f"{fault.module}:{fault.line} {fault.kind}: {fault.key}", markup=False)
        return
    equivalent: Mapping[str, str] = known_equivalent(root)
    if not only:
        for key in unlisted(equivalent, possible):
            console.print(f"{EQUIVALENT} names a fault that is none any more: {key}", markup=False)
    trials: list[Trial] = []
    for trial in try_all(root, faults, jobs, slow, minutes, trust):
        trials.append(trial)
        console.print(
            f"{len(trials)}/{len(faults)} {trial.seconds:.0f} s "
            f"{trial.fault.key}: {outcome(trial, equivalent)}",
            markup=False,
            soft_wrap=True,
        )
        trials.sort(key=lambda trial: faults.index(trial.fault))
        write(json, as_json(trials, equivalent))
        write(markdown_file, markdown(trials, equivalent))
    console.print(table(trials, equivalent))
    if left := survivors(trials, equivalent):
        console.print(f"{len(left)} survived:", style="red")
        for fault in left:
            console.print(f"  {fault.key}", markup=False, soft_wrap=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
