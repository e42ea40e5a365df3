"""What is looked at before anything is planned: accounts, states, and what the links expect."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from s3_links.declarations import read_links
from s3_links.synthesized.blocks import foreign_accounts

from . import accounts, environment, existing, state, undeclared
from .stack import OperationError, Stack, declared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .accounts import Reached
    from .looking import Finding


@dataclass(frozen=True)
class Looked:
    """What was found: ``problems`` stop a plan, ``undeclared`` stacks are deployed all the same."""

    endpoints: list[str]
    accounts: list[Reached]
    findings: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield a line for each thing that does not stop a plan."""
        yield from self.endpoints
        for entry in self.accounts:
            if entry.account:
                pinned = "pinned" if entry.pinned else "not pinned"
                yield f"{entry.alias}: account {entry.account} ({pinned}) as {entry.caller}"
        yield from self.findings
        for name in self.undeclared:
            yield (
                f"{name}: is deployed, but no longer declared: declare it again, or destroy it, "
                f"which works without its declaration: `s3-links destroy {name}`"
            )

    def as_json(self) -> str:
        """Return it for a machine."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def look(stacks: Sequence[Stack]) -> Looked:
    """Return which account each alias reaches, and what is wrong there and with the states."""
    reached = accounts.reached(stacks)
    found = Looked(environment.endpoints(), reached)
    foreign = {a: id_ for s in stacks for a, id_ in foreign_accounts(s.content).items()}
    for alias, id_ in foreign.items():
        told = "foreign, nobody here has credentials for it, and it is not reached"
        found.findings.append(f"{alias}: account {id_}, {told}")
    problems = [f"{entry.alias}: {entry.problem}" for entry in reached if entry.problem]
    for stack in stacks if not problems else ():
        problems += _state_problems(stack)
    if not problems:
        for finding in _existing(
            stacks, {entry.alias: entry.account for entry in reached} | foreign
        ):
            (problems if finding.stops else found.findings).append(str(finding))
        found.undeclared.extend(undeclared.undeclared(declared().values()))
    found.problems.extend(dict.fromkeys(problems))
    return found


def check(stacks: Sequence[Stack], *, quiet: bool = False) -> None:
    """Print what was found; raise :class:`OperationError` with what is wrong."""
    found = look(stacks)
    for line in () if quiet else found.lines():
        print(line)
    if found.problems:
        raise OperationError("\n".join(found.problems))


def _existing(stacks: Sequence[Stack], reached: Mapping[str, str]) -> list[Finding]:
    declared_links = read_links.declared()
    # Without links there is the reference, which expects nothing.
    links = declared_links.links if declared_links else {}
    return existing.findings(stacks, links, reached)


def _state_problems(stack: Stack) -> list[str]:
    found = []
    for look_at in (state.problem, state.locked):
        try:
            found.append(look_at(stack))
        except OperationError as error:
            found.append(str(error))
    return [problem for problem in found if problem]
