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
    """Return the steps of a request, the last of them judged by what the message says as well.

    ``unseen`` are the kinds of policies that may be in the way and were not read, ``owner`` is the
    account of the resource.
    """
    if not steps or any(step.verdict == "refused" for step in steps):
        return steps
    *before, last = steps
    if pasted.code:
        return [*before, _noted(last, f"{pasted.code} is no refusal by a policy: {_PAGE}")]
    if pasted.public_policy:
        told = "BlockPublicPolicy refuses a bucket policy that lets everybody in"
        return [*before, _refused(last, "public access block", owner, told, "public-policy")]
    if pasted.policy in unseen or (pasted.policy and last.verdict == "undecided"):
        how = "an explicit Deny" if pasted.explicit else "no statement of it lets this"
        told = f"{how}, as the message says; it could not be read"
        what = _kind(pasted.policy, last)
        cause = "explicit-deny" if pasted.explicit else f"not-in-{what.lower().replace(' ', '-')}"
        return [*before, _refused(last, what, owner, told, cause)]
    if last.verdict != "allowed":
        return steps
    if unseen & OF_AN_ORGANIZATION and not pasted.policy:
        note = "what was read lets it: what could not be read refuses it, or something did then"
        return [*before, replace(_noted(last, note), verdict="undecided")]
    note = "what is there now lets it: the message is of before it was changed; try it again"
    return [*before, _noted(last, note)]


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
