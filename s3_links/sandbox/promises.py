"""What a deployed link promises, asked of the emulated accounts: who is let in, who is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from s3_cross_account.actions import known
from s3_cross_account.prefixes import BY_TAG
from s3_cross_account.replication_rule import prefixes
from s3_cross_account.through import objects_of
from s3_links.declarations.link import Link
from s3_links.declarations.replication import ReplicationLink
from s3_links.reach.evaluate import evaluate
from s3_links.world import Principal as Who
from s3_links.world import Request, principal

from .access import VERBS, Cell, allowed
from .grantees import OTHER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from s3_cross_account.access import Access
    from s3_links.declarations.access_points import BucketAccessPoint
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.delivery import ServiceDeliveryLink
    from s3_links.declarations.replication import End

    from .access import Principal
    from .grantees import Grantee
    from .trial import Deployed

ASSUMES, ARRIVES = "assume", "arrives"
"""What is asked beside the verbs: of a role to assume, and of a replication's destination."""
_OUTSIDE = "somewhere-else/"
_JUDGED = {"tls_only", "same_accounts"}
"""The conditions that a request to the emulated accounts can fulfil."""
_KEY_ACTIONS = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}


@dataclass
class Answers:
    """What was found of a link.

    ``told`` is what the evaluator reads in the documents where the emulator cannot judge, ``wrong``
    what it finds amiss there.
    """

    cells: list[Cell] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def ask(deployed: Deployed) -> Answers:
    """Ask everything of a link."""
    if isinstance(deployed.link, Link):
        return Questions(deployed, deployed.link).answers()
    if isinstance(deployed.link, ReplicationLink):
        return Answers(cells=list(replicates(deployed, deployed.link)))
    return _of_service(deployed, deployed.link)


@dataclass(frozen=True)
class _Promise:
    """What a role is promised on a bucket: the accesses that add up to it."""

    accesses: Sequence[Access]

    @property
    def places(self) -> list[str]:
        """A prefix of each access, or nothing where it is for the whole bucket."""
        return list(dict.fromkeys(_places(a)[0] for a in self.accesses))

    def __call__(self, action: str, place: str) -> bool:
        """Return whether an action is promised for objects below a place."""
        return any(action in a.actions and _covers(a, action, place) for a in self.accesses)

    def place(self, action: str) -> str | None:
        """Return a place where an action is promised, if there is one."""
        return next((place for place in self.places if self(action, place)), None)


def _covers(access: Access, action: str, place: str) -> bool:
    limited = action in known("object") or action in known("prefix")
    return not (access.prefixes and limited) or place.startswith(_places(access))


def _places(access: Access) -> tuple[str, ...]:
    """Return the prefixes of an access, each with something in the place of the caller's tag."""
    return tuple(BY_TAG.sub(r"\1", prefix) for prefix in access.prefixes) or (_PLACE,)


_PLACE = ""
_NOTHING = _Promise(())


class Way(NamedTuple):
    """How a bucket is reached: by its name, or through one of its access points."""

    bucket: LinkBucket
    through: BucketAccessPoint | None = None

    def __str__(self) -> str:
        return (
            f"{self.bucket.name} through {self.through.name}" if self.through else self.bucket.name
        )

    def name(self, deployed: Deployed) -> str:
        """Return what stands where a request names its bucket: the name, or an alias."""
        if self.through:
            return deployed.outputs[f"access_point_alias_{self.through.label}"]
        return deployed.bucket_name(self.bucket)

    def arn(self, deployed: Deployed) -> str:
        """Return the ARN of the bucket or the access point."""
        if self.through:
            return deployed.outputs[f"access_point_arn_{self.through.label}"]
        return f"arn:aws:s3:::{deployed.bucket_name(self.bucket)}"


def ways(bucket: LinkBucket) -> list[Way]:
    """Return every way to a bucket."""
    return [Way(bucket), *(Way(bucket, point) for point in bucket.access_points)]


