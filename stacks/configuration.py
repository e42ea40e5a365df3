"""The configuration of the reference stack: what ``cdktf.json`` says under ``context``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from s3_cross_account.settings import AccountSettings

from .checking import ConfigurationError, checked, json_object, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTEXT_VARIABLE = "CDKTF_CONTEXT_JSON"
"""The environment variable from which cdktf itself takes context; it wins over the file."""

_ACCOUNT = {"region": "ap-northeast-1", "profile": "account1"}


class Accounts(BaseModel):
    """The two accounts, by the alias of their providers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account1: Annotated[AccountSettings, Field(description="an account", examples=[_ACCOUNT])]
    account2: Annotated[AccountSettings, Field(description="an account", examples=[_ACCOUNT])]


class Configuration(BaseModel):
    """What the reference stack is made from. Other keys of the context belong to cdktf."""

    model_config = ConfigDict(frozen=True)

    accounts: Annotated[
        Accounts,
        Field(
            description="the two accounts",
            examples=[{"account1": _ACCOUNT, "account2": _ACCOUNT | {"profile": "account2"}}],
        ),
    ]


def read_configuration(file: Path, environment: Mapping[str, str] = os.environ) -> Configuration:
    """Return the checked configuration in ``file``, or raise :class:`ConfigurationError`."""
    context = json_object(text_of(file), str(file)).get("context", {})
    if not isinstance(context, dict):
        raise ConfigurationError([f'{file}: context: write an object, {{"accounts": …}}'])
    source = str(file)
    if overriding := environment.get(CONTEXT_VARIABLE):
        given = json_object(overriding, f"the environment variable {CONTEXT_VARIABLE}")
        source = f"{CONTEXT_VARIABLE}" if "accounts" in given else source
        context |= given
    return checked(
        Configuration, context, source=source, at=("context",), accounts_at=("accounts",)
    )
