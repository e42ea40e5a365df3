"""What a link's notifications ask for: that S3 may send, and a role where an event bus is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from s3_cross_account.policy import Condition, service
from s3_cross_account.policy import Principal as Named
from s3_links.declarations.handed_over import of_target, of_target_key
from s3_links.synthesized.blocks import nested
from s3_links.world import Principal, Resource

from .grantees import Grantees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.notifications import NotificationTarget

_SENDER = "s3.amazonaws.com"
_ARNS = {"queue": "sqs:{}:{}", "topic": "sns:{}:{}", "bus": "events:{}:{}:event-bus"}
_ARNS["function"] = "lambda:{}:{}:function"
_ACTIONS = {
    "queue": "sqs:SendMessage",
    "topic": "sns:Publish",
    "bus": "events:PutEvents",
    "function": "lambda:InvokeFunction",
}


class Notified(Grantees):
    """The notifications of a link's buckets, whatever its pattern."""

    def _notifications(self) -> None:
        """Add all that they ask for."""
        for bucket, arn in zip(self._link.buckets, self.buckets, strict=True):
            targets = dict.fromkeys(one.to for one in bucket.notifications)
            for to in targets:
                on = self._target(to)
                if to.kind == "bus":
                    self._passed_on(bucket, to, arn, on)
                else:
                    self._sent(bucket, to, arn, on)
            self._configured(bucket, arn, {self._target(to) for to in targets if to.kind != "bus"})

    def _target(self, to: NotificationTarget) -> str:
        """Return the ARN of where something goes."""
        region = self._accounts[to.account].region or self._region
        start = _ARNS[to.kind].format(region, self._id(to.account))
        sign = "/" if to.kind == "bus" else ":"
        return f"arn:{self._partition(to.account)}:{start}{sign}{to.name}"

    def _add_target(self, arn: str, account: str, output: str | None) -> None:
        if arn not in self.resources:
            self.resources[arn] = Resource(arn=arn, account=account)
            if output:
                self._owned_by_others(arn, output, "merge")

    def _sent(self, bucket: LinkBucket, to: NotificationTarget, source: str, on: str) -> None:
        """Add that S3 may send there, for the bucket alone."""
        account = self._id(to.account)
        self._add_target(on, account, of_target(to.kind, to.label) if to.whose == "merge" else None)
        limits = (
            Condition(test="ArnLike", variable="aws:SourceArn", values=(source,)),
            Condition(
                test="StringEquals",
                variable="aws:SourceAccount",
                values=(self._id(bucket.account),),
            ),
        )
        uses: list[tuple[str, tuple[str, ...]]] = [(on, (_ACTIONS[to.kind],))]
        if to.key:
            self._add_target(to.key, to.key.split(":")[4], of_target_key(to.label))
            uses.append((to.key, ("kms:Decrypt", "kms:GenerateDataKey")))
        who = Principal(kind="service", name=_SENDER)
        for resource, actions in uses:
            self._grant(
                who=who,
                actions=actions,
                on=resource,
                resources=(resource,),
                named=service(_SENDER),
                theirs=limits,
            )
        self.pairs.add((who, on))

    def _passed_on(self, bucket: LinkBucket, to: NotificationTarget, arn: str, on: str) -> None:
        """Add the role of the rules in the bucket's account, and that it may send on."""
        account = self._id(to.account)
        self._add_target(on, account, of_target(to.kind, to.label) if to.whose == "merge" else None)
        name = arn.rpartition(":::")[2]
        asked = [p for one in bucket.notifications if one.to == to for p in one.patterns(name)]
        rules = dict(self._rules(on, name))
        found = [pattern for _, pattern in rules.values()]
        if sorted(map(str, found)) != sorted(map(str, asked)):
            self.problems.append(f"{on}: the rules do not pass on what is declared of {arn}")
            return
        who = self._role(bucket.account, next(iter(rules.values()))[0])
        region = self._accounts[bucket.account].region
        start = f"arn:{who.partition}:events:{region}:{who.account}:rule"
        limits = (
            Condition(test="StringEquals", variable="aws:SourceAccount", values=(who.account,)),
            Condition(
                test="ArnEquals",
                variable="aws:SourceArn",
                values=tuple(f"{start}/{rule}" for rule in rules),
            ),
        )
        self._trusting(who, "events.amazonaws.com", limits)
        self._grant(
            who=who,
            actions=(_ACTIONS["bus"],),
            on=on,
            resources=(on,),
            named=Named(type="AWS", identifiers=(str(who.arn),)),
        )
        self.pairs.add((who, on))

    def _rules(self, on: str, bucket: str) -> Iterator[tuple[str, tuple[str, Any]]]:
        """Yield the rules that pass a bucket's events on, each with its role and its pattern."""
        blocks = self._blocks
        for target in blocks.of("aws_cloudwatch_event_target"):
            rule = blocks.reference(blocks.known(target, "rule"))
            if rule and blocks.attribute(target, "arn") == on:
                written = str(blocks.known(rule, "event_pattern"))
                encoded = written.removeprefix("${jsonencode(").removesuffix(")}")
                try:
                    pattern = json.loads(blocks.text(encoded))
                    of = pattern["detail"]["bucket"]["name"]
                except (ValueError, LookupError, TypeError):
                    pattern, of = encoded, [bucket]  # may pass on anything
                role = blocks.attribute(target, "role_arn").rpartition("/")[2]
                if of == [bucket]:
                    yield blocks.attribute(rule, "name"), (role, pattern)

    def _configured(self, bucket: LinkBucket, arn: str, targets: set[str]) -> None:
        """Look whether the bucket's configuration names what it is declared to, and no more."""
        if bucket.notifications and bucket.notification_configuration == "merge":
            self._note(
                arn,
                f"the output notifications_to_merge_{bucket.label} has to be merged into the "
                f"notification configuration of {arn}",
            )
            return
        blocks, name = self._blocks, arn.rpartition(":::")[2]
        found = {
            blocks.text(str(entry.get(f"{kind}_arn")))
            for address in blocks.of("aws_s3_bucket_notification")
            if blocks.attribute(address, "bucket") == name
            for kind in ("queue", "topic", "lambda_function")
            for entry in nested(blocks.known(address, kind))
        }
        if found != targets:
            told = ", ".join(sorted(found ^ targets))
            self.problems.append(f"{arn}: its notifications do not go as declared: {told}")