class Questions:
    """What can be asked of a link by direct access or AssumeRole."""

    def __init__(self, deployed: Deployed, link: Link) -> None:
        self._deployed, self._link = deployed, link
        asked = [access.access.conditions for *_, access in link.granted]
        set_ = {name for conditions in asked for name, value in conditions if value}
        by_tag = any(BY_TAG.search(p) for *_, access in link.granted for p in access.prefixes)
        self.judged = set_ <= _JUDGED and not by_tag
        """Whether requests to the emulated accounts can fulfil the conditions."""
        self._judged = [one for one in deployed.grantees if one.judged]
        links = [link, *(other for bucket in link.buckets for other, _ in _sharing(bucket))]
        self._whole = {c.account for one in links for c in one.consumers if c.whole_account}

    def answers(self) -> Answers:
        """Ask everything."""
        found = Answers()
        for way in (way for bucket in self._link.buckets for way in ways(bucket)):
            bucket = way.bucket
            for label, session, of, by in self._sessions(bucket) if self.judged else ():
                found.cells += self._of(label, session, way, of if by == way else _NOTHING)
            granted = [g.access.access for g in self._link.granted if bucket in g.buckets]
            for (label, other), place in product(self._others(bucket), _Promise(granted).places):
                found.cells += self._verbs(label, other, way, place, _NOTHING)
        found.cells += self._assumed()
        found.cells += self._handed_out()
        self._by_documents(found)
        return found

    def granted(self, bucket: LinkBucket) -> Iterator[Cell]:
        """Ask what the roles may do that are let in."""
        for label, session, of, way in self._sessions(bucket):
            for place in of.places:
                yield from self._verbs(label, session, way, place, of)

    def _of(self, label: str, session: Principal, way: Way, of: _Promise) -> Iterator[Cell]:
        """Ask what a role may do that is let in, and what it may not."""
        for place in of.places or [_PLACE]:
            name = label if len(of.places) < 2 else f"{label}, in {place or 'the bucket'}"
            yield from self._verbs(name, session, way, place, of)
        if of.places and "" not in of.places:
            where = of.places[0] if len(of.places) == 1 else "these"
            yield from self._verbs(f"{label}, outside {where}", session, way, _OUTSIDE, of)
        # Hardening changes no bucket that exists.
        hardened = self._link.switches.tls_only and not way.bucket.existing
        if of.accesses and (hardened or all(a.conditions.tls_only for a in of.accesses)):
            plain = session.without_tls()
            yield from self._verbs(f"{label}, no TLS", plain, way, of.places[0], _NOTHING)

    def _names(self, bucket: LinkBucket) -> Iterator[tuple[str, str, bool, _Promise, Way]]:
        """Yield who is let in, the ARN, whether the emulator judges it, what is promised, and how.

        That is each consumer, or with AssumeRole the role that it becomes.
        """
        role, outputs = self._link.assumed_role, self._deployed.outputs
        for one in self._deployed.grantees:
            of, way = self._promised(one, bucket), self._way(one, bucket)
            if role is not None:
                yield role.name, outputs["assumed_role_arn"], self.judged, of, way
                return
            yield one.consumer.name, one.arn, self.judged and one.judged, of, way

    def _way(self, one: Grantee, bucket: LinkBucket) -> Way:
        return Way(bucket, bucket.through(self._link.calling(one.consumer)))

    def _promised(self, one: Grantee, bucket: LinkBucket) -> _Promise:
        """Return what a consumer is promised, by other links on the bucket too."""
        found = self._link.accesses(one.consumer, bucket)
        links = {id(link): named for link, named in _sharing(bucket)}
        for other in self._deployed.before.values() if not self._link.assumed_role else ():
            if isinstance(other.link, Link) and id(other.link) in links:
                for theirs in other.grantees if not other.link.assumed_role else ():
                    if theirs.arn == one.arn:
                        found += other.link.accesses(theirs.consumer, links[id(other.link)])
        return _Promise([access.access for access in found])

    def _sessions(self, bucket: LinkBucket) -> Iterator[tuple[str, Principal, _Promise, Way]]:
        """Yield each consumer's session, or with AssumeRole the one that it gets by assuming.

        And what it is promised on the bucket, and by which way.
        """
        role = self._link.assumed_role
        for one in self._judged:
            of, way = self._promised(one, bucket), self._way(one, bucket)
            if role is None:
                yield one.consumer.name, one.session(), of, way
            else:
                assumed = self._deployed.assumed(one.session(), role)
                yield f"{role.name}, by {one.consumer.name}", assumed, of, way

    def _others(self, bucket: LinkBucket) -> Iterator[tuple[str, Principal]]:
        """Yield who may do everything in another account than the bucket's, and is not named."""
        for one in self._deployed.grantees:
            if one.consumer.account != bucket.account:
                if self._link.assumed_role and one.judged:
                    yield f"{one.consumer.name}, not assuming", one.session()
                yield from self._like(one)
        # The administrators of a whole account let whom they want.
        known = self._whole if self._link.assumed_role is None else ()
        yield from _strangers(self._deployed, bucket, known)

    def _like(self, one: Grantee) -> Iterator[tuple[str, Principal]]:
        """Yield who is like a consumer, and not let in by another."""
        if one.consumer.many or one.consumer.account not in self._whole:
            yield from one.others()

    def _assumed(self) -> Iterator[Cell]:
        role = self._link.assumed_role
        if role is None:
            return

        def cell(who: str, caller: Principal, promise: bool, **options: bool) -> Cell:
            found = allowed(lambda: self._deployed.assumed(caller, role, **options))
            return Cell(who, ASSUMES, role.name, promise, found)

        for one in self._judged:
            name, session = one.consumer.name, one.session()
            asked = self._link.of_caller  # nobody here is in an organization, or has signed in
            if not (asked.organization_id or asked.mfa or asked.conditions):
                yield cell(name, session, True)
            if role.external_id:
                yield cell(f"{name}, no external id", session, False, external=False)
            for passed in role.through[-1:]:
                yield cell(f"{name}, not through {passed.name}", session, False, passing=False)
        for one in self._deployed.grantees:
            for label, other in self._like(one):
                yield cell(label, other, False)
        for alias in self._deployed.owners:
            other = self._deployed.session(alias, OTHER)
            elsewhere = self._deployed.account(alias) != self._deployed.account(role.account)
            if elsewhere and alias not in self._whole:
                yield cell(f"another role ({alias})", other, False, passing=False)
            for passed in role.through:
                if self._deployed.account(alias) != self._deployed.account(passed.account):
                    arn = self._deployed.outputs[f"role_arn_{passed.label}"]
                    found = allowed(lambda: other.assume(arn))  # noqa: B023
                    yield Cell(f"another role ({alias})", ASSUMES, passed.name, False, found)

    def _handed_out(self) -> Iterator[Cell]:
        """Ask who gets the sessions of a new role that no service hands out by itself."""
        for one in self._deployed.grantees:
            for label, become in one.impostors():
                name = one.consumer.name
                yield Cell(name, ASSUMES, name, True, allowed(one.session))
                yield Cell(label, ASSUMES, name, False, allowed(become))

    def _verbs(
        self,
        label: str,
        who: Principal,
        way: Way,
        place: str,
        of: _Promise,
    ) -> Iterator[Cell]:
        return _verbs(self._deployed, label, who, way, place, of)

    def _by_documents(self, found: Answers) -> None:
        """Ask the evaluator for what the emulator cannot judge.

        That is some conditions, keys and organizations.
        """
        for bucket in self._link.buckets:
            actions = {how.action: how.on_object for how in VERBS.values()}
            for label, who, judged, of_role, way in self._names(bucket):
                promised = {action: of_role.place(action) for action in actions}
                arn = way.arn(self._deployed)
                for action, place in promised.items() if not judged else ():
                    if place is not None:
                        on = f"{objects_of(arn)}{place}s3-links-try" if actions[action] else arn
                        self._decide(found, (label, who), action, on, str(way))
                for action in _KEY_ACTIONS if bucket.encrypted_by else ():
                    if promised.get(action) is None:
                        continue
                    on, of = self._deployed.key_of(bucket), f"the key of {bucket.name}"
                    self._decide(found, (label, who), _KEY_ACTIONS[action], on, of)
        if role := self._link.assumed_role:
            on = self._deployed.outputs["assumed_role_arn"]
            for one in self._deployed.grantees:
                if not one.judged:
                    member = (one.consumer.name, one.arn)
                    self._decide(found, member, "sts:AssumeRole", on, role.name)

    def _decide(self, found: Answers, who: tuple[str, str], action: str, on: str, of: str) -> None:
        request = Request(principal=principal(who[1]), action=action, resource=on)
        _decided(found, self._deployed, request, f"{who[0]} may {action} on {of}")


