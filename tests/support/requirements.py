"""What the documents of AWS ask for, read from ``aws_requirements``, as requests to evaluate.

One file for each document that a pattern follows, and in it a case for each variant. A case is a
declared link with lines about it: what is needed, and what must stay refused.

Who asks: ``consumer`` (the link's role or user, the role of its permission set, or a role of its
account or organization that has what is handed out), ``administering consumer`` (the same, which
its account lets do everything), ``assumed role``,
``passed role`` (the one that it is assumed through), ``replication role`` (``...
back``), ``batch role``, ``events role`` (of rules that pass events on), ``plan role``, ``deploy
role``; ``another role of`` an account, which that account lets do everything; ``its own account``
and ``the other account``, their administrators that is; a service by its principal; ``token of`` an
OIDC provider. On what: ``bucket``, ``access point``, ``source``, ``destination``, ``state bucket``,
``log bucket of`` and ``logs of`` a bucket (below the prefix of its logs), each with a ``/key``
behind it for an object; ``key of`` a bucket, ``each key``; ``each queue``, ``each topic``,
``each bus``; a role.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from tests.evaluator import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.synthesized import Policy, Synthesized

_TARGETS = {"each queue": "sqs", "each topic": "sns", "each bus": "events"}
FOLDER = Path(__file__).parents[1] / "aws_requirements"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Model):
    """Who does what on what, in which context; ``why`` is what the document says of it."""

    who: str
    actions: tuple[str, ...]
    on: str
    why: str
    given: dict[str, str | list[str]] = {}


class Case(_Model):
    """A declared link and the lines about it; those of the cases that it ``follows`` hold as well.

    The documents are those of the link's stack, or of another ``stack`` that is made from it, and
    of the links ``beside`` it. What
    the document prints for a service is ``printed``, with this link's names for its examples.
    """

    link: dict[str, Any]
    settings: dict[str, Any] = {}
    stack: str | None = None
    beside: dict[str, dict[str, Any]] = {}
    follows: tuple[str, ...] = ()
    needs: tuple[Line, ...] = ()
    refused: tuple[Line, ...] = ()
    printed: tuple[dict[str, Any], ...] = ()


class Document(_Model):
    """A document: its title, the guide that it is in, when and how it was read."""

    document: str
    guide: str
    read: str
    cases: dict[str, Case]


def documents() -> dict[str, Document]:
    """Return every document by the name of its file."""
    yaml = YAML(typ="safe", pure=True)
    return {
        file.stem: Document.model_validate(yaml.load(file.read_text()))
        for file in sorted(FOLDER.glob("*.yaml"))
    }


def cases() -> dict[str, Case]:
    """Return every case, named by its document and itself."""
    return {
        f"{stem}.{name}": case
        for stem, document in documents().items()
        for name, case in document.cases.items()
    }


@dataclass(frozen=True)
class Request:
    """One request, with the policies that decide it."""

    principal: str
    action: str
    resource: str
    account: str
    identity: tuple[Policy, ...]
    policy: Policy | None
    context: Mapping[str, Any]
    may_everything: bool

    def meets(self, changed: Mapping[str, Any]) -> bool:
        """Whether one of these policies, by name, is among those that decide."""
        return any(policy.name in changed for policy in (*self.identity, self.policy) if policy)

    def rendered(self, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the request as the evaluator takes it, with other documents for some policies."""

        def document(policy: Policy) -> Any:
            return (changed or {}).get(policy.name, policy.document)

        identity = [EVERYTHING] if self.may_everything else [document(p) for p in self.identity]
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "account": self.account,
            "identity": identity,
            "resourcePolicy": self.policy and document(self.policy),
            "context": self.context,
        }


