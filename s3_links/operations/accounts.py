"""Which account each provider alias really reaches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .credentials import Credentials, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .stack import Stack


@dataclass(frozen=True)
class Reached:
    """What an alias reaches: an account and a caller, or the reason why none."""

    alias: str
    pinned: str | None
    account: str = ""
    caller: str = ""
    problem: str = ""


def reached(stacks: Iterable[Stack]) -> list[Reached]:
    """Ask AWS, once for each alias of the stacks, who calls."""
    providers = {p["alias"]: p for stack in stacks for p in stack.providers}
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(_reach, providers.values()))
    first: dict[str, str] = {}
    return [_same_account(entry, first.setdefault(entry.account, entry.alias)) for entry in found]


def _reach(provider: Mapping[str, Any]) -> Reached:
    alias = provider["alias"]
    pinned = next(iter(provider.get("allowed_account_ids") or []), None)
    try:
        account, caller = Credentials(provider).identity()
    except CredentialsError as error:
        return Reached(alias, pinned, problem=str(error))
    problem = ""
    if pinned not in (None, account):
        problem = (
            f"is account {account}, pinned is {pinned}: correct the profile, the role to assume "
            "or account_id"
        )
    return Reached(alias, pinned, account, caller, problem)


def _same_account(entry: Reached, first: str) -> Reached:
    if entry.problem or first == entry.alias or not entry.account:
        return entry
    problem = f"is account {entry.account}, as {first} is: give each alias its own credentials"
    return replace(entry, problem=problem)
