"""What both configurations say of how their stacks are deployed, and what contradicts itself."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from s3_cross_account.settings import across_partitions

from .names import JAVASCRIPT
from .part import Part, UnreadableError, parts, rule
from .pipeline import ROLES, Pipeline
from .state import LOCAL, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .accounts import DeclaredAccount
    from .part import Place, Problem


class Deployment(Part):
    """The accounts, where the state is kept, and which pipeline may deploy."""

    state: State = LOCAL
    pipeline: Annotated[
        Pipeline | None,
        Field(
            description="a pipeline. Its roles, one to plan and one to deploy, are created in each "
            "account by the stack pipeline-roles",
            examples=[{"platform": "github", "repository": "my-organization/s3-links"}],
        ),
    ] = None

    if TYPE_CHECKING:
        accounts: Any

    @property
    def by_alias(self) -> Mapping[str, DeclaredAccount]:
        """The accounts by their aliases."""
        return dict(self.accounts)

    def in_two_partitions(self, aliases: Iterable[str]) -> Iterator[str]:
        """Yield what is wrong with a link between these accounts, where IAM keeps them apart."""
        regions = {}
        for alias in aliases:
            with suppress(UnreadableError, KeyError):
                if region := self.by_alias[alias].region:  # a foreign account may have none
                    regions[alias] = region
        if problem := across_partitions(regions):
            yield problem

    @rule
    def _known_accounts(self) -> Iterator[Problem]:
        for place, alias in accounts_in(self):
            if alias not in self.by_alias:
                there = ", ".join(self.by_alias) or "there are none"
                yield place, f'"{alias}" is not among "accounts": {there}'

    @rule
    def _state_for_the_pipeline(self) -> Iterator[Problem]:
        if self.pipeline is not None and self.state.backend == "local":
            yield (
                ("pipeline",),
                'needs a "state" in S3 or HCP Terraform: a run starts in an empty folder, and '
                "would make everything again",
            )

    @rule
    def _accounts_for_the_pipeline(self) -> Iterator[Problem]:
        if self.pipeline is None:
            return
        # The stack of the roles names constructs by the aliases alone, beside these.
        claimed = JAVASCRIPT | {"backend"}
        for alias in self.by_alias:
            claimed |= {f"{alias}-provider", *(f"{what}_role_arn_{alias}" for what in ROLES)}
        for alias, account in self.by_alias.items():
            place = ("accounts", alias)
            with suppress(UnreadableError):
                if account.is_foreign:
                    continue  # a pipeline has no roles in it
            if alias in claimed:
                told = 'is a word that cdktf needs for "pipeline" itself: choose another alias'
                yield place, told
            with suppress(UnreadableError):
                if account.account_id is None or account.profile is None:
                    yield (
                        place,
                        'needs an "account_id" and a "profile" for "pipeline": the role that a run '
                        "gets is of that account, and stands in the place of that profile",
                    )
            with suppress(UnreadableError):
                if account.assume_role is not None:
                    yield (
                        (*place, "assume_role"),
                        'leave it out with "pipeline": the roles of the pipeline are reached '
                        "directly",
                    )

    @rule
    def _different_accounts(self) -> Iterator[Problem]:
        seen: dict[tuple[str, Any], str] = {}
        for alias, account in self.by_alias.items():
            for what, key in _tells_apart(account):
                first = seen.setdefault((what, key), alias)
                if first != alias:
                    yield (
                        ("accounts", alias),
                        f'is the same account as "{first}" (same {what}): give each its own '
                        "profile, role or account id",
                    )
                    break


def accounts_in(declared: Part) -> Iterator[tuple[Place, str]]:
    """Yield the accounts that the parts of something name, each with its place."""
    for place, part in parts(declared, Part):
        with suppress(UnreadableError):
            if alias := getattr(part, "account", None):
                yield (*place, "account"), alias
        with suppress(UnreadableError):
            for number, alias in getattr(part, "aliases", ()):
                yield (*place, "from", number), alias


def _tells_apart(account: DeclaredAccount) -> Iterator[tuple[str, Any]]:
    """Yield what no two accounts may share, as far as it is declared and can be read."""
    with suppress(UnreadableError):
        if account.known_id:
            yield "account", account.known_id
    with suppress(UnreadableError):
        if account.profile or account.assume_role:
            yield "credentials", (account.profile, account.role_arn)
