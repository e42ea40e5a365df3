"""What a link grants, and under which conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from s3_cross_account.access import NO_CONDITIONS, Access, Conditions
from s3_cross_account.actions import LEVELS, of_level

from .choices import filled, given
from .part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem


class LinkAccess(Part, Conditions):
    """What is granted, and under which conditions."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"not": {"allOf": [{"required": ["level"]}, given("actions")]}},
                {"not": {"allOf": [filled("vpc_endpoint_ids"), filled("source_ips")]}},
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
            "each ends with /; left out: the whole bucket",
            examples=[["reports/"]],
        ),
    ] = []

    @property
    def access(self) -> Access:
        """The access as the library has it."""
        return self._granted(Conditions(**self.model_dump(include=set(Conditions.model_fields))))

    def _granted(self, conditions: Conditions) -> Access:
        return Access(
            actions=tuple(self.actions)
            if self.actions
            else of_level(self.level, below_prefixes=bool(self.prefixes)),
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