def _sharing(bucket: LinkBucket) -> Iterator[tuple[Link, LinkBucket]]:
    """Yield the other links that name a bucket, and how they declare it."""
    owner, made = bucket.owner, bucket.owner.bucket if bucket.owner else bucket
    named = [(owner.link, made)] if owner else []
    named += [(sharer.link, sharer.bucket) for sharer in made.sharers]
    for link, declared in named:
        if isinstance(link, Link) and declared is not bucket:
            yield link, declared


def _strangers(
    deployed: Deployed, bucket: LinkBucket, known: Collection[str] = ()
) -> Iterator[tuple[str, Principal]]:
    """Yield who may do everything in another account than the bucket's, and is named nowhere.

    The accounts ``known`` are let in as a whole.
    """
    for alias, owner in deployed.owners.items():
        if alias not in known and deployed.account(alias) != deployed.account(bucket.account):
            yield f"another role ({alias})", deployed.session(alias, OTHER)
            yield f"root user ({alias})", owner


def _verbs(
    deployed: Deployed,
    label: str,
    who: Principal,
    way: Way,
    place: str,
    of: _Promise,
) -> Iterator[Cell]:
    bucket, name = deployed.bucket_name(way.bucket), way.name(deployed)
    owner, key = deployed.owners[way.bucket.account], f"{place}s3-links-try"
    for verb, how in VERBS.items():
        owner.s3.put_object(Bucket=bucket, Key=key, Body=b"seed")
        found = allowed(lambda: how.call(who.s3, name, key))  # noqa: B023
        yield Cell(label, verb, str(way), of(how.action, place), found)


