"""What both configurations say of how their stacks are deployed, and what contradicts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from s3_cross_account.settings import across_partitions, partition

from .names import JAVASCRIPT
from .pipeline import ROLES, Pipeline
from .state import LocalState, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .checking import Place, Problem


class Deployment(BaseModel):
    """Where the state is kept, and which pipeline may deploy."""

    state: State = LocalState()
    pipeline: Annotated[
        Pipeline | None,
        Field(
            description="a pipeline",
            examples=[{"platform": "github", "repository": "my-organization/s3-links"}],
        ),
    ] = None


def contradictions(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what several parts show only together, of those that are there and of the right type.

    So whatever else is wrong, this is told too.
    """
    declared = content.get("accounts")
    accounts = {
        alias: entry
        for alias, entry in (declared.items() if isinstance(declared, dict) else ())
        if isinstance(entry, dict)
    }
    state = content.get("state", {"backend": "local"})
    yield from _of_accounts(accounts)
    if isinstance(state, dict):
        yield from unknown_account(state, ("state",), declared)
    if content.get("pipeline") is not None:
        yield from _of_pipeline(accounts, state)


def unknown_account(part: Mapping[str, Any], place: Place, accounts: Any) -> Iterator[Problem]:
    """Yield what is wrong with the account that a part of the configuration names."""
    alias = part.get("account")
    if isinstance(alias, str) and isinstance(accounts, dict) and alias not in accounts:
        told = f'"{alias}" is not among "accounts": {", ".join(accounts) or "there are none"}'
        yield (*place, "account"), told


def in_two_partitions(aliases: Iterable[str], accounts: Any) -> Iterator[str]:
    """Yield what is wrong with a link between these accounts, where IAM keeps them apart."""
    entries = (
        {alias: accounts.get(alias) for alias in aliases} if isinstance(accounts, dict) else {}
    )
    regions = {a: entry.get("region") for a, entry in entries.items() if isinstance(entry, dict)}
    if problem := across_partitions({a: r for a, r in regions.items() if isinstance(r, str)}):
        yield problem


def _of_pipeline(accounts: Mapping[str, Mapping[str, Any]], state: Any) -> Iterator[Problem]:
    if isinstance(state, dict) and state.get("backend") == "local":
        yield (
            ("pipeline",),
            'needs a "state" in S3 or HCP Terraform: a run starts in an empty folder, and would '
            "make everything again",
        )
    # The stack of the roles names constructs by the aliases alone, beside these.
    claimed = JAVASCRIPT | {"backend"}
    for alias in accounts:
        claimed |= {f"{alias}-provider", *(f"{what}_role_arn_{alias}" for what in ROLES)}
    for alias, entry in accounts.items():
        place = ("accounts", alias)
        if alias in claimed:
            yield place, 'is a word that cdktf needs for "pipeline" itself: choose another alias'
        if entry.get("account_id") is None or entry.get("profile") is None:
            yield (
                place,
                'needs an "account_id" and a "profile" for "pipeline": the role that a run gets is '
                "of that account, and stands in the place of that profile",
            )
        if entry.get("assume_role") is not None:
            yield (
                (*place, "assume_role"),
                'leave it out with "pipeline": the roles of the pipeline are reached directly',
            )


def _of_accounts(accounts: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for name, entry in accounts.items():
        place = ("accounts", name)
        role = entry.get("assume_role")
        arn = role.get("role_arn") if isinstance(role, dict) else None
        arn_account = arn.split(":")[4] if isinstance(arn, str) and arn.count(":") >= 5 else None
        pinned = entry.get("account_id")
        if entry.get("profile") is None and role is None:
            yield (
                place,
                f'has no credentials: add a profile ("profile": "{name}") or a role to assume '
                '("assume_role": {"role_arn": …})',
            )
        boundary = entry.get("permissions_boundary")
        own = partition(str(entry.get("region")))
        for where, given in (("assume_role.role_arn", arn), ("permissions_boundary", boundary)):
            other = given.split(":")[1] if isinstance(given, str) and ":" in given else own
            if other != own:
                yield (
                    (*place, *where.split(".")),
                    f"is in the partition {other}, the account's region in {own}: correct one of "
                    "them",
                )
        if isinstance(pinned, str) and isinstance(boundary, str) and boundary.count(":") >= 5:
            owner = boundary.split(":")[4]
            if owner not in (pinned, "aws"):
                yield (
                    (*place, "permissions_boundary"),
                    f"belongs to account {owner}, the roles to {pinned}: use a policy of theirs",
                )
        if isinstance(pinned, str) and arn_account and pinned != arn_account:
            yield (
                (*place, "account_id"),
                f"is {pinned}, but assume_role.role_arn belongs to account {arn_account}: "
                "correct one of them",
            )
        for what, key in (
            ("account", pinned if isinstance(pinned, str) else arn_account),
            ("credentials", _credentials(entry.get("profile"), role, arn)),
        ):
            if key is None:
                continue
            first = seen.setdefault((what, repr(key)), name)
            if first != name:
                yield (
                    place,
                    f'is the same account as "{first}" (same {what}): give each its own profile, '
                    "role or account id",
                )
                break


def _credentials(profile: Any, role: Any, arn: Any) -> tuple[str | None, str | None] | None:
    """Return what tells credentials apart, or nothing where something is wrong with them."""
    if role is None:
        return (profile, None) if isinstance(profile, str) else None
    well_formed = isinstance(arn, str) and isinstance(profile, str | None)
    return (profile, arn) if well_formed else None
