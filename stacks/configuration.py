"""The configuration of the reference stack: what ``cdktf.json`` says under ``context``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from s3_cross_account.settings import AccountSettings, across_partitions
from s3_cross_account.spelling import near_match

from .checking import ConfigurationError, checked, json_object, text_of
from .deployment import Deployment

if TYPE_CHECKING:
    from pathlib import Path

_ACCOUNT1 = {"region": "ap-northeast-1", "profile": "account1"}
_ACCOUNT2 = {"region": "ap-northeast-1", "profile": "account2"}


class Accounts(BaseModel):
    """The two accounts, by the alias of their providers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account1: Annotated[AccountSettings, Field(description="an account", examples=[_ACCOUNT1])]
    account2: Annotated[AccountSettings, Field(description="an account", examples=[_ACCOUNT2])]

    @model_validator(mode="after")
    def _in_one_partition(self) -> Self:
        regions = {"account1": self.account1.region, "account2": self.account2.region}
        if problem := across_partitions(regions):
            raise ValueError(problem)
        return self


class Configuration(Deployment):
    """What the reference stack is made from. Other keys of the context belong to cdktf."""

    model_config = ConfigDict(frozen=True)

    accounts: Annotated[
        Accounts,
        Field(
            description="the two accounts",
            examples=[{"account1": _ACCOUNT1, "account2": _ACCOUNT2}],
        ),
    ]
    instances: Annotated[
        bool, Field(strict=True, description="true or false: whether to create the EC2 instances")
    ] = True


def read_configuration(file: Path) -> Configuration:
    """Return the checked configuration in ``file``, or raise :class:`ConfigurationError`."""
    content = json_object(text_of(file), str(file))
    context = content.get("context")
    if context is None and "context" not in content:
        near = near_match("context", content)
        hint = f'found "{near}": rename it' if near else 'add "context": {"accounts": {…}}'
        raise ConfigurationError([f"{file}: context: is missing: {hint}"])
    if not isinstance(context, dict):
        raise ConfigurationError([f'{file}: context: write an object, {{"accounts": {{…}}}}'])
    # Any other key may be cdktf's, but one that is nearly ours would be left out silently.
    fields = Configuration.model_fields
    ours = [name for name in fields if name not in context and not fields[name].is_required()]
    misspelt = {key: near_match(key, ours) for key in context.keys() - fields}
    if any(misspelt.values()):
        raise ConfigurationError(
            f'{file}: context.{key}: did you mean "{near}"? Rename it'
            for key, near in sorted(misspelt.items())
            if near
        )
    return checked(
        Configuration, context, source=str(file), at=("context",), accounts_at=("accounts",)
    )
