"""A replication: its ends, and what is copied from which to which."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field

from . import claims
from .buckets import imports_of
from .choices import filled, given
from .hardening import HardeningChoice, switches
from .names import ROLE, RoleName, about
from .part import Part, UnreadableError, claim, rule
from .replicated import ReplicatedBucket, Rule, possible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_cross_account.hardening import Hardening

    from .claims import Claim
    from .part import Place, Problem


class End(NamedTuple):
    """A bucket of a replication, where it is declared, and as which end."""

    end: Literal["source", "destination"]
    place: Place
    bucket: ReplicatedBucket

    @property
    def suffix(self) -> str:
        """What tells it from the other ends of its kind; nothing of the one in the short form."""
        return f"_{self.bucket.label}" if len(self.place) > 1 else ""

    @property
    def label(self) -> str:
        """What it is called in the names of outputs."""
        return f"{self.end}{self.suffix}"

    @property
    def where(self) -> str:
        """Its place, as a message tells it."""
        field, *number = self.place
        return f"{field}{number}" if number else str(field)


class Way(NamedTuple):
    """What is copied from one bucket: by which role, and by which rules to which others."""

    source: End
    role: str
    destinations: list[tuple[End, list[Rule]]]

    @property
    def back(self) -> bool:
        """Whether it is copied from a destination."""
        return self.source.end == "destination"

    @property
    def rules(self) -> list[Rule]:
        """Every rule, whatever its destination."""
        return [rule for _, rules in self.destinations for rule in rules]

    @property
    def merged(self) -> bool:
        """Whether somebody else owns the replication configuration, with its role."""
        return self.source.bucket.replication == "merge"


def _one_at_least(end: str) -> dict[str, Any]:
    return {"anyOf": [given(end), filled(f"{end}s")]}


_BUCKET_EXAMPLE = {"account": "account1", "new_prefix": "reports-"}


class ReplicationLink(Part):
    """A replication from one bucket to another account's, its own stack and its own state."""

    model_config = ConfigDict(
        json_schema_extra={"allOf": [_one_at_least("source"), _one_at_least("destination")]}
    )

    pattern: Annotated[
        Literal["replication"],
        Field(
            description='"replication". S3 copies each object that is written to the source',
            examples=["replication"],
        ),
    ]
    source: Annotated[
        ReplicatedBucket | None,
        Field(description="a bucket. The one whose objects are copied", examples=[_BUCKET_EXAMPLE]),
    ] = None
    sources: Annotated[
        list[ReplicatedBucket],
        Field(
            description="a list of buckets. Instead of source, or more of them: each is copied to "
            "each destination, by a role of its own",
            examples=[[_BUCKET_EXAMPLE]],
        ),
    ] = []
    destination: Annotated[
        ReplicatedBucket | None,
        Field(
            description="a bucket. The one that they are copied to, of another account, which owns "
            "the copies",
            examples=[_BUCKET_EXAMPLE | {"account": "account2"}],
        ),
    ] = None
    destinations: Annotated[
        list[ReplicatedBucket],
        Field(
            description="a list of buckets. Instead of destination, or more of them: S3 copies to "
            "each by the rules that it has, or by the link's. One of another account at least",
            examples=[[_BUCKET_EXAMPLE | {"account": "account2"}]],
        ),
    ] = []
    role_name: Annotated[
        RoleName,
        about(ROLE, "The link creates it in the source's account, for S3 to copy with", "copies"),
    ]
    rules: Annotated[
        list[Rule],
        Field(
            description="a list of rules. What is replicated, and how; left out: every new object",
            examples=[[{"prefix": "reports/"}]],
            min_length=1,
        ),
    ] = [Rule()]
    both_ways: Annotated[
        bool,
        Field(
            description="true or false: whether the destination's own objects are copied back. By "
            "a second role, in the destination's account, whose name ends with -back",
            examples=[True],
        ),
    ] = False
    batch_role: Annotated[
        bool,
        Field(
            description="true or false: whether to create a role for S3 Batch Replication. It "
            "copies what was there before; the output batch_replication_command starts it",
            examples=[True],
        ),
    ] = False
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it: versioning is on in any case."""
        return switches(self.hardening).model_copy(update={"versioning": True})

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        return imports_of(self.buckets)

    def _ends(self, end: Literal["source", "destination"]) -> list[End]:
        one: ReplicatedBucket | None = getattr(self, end)
        more: list[ReplicatedBucket] = getattr(self, f"{end}s")
        first = [End(end, (end,), one)] if one else []
        return [*first, *(End(end, (f"{end}s", n), bucket) for n, bucket in enumerate(more))]

    @property
    def ends(self) -> list[End]:
        """All ends, the sources first."""
        return [*self._ends("source"), *self._ends("destination")]

    @property
    def buckets(self) -> list[ReplicatedBucket]:
        """The buckets at all ends."""
        return [end.bucket for end in self.ends]

    @property
    def ways(self) -> list[Way]:
        """What is copied from each bucket, the ways back last."""
        return [
            Way(
                source=source,
                role=role,
                destinations=[
                    (to, to.bucket.rules or self.rules)
                    for to in self._ends("source" if source.end == "destination" else "destination")
                ],
            )
            for source, role in self._copied()
        ]

    def _copied(self) -> Iterator[tuple[End, str]]:
        """Yield each bucket that something is copied from, and the role."""
        for source in self._ends("source"):
            yield source, source.bucket.role_name or self.role_name
        for source in self._ends("destination") if self.both_ways else ():
            yield source, source.bucket.role_name or f"{self.role_name}-back"

    @rule
    def _both_ends(self) -> Iterator[Problem]:
        if not self._ends("source"):
            yield (), 'copies from nowhere: give a "source", or "sources"'
        if not self._ends("destination"):
            yield (), 'copies to nowhere: give a "destination", or "destinations"'

    @rule
    def _two_buckets(self) -> Iterator[Problem]:
        destinations = self._ends("destination")
        same = [
            to.place
            for source, to in product(self._ends("source"), destinations)
            if _is_same(source.bucket, to.bucket)
        ]
        yield from (
            (place, "source and destination are the same bucket: name two") for place in same
        )
        for source in self._ends("source"):
            away = [to for to in destinations if to.bucket.account != source.bucket.account]
            if destinations and not away and not same:
                told = "source and destination are in the same account: name two"
                yield destinations[0].place, told

    @rule
    def _keys(self) -> Iterator[Problem]:
        if any(source.bucket.encrypted for source in self._ends("source")):
            for to in self._ends("destination"):
                if not to.bucket.encrypted:
                    yield (
                        to.place,
                        "the source has a KMS key and the destination has none: S3 would not "
                        'replicate its objects; give the destination a "key" too',
                    )

    @rule
    def _locks(self) -> Iterator[Problem]:
        copied = [source for source, _ in self._copied()]
        others = self._ends("destination") + (self._ends("source") if self.both_ways else [])
        if any(source.bucket.object_lock for source in copied):
            for to in others:
                if not to.bucket.object_lock:
                    yield (
                        to.place,
                        "S3 replicates from a bucket with Object Lock only to one that has it too: "
                        'enable it there, and say so with "object_lock": true',
                    )

    @rule
    def _keys_both_ways(self) -> Iterator[Problem]:
        keyless = [source for source in self._ends("source") if not source.bucket.encrypted]
        keyed = [to for to in self._ends("destination") if to.bucket.encrypted]
        if self.both_ways and keyless and keyed:
            told = 'both ways, with a key at one end only: give the source a "key" too'
            yield ("both_ways",), told

    @rule
    def _possible_rules(self) -> Iterator[Problem]:
        yield from possible(self.rules)

    @rule
    def _nothing_for_another_way(self) -> Iterator[Problem]:
        """What is said of a way back that there is none of would be dropped without a word."""
        if self.both_ways:
            return
        for end in self.ends:
            for field in ("rules",) if end.end == "source" else ("role_name", "replication"):
                if getattr(end.bucket, field) is not None:
                    what = "to a source" if end.end == "source" else "from a destination"
                    told = f'nothing is copied {what} without "both_ways": leave it out'
                    yield (*end.place, field), told

    @rule
    def _a_role_for_each_source(self) -> Iterator[Problem]:
        seen: set[tuple[str, str]] = set()
        for source, role in self._copied():
            key = (source.bucket.account, role.lower())
            if key in seen:
                told = f"another bucket of {key[0]} is copied with the role {role!r}: "
                yield source.place, told + 'give this one a "role_name" of its own'
            seen.add(key)

    @claim
    def _roles(self) -> Iterator[list[Claim]]:
        made = set()
        for source, role in self._copied():
            claimed = claims.role(source.bucket.account, role)
            if source.bucket.replication != "merge" and claimed.key not in made:
                yield [claimed]
            made.add(claimed.key)  # twice in one link is told as a rule

    @claim
    def _roles_of_batches(self) -> Iterator[list[Claim]]:
        for source, role in self._copied():
            if self.batch_role and source.end == "source":
                yield [claims.role(source.bucket.account, f"{role}-batch")]

    @claim
    def _configurations(self) -> Iterator[list[Claim]]:
        for source, _ in self._copied():
            with suppress(UnreadableError):
                yield source.bucket.replicated()

    @claim
    def _outputs(self) -> Iterator[list[Claim]]:
        for end in self.ends:
            with suppress(UnreadableError):
                yield [claims.output(f"bucket_name_{end.label}")]


def _is_same(one: ReplicatedBucket, other: ReplicatedBucket) -> bool:
    with suppress(UnreadableError):
        return (one.account, one.name) == (other.account, other.name)
    return False
