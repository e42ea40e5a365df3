"""Reads what decides a request in both accounts, and evaluates it step for step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3_cross_account.actions import REPLICATION_INTO_KEY, known, reads
from s3_cross_account.policy import carried
from s3_cross_account.reading import Unreadable
from s3_cross_account.through import objects_of
from s3_links.live.buckets import MANAGED_KEY, object_
from s3_links.live.world import Live
from s3_links.reach import actions
from s3_links.world import Request

from .judging import Judge
from .reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from s3_links.live.buckets import FoundBucket, FoundObject
    from s3_links.live.limits import Kind
    from s3_links.live.reader import Reader
    from s3_links.world import Principal

    from .answer import Step
    from .declared import Declared
    from .question import Target

ANY_KEY = "*"
"""Stands for every key of a bucket, or below a prefix."""
_OF_THE_KEY = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "s3:GetObjectVersionForReplication": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),  # for uploads in parts
    "s3:ReplicateObject": REPLICATION_INTO_KEY,
}
"""What an action needs of the key: "Using server-side encryption with AWS KMS keys (SSE-KMS)" and
"Replicating encrypted objects" in the Amazon S3 User Guide."""


_DIRECTLY: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("s3:DataAccessPointArn", "s3:DataAccessPointAccount", "s3:AccessPointNetworkOrigin"), ()
)
"""What no request has that names the bucket itself."""


class Explaining:
    """What one principal asks of one target; ``context`` is what is known of the requests."""

    def __init__(
        self,
        reader: Reader,
        declared: Declared,
        target: Target,
        context: Mapping[str, tuple[str, ...]],
        endpoint: str | None,
    ) -> None:
        self._live, self._declared, self._target = Live(reader), declared, target
        # AWS's own tools always encrypt.
        self._context: dict[str, tuple[str, ...]] = {"aws:SecureTransport": ("true",)}
        if endpoint:
            self._context["aws:SourceVpce"] = (endpoint,)
        self._given, self._endpoint = context, endpoint
        self._context |= context
        self._bucket: FoundBucket | None = None
        self._object: FoundObject | None = None
        # What no call reads: a session's policy, and what others may be in the way.
        self.unseen = {"session policy"} | (set() if endpoint else {"VPC endpoint policy"})

    def steps(self, who: Principal, wanted: Sequence[str]) -> Iterator[Step]:
        """Yield each request that is needed: the roles to assume, the request itself, its keys."""
        found = self._live.identity(who)
        first = self._request(found or who, wanted[0])
        if found is None:
            yield self._judge().without(first, _nobody(who))
            return
        self._read_limits(found.account, "service control policy")
        if self._endpoint:
            self._live.endpoint(self._endpoint, found.account)
        route = self._declared.route(found, self._target.arn)
        for hop in route.hops if route else ():
            role = self._live.identity(hop)
            self._read_limits(hop.account, "resource control policy")
            for request in self._assuming(found, str(hop.arn)):
                judge = self._judge()
                step = judge.without(request, _nobody(hop)) if role is None else judge(request)
                yield step
                if step.verdict == "refused":
                    return
            found = role or hop
            self._read_limits(found.account, "service control policy")
        self._read_target(found)
        for action in wanted:
            yield from self._of(self._request(found, action))

    # The requests

    def _request(self, who: Principal, action: str) -> Request:
        target, context = self._target, dict(self._context)
        resource = target.arn
        if ":kms:" in resource:
            context |= _by_s3(who, resource.split(":")[3])
        if target.bucket:
            resource = target.asked
            if not target.point:
                context = _DIRECTLY | context
            if "object" in actions.resource_types(action):
                below = ANY_KEY if target.key.endswith("/") or not target.key else ""
                resource = f"{objects_of(resource)}{target.key}{below}"
            elif action in known("prefix"):
                context["s3:prefix"] = (target.key,) if target.key else ()
        request = Request(
            principal=who,
            action=action,
            resource=resource,
            context=context,
            endpoint=self._endpoint,
        )
        return self._of_role(request) if target.role else request

    def _assuming(self, who: Principal, role: str) -> Iterator[Request]:
        own = self._live.world.resource(str(who.arn))
        trust = own.policy.statements if own and own.policy else ()
        brought = carried(s for s in trust if not isinstance(s, Unreadable))
        for action in ("sts:AssumeRole", *brought):
            yield self._of_role(Request(principal=who, action=action, resource=role))

    def _of_role(self, request: Request) -> Request:
        """Return a request of STS as whoever follows the declaration makes it."""
        external_id = self._declared.external_id(request.resource)
        return replace(request, context={"sts:ExternalId": external_id, **self._context})

    def _of(self, request: Request) -> Iterator[Step]:
        target = self._target
        if target.bucket and not target.owner.exists:
            reason = Reason(
                what="bucket",
                account="",
                of=target.arn,
                told="there is none of this name" + self._declared.meant(target.bucket),
                cause="no-bucket",
            )
            yield self._judge().without(request, reason)
            return
        step = self._judge()(request)
        if step.verdict == "allowed" and self._object and self._object.exists is False:
            step = self._of_missing_object(request, step)
        if self._object and self._object.replication == "FAILED":
            note = "its replication failed, for want of a permission then: S3 does not try it again"
            step = replace(step, notes=(*step.notes, note))
        yield step
        if step.verdict != "refused":
            yield from self._of_keys(request)

    def _of_missing_object(self, request: Request, step: Step) -> Step:
        """Return what S3 answers where there is no object: 404 only to those who may list."""
        if not reads([request.action]):
            return step
        told = "there is no object with this key"
        listing = replace(
            request,
            action="s3:ListBucket",
            resource=self._target.asked,
            context={**request.context, "s3:prefix": ()},  # HeadObject and GetObject carry none
        )
        if self._judge()(listing).verdict == "allowed":
            return replace(step, notes=(f"{told}: the answer is 404",))
        reason = Reason(
            what="object",
            account=self._target.owner.account,
            of=request.resource,
            told=f"{told}, and to those who may not list the bucket S3 says 403 in place of 404",
            cause="no-object",
        )
        return replace(step, verdict="refused", refuses=(reason,))

    def _of_keys(self, request: Request) -> Iterator[Step]:
        if self._bucket is None:
            return
        needed: tuple[str, ...] = ()
        named, bucket_key = self._bucket.key, self._bucket.bucket_key
        if request.action in _OF_THE_KEY:
            needed = _OF_THE_KEY[request.action]
            if reads([request.action]) and self._object and self._object.exists:
                named, bucket_key = self._object.key, self._object.bucket_key
        if not needed or named is None:
            return
        who, owner = request.principal, self._bucket.resource.account
        account = named.split(":")[4] if named.startswith("arn:") else owner
        key = self._live.key(named, account, who)
        behind = self._live.world.behind(request.resource)
        of = self._bucket.resource.arn if bucket_key else behind
        context = self._context | _by_s3(who, self._bucket.region)
        context["kms:EncryptionContext:aws:s3:arn"] = (of,)
        for action in needed:
            asked = Request(
                principal=who, action=action, resource=key.resource.arn, context=context
            )
            reason = Reason(what="key", account=account, of=key.resource.arn)
            if (key.aws_managed or named == MANAGED_KEY) and who.account != account:
                told = "is managed by AWS for one account: it cannot be shared with another"
                reason = replace(reason, told=told, cause="aws-managed-key")
            elif key.state not in (None, "Enabled"):
                reason = replace(reason, told=f"its state is {key.state}", cause="key-state")
            yield self._judge().without(asked, reason) if reason.cause else self._judge()(asked)

    # What is read

    def _read_target(self, who: Principal) -> None:
        target = self._target
        if target.point:
            self._live.know(target.point)
            self._read_limits(target.point.account, "resource control policy")
        if target.owner.account:
            self._bucket = self._live.bucket(target.bucket, target.owner, target.arn.split(":")[1])
            self._read_limits(target.owner.account, "resource control policy")
            if target.key and not target.key.endswith("/"):
                self._object = object_(self._live.reader, self._bucket, target.key)
        elif target.role is not None:
            self._live.identity(target.role)
        elif ":kms:" in target.arn:
            self._live.key(target.arn, target.arn.split(":")[4], who)

    def _read_limits(self, account: str, kind: Kind) -> None:
        found = self._live.organization(account, kind)
        self.unseen |= set() if found.read else {kind}
        of = "aws:PrincipalOrgID" if kind == "service control policy" else "aws:ResourceOrgID"
        if found.id is not None and of not in self._given:
            self._context[of] = (found.id,) if found.id else ()

    def _judge(self) -> Judge:
        return Judge(self._live.world, self._bucket, self._object)


def _by_s3(who: Principal, region: str) -> dict[str, tuple[str, ...]]:
    """Return what a request to KMS carries that S3 makes for somebody."""
    return {
        "kms:ViaService": (f"s3.{region}.amazonaws.com",),
        "kms:CallerAccount": (who.account,),
    }


def _nobody(who: Principal) -> Reason:
    return Reason(
        what=who.kind,
        account=who.account,
        of=str(who.arn),
        told="there is none of this name in the account",
        cause=f"no-{who.kind}",
    )
