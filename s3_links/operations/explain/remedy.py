"""What the declaration says of a refusal, and the one next command."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from shlex import quote
from typing import TYPE_CHECKING

from s3_cross_account.actions import GENERAL_LEVELS
from s3_cross_account.condition_keys import as_listed
from s3_links.declarations.link import Link
from s3_links.operations.terraform import binary
from s3_links.reach import actions

from .declared import is_made_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3_cross_account.access import Access
    from s3_links.declarations.access_points import BucketAccessPoint
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.links import AnyLink
    from s3_links.world import Principal, Request

    from .answer import Step
    from .declared import Declared, Half
    from .question import Target
    from .reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """What mends a refusal; ``profiles`` are the AWS profiles by account."""

    declared: Declared
    links: Mapping[str, AnyLink]
    target: Target
    profiles: Mapping[str, str]

    def told(self, step: Step) -> list[str]:
        """Return what the declaration says of a step."""
        halves = self.declared.halves(step.request)
        if not halves:
            return list(self._undeclared(step.request))
        refusing = {r.what for r in step.refuses if r.cause != "explicit-deny"}
        lost = [half for half in halves if half.what in refusing]
        if step.verdict == "refused" and lost:
            return list(dict.fromkeys(map(_of_lost, lost)))
        what = f"{step.request.action} for {step.request.principal.name}"
        return list(dict.fromkeys(f"the link {half.link} declares {what}" for half in halves))

    def next(self, step: Step) -> str:
        """Return the one next command for a step that is not allowed."""
        if step.verdict == "undecided":
            return self._to_decide(step)
        reason, request, who = step.refuses[0], step.request, step.request.principal
        halves = self.declared.halves(request)
        lost = [half for half in halves if half.what == reason.what]
        if reason.cause != "explicit-deny" and lost:
            return _renew(lost[0])
        there_soon = reason.cause == "no-role" or (
            reason.cause == "no-bucket" and self.declared.bucket_accounts(self.target.bucket)
        )
        if there_soon and (links := self.declared.links(who)):
            return f"s3-links deploy {links[0]}"
        if not halves and self._elsewhere(who):
            return "aws sts get-caller-identity"
        if not halves and (through := next(self._points(request), None)):
            name, point = through
            return f"{outputs_of(name)} access_point_arn_{point.label}"
        if not halves and (wider := self._wider(request)):
            return wider
        return self._look(reason, request)

    def _to_decide(self, step: Step) -> str:
        if step.keys:
            known = " ".join(f"--context {as_listed(key)}=..." for key in step.keys)
            return f"ask again with what is known of the request: {known}"
        return "`s3-links check` shows who asks in which account: ask as somebody who may read more"

    # What is not declared

    def _undeclared(self, request: Request) -> Iterator[str]:
        yield f"no link declares {request.action} there for {request.principal.name}"
        if points := list(self._points(request)):
            for name, point in points:
                yield f"the link {name} declares it through the access point {point.name} alone"
            return
        for name, link in self._between(request.principal):
            for access in self._granted(link, request.principal):
                below = f" below {', '.join(access.prefixes)}" if access.prefixes else ""
                yield f"the link {name} declares {', '.join(access.actions)}{below}"
        for account in self._elsewhere(request.principal):
            yield f"the role {request.principal.name} is declared in account {account}"
        owner, declared = self.target.owner, self.declared.bucket_accounts(self.target.bucket)
        if owner.account and declared and owner.account not in declared:
            where = ", ".join(declared)
            yield f"the bucket is declared in account {where}, and {owner.account} owns it"

    def _points(self, request: Request) -> Iterator[tuple[str, BucketAccessPoint]]:
        """Yield the access points that a role is to come through, where it asks for the bucket."""
        who = request.principal
        for name, link in self._between(who) if not self.target.point else ():
            if not any(request.action in access.actions for access in self._granted(link, who)):
                continue
            for bucket, consumer in product(filter(self._is_target, link.buckets), link.consumers):
                point = bucket.through(link.calling(consumer))
                if point and (link.assumed_role or consumer.name == who.name):
                    yield name, point

    def _elsewhere(self, who: Principal) -> list[str]:
        """Return the accounts that declare a role of this name, which is not of any of them."""
        accounts = {role.account for role in self.declared.roles(who.name)}
        return [] if who.account in accounts else sorted(accounts)

    def _between(self, who: Principal) -> Iterator[tuple[str, Link]]:
        """Yield the links that name both a role and the bucket."""
        if self._elsewhere(who):
            return
        for name, link in self.links.items():
            if not isinstance(link, Link):
                continue
            assumed = [link.assumed_role.name] if link.assumed_role else []
            roles = {*(consumer.name for consumer in link.consumers), *assumed}
            if who.name in roles and any(map(self._is_target, link.buckets)):
                yield name, link

    def _is_target(self, bucket: LinkBucket) -> bool:
        name = self.target.bucket
        return is_made_of(name, bucket.name) if bucket.new_prefix else name == bucket.name

    def _granted(self, link: Link, who: Principal) -> list[Access]:
        """Return what a link gives to a role on the bucket."""
        return [
            granted.access.access
            for granted in link.granted
            if any(map(self._is_target, granted.buckets))
            and (link.assumed_role or any(c.name == who.name for c in granted.consumers))
        ]

    def _wider(self, request: Request) -> str:
        """Return what to declare where a link gives something, but not this action."""
        for name, link in self._between(request.principal):
            then = f"then `s3-links deploy {name}`"
            accesses = self._granted(link, request.principal)
            granted = {action for access in accesses for action in access.actions}
            if request.action in granted and "/" in self.target.key:
                prefix = f"{self.target.key.rpartition('/')[0]}/"
                return f'declare "{prefix}" in the prefixes of links.{name}, {then}'
            if request.action in granted or not request.action.startswith("s3:"):
                continue
            wanted = granted | {request.action}
            level = next((level for level, of in GENERAL_LEVELS.items() if wanted <= {*of}), None)
            access = f'"level": "{level}"' if level else f'"actions": [..., "{request.action}"]'
            return f"declare {access} as the access of links.{name}, {then}"
        return ""

    # Where to look

    def _look(self, reason: Reason, request: Request) -> str:
        who, bucket = request.principal, quote(self.target.bucket)
        profile = self.profiles.get(reason.account)
        account = f" --profile {profile}" if profile else ""
        of, kind, name = quote(reason.of), who.kind, quote(who.name)
        prefix = quote(self.target.key.rpartition("/")[0])
        policy = f"aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text"
        is_mending = request.action in actions.MENDING and reason.what == "bucket policy"
        if reason.cause == "explicit-deny" and is_mending:
            command = f"aws s3api delete-bucket-policy --bucket {bucket}"
            return f"as the root user of {reason.account}: {command}"
        by_cause = {
            "object-owner": f"aws s3api put-bucket-ownership-controls --bucket {bucket} "
            "--ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
            "no-object": f"aws s3api list-objects-v2 --bucket {bucket} --prefix {prefix}",
            "no-bucket": "aws s3api list-buckets",
            "aws-managed-key": f"aws s3api get-bucket-encryption --bucket {bucket}",
            "key-state": f"aws kms describe-key --key-id {of}",
            "wrong-account": "aws sts get-caller-identity",
        }
        by_kind = {
            "bucket policy": policy,
            "public access block": policy,
            "access point policy": "aws s3control get-access-point-policy --account-id "
            f"{reason.account} --name {of.rpartition('/')[2]}",
            "key policy": f"aws kms get-key-policy --key-id {of} --output text",
            "trust policy": f"aws iam get-role --role-name {of.rpartition('/')[2]}",
            "permissions boundary": _document_of(of, account),
            "service control policy": "aws organizations list-policies-for-target "
            f"--target-id {reason.account} --filter SERVICE_CONTROL_POLICY",
            "resource control policy": "aws organizations list-policies-for-target "
            f"--target-id {reason.account} --filter RESOURCE_CONTROL_POLICY",
            "VPC endpoint policy": "aws ec2 describe-vpc-endpoints"
            + (f" --vpc-endpoint-ids {of}" if reason.of.startswith("vpce-") else ""),
            "identity policy": _document_of(of, account)
            if ":policy/" in of
            else f"aws iam list-attached-{kind}-policies --{kind}-name {name}"
            if reason.of == who.arn
            else f"aws iam get-{kind}-policy --{kind}-name {name} --policy-name {of}",
        }
        command = by_cause.get(reason.cause) or by_kind.get(reason.what) or "s3-links check"
        return f"{command}{account}" if command[:4] == "aws " else command


def _document_of(policy_arn: str, account: str) -> str:
    """Return the command that prints what a managed policy says now."""
    version = (
        f"$(aws iam get-policy --policy-arn {policy_arn} "
        f"--query Policy.DefaultVersionId --output text{account})"
    )
    return f"aws iam get-policy-version --policy-arn {policy_arn} --version-id {version}"


def outputs_of(link: str) -> str:
    """Return the command that prints an output of a link, whose name is to follow."""
    return f"{binary()} -chdir=cdktf.out/stacks/{link} output -raw"


def _renew(half: Half) -> str:
    if half.output:
        return f"{outputs_of(half.link)} {half.output}"
    return f"s3-links deploy {half.link}"


def _of_lost(half: Half) -> str:
    statement = f"the statement {half.statement}" if half.statement else "the statement"
    if half.output:
        done = "merged" if "_to_merge_" in half.output else "written there"
        return f"the link {half.link} has {statement} in its output {half.output}: it is not {done}"
    return f"the link {half.link} declares {statement} in {half.place}: it is not there as declared"
