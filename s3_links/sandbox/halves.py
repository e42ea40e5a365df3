"""What is left of an access without one half of it: each is removed, asked, and put back."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from s3_links.declarations.delivery import ServiceDeliveryLink
from s3_links.declarations.link import Link

from .access import allowed
from .promises import ARRIVES, ASSUMES, Questions, replicates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_links.declarations.assumed import AssumedRole, PassedRole
    from s3_links.declarations.replication import ReplicationLink

    from .access import Principal
    from .trial import Deployed

_NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
)


@dataclass(frozen=True)
class Half:
    """A document that was removed, and what was still let in without it."""

    what: str
    account: str
    left: tuple[str, ...]
    enough: bool = False
    """Whether the other half is enough: role and bucket are in one account."""

    @property
    def as_promised(self) -> bool:
        """Whether nothing is left, unless the other half is enough."""
        return self.enough or not self.left


def each_half(deployed: Deployed) -> Iterator[Half]:
    """Yield every half of a link that the emulator judges, with what is left without it."""
    link = deployed.link
    if isinstance(link, ServiceDeliveryLink):  # no service delivers in emulated accounts
        return
    if not isinstance(link, Link):
        yield from _of_destinations(deployed, link)
        return
    questions = Questions(deployed, link)
    if not questions.judged:
        return
    yield from _of_buckets(deployed, link, questions)
    if link.assumed_role is None:
        for one in deployed.grantees:
            if one.judged:
                with _without_policies(one.owner, one.arn):
                    name, alias = one.consumer.name, one.consumer.account
                    yield _of_identity(deployed, link, questions, name, alias)
    else:
        yield from _of_assuming(deployed, link, link.assumed_role, questions)


def _of_destinations(deployed: Deployed, link: ReplicationLink) -> Iterator[Half]:
    for to in {to.label: to for way in link.ways for to, _ in way.destinations}.values():
        bucket, owner = to.bucket, deployed.owners[to.bucket.account]
        name = deployed.outputs[f"bucket_name_{to.label}"]
        if not _has_policy(owner, name):  # its own account's role needs none
            continue
        with _without_bucket_policy(owner, name):
            arrives = any(cell.found for cell in replicates(deployed, link, to))
        here = {deployed.account(way.source.bucket.account) for way in link.ways}
        same = deployed.account(bucket.account) in here
        left = (ARRIVES,) * arrives
        yield Half(f"the bucket policy of {bucket.name}", bucket.account, left, enough=same)


def _of_buckets(deployed: Deployed, link: Link, questions: Questions) -> Iterator[Half]:
    role = link.assumed_role
    aliases = [one.consumer.account for one in deployed.grantees if one.judged]
    grantees = [role.account] if role else aliases
    for bucket in link.buckets if grantees else ():
        same = {deployed.account(a) for a in grantees} == {deployed.account(bucket.account)}
        owner, name = deployed.owners[bucket.account], deployed.bucket_name(bucket)
        if not _has_policy(owner, name):  # its own account's roles need none
            continue
        with _without_bucket_policy(owner, name):
            left = tuple(dict.fromkeys(c.what for c in questions.granted(bucket) if c.found))
        yield Half(f"the bucket policy of {bucket.name}", bucket.account, left, enough=same)


def _of_assuming(
    deployed: Deployed, link: Link, role: AssumedRole, questions: Questions
) -> Iterator[Half]:
    owner = deployed.owners[role.account]
    with _without_policies(owner, deployed.outputs["assumed_role_arn"]):
        yield _of_identity(deployed, link, questions, role.name, role.account)
    for one in deployed.grantees:
        if not one.judged:
            continue
        consumer, session = one.consumer, one.session()

        def assumes(session: Principal = session) -> tuple[str, ...]:
            return (ASSUMES,) * allowed(lambda: deployed.assumed(session, role))

        callers = [(consumer.name, consumer.account, one.owner, one.arn)]
        for passed in role.through:
            arn = deployed.outputs[f"role_arn_{passed.label}"]
            callers.append((passed.name, passed.account, deployed.owners[passed.account], arn))
        passing: list[PassedRole] = [*role.through, role]
        for (name, alias, caller, arn), passed in zip(callers, passing, strict=True):
            with _without_trust(deployed.owners[passed.account], passed.name):
                yield Half(f"the trust policy of {passed.name}", passed.account, assumes())
            with _without_policies(caller, arn):
                same = deployed.account(alias) == deployed.account(passed.account)
                yield Half(f"the identity policies of {name}", alias, assumes(), enough=same)


def _of_identity(
    deployed: Deployed, link: Link, questions: Questions, name: str, alias: str
) -> Half:
    """Return what a role may without its policies: in its own account the bucket's is enough."""
    left: dict[str, None] = {}
    enough = True
    for bucket in link.buckets:
        cells = questions.granted(bucket)
        found = [c.what for c in cells if c.found and c.principal.partition(",")[0] == name]
        left |= dict.fromkeys(found)
        if found and deployed.account(bucket.account) != deployed.account(alias):
            enough = False
    return Half(
        f"the identity policies of {name}", alias, tuple(left), enough=enough and bool(left)
    )


def _has_policy(owner: Principal, bucket: str) -> bool:
    try:
        owner.s3.get_bucket_policy(Bucket=bucket)
    except ClientError:
        return False
    return True


@contextlib.contextmanager
def _without_bucket_policy(owner: Principal, bucket: str) -> Iterator[None]:
    text = owner.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    owner.s3.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        owner.s3.put_bucket_policy(Bucket=bucket, Policy=text)


@contextlib.contextmanager
def _without_policies(owner: Principal, arn: str) -> Iterator[None]:
    iam, kind = owner.client("iam"), "user" if ":user/" in arn else "role"
    named = {f"{kind.capitalize()}Name": arn.rpartition("/")[2]}
    attached = getattr(iam, f"list_attached_{kind}_policies")(**named)["AttachedPolicies"]
    policies = [policy["PolicyArn"] for policy in attached]
    for policy in policies:
        getattr(iam, f"detach_{kind}_policy")(PolicyArn=policy, **named)
    try:
        yield
    finally:
        for policy in policies:
            getattr(iam, f"attach_{kind}_policy")(PolicyArn=policy, **named)


@contextlib.contextmanager
def _without_trust(owner: Principal, role: str) -> Iterator[None]:
    iam = owner.client("iam")
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=_NOBODY)
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
