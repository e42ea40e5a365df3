"""Policy documents as Terraform data sources."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from .policy import Statement, allows_everybody, compacted, join, size, unique_sids
from .policy import document as as_json
from .references import reference_below
from .validation import add_validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .account import Account

__all__ = ["PolicyDocument"]


class PolicyDocument(Construct):
    """Reads an ``aws_iam_policy_document`` data source, through the provider of ``account``.

    Statements can be added until synthesis. ``json`` is a reference to the rendered document; of a
    foreign account, which has no provider, the text of the statements so far. One that may get
    longer than ``limit`` characters is compacted, and where that is not enough it is refused when
    the stack is validated; ``what`` names it there. ``others`` are statements that somebody else
    wrote: they stand before ours, as they are.

    Raises ``ValueError`` for a statement that allows something to everybody, or that asks for a key
    twice by one operator.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        statements: Iterable[Statement],
        what: str = "policy",
        limit: int | None = None,
        others: Sequence[Statement] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.overrides: dict[str, str] = {}
        """What the block has in the place of what is written here, by its path."""
        self._account = account
        self.statements = list(statements)
        self._limit = limit
        self._others = others
        for statement in self.statements:
            _refuse(statement)
        self._document: DataAwsIamPolicyDocument | None = None
        if not account.foreign:
            known = reference_below(self, "Resource", DataAwsIamPolicyDocument, "json")
            if _HELD and known:
                _HELD[-1].append(self)
            else:
                self._render()
            self._json = known or str(self._document and self._document.json)
        if limit is not None:
            add_validation(self, account, lambda: self._too_long(what, limit))

    @property
    def json(self) -> str:
        """The rendered document."""
        if not self._account.foreign:
            return self._json
        # Terraform reads the text as a template: what is IAM's variable there stays one so.
        return json.dumps(as_json(self._compacted()), indent=2).replace("${aws:", "$${aws:")

    def add(self, statement: Statement) -> None:
        """Add a statement; a sid that is taken gets a number.

        What differs from one that is there in its actions alone joins it.
        """
        _refuse(statement)
        join(self.statements, statement)
        if _HELD:
            _HELD[-1].append(self)
        else:
            self._render()

    def _render(self) -> None:
        """Write the statements as they are now."""
        if self._document is not None:
            self._document.put_statement(self._rendered())
        elif not self._account.foreign:
            self._document = DataAwsIamPolicyDocument(
                self, "Resource", provider=self._account.provider, statement=self._rendered()
            )
            for path, value in self.overrides.items():
                self._document.add_override(path, value)

    def _too_long(self, what: str, limit: int) -> list[str]:
        length = size([*self._others, *self._compacted()])
        if length <= limit:
            return []
        return [
            f"the {what} may get {length} characters long, AWS takes {limit}: "
            "declare fewer roles, buckets or prefixes in one link"
        ]

    def _rendered(self) -> list[DataAwsIamPolicyDocumentStatement]:
        statements = unique_sids([*map(_literal, self._others), *self._compacted()])
        return [_statement(statement) for statement in statements]

    def _compacted(self) -> list[Statement]:
        if self._limit is None or size([*self._others, *self.statements]) <= self._limit:
            return self.statements
        return compacted(self.statements)


_HELD: list[list[PolicyDocument]] = []


@contextmanager
def rendered_once() -> Iterator[None]:
    """Render each document that is made or gets statements in here once, at the end.

    Each rendering writes all of its statements anew: of a bucket for n roles, n * n / 2 of them.
    Within another, that one's end counts.
    """
    if _HELD:
        yield
        return
    _HELD.append([])
    try:
        yield
    except BaseException:
        _HELD.pop()
        raise
    for document in dict.fromkeys(_HELD.pop()):
        document._render()


def _refuse(statement: Statement) -> None:
    asked = [(c.test, c.variable.lower()) for c in statement.conditions]
    if len({*asked}) < len(asked):  # Terraform would ask for any of their values
        raise ValueError(f"a statement asks twice for the same key: {statement.conditions}")
    if allows_everybody(statement):
        raise ValueError(
            'a statement allows something to everybody ("*"): name its principals; only a Deny '
            "may be for everybody, and what is limited to an organization by its id"
        )


def _statement(statement: Statement) -> DataAwsIamPolicyDocumentStatement:
    # Typed structs throughout: a key of a dict that is not known is dropped without a word.
    return DataAwsIamPolicyDocumentStatement(
        sid=statement.sid,
        effect=statement.effect,
        actions=list(statement.actions) or None,
        not_actions=list(statement.not_actions) or None,
        resources=list(map(_written, statement.resources)) or None,
        not_resources=list(map(_written, statement.not_resources)) or None,
        principals=[
            DataAwsIamPolicyDocumentStatementPrincipals(
                type=principal.type, identifiers=list(principal.identifiers)
            )
            for principal in statement.principals
        ]
        or None,
        condition=[
            DataAwsIamPolicyDocumentStatementCondition(
                test=condition.test,
                variable=condition.variable,
                values=list(map(_written, condition.values)),
            )
            for condition in statement.conditions
        ]
        or None,
    )


def _literal(statement: Statement) -> Statement:
    """Return a statement that holds no references of ours: what looks like one is IAM's."""

    def told(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.replace("${", "&{") for value in values)

    return replace(
        statement,
        resources=told(statement.resources),
        not_resources=told(statement.not_resources),
        conditions=tuple(replace(c, values=told(c.values)) for c in statement.conditions),
    )


def _written(text: str) -> str:
    """Return a text with IAM's variables as this data source has them: ``${`` is Terraform's."""
    return text.replace("${aws:", "&{aws:")
