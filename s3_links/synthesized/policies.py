"""Policies as blocks hold them: JSON text, or a reference to a document that is not known yet."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from s3_cross_account.policy import Condition, Principal, Statement
from s3_cross_account.policy import document as as_json
from s3_cross_account.reading import Unreadable, read
from s3_links.world import OF_RESOURCES, Document

from .blocks import UNKNOWN, UnresolvedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_links.world import DocumentKind

    from .blocks import Blocks

_DOCUMENT = "data.aws_iam_policy_document."
_READ_HERE = {"statement", "provider", "version", "policy_id", "depends_on", "//"}
_OF_A_RESOURCE = (
    *OF_RESOURCES,
    *("resource control policy", "VPC endpoint policy"),
)
_WITH_RESOURCE = (
    *(kind for kind in OF_RESOURCES if kind != "trust policy"),
    *("identity policy", "permissions boundary"),
)


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _PrincipalsBlock(_Block):
    type: Literal["AWS", "Service", "Federated", "CanonicalUser", "*"]
    identifiers: list[str]


class _ConditionBlock(_Block):
    test: str
    variable: str
    values: list[str]


class _StatementBlock(_Block):
    sid: str | None = None
    effect: Literal["Allow", "Deny"] | None = None
    actions: list[str] | None = None
    not_actions: list[str] | None = None
    resources: list[str] | None = None
    not_resources: list[str] | None = None
    principals: list[_PrincipalsBlock] | None = None
    not_principals: list[_PrincipalsBlock] | None = None
    condition: list[_ConditionBlock] | None = None


def document_of(
    blocks: Blocks, address: str, argument: str, kind: DocumentKind, name: str
) -> Document:
    """Return the policy that a block has in an argument."""
    account = blocks.account(address)
    content = blocks.known(address, argument)
    place = blocks.reference(content) or address
    if not blocks.is_known(address, argument):
        content = _declared(blocks, content)
    return replace(parsed(kind, account, name, content), place=place)


def handed_out(
    blocks: Blocks, output: str, kind: DocumentKind, account: str, name: str
) -> Document:
    """Return the statements that an output holds, for whoever owns the policy; or none."""
    content = blocks.output(output)
    found = _declared(blocks, content) if content else ()
    place = blocks.reference(content) or (output if content else "")
    return replace(parsed(kind, account, name, found), place=place)


def parsed(kind: DocumentKind, account: str, name: str, content: object) -> Document:
    """Return a document of JSON text, or of statements that have been read."""
    found = content if isinstance(content, tuple) else _read(content)
    statements = tuple(_fitting(kind, statement) for statement in found)
    return Document(kind=kind, account=account, name=name, statements=statements)


def unknown(kind: DocumentKind, account: str, name: str, reason: str) -> Document:
    """Return a document that is there, and of which nothing is known."""
    statements = (Unreadable(reason=reason, text=name),)
    return Document(kind=kind, account=account, name=name, statements=statements)


def _read(content: object) -> tuple[Statement | Unreadable, ...]:
    if isinstance(content, str) and content.strip() == "[]":
        return (Unreadable(reason="a policy document is an object, not []", text=content),)
    return read(content)


def _declared(blocks: Blocks, text: object) -> tuple[Statement | Unreadable, ...]:
    if not text:
        return (Unreadable(reason=UNKNOWN, text=UNKNOWN),)
    reference = blocks.reference(text) or ""
    if reference.startswith(_DOCUMENT):
        return tuple(_of_document(blocks, reference))
    try:
        return _read(blocks.text(str(text)))
    except UnresolvedError as problem:
        return (Unreadable(reason=str(problem), text=str(text)),)


def _of_document(blocks: Blocks, address: str) -> Iterator[Statement | Unreadable]:
    block = blocks.declared(address)
    if more := sorted(block.keys() - _READ_HERE):
        yield Unreadable(reason=f"{address} has {', '.join(more)}", text=address)
    if block.get("version") not in (None, "2012-10-17"):
        yield Unreadable(reason=f"{address} has another version", text=address)
    statements = block.get("statement") or []
    for content in statements if isinstance(statements, list) else [statements]:
        try:
            yield _statement(blocks, _StatementBlock.model_validate(content))
        except (UnresolvedError, ValidationError) as problem:
            reason = str(problem)
            if isinstance(problem, ValidationError):
                reason = f"{address} has a statement that cdktf does not write"
            yield Unreadable(reason=reason, text=json.dumps(content, sort_keys=True))


def _statement(blocks: Blocks, block: _StatementBlock) -> Statement:
    def texts(values: list[str] | None) -> tuple[str, ...]:
        return tuple(blocks.text(value, whole=True) for value in values or ())

    def principals(parts: list[_PrincipalsBlock] | None) -> tuple[Principal, ...]:
        return tuple(
            Principal(type=part.type, identifiers=tuple(map(blocks.text, part.identifiers)))
            for part in parts or ()
        )

    return Statement(
        sid=block.sid,
        effect=block.effect or "Allow",
        actions=texts(block.actions),
        not_actions=texts(block.not_actions),
        resources=texts(block.resources),
        not_resources=texts(block.not_resources),
        principals=principals(block.principals),
        not_principals=principals(block.not_principals),
        conditions=tuple(
            Condition(
                test=condition.test,
                variable=condition.variable,
                values=tuple(map(blocks.text, condition.values)),
            )
            for condition in block.condition or ()
        ),
    )


def _fitting(kind: DocumentKind, statement: Statement | Unreadable) -> Statement | Unreadable:
    """Return a statement, or why it has no place in a policy of this kind."""
    if isinstance(statement, Unreadable):
        return statement
    named = bool(statement.principals or statement.not_principals)
    if named is not (kind in _OF_A_RESOURCE):
        reason = "a Principal in a policy of an identity" if named else "no Principal"
    elif kind in _WITH_RESOURCE and not (statement.resources or statement.not_resources):
        reason = "no Resource"
    else:
        return statement
    return Unreadable(reason=reason, text=_as_text(statement))


def _as_text(statement: Statement) -> str:
    return json.dumps(as_json([statement])["Statement"][0], sort_keys=True)
