"""An error message that somebody pastes: who asked for what, and what it says of the reason.

Follows "Troubleshoot access denied error messages" in the IAM User Guide and "Troubleshoot access
denied (403 Forbidden) errors in Amazon S3" in the Amazon S3 User Guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from s3_cross_account.actions import OPERATIONS
from s3_links.reach import actions

_WHO = re.compile(r"User: (arn:[\w-]+:(?:sts|iam)::\S+?) is not authorized")
_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
_RESOURCE = re.compile(r'on resource: (?:"([^"]+)"|\'([^\']+)\'|(\S+))')
_OPERATION = re.compile(r"\((\w+)\) when calling the (\w+) operation")
_REASON = re.compile(r"because no ([\w -]+?) allows the|explicit deny in an? ([\w -]+)")
_PUBLIC = re.compile(r"BlockPublicPolicy|public policies are prevented")
_URI = re.compile(r"s3://\S+")
_SERVICES = ("s3", "sts", "kms", "iam")
_REFUSED = ("AccessDenied", "AccessDeniedException", "403", "AllAccessDisabled")
_POLICIES = {
    "identity-based policy": "identity policy",
    "resource-based policy": "resource-based policy",
    "permissions boundary": "permissions boundary",
    "session policy": "session policy",
    "service control policy": "service control policy",
    "resource control policy": "resource control policy",
    "vpc endpoint policy": "VPC endpoint policy",
}


@dataclass(frozen=True, kw_only=True)
class Pasted:
    """What a message says; what it does not say is empty.

    ``requests`` are actions with the resource of each. ``policy`` is the kind of the policy that
    refused, ``explicit`` whether by a Deny. ``code`` is the error's, where it is no refusal.
    """

    who: str = ""
    requests: tuple[tuple[str, str], ...] = ()
    policy: str = ""
    explicit: bool = False
    public_policy: bool = False
    code: str = ""


def read(text: str) -> Pasted:
    """Return what an error message says."""
    text = " ".join(text.split())
    who, action, resource = _WHO.search(text), _ACTION.search(text), _RESOURCE.search(text)
    operation, reason = _OPERATION.search(text), _REASON.search(text)
    named = next((part for part in resource.groups() if part), "") if resource else ""
    if action:
        requests = [(actions.canonical(action[1]), named or _uri(text, action[1]))]
    elif operation:
        requests = [(need, named or _uri(text, need)) for need in _needed(operation[2])]
    else:
        requests = [("", named or _uri(text, ""))]
    code = operation[1] if operation else ""
    policy = (reason[1] or reason[2]).lower() if reason else ""
    return Pasted(
        who=who[1] if who else "",
        requests=tuple((action, where) for action, where in requests if action or where),
        policy=next((kind for words, kind in _POLICIES.items() if words in policy), ""),
        explicit=bool(reason and reason[2]),
        public_policy=bool(_PUBLIC.search(text)),
        code="" if code in _REFUSED or action else code,
    )


def _needed(operation: str) -> tuple[str, ...]:
    """Return the actions that an API operation needs, none where it is not known."""
    for service in _SERVICES:
        name = f"{service}:{operation}"
        if name in OPERATIONS:
            return OPERATIONS[name]
        if name in actions.known():
            return (name,)
    return ()


def _uri(text: str, action: str) -> str:
    """Return the bucket or object that a command names: its target for what it writes."""
    found: list[str] = [uri.rstrip(".,;:") for uri in _URI.findall(text)]
    if not found:
        return ""
    return found[-1] if action.startswith(("s3:Put", "s3:Abort")) else found[0]
