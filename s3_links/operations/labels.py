"""Principals and resources in a reader's words: names and aliases in the place of ARNs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from s3_links.reach.callers import STRANGER
from s3_links.synthesized.blocks import UNNAMED
from s3_links.world import POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_links.world import Principal

_ROLE = re.compile(r"^arn:[a-z-]+:iam::([^:]*):(role|user)/(?:.*/)?([^/]+)$")
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[^_]+")
_ROOT = re.compile(r"^(?:arn:[a-z-]+:iam::([^:]*):root|(\d{12}))$")
_BUCKET = re.compile(r"^arn:[a-z-]+:s3:::([^/]+)(?:/(.*))?$")
_ACCESS_POINT = re.compile(r"^arn:[a-z-]+:s3:[^:]*:([^:]*):accesspoint/([^/]+)(?:/object/(.*))?$")
_DESTINATION = re.compile(
    r"^arn:[a-z-]+:(sqs|sns|events|lambda):[^:]*:([^:]*):(?:event-bus/|function:)?([^:]+)$"
)


def shown(account: str) -> str:
    """Return an account's alias or id as it is shown."""
    if account == STRANGER:
        return "any other account"
    return "an account that the plan does not name" if account == UNNAMED else account


class Labels:
    """How what is named is shown, with ids by their aliases; never a key to compare by."""

    def __init__(self, accounts: Mapping[str, str]) -> None:
        self._aliases = {id_: alias for alias, id_ in accounts.items()}

    def principal(self, text: str) -> str:
        """Return a principal's identifier as it is shown."""
        if text == "*":
            return "everyone"
        if found := _ROLE.match(text):
            account, kind, name = found.groups()
            if of := _PERMISSION_SET.fullmatch(name):
                kind, name = "permission set", of[1]
            return f"{kind} {name} ({self.account(account)})"
        if found := _ROOT.match(text):
            return self._of(found[1] or found[2])
        return text

    def anyone(self, who: Principal) -> str:
        """Return whom nothing names as it is shown."""
        if who.kind == "role" and who.account == STRANGER:
            return str(who) if who.path != "/" else f"anyone in {shown(STRANGER)}"
        if who.kind == "role":
            return f"anyone else in {self._of(who.account)}"
        return str(who)

    def target(self, text: str) -> tuple[str, str]:
        """Return a resource's ARN or pattern as it is shown, and the keys in its bucket."""
        if found := _BUCKET.match(text):
            return f"bucket {found[1]}", found[2] or ""
        if found := _ACCESS_POINT.match(text):
            return f"access point {found[2]} ({self.account(found[1])})", found[3] or ""
        if _ROLE.match(text):
            return self.principal(text), ""
        if ":kms:" in text:
            return f"key {text.rpartition('/')[2]}", ""
        if found := _DESTINATION.match(text):
            kind = POLICIES[found[1]].removesuffix(" policy")
            return f"{kind} {found[3]} ({self.account(found[2])})", ""
        return text, ""

    def account(self, account: str) -> str:
        """Return an account as it is shown."""
        return shown(self._aliases.get(account, account))

    def _of(self, account: str) -> str:
        return shown(account) if account == UNNAMED else f"account {self.account(account)}"
