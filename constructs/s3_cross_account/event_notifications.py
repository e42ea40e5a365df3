"""Event notifications of a bucket, to another account as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from constructs import Construct

from .account import in_one_partition
from .bindings import (
    CloudwatchEventRule,
    CloudwatchEventTarget,
    S3BucketNotification,
    S3BucketNotificationLambdaFunction,
    S3BucketNotificationQueue,
    S3BucketNotificationTopic,
)
from .destinations import SENDING, Bus
from .document import PolicyDocument, rendered_once
from .notification_rule import overlapping
from .policy import Condition, Principal, Statement, granted_to, service, trust
from .references import encoded
from .role import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .bucket import BucketBase
    from .destinations import Destination
    from .notification_rule import NotificationRule

__all__ = ["EventNotifications"]


class EventNotifications(Construct):
    """Tells queues, topics, event buses and functions of what happens to a bucket's objects.

    Writes the bucket's notification configuration, of which S3 keeps one, and in the destination's
    account the half that lets S3 send there, for this bucket of this account alone; for an
    encrypted queue or topic the key's half, too. S3 sends to an event bus of its own account only:
    for another a rule passes the events on, with a role that may and that the bus lets.
    ``name`` begins the names of rules and roles.

    ``configuration`` says whose the notification configuration is. ``"create"``: nobody has one
    yet. ``"import"``: this construct takes it over, and its notifications replace the others.
    ``"merge"``: somebody does, and ``configuration_json`` is what has to be merged into it.

    Follows "Amazon S3 Event Notifications" and "Granting permissions to publish event notification
    messages to a destination" in the Amazon S3 User Guide, and "Sending and receiving events
    between AWS accounts in Amazon EventBridge" in the Amazon EventBridge User Guide.

    Raises ``ValueError`` for what S3 would refuse: another region, notifications that overlap.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: BucketBase,
        notifications: Sequence[tuple[NotificationRule, Destination]],
        name: str,
        configuration: Literal["create", "import", "merge"] = "create",
    ) -> None:
        super().__init__(scope, id_)
        if found := _problems(bucket, notifications):
            raise ValueError("; ".join(found))
        self._bucket, self._name = bucket, name
        self._every = list(dict.fromkeys(to for _, to in notifications))
        in_one_partition(bucket.account, *(to.account for to in self._every))
        self._let()
        buses = [to for to in self._every if isinstance(to, Bus)]
        for number, bus in enumerate(buses, 1):
            rules = [rule for rule, to in notifications if to is bus]
            self._pass_on(bus, rules, f"{name}-{number}" if len(buses) > 1 else name)
        self._direct = [(rule, to) for rule, to in notifications if not isinstance(to, Bus)]
        self._bridged = bool(buses)
        self.configuration_json: str | None = None
        if configuration == "merge":
            self.configuration_json = encoded(self, self._document())
        else:
            self._configure(imported=configuration == "import")

    @rendered_once()
    def _let(self) -> None:
        for to in self._every:
            if not isinstance(to, Bus):
                to.let(self._bucket, sid=f"NotificationsOf{self._bucket.account.title}")

    def _configure(self, *, imported: bool) -> None:
        created = S3BucketNotification(
            self,
            "Resource",
            provider=self._bucket.account.provider,
            bucket=self._bucket.name,
            queue=[
                S3BucketNotificationQueue(queue_arn=to.arn, **rest)
                for to, rest in self._rendered("queue")
            ]
            or None,
            topic=[
                S3BucketNotificationTopic(topic_arn=to.arn, **rest)
                for to, rest in self._rendered("topic")
            ]
            or None,
            lambda_function=[
                S3BucketNotificationLambdaFunction(lambda_function_arn=to.arn, **rest)
                for to, rest in self._rendered("function")
            ]
            or None,
            eventbridge=True if self._bridged else None,
            # S3 sends a test message when it takes the configuration, and refuses it otherwise.
            depends_on=[
                *(resource for to in self._every for resource in to.settled_by),
                *(policy for to in self._every if to.key for policy in to.key.settled_by),
            ],
        )
        if imported:
            created.import_from(str(self._bucket.given_name), self._bucket.account.provider)

    def _rendered(self, kind: str) -> list[tuple[Destination, dict[str, Any]]]:
        return [
            (
                to,
                {
                    "id": f"{number}-{to.name}",
                    "events": list(rule.events),
                    "filter_prefix": rule.prefix or None,
                    "filter_suffix": rule.suffix or None,
                },
            )
            for number, (rule, to) in enumerate(self._direct, 1)
            if to.kind == kind
        ]

    def _document(self) -> dict[str, Any]:
        """Return what S3's operation PutBucketNotificationConfiguration takes."""
        found: dict[str, Any] = {"EventBridgeConfiguration": {}} if self._bridged else {}
        for number, (rule, to) in enumerate(self._direct, 1):
            filters = {"prefix": rule.prefix, "suffix": rule.suffix}
            rules = [{"Name": name, "Value": value} for name, value in filters.items() if value]
            list_, arn = _IN_DOCUMENT[to.kind]
            entry = {"Id": f"{number}-{to.name}", arn: to.arn, "Events": list(rule.events)}
            more = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
            found.setdefault(list_, []).append(entry | more)
        return found

    def _pass_on(self, bus: Bus, rules: Sequence[NotificationRule], name: str) -> None:
        """Have rules of the bucket's account pass its events on to an event bus."""
        account = self._bucket.account
        start = f"arn:{account.partition}:events:{account.region}:{account.account_id}:rule"
        patterns = [pattern for rule in rules for pattern in rule.patterns(self._bucket.name)]
        scope = Construct(self, name)
        names = [f"{name}-{number}" for number in range(1, len(patterns) + 1)]
        role = Role(
            scope,
            "role",
            account=account,
            name=name,
            trust=PolicyDocument(
                scope,
                "trust",
                account=account,
                statements=[
                    trust(
                        service("events.amazonaws.com"),
                        Condition(
                            test="StringEquals",
                            variable="aws:SourceAccount",
                            values=(account.account_id,),
                        ),
                        Condition(
                            test="ArnEquals",
                            variable="aws:SourceArn",
                            values=tuple(f"{start}/{rule}" for rule in names),
                        ),
                    )
                ],
            ),
        )
        sending = Statement(
            sid=f"{bus.account.title}Events", actions=SENDING[bus.kind], resources=(bus.arn,)
        )
        role.allow(sending, account=bus.account)
        bus.allow(granted_to(Principal(type="AWS", identifiers=(role.arn,)), sending))
        for number, (rule_name, pattern) in enumerate(zip(names, patterns, strict=True), 1):
            rule = CloudwatchEventRule(
                scope,
                f"rule-{number}",
                provider=account.provider,
                name=rule_name,
                description=f"S3 events for {bus.account.alias}",
                event_pattern=encoded(self, pattern),
            )
            CloudwatchEventTarget(
                scope,
                f"target-{number}",
                provider=account.provider,
                rule=rule.name,
                arn=bus.arn,
                role_arn=role.arn,
                depends_on=[*role.settled_by, *bus.settled_by],
            )


