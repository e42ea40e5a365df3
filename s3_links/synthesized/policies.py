"""Policies as blocks hold them: JSON text, or a reference to a document that is not known yet."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3_cross_account.policy import Condition, Principal, Statement
from s3_cross_account.policy import document as as_json
from s3_cross_account.reading import Unreadable, read
from s3_links.world import OF_RESOURCES, Document

from .blocks import UNKNOWN, UnresolvedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

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
    for content in block.get("statement") or []:
        try:
            yield _statement(blocks, content)
        except (UnresolvedError, KeyError, TypeError) as problem:
            yield Unreadable(reason=str(problem), text=json.dumps(content, sort_keys=True))


def _statement(blocks: Blocks, block: Mapping[str, Any]) -> Statement:
    def texts(name: str, *, whole: bool = True) -> tuple[str, ...]:
        return _texts(block.get(name), lambda value: blocks.text(value, whole=whole))

    def principals(name: str) -> tuple[Principal, ...]:
        return tuple(
            Principal(type=part["type"], identifiers=_texts(part["identifiers"], blocks.text))
            for part in block.get(name) or []
        )

    return Statement(
        sid=block.get("sid"),
        effect=block.get("effect") or "Allow",
        actions=texts("actions"),
        not_actions=texts("not_actions"),
        resources=texts("resources"),
        not_resources=texts("not_resources"),
        principals=principals("principals"),
        not_principals=principals("not_principals"),
        conditions=tuple(
            Condition(
                test=condition["test"],
                variable=condition["variable"],
                values=_texts(condition["values"], blocks.text),
            )
            for condition in block.get("condition") or []
        ),
    )


def _texts(values: Iterable[str] | None, resolved: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(resolved(str(value)) for value in values or ())


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
