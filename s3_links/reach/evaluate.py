"""Whether a request is allowed, and which statement of which document says so.

Follows "Policy evaluation logic" and "Cross-account policy evaluation logic" in the IAM User Guide,
"Permissions boundaries for IAM entities" there for what limits a resource-based policy, and "Key
policies in AWS KMS" in the AWS KMS Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from s3_cross_account.policy import Condition
from s3_cross_account.through import not_through
from s3_links.world import (
    AccessPoint,
    Bucket,
    Document,
    Levels,
    Request,
    Resource,
    World,
    policy_of,
)

from . import actions, buckets, context, grants
from .conditions import holds
from .logic import Formula, Unknown, alternatives, contrary, every, some
from .principals import Named
from .statements import Asked, Finding, denies, findings, lets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from s3_links.world import Principal

_BY_ITSELF = ("s3", "iam", "sqs", "sns", "events", "lambda")
"""Services in which an account's own policies need no word of the resource's."""
_WITHOUT_RESOURCE_CONTROL = ("iam", "sns", "lambda")
"""Not in "List of AWS services that support RCPs" of the AWS Organizations User Guide."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A half that does not let the request: what it is, in which account, and whose."""

    what: str
    account: str
    of: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer to one request.

    ``allowed`` is ``True``, ``False``, or what it depends on. ``findings`` are the statements that
    speak of it, ``missing`` the halves that do not let it.
    """

    request: Request
    allowed: Formula
    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()
    note: str = ""

    @property
    def verdict(self) -> Literal["allowed", "refused", "depends"]:
        """The answer in a word."""
        if isinstance(self.allowed, bool):
            return "allowed" if self.allowed else "refused"
        return "depends"

    def only_if(self) -> list[list[str]]:
        """Return the alternatives under which it is allowed, each what has to hold together."""
        return alternatives(self.allowed)


def evaluate(world: World, request: Request) -> Decision:
    """Return whether ``world`` allows ``request``."""
    partition = request.resource.split(":")[1] if ":" in request.resource else ""
    who = request.principal
    if partition and who.account and partition != who.partition:
        note = f"no request reaches from {who.partition} into {partition}"
        return Decision(request=request, allowed=False, note=note)
    point = world.resource(request.resource)
    if isinstance(point, AccessPoint):
        return _by_access_point(world, request, point)
    return _Evaluation(world, request).decision()


def _by_access_point(world: World, request: Request, point: AccessPoint) -> Decision:
    """Return the decision of a request through an access point: that lets it, and its bucket does.

    Follows "Configuring IAM policies for using access points" and "Creating access points
    restricted to a virtual private cloud" in the Amazon S3 User Guide.
    """
    types = actions.resource_types(request.action)
    if types & {"bucket", "object"} and not_through([request.action]):
        note = f"no request for {request.action} comes through an access point"
        return Decision(request=request, allowed=False, note=note)
    context = {
        "s3:DataAccessPointArn": (point.arn,),
        "s3:DataAccessPointAccount": (point.account,),
        "s3:AccessPointNetworkOrigin": ("VPC" if point.vpc else "Internet",),
        **request.context,
    }
    request = replace(request, context=context)
    asked = [_Evaluation(world, request).decision()]
    if types & {"bucket", "object"}:
        behind = replace(request, resource=point.behind(request.resource))
        asked.append(_Evaluation(world, behind).decision())
    allowed, note = every(*(one.allowed for one in asked)), ""
    if point.vpc:
        from_there = Condition(test="StringEquals", variable="aws:SourceVpc", values=(point.vpc,))
        inside = holds(from_there, {key.lower(): v for key, v in request.context.items()})
        note = f"only requests from {point.vpc} come through {point.arn}" if inside is False else ""
        allowed = every(allowed, inside)
    return Decision(
        request=request,
        allowed=allowed,
        findings=tuple(finding for one in asked for finding in one.findings),
        missing=() if allowed is True else tuple(m for one in asked for m in one.missing),
        note=note,
    )


def through(world: World, roles: Sequence[Principal], request: Request) -> list[Decision]:
    """Return the decisions of a chain of sessions: each role assumed, then the request.

    ``request.principal`` assumes the first of ``roles``, that the next, and the last makes the
    request. It succeeds where all of them do. What is known of the request's keys is known of the
    last call alone.
    """
    decisions, caller = [], request.principal
    for role in roles:
        hop = Request(principal=caller, action="sts:AssumeRole", resource=str(role.arn))
        decisions.append(evaluate(world, hop))
        caller = role
    return [*decisions, evaluate(world, replace(request, principal=caller))]


class _Evaluation:
    def __init__(self, world: World, request: Request) -> None:
        who = request.principal
        self._world, self._who = world, who
        action = actions.canonical(request.action)
        if action != request.action:
            request = replace(request, action=action)
        self._request = request
        self._service = action.partition(":")[0]
        self._identity = world.identities.get(who.identity())
        self._resource = world.resource(request.resource)
        self._asked = Asked(
            who=who,
            action=action,
            resource=request.resource,
            context=context.known(
                request,
                self._resource,
                self._identity,
                world.resources.get(str(who.identity().arn)),
            ),
            bounded=self._identity is not None and self._identity.boundary is not None,
        )
        self._found: list[Finding] = []
        self._missing: list[Missing] = []

    def decision(self) -> Decision:
        own, limits = self._caller_side()
        if self._resource is None:
            allowed = every(own, limits, self._not_read())
        else:
            allowed = self._joined(self._resource, own, limits)
        allowed = every(allowed, *self._controls())
        allowed = every(allowed, contrary(denies(self._found)))
        return Decision(
            request=self._request,
            allowed=allowed,
            findings=tuple(self._found),
            missing=() if allowed is True else tuple(self._missing),
        )

    def _caller_side(self) -> tuple[Formula, Formula]:
        """Return what the caller's own policies let, and what limits them and a role's grants."""
        who, identity = self._who, self._identity
        if who.kind == "account":
            return True, True
        if who.kind not in ("user", "role"):
            return False, True
        if identity is None:
            return Unknown(f"the policies of {who.identity()} allow it"), True
        own = self._let(identity.policies)
        if own is False:
            self._miss("identity policy", who.account, str(who.identity()))
        limits = [policy for policy in (identity.boundary, identity.session_policy) if policy]
        return own, every(*(self._gate([policy]) for policy in limits))

    def _joined(self, resource: Resource, own: Formula, limits: Formula) -> Formula:
        """Join the caller's side and the resource's, as the accounts are the same or not."""
        found = self._of_resource(resource)
        anyhow = lets(found)
        is_own = self._who.account == resource.account
        alone = is_own and self._service in _BY_ITSELF
        if anyhow is False and not alone:
            self._miss(policy_of(resource.arn), resource.account, resource.arn)
        if isinstance(resource, Bucket):
            governs = buckets.governs(resource, self._request.action)
            if not is_own and self._who.kind != "service":
                governs = every(governs, contrary(buckets.restricted(resource)))
        else:
            governs = True
        granted = every(limits, grants.let(resource, self._request))
        acl: Formula = False
        if isinstance(resource, Bucket) and not is_own:
            acl = buckets.acl(resource, self._request.action)
        if self._who.kind not in ("account", "user", "role"):
            return some(every(anyhow, governs), acl, granted)
        if not is_own:
            return some(every(own, limits, some(every(anyhow, governs), acl)), granted)
        # A bucket's owner needs one half, a key's and a role's the resource's own policy, which
        # may hand the decision to the account.
        by_account = True if alone else lets(found, Named.ACCOUNT)
        return every(
            governs,
            some(
                lets(found, Named.DIRECTLY),
                every(limits, lets(found, Named.ROLE)),
                every(limits, own, by_account),
                granted,
            ),
        )

    def _of_resource(self, resource: Resource) -> list[Finding]:
        if resource.policy is None or self._service == "iam":
            return []  # a trust policy says who may assume the role, not who may change it
        found = findings(resource.policy, self._asked)
        is_root = self._who.kind == "account" and self._who.account == resource.account
        if is_root and self._request.action in actions.MENDING:
            found = [finding for finding in found if finding.effect == "Allow"]
        self._found += found
        return found

    def _not_read(self) -> Formula:
        """Return what decides where the resource itself is not known."""
        action = self._request.action
        if action in actions.known() and not actions.resource_types(action):
            return True  # such as s3:ListAllMyBuckets: the caller's own account answers
        return Unknown(f"the owner and the policy of {self._request.resource} allow it")

    def _controls(self) -> Iterable[Formula]:
        """Yield what an organization and a VPC endpoint have to let; keep what they deny."""
        world, who, endpoint = self._world, self._who, self._request.endpoint
        if not who.path.startswith("/aws-service-role/"):
            for level in world.service_control.get(who.account, ()):
                yield self._gate(level)
            # RCPFullAWSAccess is attached to every level and can't be taken off: only what they
            # deny counts.
            for level in self._resource_control():
                self._let(level)
        if endpoint is not None:
            policy = world.endpoints.get(endpoint)
            yield (
                Unknown(f"the policy of {endpoint} allows it")
                if policy is None
                else self._gate([policy])
            )

    def _resource_control(self) -> Levels:
        if self._resource is None or self._service in _WITHOUT_RESOURCE_CONTROL:
            return ()
        return self._world.resource_control.get(self._resource.account, ())

    def _gate(self, documents: Sequence[Document]) -> Formula:
        """Return whether any of ``documents`` lets the request, which one has to."""
        formula = self._let(documents)
        if formula is False:
            for document in documents:
                self._miss(document.kind, document.account, document.name)
        return formula

    def _let(self, documents: Iterable[Document]) -> Formula:
        found = [finding for d in documents for finding in findings(d, self._asked)]
        self._found += found
        return lets(found)

    def _miss(self, what: str, account: str, of: str) -> None:
        self._missing.append(Missing(what=what, account=account, of=of))