class Requests:
    """Makes the requests of a case's lines on its synthesized stack."""

    def __init__(self, name: str, case: Case, stack: Synthesized) -> None:
        self._stack = stack
        link = case.link
        declared = {
            "bucket": link.get("bucket") or link.get("buckets", [None])[0],
            "source": link.get("source"),
            "destination": link.get("destination"),
        }
        self._consumer = link.get("consumers", [{}])[0]
        self._owners: dict[str, str] = {}
        self._words: dict[str, str] = dict(stack.accounts) | {"link": link_name(name)}
        for label, bucket in declared.items():
            if bucket and case.stack is None:
                arn = stack.bucket(bucket.get("existing") or bucket["new_prefix"])
                self._words[label] = arn
                self._owners[arn] = stack.accounts[bucket["account"]]
        for arn in stack.points:
            self._words["access point"], self._owners[arn] = arn, arn.split(":")[4]
        if state := case.settings.get("state"):
            arn = self._words["state bucket"] = f"arn:aws:s3:::{state['bucket']}"
            self._owners[arn] = stack.accounts[state["account"]]
        pipeline = case.settings.get("pipeline", {}).get("role_name", "s3-links")
        role = link.get("role_name")
        self._roles = {
            "consumer": _name_of(link.get("consumers", [{}])[0]),
            "assumed role": link.get("assumed_role", {}).get("name"),
            "passed role": (link.get("assumed_role", {}).get("through") or [{}])[0].get("name"),
            "replication role": role,
            "replication role back": f"{role}-back",
            "batch role": f"{role}-batch",
            "events role": _of_events(stack),
            "plan role": f"{pipeline}-plan",
            "deploy role": f"{pipeline}-deploy",
        }

    def of(self, line: Line, action: str) -> Iterator[Request]:
        """Yield the requests of one action of a line: one for each key, and each role of a name."""
        for arn, account, policy in self._resources(line.on):
            by, identity = self._principal(line.who, account)
            caller = by.split(":")[4] if ":" in by else ""
            context: dict[str, Any] = {
                "aws:SecureTransport": "true",
                "aws:ResourceAccount": account,
            }
            if "aws:SourceVpce" not in line.given:  # a request through an endpoint has no address
                context["aws:SourceIp"] = "203.0.113.1"
            if caller:
                context |= {"aws:PrincipalArn": by, "aws:PrincipalAccount": caller}
            for key, value in line.given.items():
                context[key] = value if isinstance(value, list) else value.format(**self._words)
            yield Request(
                principal=_session(by) if ":role/" in by else by,
                action=action,
                resource=arn,
                account=account,
                identity=tuple(identity or ()),
                policy=policy,
                context=context,
                may_everything=identity is None,
            )

    def _principal(self, who: str, owner: str) -> tuple[str, list[Policy] | None]:
        """Return who makes the request, and the policies; None stands for one of everything."""
        accounts = self._stack.accounts
        if who == "consumer" and self._stack.given_elsewhere:
            (identity,) = self._stack.given_elsewhere.values()
            return _given_elsewhere(self._consumer, accounts), identity
        if who == "administering consumer":
            return self._principal("consumer", owner)[0], None
        if who in self._roles:
            arns = self._stack.roles[self._roles[who]]
            arn = next((arn for arn in arns if f":{owner}:" in arn), arns[0])
            there = self._stack.attached_there.get(arn, [])
            return arn, [*self._stack.identity[arn], *there]
        if who.startswith("another role of "):
            name = who.removeprefix("another role of ")
            return f"arn:aws:iam::{accounts.get(name, name)}:role/another", None
        if who.startswith("token of "):
            return f"arn:aws:iam::{owner}:oidc-provider/{who.removeprefix('token of ')}", []
        if who.endswith(".amazonaws.com"):
            return who, []
        if who == "its own account":
            return f"arn:aws:iam::{owner}:root", None
        assert who == "the other account", who
        (other,) = (id_ for id_ in accounts.values() if id_ != owner)
        return f"arn:aws:iam::{other}:root", None

    def _resources(self, on: str) -> Iterator[tuple[str, str, Policy | None]]:
        """Yield the ARN of each resource, its account's id and its policy."""
        stack = self._stack
        if on in self._roles:
            for arn in stack.roles[self._roles[on]]:
                yield arn, arn.split(":")[4], stack.trusts.get(arn) or stack.handed_over.get(arn)
        elif on in _TARGETS:
            for arn, policy in stack.on_targets.items():
                if f":{_TARGETS[on]}:" in arn:
                    yield arn, arn.split(":")[4], policy
        elif on == "each key":
            keys = {arn: p for arn, p in stack.handed_over.items() if ":kms:" in arn}
            for arn, policy in (stack.on_keys | keys).items():
                yield arn, arn.split(":")[4], policy
        elif on.startswith("key of "):
            arn = self._key(self._words[on.removeprefix("key of ")])
            yield arn, arn.split(":")[4], stack.on_keys[arn]
        else:
            label, _, key = on.format(**self._words).partition("/")
            bucket, owner, prefix = self._bucket(label)
            sign = "/object/" if bucket in stack.points else "/"
            path = f"{sign}{prefix}{key}" if key else ""
            written = stack.on_buckets.get(bucket) or stack.handed_over.get(bucket)
            written = written or stack.points.get(bucket)
            yield f"{bucket}{path}", owner, written

    def _bucket(self, label: str) -> tuple[str, str, str]:
        for start, below in (("log bucket of ", False), ("logs of ", True)):
            if label.startswith(start):
                source = self._words[label.removeprefix(start)]
                (logging,) = (
                    block
                    for block in self._stack.blocks("aws_s3_bucket_logging").values()
                    if f"arn:aws:s3:::{self._stack.text(block['bucket'])}" == source
                )
                target = f"arn:aws:s3:::{self._stack.text(logging['target_bucket'])}"
                prefix = self._stack.text(logging["target_prefix"]) if below else ""
                return target, self._owners[source], prefix
        return self._words[label], self._owners[self._words[label]], ""

    def _key(self, bucket: str) -> str:
        (rule,) = (
            block["rule"][0]
            for block in self._stack.blocks(
                "aws_s3_bucket_server_side_encryption_configuration"
            ).values()
            if f"arn:aws:s3:::{self._stack.text(block['bucket'])}" == bucket
        )
        return self._stack.text(
            rule["apply_server_side_encryption_by_default"]["kms_master_key_id"]
        )


