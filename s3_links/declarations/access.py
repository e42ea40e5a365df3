"""What a link grants, and under which conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from s3_cross_account.access import NO_CONDITIONS, Access, Conditions
from s3_cross_account.actions import LEVELS, of_level
from s3_cross_account.actions import as_listed as as_listed_actions
from s3_cross_account.condition_keys import as_listed

from .choices import filled, given
from .part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .part import Problem


class LinkAccess(Part, Conditions):
    """What is granted, and under which conditions."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"not": {"allOf": [{"required": ["level"]}, given("actions")]}},
                {"not": {"allOf": [filled("vpc_endpoint_ids"), filled("source_ips")]}},
                {"not": {"allOf": [filled("vpc_ids"), filled("source_ips")]}},
            ]
        }
    )

    level: Annotated[
        Literal[tuple(LEVELS)],  # type: ignore[valid-type]
        Field(
            description=f"one of {', '.join(LEVELS)} (copies between buckets: copy-with-tags, as"
            " AWS CLI version 2 reads the tags of objects over 8 MB). The actions of one use, by "
            "one word, instead of actions; those named after an AWS service are what its document "
            "asks for, with prefixes all but s3:ListBucketMultipartUploads, which knows none",
            examples=["read-only"],
        ),
    ] = "list-get-put"
    actions: Annotated[
        list[str] | None,
        Field(
            description="a list of S3 actions. Just these are granted, instead of those of a "
            "level; wildcards are refused",
            examples=[["s3:GetObject"]],
            min_length=1,
        ),
    ] = None
    prefixes: Annotated[
        list[str],
        Field(
            description="a list of prefixes. Objects below them only, and a listing of no others; "
            "each ends with /; left out: the whole bucket. {principal_tag:team} in it stands for "
            "the tag team of whoever makes the request, which the administrators of the caller's "
            "account choose",
            examples=[["reports/"]],
        ),
    ] = []

    @model_validator(mode="after")
    def _possible(self) -> Self:
        return self  # the rules tell what is wrong, each with its place

    @property
    def access(self) -> Access:
        """The access as the library has it."""
        return self._granted(Conditions(**self.model_dump(include=set(Conditions.model_fields))))

    @property
    def asks_for_mfa(self) -> bool:
        """Whether who asks has to have signed in with MFA."""
        return self.mfa or any(
            as_listed(key).startswith("aws:MultiFactorAuth")
            for test, asked in self.conditions.items()
            if test != "Null" and not test.endswith("IfExists")
            for key in asked
        )

    @property
    def granted_actions(self) -> tuple[str, ...]:
        """The actions by name, as they are written or as a level has them."""
        if self.actions:
            return tuple(self.actions)
        return of_level(self.level, below_prefixes=bool(self.prefixes))

    def _granted(self, conditions: Conditions) -> Access:
        return Access(
            actions=self.granted_actions,
            prefixes=tuple(self.prefixes),
            conditions=conditions,
        )

    @rule
    def _level_or_actions(self) -> Iterator[Problem]:
        if self.actions is not None and "level" in self.model_fields_set:
            yield (), 'give "level" or "actions", not both'

    @rule
    def _known_to_s3(self) -> Iterator[Problem]:
        try:
            _ = self._granted(NO_CONDITIONS)
        except ValueError as error:
            yield (), str(error)

    @rule
    def _possible_conditions(self) -> Iterator[Problem]:
        yield from (((), told) for told in self._contradictions())

    @rule
    def _known_conditions(self) -> Iterator[Problem]:
        yield from ((("conditions", *place), told) for place, told in self._wrong())
        if self.prefixes and "s3:prefix" in [as_listed(k) for k in self._keys("StringLike")]:
            yield ("conditions", "StringLike"), 'the prefixes ask for "s3:prefix": leave one out'

    def _keys(self, test: str) -> Iterable[str]:
        return self.conditions.get(test, ())

    def without_half(self, *, assumed: bool, keyed: bool) -> Iterator[Problem]:
        """Yield what no half can ask where a role is assumed or not, a bucket has a key or not."""
        if not any(self._wrong()):
            actions = as_listed_actions(self.granted_actions)
            for place, told in self.unplaced(actions, assumed=assumed, keyed=keyed):
                yield ("conditions", *place), told