def replicates(
    deployed: Deployed, link: ReplicationLink, only: End | None = None
) -> Iterator[Cell]:
    """Write objects to each source, and look whether they arrive at each destination.

    One that the first rule for a destination means, and where all have a prefix one that none does.
    With ``only``, that destination alone is asked of.
    """
    for way in link.ways:
        for to, rules in way.destinations:
            if only is None or to.label == only.label:
                first, below = rules[0], prefixes(rules)
                name = to.bucket.name
                found = _arrives(deployed, way.source, to, first.prefix, first.tags)
                yield Cell(way.role, ARRIVES, name, True, found)
                if "" not in below and not _OUTSIDE.startswith(below):
                    label = f"{way.role}, outside {below[0] if len(below) == 1 else 'these'}"
                    found = _arrives(deployed, way.source, to, _OUTSIDE, first.tags)
                    yield Cell(label, ARRIVES, name, False, found)


def _arrives(
    deployed: Deployed, source: End, to: End, prefix: str, tagged: Mapping[str, str]
) -> bool:
    here, there = (deployed.outputs[f"bucket_name_{end.label}"] for end in (source, to))
    first = deployed.owners[source.bucket.account].s3
    second = deployed.owners[to.bucket.account].s3
    key = f"{prefix}s3-links-try"
    tags = "&".join(f"{name}={value}" for name, value in tagged.items())
    second.delete_object(Bucket=there, Key=key)
    first.put_object(Bucket=here, Key=key, Body=b"try", **({"Tagging": tags} if tags else {}))
    listed = second.list_objects_v2(Bucket=there, Prefix=key).get("Contents", [])
    return any(found["Key"] == key for found in listed)


def _of_service(deployed: Deployed, link: ServiceDeliveryLink) -> Answers:
    """Ask that nobody else is let in, and what the documents say of the service.

    No service delivers in emulated accounts.
    """
    found, bucket = Answers(), link.bucket
    for label, stranger in _strangers(deployed, bucket):
        found.cells += _verbs(deployed, label, stranger, Way(bucket), _PLACE, _NOTHING)
    arn = f"arn:aws:s3:::{deployed.bucket_name(bucket)}"
    delivery = link.delivery(deployed.account, lambda alias: deployed.owners[alias].region)
    asked = [(arn, bucket.name, statement) for statement in delivery.on_bucket(arn, "aws")]
    if bucket.encrypted_by not in (None, "none"):
        key, of = deployed.key_of(bucket), f"the key of {bucket.name}"
        asked += [(key, of, statement) for statement in delivery.on_key(key, "aws")]
    for on, of, statement in asked:
        (service,) = statement.principals[0].identifiers
        who = Who(kind="service", name=service)
        for action, resource in product(statement.actions, statement.resources):
            target = f"{of}{resource.removeprefix(on)}"
            request = Request(principal=who, action=action, resource=resource.replace("*", "x"))
            _decided(found, deployed, request, f"{service} may {action} on {target}")
    return found


def _decided(found: Answers, deployed: Deployed, request: Request, what: str) -> None:
    decision = evaluate(deployed.world, request)
    if decision.verdict == "refused":
        missing = ", ".join(f"{m.what} of {m.of}" for m in decision.missing)
        found.wrong.append(f"{what}: is refused ({missing or 'by a statement'})")
        return
    ways = " or ".join(" and ".join(way) for way in decision.only_if())
    found.told.append(f"{what} only if {ways}" if ways else what)
