"""``s3-links try``: deploy links into emulated accounts, and show who reaches what."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from s3_links.declarations.files import place_of_links
from s3_links.declarations.read_links import declared
from s3_links.operations.interruption import catch
from s3_links.operations.stack import OperationError, synthesized
from s3_links.operations.synthesis import synthesize

from .__main__ import deploy_reference
from .access import SHORT, VERBS
from .emulator import Emulator, EmulatorError
from .halves import Half, each_half
from .promises import Answers, ask
from .run_folder import run_folder
from .trial import Deployed, deploy
from .workstation import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from s3_links.declarations.links import AnyLink

    from .access import Cell

_SIGN = {True: "✓", False: "·"}
LEGEND = "✓ let in, · refused; in red with a ! what is not as declared. parts: multipart upload."


@dataclass(frozen=True)
class Tried:
    """What was found of a link."""

    answers: Answers
    halves: tuple[Half, ...]

    def problems(self) -> list[str]:
        """Return what is not as declared."""
        return [
            *(
                f"{c.principal}, {c.what}, {c.target}: {'let in' if c.found else 'refused'}"
                for c in self.answers.cells
                if c.found != c.expected
            ),
            *self.answers.wrong,
            *(
                f"without {half.what}: {', '.join(half.left)}"
                for half in self.halves
                if not half.as_promised
            ),
        ]


def try_reference(*, halves: bool, keep: bool, as_json: bool) -> bool:
    """Deploy the reference of this repository as ``make sandbox`` does: where no link is declared.

    Returns whether all is as its patterns promise.
    """
    if halves or as_json:
        raise OperationError(
            "without a link, --halves and --json are not for try: `make test` removes each half of "
            'the reference, and `make sandbox SANDBOX="--json FILE"` writes its answers'
        )
    return deploy_reference(keep=keep) == 0


def has_reference() -> bool:
    """Return whether this folder is the project's own and declares no link."""
    main = Path("main.py")
    return place_of_links() is None and main.exists() and main.resolve() == PROJECT / "main.py"


def try_links(names: Sequence[str], *, halves: bool, keep: bool, as_json: bool) -> bool:
    """Deploy links, ask, and print what was found; return whether all is as declared."""
    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = 80
    with run_folder("s3-try-") as folder:
        catch()  # Terraform is told of a signal, and waited for
        try:
            found = _try(names, folder, console, halves=halves, keep=keep)
        except EmulatorError as error:
            raise OperationError(str(error)) from None
    problems = [f"{name}: {text}" for name, tried in found.items() for text in tried.problems()]
    if as_json:
        print(json.dumps({n: _values(tried) for n, tried in found.items()}, indent=2))
    if problems:
        console.print("Not as declared:", *problems, sep="\n  ", style="bold red", markup=False)
    elif not as_json:
        asked = sum(len(tried.answers.cells) for tried in found.values())
        console.print(f"All {asked} answers are as declared.")
    return not problems


def _try(
    names: Sequence[str], folder: Path, console: Console, *, halves: bool, keep: bool
) -> dict[str, Tried]:
    links = chosen(names)
    os.environ["CDKTF_OUTDIR"] = str(folder / "cdktf.out")
    with console.status("Synthesizing"):
        synthesize()
    stacks = synthesized(list(links))
    found, kept = {}, []
    with Emulator(folder / "emulator", encrypted=True) as emulator:
        for deployed in deploy(stacks, links, emulator, folder, console.status):
            with console.status(f"Asking who reaches what of {deployed.name}"):
                answers = ask(deployed)
                removed = tuple(each_half(deployed)) if halves else ()
            found[deployed.name] = Tried(answers, removed)
            console.print(*_shown(deployed, found[deployed.name]), sep="\n")
            kept.append(deployed)
        console.print(LEGEND, style="dim")
        if keep:
            _keep(console, folder, kept)
    return found


