"""Plans the stacks into files, with a summary of what they do."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import EEXIST
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from s3_links.synthesized.blocks import aliases_of

from .insiders import insiders
from .joined import beside
from .markdown import as_markdown
from .stack import OperationError, Stack, declared, digest
from .summary import Summary, as_json, summarize
from .terraform import initialize, terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .insiders import Insiders
    from .joined import Beside

PLANS = Path("plans")
"""Holds a ``.tfplan`` for each stack, ``summary.md`` for people and ``summary.json``."""
_LOCK = Path(".plans.lock")
_UNFINISHED = ".plans-unfinished-"
_ALIAS = re.compile(r"\.([A-Za-z0-9_-]+)$")


def plan(
    stacks: Sequence[Stack],
    gates: Sequence[str] = (),
    *,
    summary_only: bool = False,
    note: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> list[Summary]:
    """Plan every stack and write what the plans do, with what makes each plan recognizable.

    The plans appear in :data:`PLANS` all at once, with their summary; with an error or an
    interruption, nothing is left to apply. With ``summary_only`` the plans themselves never get
    there. A ``note`` stands above the summary. ``progress`` is told how far it is.
    """
    known = list(declared().values())
    everybody, shared = insiders(stack.content for stack in known), beside(known)
    with alone(), _replaced() as folder:
        with ThreadPoolExecutor(max_workers=4) as pool:
            outcomes = []
            for outcome in pool.map(partial(_plan_or_problem, folder, everybody, shared), stacks):
                outcomes.append(outcome)
                progress(f"Planned {len(outcomes)} of {len(stacks)} ...")
        summaries = [outcome for outcome in outcomes if isinstance(outcome, Summary)]
        problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
        if problems:
            raise OperationError("\n".join(problems))
        with _writing():
            plans = {stack.name: _digests(stack, folder) for stack in stacks}
            if summary_only:
                for stack in stacks:
                    plan_file(stack.name, folder).unlink()
            for name, text in (
                ("summary.md", as_markdown(summaries, note)),
                ("summary.json", as_json(summaries, gates, None if summary_only else plans)),
            ):
                (folder / name).write_text(text, encoding="utf-8")
    return summaries


def plan_file(stack: str, folder: Path = PLANS) -> Path:
    """Return where the plan of a stack is."""
    return folder.absolute() / f"{stack}.tfplan"


@contextmanager
def alone() -> Iterator[None]:
    """Keep every other plan and apply out of this folder; a killed one keeps out nobody."""
    with _writing():
        file = _LOCK.open("a")
    with file:
        with _writing():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OperationError(
                    "another `s3-links plan` or `apply` is running in this folder: let it end"
                ) from None
        yield


@contextmanager
def _replaced() -> Iterator[Path]:
    """Give a new folder, which becomes :data:`PLANS` in the end, or is removed with an error.

    The plans before end as the new ones begin: whoever asks for others has given them up, and must
    not find them in the place of those that failed. Each new folder has a name of its own, so that
    a Terraform that a killed run left behind writes to nobody else's.
    """
    new, old = (Path(f"{_UNFINISHED}{uuid4().hex}") for _ in range(2))
    try:
        with _writing():
            if PLANS.is_symlink() or (PLANS.exists() and not PLANS.is_dir()):
                raise FileExistsError(EEXIST, os.strerror(EEXIST), str(PLANS))
            if PLANS.exists():
                PLANS.rename(old)
            _remove_unfinished()
            new.mkdir()
        yield new
        with _writing():
            new.rename(PLANS)
    finally:
        _remove_unfinished()


def _remove_unfinished() -> None:
    for folder in Path().glob(f"{_UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = (
            "move it away"
            if isinstance(error, FileExistsError)
            else "make room in this folder, and make it yours to write to"
        )
        raise OperationError(
            f"{error.filename or PLANS}: cannot be written to ({error.strerror}): {remedy}"
        ) from None


def _plan_or_problem(
    folder: Path, everybody: Insiders, shared: Mapping[str, Beside], stack: Stack
) -> Summary | str:
    file, others = plan_file(stack.name, folder), shared.get(stack.name)
    try:
        return planned(stack, file, everybody=everybody, others=others)
    except OperationError as error:
        return str(error)


def planned(
    stack: Stack,
    file: Path,
    *options: str,
    everybody: Insiders | None = None,
    others: Beside | None = None,
    whole: bool = True,
) -> Summary:
    """Plan one stack into ``file`` and return the summary of the plan.

    ``everybody`` are those whom all stacks declare, where more than this one is known, ``others``
    what they have of the buckets that this one shares with them. A plan that
    is not ``whole`` is for some addresses only, by its options.
    """
    initialize(stack)
    # Without a lock a role that may only read can plan; Terraform refuses to apply a stale plan.
    terraform(stack, "plan", "-lock=false", f"-out={file}", *options)
    shown = json.loads(terraform(stack, "show", "-json", str(file)))
    if digest(stack.file.read_bytes()) != stack.digest:
        raise OperationError(f"{stack.name}: was synthesized anew while it was planned: plan again")
    aliases = aliases_of(stack.content)
    if any(entry["address"] not in aliases for entry in shown.get("resource_changes", [])):
        aliases = _aliases_of_state(stack) | aliases
    return summarize(stack.name, shown, stack.content, aliases, everybody, others, whole=whole)


def _digests(stack: Stack, folder: Path) -> dict[str, str]:
    plan = digest(plan_file(stack.name, folder).read_bytes())
    return {"plan": plan, "stack": stack.digest}


def _aliases_of_state(stack: Stack) -> dict[str, str]:
    """Return the provider alias of each address in the state: a plan does not show it."""
    text = terraform(stack, "state", "pull")
    found = {}
    for resource in json.loads(text).get("resources", []) if text.strip() else []:
        data = "data." if resource["mode"] == "data" else ""
        if alias := _ALIAS.search(resource["provider"]):
            found[f"{data}{resource['type']}.{resource['name']}"] = alias[1]
    return found
