"""The plans' summary as Markdown, as GitHub, GitLab and a terminal show it.

What users and AWS have named stands in code spans only: nothing in one is read as mark-up, HTML,
a mention, a reference or an address. All access comes first, so that no cut can hide it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from s3_links.synthesized.blocks import UNNAMED

from .labels import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .access import Access
    from .summary import Change, Summary

_PLAIN = re.compile(r"[a-z]+( [a-z]+)*")
_ROW = "| `"
"""Begins each row of access: its first cell is the stack's name."""
_DETAILS = "<details><summary>Each resource</summary>"
_END_OF_DETAILS = "</details>"
_MAP = "<details><summary>A map of the access that changes</summary>"


def code(words: str) -> str:
    """Return ``words`` as a code span; what cannot be seen is written as Python writes it."""
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    fence = "`" * (1 + max(map(len, re.findall("`+", seen)), default=0))
    # One space on each side is taken away again.
    space = " " if seen[:1] in "` " or seen[-1:] in "` " else ""
    return f"{fence}{space}{seen}{space}{fence}"


def text(words: str) -> str:
    """Return ``words`` as they are where nobody can read more into them, else as a code span."""
    return words if _PLAIN.fullmatch(words) else code(words)


def as_markdown(summaries: Sequence[Summary], note: str = "") -> str:
    """Return the summaries for a reviewer, below a ``note`` on how they came about."""
    noted = [f"> {note}", ""] if note else []
    return "\n".join([*noted, *_lines(summaries)]) + "\n"


def fitted(markdown: str, limit: int) -> str:
    """Return at most ``limit`` bytes of a summary: whole lines, and on top what is left out."""
    if len(markdown.encode()) <= limit:
        return markdown
    room = limit - 500  # for the words on top, and the end of the details
    kept = markdown.encode()[:room].decode(errors="ignore").rpartition("\n")[0] + "\n"
    if kept.count(_DETAILS) > kept.count(_END_OF_DETAILS):
        kept += f"\n{_END_OF_DETAILS}\n"
    rows, shown = (f"\n{part}".count(f"\n{_ROW}") for part in (markdown, kept))
    told = (
        "All access is shown, but not all that changes"
        if shown == rows
        else f"**NOT ALL ACCESS IS SHOWN: {shown} of {rows} rows**"
    )
    where = "in the artifact `plan`, in `summary.md`"
    return f"> {told}: there is no room for more. All of it is {where}.\n\n{kept}"


def with_map(markdown: str, mermaid: str | None, limit: int) -> str:
    """Return at most ``limit`` bytes of a summary, with its map below where there is room for both.

    ``mermaid`` is the map: empty where there is nothing to draw, ``None`` where it is too large.
    """
    if mermaid == "":
        return fitted(markdown, limit)
    block = f"\n{_MAP}\n\n```mermaid\n{mermaid}```\n\n{_END_OF_DETAILS}\n"
    if mermaid is not None and len((markdown + block).encode()) <= limit:
        return markdown + block
    told = "\nThe map is too large to be drawn here: it is in the artifact `plan`, in `map.html`.\n"
    return fitted(markdown, limit - len(told)) + told


def _lines(summaries: Sequence[Summary]) -> Iterator[str]:
    changing = [s for s in summaries if s.changes or s.appears or s.disappears or s.guards]
    opened = [(s.stack, a) for s in changing for a in _moved(s.appears, s.disappears)]
    closed = [(s.stack, a) for s in changing for a in _moved(s.disappears, s.appears)]
    changes = [change for summary in changing for change in summary.changes]
    unchanged = len(summaries) - len(changing)
    if changing:
        told = [
            f"access appears in {_stacks(opened)}, disappears in {_stacks(closed)}",
            *([_counted(changes)] if changes else []),
            f"unchanged: {unchanged}",
        ]
        verb = "changes" if len(changing) == 1 else "change"
        yield f"**{len(changing)} of {len(summaries)} stacks {verb}: {'; '.join(told)}**"
    else:
        yield f"No changes. Unchanged: {unchanged}."
    yield ""
    yield from _access("Access that appears", "no longer refused", opened)
    yield from _undecided(summaries)
    yield from _guards(changing)
    yield from _access("Access that disappears", "refused from now on", closed)
    yield from _to_merge(summaries)
    if changes:
        yield "## What changes"
        yield ""
    for summary in changing:
        yield from _changes(summary)


