"""What an error message proves beyond what can be read: that a request was refused, and by what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3_links.world import head_of, policy_of

from .reasons import Reason

if TYPE_CHECKING:
    from .answer import Step
    from .pasted import Pasted

OF_AN_ORGANIZATION = {"service control policy", "resource control policy"}
_OF_THE_CALLER = {
    *("identity policy", "permissions boundary", "session policy"),
    *("service control policy", "VPC endpoint policy"),
}
_PAGE = "see docs/troubleshooting.md"


def judged(steps: list[Step], pasted: Pasted, unseen: set[str], owner: str) -> list[Step]:
    """Return the steps of a request, one of them judged by what the message says as well.

    That is the one whose action it names, else the last. ``unseen`` are the kinds of policies that
    may be in the way and were not read, ``owner`` is the account of the resource.
    """
    if not steps:
        return steps
    named = {action for action, _ in pasted.requests} if pasted.policy else set()
    last = len(steps) - 1
    at = next((n for n, step in enumerate(steps) if step.request.action in named), last)
    if any(step.verdict == "refused" for step in steps):
        if pasted.policy not in unseen or steps[at].verdict != "refused":
            return steps
        more = _refused(steps[at], *_as_it_says(pasted, steps[at], owner))
        changed = replace(steps[at], refuses=(*steps[at].refuses, *more.refuses))
    else:
        changed = _judged(steps[at], pasted, unseen, owner)
    return [*steps[:at], changed, *steps[at + 1 :]]


def _judged(step: Step, pasted: Pasted, unseen: set[str], owner: str) -> Step:
    if pasted.code:
        return _noted(step, f"{pasted.code} is no refusal by a policy: {_PAGE}")
    if pasted.public_policy:
        told = "BlockPublicPolicy refuses a bucket policy that lets everybody in"
        return _refused(step, "public access block", owner, told, "public-policy")
    if pasted.policy in unseen or (pasted.policy and step.verdict == "undecided"):
        return _refused(step, *_as_it_says(pasted, step, owner))
    if step.verdict != "allowed":
        return step
    if unseen & OF_AN_ORGANIZATION and not pasted.policy:
        note = "what was read lets it: what could not be read refuses it, or something did then"
        return replace(_noted(step, note), verdict="undecided")
    note = "what is there now lets it: the message is of before it was changed; try it again"
    return _noted(step, note)


def _as_it_says(pasted: Pasted, step: Step, owner: str) -> tuple[str, str, str, str]:
    """Return what refuses as the message says: its kind, its account, why, and the cause."""
    how = "an explicit Deny" if pasted.explicit else "no statement of it lets this"
    what = _kind(pasted.policy, step)
    cause = "explicit-deny" if pasted.explicit else f"not-in-{what.lower().replace(' ', '-')}"
    return what, owner, f"{how}, as the message says; it could not be read", cause


def _noted(step: Step, note: str) -> Step:
    return replace(step, notes=(*step.notes, note))


def _kind(policy: str, step: Step) -> str:
    if policy != "resource-based policy":
        return policy
    return policy_of(step.request.resource)


def _refused(step: Step, what: str, owner: str, told: str, cause: str) -> Step:
    request = step.request
    resource = request.resource
    of, account = head_of(resource), owner
    if what in _OF_THE_CALLER:
        of, account = str(request.principal.arn), request.principal.account
    reason = Reason(what=what, account=account, of=of, told=told, cause=cause)
    return replace(step, verdict="refused", refuses=(reason,), only_if=(), keys=())
