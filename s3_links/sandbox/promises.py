"""What a deployed link promises, asked of the emulated accounts: who is let in, who is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from s3_cross_account.actions import known
from s3_links.declarations.link import Link
from s3_links.declarations.replication import ReplicationLink
from s3_links.reach.evaluate import evaluate
from s3_links.world import Principal as Who
from s3_links.world import Request, principal

from .access import VERBS, Cell, allowed
from .trial import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s3_cross_account.access import Access
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.delivery import ServiceDeliveryLink

    from .access import Principal
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
        return Answers(cells=[replicates(deployed, deployed.link)])
    return _of_service(deployed, deployed.link)


@dataclass(frozen=True)
class _Promise:
    """What a role is promised on a bucket: the accesses that add up to it."""

    accesses: Sequence[Access]

    @property
    def places(self) -> list[str]:
        """A prefix of each access, or nothing where it is for the whole bucket."""
        return list(dict.fromkeys(next(iter(a.prefixes), _PLACE) for a in self.accesses))

    def __call__(self, action: str, place: str) -> bool:
        """Return whether an action is promised for objects below a place."""
        return any(action in a.actions and _covers(a, action, place) for a in self.accesses)

    def place(self, action: str) -> str | None:
        """Return a place where an action is promised, if there is one."""
        return next((place for place in self.places if self(action, place)), None)


def _covers(access: Access, action: str, place: str) -> bool:
    limited = action in known("object") or action in known("prefix")
    return not (access.prefixes and limited) or place.startswith(access.prefixes)


_PLACE = ""
_NOTHING = _Promise(())


class Questions:
    """What can be asked of a link by direct access or AssumeRole."""

    def __init__(self, deployed: Deployed, link: Link) -> None:
        self._deployed, self._link = deployed, link
        asked = [access.access.conditions for *_, access in link.granted]
        set_ = {name for conditions in asked for name, value in conditions if value}
        self.judged = set_ <= _JUDGED
        """Whether requests to the emulated accounts can fulfil the conditions."""

    def answers(self) -> Answers:
        """Ask everything."""
        found = Answers()
        for bucket in self._link.buckets:
            for label, session, of in self._sessions(bucket) if self.judged else ():
                found.cells += self._of(label, session, bucket, of)
            granted = [g.access.access for g in self._link.granted if bucket in g.buckets]
            for (label, other), place in product(self._others(bucket), _Promise(granted).places):
                found.cells += self._verbs(label, other, bucket, place, _NOTHING)
        found.cells += self._assumed()
        if not self.judged or any(bucket.key for bucket in self._link.buckets):
            self._by_documents(found)
        return found

    def granted(self, bucket: LinkBucket) -> Iterator[Cell]:
        """Ask what the roles may do that are let in."""
        for label, session, of in self._sessions(bucket):
            for place in of.places:
                yield from self._verbs(label, session, bucket, place, of)

    def _of(
        self, label: str, session: Principal, bucket: LinkBucket, of: _Promise
    ) -> Iterator[Cell]:
        """Ask what a role may do that is let in, and what it may not."""
        for place in of.places or [_PLACE]:
            name = label if len(of.places) < 2 else f"{label}, in {place or 'the bucket'}"
            yield from self._verbs(name, session, bucket, place, of)
        if of.places and "" not in of.places:
            where = of.places[0] if len(of.places) == 1 else "these"
            yield from self._verbs(f"{label}, outside {where}", session, bucket, _OUTSIDE, of)
        # Hardening changes no bucket that exists.
        hardened = self._link.switches.tls_only and not bucket.existing
        if of.accesses and (hardened or all(a.conditions.tls_only for a in of.accesses)):
            plain = session.without_tls()
            yield from self._verbs(f"{label}, no TLS", plain, bucket, of.places[0], _NOTHING)

    def _names(self, bucket: LinkBucket) -> Iterator[tuple[str, str, _Promise]]:
        """Yield who is let in, the ARN, and what is promised.

        That is each role, or with AssumeRole the one it becomes.
        """
        role, outputs = self._link.assumed_role, self._deployed.outputs
        for consumer in self._link.consumers:
            of = _Promise([a.access for a in self._link.accesses(consumer, bucket)])
            if role is not None:
                yield role.name, outputs["assumed_role_arn"], of
                return
            yield consumer.name, outputs[f"role_arn_{consumer.label}"], of

    def _sessions(self, bucket: LinkBucket) -> Iterator[tuple[str, Principal, _Promise]]:
        """Yield each role's session, or with AssumeRole the one that it gets by assuming.

        And what it is promised on the bucket.
        """
        role = self._link.assumed_role
        for consumer in self._link.consumers:
            session = self._deployed.consumer(consumer)
            of = _Promise([a.access for a in self._link.accesses(consumer, bucket)])
            if role is None:
                yield consumer.name, session, of
            else:
                assumed = self._deployed.assumed(session, role)
                yield f"{role.name}, by {consumer.name}", assumed, of

    def _others(self, bucket: LinkBucket) -> Iterator[tuple[str, Principal]]:
        """Yield who may do everything in another account than the bucket's, and is not named."""
        for consumer in self._link.consumers if self._link.assumed_role else ():
            if consumer.account != bucket.account:
                yield f"{consumer.name}, not assuming", self._deployed.consumer(consumer)
        yield from _strangers(self._deployed, bucket)

    def _assumed(self) -> Iterator[Cell]:
        role = self._link.assumed_role
        if role is None:
            return

        def cell(who: str, caller: Principal, promise: bool, **options: bool) -> Cell:
            found = allowed(lambda: self._deployed.assumed(caller, role, **options))
            return Cell(who, ASSUMES, role.name, promise, found)

        for consumer in self._link.consumers:
            session = self._deployed.consumer(consumer)
            if not self._link.of_caller.organization_id:  # which nobody here is in
                yield cell(consumer.name, session, True)
            if role.external_id:
                yield cell(f"{consumer.name}, no external id", session, False, external=False)
        for alias in self._deployed.owners:
            if self._deployed.account(alias) != self._deployed.account(role.account):
                yield cell(f"another role ({alias})", self._deployed.session(alias, OTHER), False)

    def _verbs(
        self,
        label: str,
        who: Principal,
        bucket: LinkBucket,
        place: str,
        of: _Promise,
    ) -> Iterator[Cell]:
        return _verbs(self._deployed, label, who, bucket, place, of)

    def _by_documents(self, found: Answers) -> None:
        """Ask the evaluator for what the emulator cannot judge: these conditions, and keys."""
        for bucket in self._link.buckets:
            arn = f"arn:aws:s3:::{self._deployed.bucket_name(bucket)}"
            actions = {how.action: how.on_object for how in VERBS.values()}
            for label, who, of_role in self._names(bucket):
                promised = {action: of_role.place(action) for action in actions}
                for action, place in promised.items() if not self.judged else ():
                    if place is not None:
                        on = f"{arn}/{place}s3-links-try" if actions[action] else arn
                        self._decide(found, (label, who), action, on, bucket.name)
                for action in _KEY_ACTIONS if bucket.key else ():
                    if promised.get(action) is None:
                        continue
                    on, of = self._deployed.key_of(bucket), f"the key of {bucket.name}"
                    self._decide(found, (label, who), _KEY_ACTIONS[action], on, of)

    def _decide(self, found: Answers, who: tuple[str, str], action: str, on: str, of: str) -> None:
        request = Request(principal=principal(who[1]), action=action, resource=on)
        _decided(found, self._deployed, request, f"{who[0]} may {action} on {of}")