def _moved(grants: Iterable[Access], refusals: Iterable[Access]) -> list[Access]:
    """Return the grants of one side, and the refusals of the other: those do the same."""
    return [
        *(access for access in grants if access.effect != "Deny"),
        *(access for access in refusals if access.effect == "Deny"),
    ]


def _stacks(found: Iterable[tuple[str, Access]]) -> int:
    return len({stack for stack, _ in found})


def _counted(changes: Iterable[Change]) -> str:
    counts = Counter(change.action for change in changes)
    return ", ".join(f"{n} to {action}" for action, n in sorted(counts.items()))


def _access(title: str, refusal: str, found: Sequence[tuple[str, Access]]) -> Iterator[str]:
    if not found:
        return
    yield f"## {title}"
    yield ""
    yield _row("stack", "who", "may", "on", "only if", "by")
    yield _row(*["---"] * 6)
    for stack, access in sorted(found, key=lambda row: _urgency(row[1])):
        halves = " and ".join(text(half) for half in access.halves)
        actions = ", ".join(code(action) for action in access.actions)
        yield _row(
            code(stack),
            text(access.principal),
            actions if access.effect != "Deny" else f"**{refusal}:** {actions}",
            " ".join(code(part) for part in (access.target, *access.paths)),
            "; ".join(code(condition) for condition in access.conditions),
            halves if access.works else f"{halves} only: {_without(access)}",
        )
    yield ""


def _without(access: Access) -> str:
    seen = "" if access.alone else ", which cannot be seen"
    return f"refused without the other half{seen}"


def _undecided(summaries: Iterable[Summary]) -> Iterator[str]:
    found = [(summary.stack, why) for summary in summaries for why in summary.undecided]
    if not found:
        return
    yield "## What cannot be decided"
    yield ""
    yield "Whatever this may let counts as access that appears:"
    yield ""
    yield from (f"- {code(stack)}: {code(why)}" for stack, why in found)
    yield ""


def _guards(summaries: Iterable[Summary]) -> Iterator[str]:
    found = [(summary.stack, guard) for summary in summaries for guard in summary.guards]
    if not found:
        return
    yield "## What guards access and data"
    yield ""
    for stack, guard in found:
        changed = f"{code(guard.guard)} from {code(guard.before)} to {code(guard.after)}"
        notes = [
            *(["**guards less**"] if guard.weakens else []),
            *(["**data may be lost**"] if guard.data_loss else []),
        ]
        told = f": {', '.join(notes)}" if notes else ""
        yield f"- {code(stack)}: {code(guard.target)}, {changed}{told}"
    yield ""


def _urgency(access: Access) -> int:
    if access.principal == "everyone":
        return 0
    return 1 if access.principal.startswith("role ") else 2


def _row(*cells: str) -> str:
    # In code spans too: a table is split before they are read, and takes these backslashes away.
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _to_merge(summaries: Iterable[Summary]) -> Iterator[str]:
    owed = [summary for summary in summaries if summary.to_merge]
    if not owed:
        return
    yield "## Halves that somebody else writes"
    yield ""
    yield (
        "A plan cannot see whether these outputs have been merged into the policies they are for; "
        "s3-links explain can:"
    )
    yield ""
    for summary in owed:
        yield f"- {code(summary.stack)}: {', '.join(code(name) for name in summary.to_merge)}"
    yield ""


def _changes(summary: Summary) -> Iterator[str]:
    if not summary.changes:
        return
    by_account: dict[str, list[Change]] = defaultdict(list)
    for change in summary.changes:
        by_account[change.account].append(change)
    accounts = sorted(by_account.items())
    yield f"### {code(summary.stack)}"
    yield ""
    yield "; ".join(f"{_account(account)}: {_counted(changes)}" for account, changes in accounts)
    yield ""
    yield _DETAILS
    yield ""
    yield from (f"- {_account(a)}: {_told(c)}" for a, changes in accounts for c in changes)
    yield ""
    yield _END_OF_DETAILS
    yield ""


def _account(name: str) -> str:
    return shown(name) if name == UNNAMED else code(name)


def _told(change: Change) -> str:
    notes = [
        *(["imported"] if change.imported and change.action != "import" else []),
        *(["changed outside of Terraform"] if change.changed_outside else []),
    ]
    return f"{change.action} {code(change.address)}" + (f" ({', '.join(notes)})" if notes else "")
