"""Every policy before and after a plan, as rows of who may do what to which resource.

What a plan does not know yet (the ARN of a bucket that is to be created) is taken from the
synthesized JSON, with a name that says what it is.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from s3_cross_account.settings import partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z0-9_]+\.[A-Za-z0-9_-]+)\.([a-z0-9_]+)\}")
_ROLE = re.compile(r"^arn:[a-z-]+:iam::([^:]*):role/(?:.*/)?([^/]+)$")
_ROOT = re.compile(r"^arn:[a-z-]+:iam::([^:]*):root$")
_BUCKET = re.compile(r"^arn:[a-z-]+:s3:::([^/]+)(?:/(.*))?$")
UNKNOWN = "(known after apply)"
_OPPOSITE = "Not"
NOWHERE = ("(", f"{_OPPOSITE}Resource ")
"""How a target begins that names no resource."""
# Nothing else stands in a policy and in a statement. What does makes it one that cannot be read.
_POLICY = {"Version", "Id", "Statement"}
_STATEMENT = {"Sid", "Effect", "Condition"} | {
    f"{opposite}{element}"
    for element in ("Principal", "Action", "Resource")
    for opposite in ("", _OPPOSITE)
}
# The policy of a resource, by its type: its argument, and what the policy speaks of.
_RESOURCE_POLICIES = {
    "aws_s3_bucket_policy": ("policy", "bucket policy"),
    "aws_kms_key_policy": ("policy", "key policy"),
    "aws_iam_role": ("assume_role_policy", "trust policy"),
}


@dataclass(frozen=True, order=True)
class Row:
    """One statement for one principal, one action and one resource; ``half`` is where it stands."""

    half: str
    effect: str
    principal: str
    action: str
    target: str
    path: str = ""
    conditions: tuple[str, ...] = ()


class Resources:
    """The resources of one moment: their values, and the synthesized JSON for what is unknown."""

    def __init__(
        self,
        values: Iterable[Mapping[str, Any]],
        aliases: Mapping[str, str],
        source: Mapping[str, Any] | None = None,
        unmanaged: Mapping[str, str] | None = None,
    ) -> None:
        self._values = {r["address"]: r.get("values", {}) for r in values}
        self.aliases = aliases
        self._source = source or {}
        self._unmanaged = unmanaged or {}
        # Account ids, as far as they are known, by the alias that reaches them.
        self._accounts: dict[str, str] = {}
        self._partitions: dict[str, str] = {}
        for provider in self._source.get("provider", {}).get("aws", []):
            self._partitions[provider["alias"]] = partition(provider["region"])
            for id_ in provider.get("allowed_account_ids") or []:
                self._accounts[id_] = provider["alias"]
        for address, value in self._values.items():
            found = _ROLE.match(str(value.get("arn")))
            if found and address in aliases:
                self._accounts.setdefault(found[1], aliases[address])

    def rows(self) -> set[Row]:
        """Return every row of every policy."""
        return {self._labelled(row) for row in (*self._identity(), *self._resource())}

    def unmanaged_policies(self) -> dict[str, str]:
        """Return the policies, by bucket, that no resource here has written.

        An imported bucket may have one that nobody declared to import.
        """
        written = self._buckets_with_policy()
        buckets = (self._values[address] for address in self._of_type("aws_s3_bucket"))
        return {
            value["bucket"]: value["policy"]
            for value in buckets
            if value.get("policy") and value["bucket"] not in written
        }

    def _buckets_with_policy(self) -> set[str]:
        return {
            self._attribute(address, "bucket") for address in self._of_type("aws_s3_bucket_policy")
        }

    def owners(self) -> dict[str, str]:
        """Return the alias of each bucket and key that a row may name."""
        owners = {}
        for address in self._values:
            type_ = address.split(".")[0]
            if type_ in ("aws_s3_bucket", "aws_kms_key"):
                owners[self._target(self._attribute(address, "arn"))[0]] = self.aliases.get(address)
            elif type_ == "aws_s3_bucket_policy":
                owners[f"bucket {self._attribute(address, 'bucket')}"] = self.aliases.get(address)
        return {target: alias for target, alias in owners.items() if alias}

    def _identity(self) -> Iterator[Row]:
        documents = {
            self._attribute(address, "arn"): self._document(address, "policy")
            for address in self._of_type("aws_iam_policy")
        }
        for address in self._of_type("aws_iam_role_policy_attachment"):
            role = self._attribute(address, "role")
            arn = self._attribute(address, "policy_arn")
            principal = self._role_arn(address, role)
            if arn not in documents:
                name = arn.rpartition("/")[2]
                yield Row("identity policy", "Allow", principal, f"policy {name}", "(its own)")
                continue
            for statement in documents[arn]:
                yield from _rows(statement, "identity policy", address, principal=principal)

    def _resource(self) -> Iterator[Row]:
        for type_, (argument, half) in _RESOURCE_POLICIES.items():
            for address in self._of_type(type_):
                own = self._attribute(address, "arn") if type_ == "aws_iam_role" else None
                if type_ == "aws_kms_key_policy":
                    own = self._key(address)
                for statement in self._document(address, argument):
                    yield from _rows(statement, half, address, resource=own)

        written = self._buckets_with_policy()
        for bucket, text in self._unmanaged.items():
            for statement in _statements(text) if bucket not in written else ():
                yield from _rows(statement, "bucket policy", f"bucket {bucket}")

    def _key(self, policy: str) -> str:
        """Return the ARN of a key policy's key: the policy has only its id."""
        id_ = self._attribute(policy, "key_id")
        for address in self._of_type("aws_kms_key"):
            if self._attribute(address, "key_id") == id_:
                return self._attribute(address, "arn")
        return id_

    def _of_type(self, type_: str) -> list[str]:
        return [address for address in self._values if address.startswith(f"{type_}.")]

    def _document(self, address: str, argument: str) -> list[Any]:
        known = self._values[address].get(argument)
        if known is not None:
            return _statements(known)
        text = str(self._declared(address).get(argument, ""))
        reference = _REFERENCE.fullmatch(text)
        block = self._declared(reference[1]) if reference else {}
        return [self._statement(statement) for statement in block.get("statement", [])]

    def _statement(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """Return a statement of a policy document's block as IAM's JSON has it."""

        def resolved(values: Iterable[str]) -> list[str]:
            return [_REFERENCE.sub(lambda m: self._attribute(m[1], m[2]), v) for v in values]

        conditions: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for condition in block.get("condition", []):
            conditions[condition["test"]][condition["variable"]] = resolved(condition["values"])
        statement = {"Effect": block.get("effect") or "Allow", "Condition": conditions}
        for prefix, opposite in (("", ""), ("not_", _OPPOSITE)):
            principals: dict[str, list[str]] = defaultdict(list)
            for principal in block.get(f"{prefix}principals") or []:
                principals[principal["type"]] += resolved(principal["identifiers"])
            for element, value in (
                ("Principal", principals),
                ("Action", resolved(block.get(f"{prefix}actions") or [])),
                ("Resource", resolved(block.get(f"{prefix}resources") or [])),
            ):
                if value:
                    statement[f"{opposite}{element}"] = value
        return statement

    def _attribute(self, address: str, name: str) -> str:
        """Return an attribute, or a text that stands for it until it is known."""
        value = self._values.get(address, {}).get(name)
        if value is not None:
            return str(value)
        declared = self._declared(address).get(name)
        if isinstance(declared, str):
            return _REFERENCE.sub(lambda m: self._attribute(m[1], m[2]), declared)
        values = self._values.get(address, {}) or self._declared(address)
        type_ = address.removeprefix("data.").split(".")[0]
        if type_ == "aws_s3_bucket":
            shown = f"{values.get('bucket') or str(values.get('bucket_prefix')) + '…'}"
            return f"arn:{self._partition(address)}:s3:::{shown}" if name == "arn" else shown
        if type_ == "aws_iam_role" and name == "arn":
            return self._role_arn(address, str(values.get("name")))
        return f"{address}:{UNKNOWN}"

    def _role_arn(self, address: str, name: str) -> str:
        """Return what stands for a role's ARN: its account may be unknown, its alias is not."""
        account = self.aliases.get(address, "?")
        return f"arn:{self._partition(address)}:iam::{account}:role/{name}"

    def _partition(self, address: str) -> str:
        return self._partitions.get(self.aliases.get(address, ""), "aws")

    def _declared(self, address: str) -> dict[str, Any]:
        section = "data" if address.startswith("data.") else "resource"
        type_, _, name = address.removeprefix("data.").partition(".")
        block: dict[str, Any] = self._source.get(section, {}).get(type_, {}).get(name, {})
        return block

    def _labelled(self, row: Row) -> Row:
        """Return a row in a reader's words: names and aliases in place of ARNs."""
        principal, conditions = self._principal(row.principal), row.conditions
        # The form that survives a role's recreation: its account, and a condition with its ARN.
        for condition in conditions:
            found = re.fullmatch(r"ArnEquals aws:PrincipalArn (\S+)", condition)
            if found and _ROOT.match(row.principal):
                principal = self._principal(found[1])
                conditions = tuple(c for c in conditions if c != condition)
        target, path = self._target(row.target)
        return replace(row, principal=principal, target=target, path=path, conditions=conditions)

    def _principal(self, text: str) -> str:
        if text == "*":
            return "everyone"
        if text.startswith(f"{_OPPOSITE}Principal "):
            named = text.partition(" ")[2].split(", ")
            return f"everyone but {', '.join(self._principal(one) for one in named)}"
        if found := _ROLE.match(text):
            return f"role {found[2]} ({self._alias(found[1])})"
        if found := _ROOT.match(text):
            return f"account {self._alias(found[1])}"
        return text

    def _target(self, text: str) -> tuple[str, str]:
        if text.startswith(NOWHERE):
            return text, ""
        if found := _BUCKET.match(text):
            return f"bucket {found[1]}", found[2] or ""
        if _ROLE.match(text):
            return self._principal(text), ""
        if text.startswith("aws_kms_key.") or ":kms:" in text:
            return f"key {text.split(':' + UNKNOWN)[0].rpartition('/')[2].split('.')[-1]}", ""
        return text, ""

    def _alias(self, account: str) -> str:
        return self._accounts.get(account, account)


def _statements(policy: str) -> list[Any]:
    """Return a policy's statements; what is no policy is one that cannot be read."""
    try:
        found = json.loads(policy) if policy.strip() else None
    except ValueError:
        return [policy]
    if found is None:
        return []
    if not isinstance(found, dict) or not found.keys() <= _POLICY:
        return [found]
    statements = found.get("Statement")
    if statements is None:
        return []
    return statements if isinstance(statements, list) else [statements]


def _rows(
    statement: Any, half: str, place: str, *, principal: str = "", resource: str | None = None
) -> Iterator[Row]:
    """Yield the rows of a statement, in an identity policy for its ``principal``.

    What cannot be read counts as access, to everyone if it does not name anybody else, and where it
    comes and where it goes if it may be a refusal. Its row has the whole statement as its action,
    so that any change of it is seen, and ``place`` as its target.
    """
    content = statement if isinstance(statement, dict) else {}
    effect = content.get("Effect")
    effects = [effect] if effect in ("Allow", "Deny") else ["Allow", "Deny"]
    principals = [principal or "*"]
    try:
        principals = [principal] if principal else _texts(content, "Principal")
        actions = _texts(content, "Action")
        targets = [resource] if resource else _texts(content, "Resource")
        conditions = tuple(
            sorted(
                f"{test} {key} {', '.join(sorted(_listed(values)))}"
                for test, keys in (content.get("Condition") or {}).items()
                for key, values in keys.items()
            )
        )
        if len(effects) > 1 or not content.keys() <= _STATEMENT:
            raise ValueError
    except (ValueError, AttributeError):
        actions = [f"cannot be read: {json.dumps(statement, sort_keys=True)}"]
        targets, conditions = [f"({place})"], ()
    for row in itertools.product(effects, principals, actions, targets):
        yield Row(half, *row, conditions=conditions)


def _texts(statement: Mapping[str, Any], element: str) -> list[str]:
    """Return the texts of an element, or of its opposite as one; ValueError if there are none."""
    (name,) = (n for n in (element, _OPPOSITE + element) if statement.get(n) is not None)
    value = statement[name]
    lists = value.values() if isinstance(value, dict) and element == "Principal" else [value]
    texts = [text for part in lists for text in _listed(part)]
    if not texts:
        raise ValueError
    return texts if name == element else [f"{name} {', '.join(sorted(texts))}"]


def _listed(value: Any) -> list[str]:
    """Return texts; booleans and numbers are those that IAM takes them for."""
    values = value if isinstance(value, list) else [value]
    if any(one is None or isinstance(one, list | dict) for one in values):
        raise ValueError
    return [one if isinstance(one, str) else json.dumps(one) for one in values]