_IN_DOCUMENT = {
    "queue": ("QueueConfigurations", "QueueArn"),
    "topic": ("TopicConfigurations", "TopicArn"),
    "function": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
}


def _problems(
    bucket: BucketBase, notifications: Sequence[tuple[NotificationRule, Destination]]
) -> list[str]:
    if not notifications:
        return ["there is no notification: declare one at least"]
    direct = [rule for rule, to in notifications if not isinstance(to, Bus)]
    found = [
        f"the notifications {first + 1} and {second + 1} are of the same events of objects that "
        "fit both: S3 refuses that, give them prefixes or suffixes that leave none"
        for first, second in overlapping(direct)
    ]
    for rule, to in notifications:
        if isinstance(to, Bus):
            if unknown := rule.untold():
                found.append(f"EventBridge has no {', '.join(unknown)}: take a queue or a topic")
        elif to.account.region != bucket.account.region:
            found.append(
                f"the {to.kind} {to.name} is in {to.account.region}, the bucket in "
                f"{bucket.account.region}: S3 sends within a region only"
            )
    if not bucket.account.claim("notification configuration", bucket.name):
        found.append(
            f"{bucket.node.id} has notifications already: S3 keeps one configuration for each "
            "bucket, and this one would replace the first; declare all of them together"
        )
    return found
