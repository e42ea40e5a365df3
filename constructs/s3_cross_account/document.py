"""Policy documents as Terraform data sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from .policy import Statement, unique_sids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .account import Account


class PolicyDocument(Construct):
    """Reads an ``aws_iam_policy_document`` data source, through the provider of ``account``.

    Statements can be added until synthesis. ``json`` is a reference to the rendered document.
    """

    def __init__(
        self, scope: Construct, id_: str, *, account: Account, statements: Iterable[Statement]
    ) -> None:
        super().__init__(scope, id_)
        self._statements = list(statements)
        self._document = DataAwsIamPolicyDocument(
            self, "Resource", provider=account.provider, statement=self._rendered()
        )
        self.json: str = self._document.json

    def add(self, statement: Statement) -> None:
        """Add a statement; a sid that is taken gets a number."""
        self._statements.append(statement)
        self._document.put_statement(self._rendered())

    def _rendered(self) -> list[DataAwsIamPolicyDocumentStatement]:
        return [_statement(statement) for statement in unique_sids(self._statements)]


def _statement(statement: Statement) -> DataAwsIamPolicyDocumentStatement:
    # Typed structs throughout: a key of a dict that is not known is dropped without a word.
    return DataAwsIamPolicyDocumentStatement(
        sid=statement.sid,
        effect=statement.effect,
        actions=list(statement.actions),
        resources=list(statement.resources) or None,
        principals=[
            DataAwsIamPolicyDocumentStatementPrincipals(
                type=principal.type, identifiers=list(principal.identifiers)
            )
            for principal in statement.principals
        ]
        or None,
    )
