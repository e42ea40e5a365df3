"""The configuration of the reference stack: what ``cdktf.json`` says under ``context``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field

from s3_cross_account.spelling import near_match
from s3_links.declarations.accounts import DeclaredAccount
from s3_links.declarations.checking import checked, wrong
from s3_links.declarations.deployment import Deployment
from s3_links.declarations.files import json_object, text_of
from s3_links.declarations.part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from s3_links.declarations.part import Problem

_ACCOUNT1 = {"region": "ap-northeast-1", "profile": "account1"}
_ACCOUNT2 = {"region": "ap-northeast-1", "profile": "account2"}


class Accounts(Part):
    """The two accounts, by the alias of their providers."""

    account1: Annotated[DeclaredAccount, Field(description="an account", examples=[_ACCOUNT1])]
    account2: Annotated[DeclaredAccount, Field(description="an account", examples=[_ACCOUNT2])]


class Configuration(Deployment):
    """What the reference stack is made from. Other keys of the context belong to cdktf."""

    model_config = ConfigDict(extra="ignore")

    accounts: Annotated[
        Accounts,
        Field(
            description="the two accounts",
            examples=[{"account1": _ACCOUNT1, "account2": _ACCOUNT2}],
        ),
    ]
    instances: Annotated[
        bool, Field(description="true or false: whether to create the EC2 instances")
    ] = True

    @rule
    def _partitions(self) -> Iterator[Problem]:
        for problem in self.in_two_partitions(self.by_alias):
            yield ("accounts",), problem


def read_configuration(file: Path) -> Configuration:
    """Return the checked configuration in ``file``, or raise :class:`ConfigurationError`."""
    content, found = json_object(text_of(file), str(file))
    if "context" not in content:
        near = near_match("context", content)
        hint = f'found "{near}": rename it' if near else 'add "context": {"accounts": {…}}'
        found.append((("context",), f"is missing: {hint}"))
    elif isinstance(content["context"], dict):
        context = content["context"]
        found += [(("context", key), told) for key, told in _nearly_ours(context)]
        return checked(Configuration, context, source=str(file), at=("context",), found=found)
    else:
        found.append((("context",), 'write an object, {"accounts": {…}}'))
    raise wrong(str(file), found)


def _nearly_ours(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the misspelt keys: any other may be cdktf's, but these would be left out silently."""
    fields = Configuration.model_fields
    ours = [name for name in fields if name not in context and not fields[name].is_required()]
    for key in sorted(context.keys() - fields):
        if near := near_match(key, ours):
            yield key, f'did you mean "{near}"? Rename it'
