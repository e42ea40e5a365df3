"""Key policies that links take over: whether they are as declared, and how a key gets its own back.

Follows "Change a key policy" and "Default key policy" in the AWS KMS Developer Guide: whoever
writes a key policy writes all of it, and Terraform leaves the default one where it deletes one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from s3_cross_account.reading import read
from s3_links.declarations.state import KEY_POLICY_OUTPUT
from s3_links.reach.parts import parts

from . import state
from .credentials import Credentials
from .looking import Finding, asked
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from s3_cross_account.policy import Statement
    from s3_cross_account.reading import Unreadable

    from .stack import Stack

_TYPE = "aws_kms_key_policy"
_ALIAS = re.compile(r"\]\.([A-Za-z0-9_-]+)$")


@dataclass(frozen=True)
class ImportedKey:
    """A key whose policy a link takes over, as it is declared."""

    place: str
    arn: str
    declared: Sequence[Statement]
    stack: Stack

    def look(self, credentials: Credentials) -> Iterator[Finding]:
        """Look whether the key policy is the declared one, or what the link has made of it."""
        there = asked(lambda: _policy(credentials, self.arn), "NotFoundException")
        if there is None:
            yield self._stops('does not exist: correct the "key"')
            return
        found, own = _parts(read(there)), self._written()
        if own is None:
            yield self._tells("whether it is as declared is not known, as the state is not")
            return
        known = _parts(self.declared) | own
        changed = bool(found - known) if own else found != known
        if changed:
            yield self._stops(
                "was changed since it was copied, and would be written over: copy it again, "
                f"without what this link wrote (aws kms get-key-policy --key-id {self.arn} "
                '--policy-name default --query Policy --output text), into "imported_key_policy"'
            )
        else:
            yield self._tells("is as declared")

    def _written(self) -> frozenset[object] | None:
        """Return what the link has written; nothing where that is not known."""
        try:
            content = state.content(self.stack)
        except OperationError:
            return None
        if content is None:
            return None
        for key_id, _, policy in _of_state(content):
            if key_id == self.arn.rpartition("/")[2]:
                return _parts(read(policy))
        return frozenset()

    def _stops(self, told: str) -> Finding:
        return Finding(self.place, f"the key policy of {self.arn} {told}", stops=True)

    def _tells(self, told: str) -> Finding:
        return Finding(self.place, f"the key policy of {self.arn} {told}")


def to_give_back(
    content: Mapping[str, Any], declared: Mapping[str, Any] | None = None
) -> list[str]:
    """Return the ids of the keys whose policies a stack took over, by its state."""
    before = _before(content, declared)
    return [key_id for key_id, *_ in _of_state(content) if key_id in before]


def give_back(
    stack: Stack, content: Mapping[str, Any], declared: Mapping[str, Any] | None = None
) -> None:
    """Give the keys of a stack the policies back that it took over.

    Raises :class:`OperationError` where one was changed since the stack wrote it.
    """
    providers, before = {p["alias"]: p for p in stack.providers}, _before(content, declared)
    for key_id, alias, written in _of_state(content):
        if key_id not in before:
            continue
        credentials = Credentials(providers[alias])
        try:
            if _parts(read(_policy(credentials, key_id))) != _parts(read(written)):
                raise OperationError(
                    f"the key policy of {key_id} was changed since {stack.name} wrote it, and "
                    "giving back what it was would undo that: run "
                    f"`s3-links deploy {stack.name}`, or take the change out, and try again"
                )
            credentials.client("kms").put_key_policy(
                KeyId=key_id, PolicyName="default", Policy=before[key_id]
            )
        except (BotoCoreError, ClientError) as error:
            raise OperationError(
                f"the key policy of {key_id} cannot be given back: {error}"
            ) from None


def _policy(credentials: Credentials, key: str) -> str:
    reply = credentials.client("kms").get_key_policy(KeyId=key, PolicyName="default")
    return str(reply["Policy"])


def _parts(statements: Iterable[Statement | Unreadable]) -> frozenset[object]:
    return frozenset(part for statement in statements for part in parts(statement))


def _of_state(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the key's id, the account's alias and the policy of each one in a state."""
    for resource in content.get("resources", []):
        alias = _ALIAS.search(resource.get("provider", ""))
        if resource["type"] == _TYPE and resource.get("mode", "managed") == "managed" and alias:
            for instance in resource["instances"]:
                values = instance["attributes"]
                yield str(values["key_id"]), alias[1], str(values.get("policy") or "")


def _before(content: Mapping[str, Any], declared: Mapping[str, Any] | None) -> dict[str, str]:
    outputs = {**(declared or {}), **content.get("outputs", {})}
    return {
        name.removeprefix(KEY_POLICY_OUTPUT): str(output["value"]).replace("$${", "${")
        for name, output in outputs.items()
        if name.startswith(KEY_POLICY_OUTPUT)
    }
