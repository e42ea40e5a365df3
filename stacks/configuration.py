"""The configuration: what ``cdktf.json`` says under ``context``.

All that is wrong is reported at once, each with its place and how to mend it.
"""

from __future__ import annotations

import difflib
import json
import os
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s3_cross_account.settings import AccountSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

CONTEXT_VARIABLE = "CDKTF_CONTEXT_JSON"
"""The environment variable from which cdktf itself takes context; it wins over the file."""

_ACCOUNT = {"region": "ap-northeast-1", "profile": "account1"}


class ConfigurationError(Exception):
    """The configuration cannot be used. The message lists every reason and its remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["The configuration cannot be used:", *problems]))


class Accounts(BaseModel):
    """The two accounts, by the alias of their providers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account1: Annotated[AccountSettings, Field(description="an account", examples=[_ACCOUNT])]
    account2: Annotated[AccountSettings, Field(description="an account", examples=[_ACCOUNT])]


class Configuration(BaseModel):
    """What the stacks are made from. Other keys of the context belong to cdktf."""

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
    context = _object(_content(file), str(file)).get("context", {})
    if not isinstance(context, dict):
        raise ConfigurationError([f'  {file}: context: write an object, {{"accounts": …}}'])
    if overriding := environment.get(CONTEXT_VARIABLE):
        context |= _object(overriding, f"the environment variable {CONTEXT_VARIABLE}")
    problems = [*_contradictions(context.get("accounts"))]
    try:
        configuration = Configuration.model_validate(context)
    except ValidationError as error:
        problems = [*(_explained(e, context) for e in error.errors()), *problems]
    if problems:
        raise ConfigurationError([f"  {file}: {problem}" for problem in problems])
    return configuration


def _content(file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(
            [f"  {file}: cannot be read ({reason}): run this in the project's folder"]
        ) from None
    if not content.strip():
        raise ConfigurationError([f"  {file}: is empty: restore it from the repository"])
    return content


def _object(text: str, source: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if repeated := sorted({key for key in keys if keys.count(key) > 1}):
            raise ConfigurationError(
                [f'  {source}: the key "{key}" stands twice in one object' for key in repeated]
            )
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigurationError(
            [f"  {source}: is not JSON: {error.msg} at {place}: mend it there"]
        ) from None
    if not isinstance(value, dict):
        raise ConfigurationError([f"  {source}: write a JSON object, {{…}}"])
    return value


def _contradictions(accounts: Any) -> Iterator[str]:
    """Yield what single fields cannot show; looks only at what is there and of the right type."""
    entries: dict[str, dict[str, Any]] = {
        name: entry
        for name, entry in (accounts.items() if isinstance(accounts, dict) else ())
        if name in Accounts.model_fields and isinstance(entry, dict)
    }
    seen: dict[tuple[Any, ...], str] = {}
    for name, entry in entries.items():
        place = f"context.accounts.{name}"
        role = entry.get("assume_role")
        arn = role.get("role_arn") if isinstance(role, dict) else None
        arn_account = arn.split(":")[4] if isinstance(arn, str) and arn.count(":") >= 5 else None
        pinned = entry.get("account_id")
        if entry.get("profile") is None and role is None:
            yield (
                f"{place}: has no credentials: add a profile "
                f'("profile": "{name}") or a role to assume ("assume_role": {{"role_arn": …}})'
            )
        if isinstance(pinned, str) and arn_account and pinned != arn_account:
            yield (
                f"{place}.account_id: is {pinned}, but assume_role.role_arn belongs to account "
                f"{arn_account}: correct one of them"
            )
        for what, key in (
            ("account", pinned if isinstance(pinned, str) else arn_account),
            ("credentials", (entry.get("profile"), arn) if role or entry.get("profile") else None),
        ):
            if key is None:
                continue
            first = seen.setdefault((what, repr(key)), name)
            if first != name:
                yield (
                    f"{place}: is the same account as context.accounts.{first} (same {what}): "
                    "give each its own profile, role or account id"
                )
                break


def _explained(error: ErrorDetails, context: Any) -> str:
    *parents, key = (str(part) for part in error["loc"])
    place = ".".join(["context", *parents, key])
    model = _model_at(parents)
    present = reduce(lambda value, name: value[name], parents, context)
    if error["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields)
        near = difflib.get_close_matches(key, model.model_fields.keys() - present, n=1)
        hint = f'did you mean "{near[0]}"? ' if near else "remove it. "
        return f"{place}: unknown key: {hint}Known keys: {known}"
    field = model.model_fields[key]
    example = json.dumps(field.examples[0] if field.examples else "…")
    if error["type"] == "missing":
        near = difflib.get_close_matches(key, present.keys() - model.model_fields, n=1)
        hint = f'found "{near[0]}": rename it' if near else f'add "{key}": {example}'
        return f"{place}: is missing: {hint}"
    found = json.dumps(error["input"], ensure_ascii=False)
    return f"{place}: {found} is not {field.description}: write for example {example}"


def _model_at(path: list[str]) -> type[BaseModel]:
    model: type[BaseModel] = Configuration
    for name in path:
        annotation = model.model_fields[name].annotation
        model = next(
            candidate
            for candidate in (annotation, *get_args(annotation))
            if isinstance(candidate, type) and issubclass(candidate, BaseModel)
        )
    return model
