"""What a bucket's owner is told of: the events, and the queue, topic, bus or function for them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from s3_cross_account.notification_rule import NotificationRule, overlapping

from .choices import given, is_, one_of, when, without
from .named import Named
from .names import ALIAS, AccountAlias, about, text
from .part import Part, UnreadableError, rule, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .part import Problem

QUEUE = "a standard queue's name (80 letters, digits, - and _ at most)"
TOPIC = "a standard topic's name (256 letters, digits, - and _ at most)"
BUS = "an event bus's name (256 letters, digits and .-_ at most)"
FUNCTION = "a function's name (64 letters, digits, - and _ at most)"
_KINDS = {
    "new_queue": "queue",
    "existing_queue": "queue",
    "new_topic": "topic",
    "existing_topic": "topic",
    "new_bus": "bus",
    "existing_bus": "bus",
    "existing_function": "function",
}
_WITH_POLICY = tuple(kind for kind in _KINDS if kind.startswith("existing_"))[:-1]


def _standard(name: str) -> str:
    if name.endswith(".fifo"):
        raise ValueError(
            f'"{name}" is a FIFO queue or topic, which S3 sends nothing to: take a standard one'
        )
    return name


def _no_default(name: str) -> str:
    if name == "default":
        raise ValueError('each account has the bus "default" already: give it as "existing_bus"')
    return name


QueueName = Annotated[
    str, text(QUEUE, "incoming", r"^([A-Za-z0-9_-]{1,80}|.*\.fifo)$"), AfterValidator(_standard)
]
TopicName = Annotated[
    str, text(TOPIC, "incoming", r"^([A-Za-z0-9_-]{1,256}|.*\.fifo)$"), AfterValidator(_standard)
]
BusName = Annotated[str, text(BUS, "incoming", r"^[A-Za-z0-9._-]{1,256}$")]


class NotificationTarget(Named):
    """Where notifications go: a queue, a topic, an event bus or a function."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of(*_KINDS),
            "allOf": [
                *(when(given(k), without("policy")) for k in _KINDS if k not in _WITH_POLICY),
                *(when(given(k), is_(policy=["create", "merge"])) for k in _WITH_POLICY),
                *(when(given(k), without("key")) for k in _KINDS if _KINDS[k][0] in "bf"),
            ],
        }
    )

    KINDS = _KINDS

    account: Annotated[AccountAlias, about(ALIAS, "The one that it is in", "account1")]
    new_queue: Annotated[
        QueueName | None,
        about(QUEUE, "The link creates the queue, encrypted with SQS's own keys", "incoming"),
    ] = None
    existing_queue: Annotated[
        QueueName | None, about(QUEUE, "The queue exists, and is not FIFO", "incoming")
    ] = None
    new_topic: Annotated[
        TopicName | None, about(TOPIC, "The link creates the topic", "incoming")
    ] = None
    existing_topic: Annotated[
        TopicName | None, about(TOPIC, "The topic exists, and is not FIFO", "incoming")
    ] = None
    new_bus: Annotated[
        BusName | None,
        about(
            BUS,
            "The link creates the event bus, with a rule in the bucket's account that passes the "
            "events on",
            "incoming",
        ),
        AfterValidator(_no_default),
    ] = None
    existing_bus: Annotated[
        BusName | None,
        about(BUS, 'The event bus exists; "default" is the one that each account has', "default"),
    ] = None
    existing_function: Annotated[
        str | None,
        text(
            f"{FUNCTION}. The function exists; S3's permission is added to its policy",
            "on-upload",
            r"^[A-Za-z0-9_-]{1,64}$",
        ),
    ] = None
    policy: Annotated[
        Literal["create", "merge"] | None,
        Field(
            description='"create" (nobody owns its policy yet) or "merge" (somebody does). Of a '
            "queue, a topic or a bus that exists only: it has one policy, and who writes it "
            "replaces the other's",
            examples=["create"],
        ),
    ] = None
    key: Annotated[
        str | None,
        text(
            "the ARN of a customer managed key. What encrypts the queue or the topic; the AWS "
            "managed keys aws/sqs and aws/sns do not work, as S3 may not use them",
            "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-2222-3333-4444-555555555555",
            r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
        ),
    ] = None

    @property
    def field(self) -> str:
        """The field that names it."""
        self._kind_and_name  # noqa: B018 (raises where there is none)
        return next(iter(self._names()))

    @property
    def kind(self) -> str:
        """What it is: a queue, a topic, a bus or a function."""
        return self._kind_and_name[0]

    @property
    def whose(self) -> Literal["new", "create", "merge"]:
        """What is created of it."""
        return self.policy or ("new" if self.field.startswith("new_") else "create")

    @rule
    def _whose_policy(self) -> Iterator[Problem]:
        field = self.field
        if field in _WITH_POLICY and self.policy is None:
            yield (
                (),
                f'with "{field}", say who owns its policy: "policy": "create" (nobody yet) or '
                '"merge" (you get the statements to merge)',
            )
        if field not in _WITH_POLICY and self.policy is not None:
            told = "a function's policy is added to" if self.kind == "function" else "is new"
            yield ("policy",), f'{told}: leave out "policy"'

    @rule
    def _encrypted(self) -> Iterator[Problem]:
        if self.key and self.kind in ("bus", "function"):
            yield ("key",), f"is not for a {self.kind}: leave it out"


class BucketNotification(Part, NotificationRule):
    """Events of a bucket's objects, and where they are told."""

    to: Annotated[
        NotificationTarget,
        Field(
            description="a queue, a topic, an event bus or a function. Where S3 tells of the "
            "events; mostly in the other account",
            examples=[{"account": "account1", "new_queue": "incoming"}],
        ),
    ]

    @rule
    def _known_to_eventbridge(self) -> Iterator[Problem]:
        if self.to.kind == "bus" and (unknown := self.untold()):
            told = f"EventBridge has no {', '.join(unknown)}: take a queue, a topic or a function"
            yield ("events",), told


def problems(notifications: Sequence[BucketNotification]) -> Iterator[Problem]:
    """Yield what S3 does not take together."""
    direct: list[tuple[int, Any]] = []
    for number, one in enumerate(notifications):
        with suppress(UnreadableError):
            if whole(one) and one.to.kind != "bus":
                direct.append((number, one))
    for first, second in overlapping([one for _, one in direct]):
        yield (
            ("notifications", direct[second][0]),
            f"is of events that notifications[{direct[first][0]}] is of too, and objects may fit "
            'both: S3 refuses that, give them a "prefix" or a "suffix" that leave none',
        )