def _name_of(consumer: Mapping[str, str]) -> str | None:
    """Return the name of a consumer's role or user, as the synthesized stack has it."""
    profile = consumer.get("instance_profile")
    role = consumer.get("new_role") or consumer.get("existing_role")
    name = f"{profile}-role" if profile else role or consumer.get("existing_user")
    return name and name.rpartition("/")[2]


def _of_events(stack: Synthesized) -> str | None:
    """Return the role of the rules that pass events on, whose name nobody declares."""
    return next(
        (
            name
            for name, arns in stack.roles.items()
            if any(
                arn in stack.trusts and "events.amazonaws.com" in str(stack.trusts[arn].document)
                for arn in arns
            )
        ),
        None,
    )


def _given_elsewhere(consumer: Mapping[str, str], accounts: Mapping[str, str]) -> str:
    """Return the ARN of a role to which others give a consumer's half."""
    account = accounts.get(consumer.get("account", ""), "333333333333")
    if name := consumer.get("permission_set"):
        path = "aws-reserved/sso.amazonaws.com/eu-west-2"
        return f"arn:aws:iam::{account}:role/{path}/AWSReservedSSO_{name}_1234567890abcdef"
    return f"arn:aws:iam::{account}:role/member"


def link_name(case: str) -> str:
    """Return what a case's link is called in the links file."""
    return case.replace(".", "-")


def _session(role_arn: str) -> str:
    """Return a role's session, whose ARN has no path."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{name}/session"
