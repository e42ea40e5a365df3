"""Writes the stacks, once all of them are valid: in this process, or many of them in several."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import nodejs
from .declarations.errors import ConfigurationError
from .declarations.files import content_of, present, write
from .failures import ToldError, told
from .unchecked import leave_unchecked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import ProcessPoolExecutor

    from cdktf import App

    from .stacks.base import BaseStack

    Make = Callable[[App], list[BaseStack]]
    """What makes stacks, once cdktf is there."""
    Written = Callable[[], list[Mapping[str, Any]]]
    """What returns the JSON of the stacks that a pipeline deploys."""
    Supporting = Callable[[App, Written], list[BaseStack]]
    """What makes the stacks that come before them."""

PROVIDER_LOCK = Path(".terraform.lock.hcl")


@dataclass(frozen=True)
class Stacks:
    """The stacks of a declaration: those that a pipeline deploys, and those before them.

    Where ``deployed`` has several parts, each of them is made in a process of its own, and so is
    ``supporting``.
    """

    deployed: Sequence[Make]
    supporting: Supporting | None = None


def synthesize(stacks: Stacks) -> None:
    """Write every stack, or nothing and raise :class:`ConfigurationError` with every problem."""
    lock = content_of(PROVIDER_LOCK) if present(PROVIDER_LOCK) else None
    folder = output_folder()
    if len(stacks.deployed) > 1:
        _in_processes(stacks, folder)
    else:
        _write(partial(_all, stacks), folder)
    if lock is not None:
        for name in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["stacks"]:
            write(folder / "stacks" / name / PROVIDER_LOCK.name, lock)


def output_folder() -> Path:
    """Return the folder to write to, which cdktf's command names in a variable."""
    folder = Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            [f"{folder}: cannot be written to ({error.strerror}): name another output folder"]
        ) from None
    return folder


def _all(stacks: Stacks, app: App) -> list[BaseStack]:
    made = [stack for make in stacks.deployed for stack in make(app)]
    if stacks.supporting is None:
        return made
    return [*made, *stacks.supporting(app, lambda: [_as_written(stack) for stack in made])]


def _as_written(stack: BaseStack) -> Mapping[str, Any]:
    """Return a stack's JSON in the order of the file, which is what other processes know."""
    content: Mapping[str, Any] = json.loads(json.dumps(stack.to_terraform(), sort_keys=True))
    return content


def _write(make: Make, folder: Path) -> list[str]:
    """Write what ``make`` makes, or nothing and raise; return the names of the stacks."""
    nodejs.begin()
    # Most of what stacks are made of is imported before Node.js is asked for anything.
    from cdktf import App

    import s3_cross_account.bindings  # noqa: F401

    from .stacks.validation import problems

    # It would validate each stack again while it writes them.
    app = App(outdir=str(folder), skip_validation=True)
    stacks = make(app)
    if found := problems(stacks):
        raise ConfigurationError(found)
    app.synth()
    for stack in stacks:
        stack.written(folder / "stacks" / stack.id)
    return [stack.id for stack in stacks]


def _in_processes(stacks: Stacks, folder: Path) -> None:
    """Write each part from a process of its own, as many at once as there are processors."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(dir=folder, prefix=".parts-") as scratch, _pool() as pool:
        parts = [Path(scratch, str(number)) for number in range(len(stacks.deployed))]
        made = list(pool.map(_part, stacks.deployed, parts))
        if found := [problem for _, problems in made for problem in problems]:
            raise ConfigurationError(found)
        if stacks.supporting is not None:
            files = [
                part / "stacks" / name / "cdk.tf.json"
                for part, (names, _) in zip(parts, made, strict=True)
                for name in names
            ]
            parts.append(Path(scratch, "supporting"))
            _, found = pool.submit(
                _part, partial(_supporting, stacks.supporting, files), parts[-1]
            ).result()
            if found:
                raise ConfigurationError(found)
        _put_together(parts, folder)


def _part(make: Make, folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the stacks that were written, and else what is wrong with them."""
    gc.disable()
    leave_unchecked()
    try:
        return _write(make, folder), []
    except ConfigurationError as error:
        return [], list(error.problems)
    except Exception as error:
        # Where it comes from, which says how to tell it, gets lost on the way.
        lines = told(error)
        if lines is None:
            raise
        raise ToldError(lines) from None


@contextmanager
def _pool() -> Iterator[ProcessPoolExecutor]:
    # What a single process does not need, it does not wait for.
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
    from multiprocessing import get_context

    # Of the processes, not of this one: Node.js, of which several run, is to tidy up earlier.
    options = f"{os.environ.get('NODE_OPTIONS', '')} --max-semi-space-size=1"
    os.environ["NODE_OPTIONS"] = options.strip()
    with ProcessPoolExecutor(
        processors(),
        mp_context=get_context("spawn"),
        initializer=_interruptible,
        max_tasks_per_child=1,
    ) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise ToldError(
                "a process ended too early: run it again; memory may have been short"
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _interruptible() -> None:
    """Let this process end at once, where that is asked of it or one of the others has ended."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # it may be asked twice
        signal.signal(number, signal.SIG_IGN)
    nodejs.abandon()
    os._exit(130)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _supporting(make: Supporting, files: Iterable[Path], app: App) -> list[BaseStack]:
    return make(app, lambda: [json.loads(file.read_text(encoding="utf-8")) for file in files])


_STACKS = re.compile(r'^    "[^"]+": {\n.*^    }', re.DOTALL | re.MULTILINE)
_STACK = re.compile(r'^    "([^"]+)": {\n.*?^    }', re.DOTALL | re.MULTILINE)


def _put_together(parts: Sequence[Path], folder: Path) -> None:
    """Move what the parts wrote into ``folder``, with one manifest, as one process writes it."""
    manifests = [(part / "manifest.json").read_text(encoding="utf-8") for part in parts]
    for part in parts:
        for file in part.glob("stacks/*/*"):
            place = folder / file.relative_to(part)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    # Put together as text: cdktf and its successor break the lines of empty lists differently.
    of = {found[1]: found[0] for text in manifests for found in _STACK.finditer(text)}
    entries = ",\n".join(of[name] for name in sorted(of))
    whole = _STACKS.sub(lambda _: entries, manifests[0])
    write(folder / "manifest.json", whole.encode())
