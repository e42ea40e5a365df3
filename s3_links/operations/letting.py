"""How statements let a request: which of them together, and by which of their patterns."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from s3_links.reach.logic import Unknown, given
from s3_links.reach.matching import action_matches, resource_matches
from s3_links.reach.principals import Named
from s3_links.world import ACCESS_POINT, head_of, parted, policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3_cross_account.policy import Statement
    from s3_cross_account.reading import Unreadable
    from s3_links.reach.evaluate import Decision
    from s3_links.reach.logic import Atom, Formula
    from s3_links.reach.statements import Finding
    from s3_links.world import Document

IDENTITY = ("identity policy", "permissions boundary", "session policy")
Part = tuple["Document", "Statement | Unreadable"]
"""A statement, and the document that it stands in, which is given without its statements."""


def by(decision: Decision, effect: str) -> set[Part]:
    """Return the statements with an effect that speak of a request."""
    return {_part(finding) for finding in decision.findings if finding.effect == effect}


def combinations(decision: Decision) -> list[list[Part]]:
    """Return the statements that let a request: alternatives, each of both halves or of one."""
    allow = [f for f in decision.findings if f.effect == "Allow"]
    allow = [f for f in allow if f.document.kind not in IDENTITY[1:]]
    own = [f for f in allow if f.document.kind == "identity policy"]
    theirs = [f for f in allow if f.document.kind != "identity policy"]
    if not own or not theirs:
        return [[_part(finding)] for finding in (*own, *theirs)]
    if own[0].document.account != theirs[0].document.account:
        return [[_part(a), _part(b)] for a, b in itertools.product(own, theirs)]
    alone = [f for f in theirs if f.how is not Named.ACCOUNT]
    handing_over = [f for f in theirs if f.how is Named.ACCOUNT]
    if decision.request.action.startswith(("s3:", "iam:")):
        alone += own
    pairs = [[_part(a), _part(b)] for a, b in itertools.product(own, handing_over)]
    return [*([_part(finding)] for finding in alone), *pairs]


def _part(finding: Finding) -> Part:
    return replace(finding.document, statements=()), finding.statement


def certain(allowed: Formula) -> bool:
    """Whether a request is allowed if everything that no document says is not so."""

    def known(atom: Atom) -> Formula:
        return False if isinstance(atom, Unknown) else atom

    return given(allowed, known) is not False


def action(statements: Iterable[Statement], action: str) -> str:
    """Return the narrowest pattern by which statements let an action."""
    statements = list(statements)
    patterns = [p for s in statements for p in s.actions if action_matches(p, action)]
    if patterns:
        return max(patterns, key=len)
    excepted = {p for s in statements for p in s.not_actions}
    return f"NotAction {', '.join(sorted(excepted))}"


def resource(statements: Iterable[Statement], resource: str, known: bool) -> str:
    """Return the narrowest pattern by which statements let a request on a resource."""
    statements = list(statements)
    head, sign = parted(resource)
    fitting = {
        pattern: resource_matches(pattern, resource, {})
        for statement in statements
        for pattern in statement.resources
    }
    patterns = [pattern for pattern, fits in fitting.items() if fits is True]
    patterns = patterns or [pattern for pattern, fits in fitting.items() if fits is not False]
    of_object = sign in resource
    if policy_of(resource) == ACCESS_POINT and not patterns:  # the halves of the bucket behind it
        behind = [p for s in statements for p in s.resources if ("/" in p) == of_object]
        keys = [pattern.partition("/")[2] for pattern in behind]
        return f"{head}{sign}{max(keys, key=len)}" if of_object and keys else head
    if not known:
        if patterns:
            return max(patterns, key=len)
    elif within := [p for p in patterns if p.startswith(head) and (sign in p) == of_object]:
        return max(within, key=len)
    excepted = {p for s in statements for p in s.not_resources}
    if excepted and not patterns:
        return f"NotResource {', '.join(sorted(excepted))}"
    return f"{head}{sign}*" if head_of(resource) != resource else resource