def chosen(names: Sequence[str]) -> dict[str, AnyLink]:
    """Return the links with these names, and those whose buckets they name.

    Without any name, all that are declared.
    """
    read = declared()
    if read is None:
        raise OperationError(
            "there is no links file here to try: write one with `s3-links init`, or name it with "
            "--file"
        )
    if unknown := [name for name in names if name not in read.links]:
        raise OperationError(
            f"there is no link {', '.join(unknown)}: choose from {', '.join(read.links)}"
        )
    wanted = [*(names or read.links)]
    chosen: dict[str, AnyLink] = {}
    for name in wanted:  # which gets longer meanwhile
        chosen[name] = read.links[name]
        wanted += [b.owner.name for b in chosen[name].buckets if b.owner]
    return chosen


def _shown(deployed: Deployed, tried: Tried) -> Iterator[Any]:
    yield Text(f"\n{deployed.name}: {deployed.link.pattern}", style="bold")
    cells = tried.answers.cells
    for target in dict.fromkeys(cell.target for cell in cells):
        yield Padding(_table(target, [c for c in cells if c.target == target]), (0, 0, 1, 0))
    if tried.answers.told:
        yield "By the documents (the emulator does not judge this):"
        yield from (Padding(text, (0, 0, 0, 2)) for text in tried.answers.told)
    if tried.halves:
        table = _empty("Without this half")
        for heading in ("in account", "is left"):
            table.add_column(heading)
        for half in tried.halves:
            left = ", ".join(half.left) or "nothing"
            more = " (one account: the other half is enough)" if half.enough and half.left else ""
            style = "" if half.as_promised else "bold red"
            table.add_row(half.what, half.account, f"{left}{more}", style=style)
        yield table


def _table(target: str, cells: Sequence[Cell]) -> Table:
    table = _empty(target)
    asked = [*VERBS, *(cell.what for cell in cells if cell.what not in VERBS)]
    columns = [what for what in dict.fromkeys(asked) if any(c.what == what for c in cells)]
    for what in columns:
        table.add_column(SHORT.get(what, what), justify="center", no_wrap=True)
    for who in dict.fromkeys(cell.principal for cell in cells):
        row = {cell.what: cell for cell in cells if cell.principal == who}
        table.add_row(who, *(_mark(row.get(what)) for what in columns))
    return table


def _empty(first: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, overflow="fold")
    return table


def _mark(cell: Cell | None) -> Text:
    if cell is None:
        return Text("")
    if cell.found != cell.expected:
        return Text(f"{_SIGN[cell.found]}!", style="bold red")
    return Text(_SIGN[cell.found], style="green" if cell.found else "dim")


def _values(tried: Tried) -> dict[str, Any]:
    return {
        "cells": [asdict(cell) for cell in tried.answers.cells],
        "by_documents": tried.answers.told,
        "halves": [asdict(half) for half in tried.halves],
        "problems": tried.problems(),
    }


def _keep(console: Console, folder: Path, links: Iterable[Deployed]) -> None:
    """Give a shell in which the AWS CLI acts as each role, or wait where there is no terminal."""
    config = folder / "roles"
    profiles = dict(_profiles(links))
    config.write_text("".join(f"[profile {name}]\n{text}" for name, text in profiles.items()))
    settings = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    console.print(
        "\nIn this shell the AWS CLI acts as each role, until its session ends (an hour):"
        if sys.stdin.isatty()
        else "\nThe accounts keep running until Ctrl-C. In another terminal:",
        *(f"  aws s3 ls --profile {name}" for name in profiles),
        sep="\n",
        markup=False,
    )
    if sys.stdin.isatty():
        shell = os.environ.get("SHELL", "/bin/sh")
        console.print("Leave it with `exit`: everything is removed then.")
        subprocess.run([shell], env=os.environ | settings, check=False)
        return
    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_EC2_METADATA_DISABLED", "NO_PROXY")
    exported: Mapping[str, str] = {name: os.environ[name] for name in names} | settings
    for name, value in exported.items():
        console.print(f"export {name}={shlex.quote(value)}", markup=False, soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _profiles(links: Iterable[Deployed]) -> Iterator[tuple[str, str]]:
    for deployed in links:
        for alias, owner in deployed.owners.items():
            yield f"{alias}-root", _profile(owner)
        for name, session in deployed.roles():
            yield name, _profile(session)


def _profile(who: Any) -> str:
    given = {name: value for name, value in who.credentials.items() if value}
    return "".join(f"{n} = {v}\n" for n, v in {"region": who.region, **given}.items())