def _strangers(deployed: Deployed, bucket: LinkBucket) -> Iterator[tuple[str, Principal]]:
    """Yield who may do everything in another account than the bucket's, and is named nowhere."""
    for alias, owner in deployed.owners.items():
        if deployed.account(alias) != deployed.account(bucket.account):
            yield f"another role ({alias})", deployed.session(alias, OTHER)
            yield f"root user ({alias})", owner


def _verbs(
    deployed: Deployed,
    label: str,
    who: Principal,
    bucket: LinkBucket,
    place: str,
    of: _Promise,
) -> Iterator[Cell]:
    name = deployed.bucket_name(bucket)
    owner, key = deployed.owners[bucket.account], f"{place}s3-links-try"
    for verb, how in VERBS.items():
        owner.s3.put_object(Bucket=name, Key=key, Body=b"seed")
        found = allowed(lambda: how.call(who.s3, name, key))  # noqa: B023
        yield Cell(label, verb, bucket.name, of(how.action, place), found)


def replicates(deployed: Deployed, link: ReplicationLink) -> Cell:
    """Write an object that the first rule means to the source, and look whether it arrives."""
    rule = link.rules[0]
    source, destination = (deployed.outputs[f"bucket_name_{e}"] for e in ("source", "destination"))
    first = deployed.owners[link.source.account].s3
    second = deployed.owners[link.destination.account].s3
    key = f"{rule.prefix}s3-links-try"
    tags = "&".join(f"{name}={value}" for name, value in rule.tags.items())
    second.delete_object(Bucket=destination, Key=key)
    first.put_object(Bucket=source, Key=key, Body=b"try", **({"Tagging": tags} if tags else {}))
    listed = second.list_objects_v2(Bucket=destination, Prefix=key).get("Contents", [])
    return Cell(
        link.role_name, ARRIVES, link.destination.name, True, any(o["Key"] == key for o in listed)
    )


def _of_service(deployed: Deployed, link: ServiceDeliveryLink) -> Answers:
    """Ask that nobody else is let in, and what the documents say of the service.

    No service delivers in emulated accounts.
    """
    found, bucket = Answers(), link.bucket
    for label, stranger in _strangers(deployed, bucket):
        found.cells += _verbs(deployed, label, stranger, bucket, _PLACE, _NOTHING)
    arn = f"arn:aws:s3:::{deployed.bucket_name(bucket)}"
    delivery = link.delivery(deployed.account, lambda alias: deployed.owners[alias].region)
    asked = [(arn, bucket.name, statement) for statement in delivery.on_bucket(arn, "aws")]
    if bucket.key not in (None, "none"):
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
