"""Random sets of policies and requests, with every form of every element and every operator.

What is unknown of a request has a few candidates, so that it can be completed in every way.
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from s3_links.world import (
    ANONYMOUS,
    Bucket,
    Document,
    DocumentKind,
    Identity,
    Principal,
    Request,
    Resource,
    World,
    document,
    principal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B, C = "111111111111", "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{A}:role/app/consumer"
SESSION = f"arn:aws:sts::{A}:assumed-role/consumer/run"
PLAIN = f"arn:aws:iam::{A}:role/plain"
USER = f"arn:aws:iam::{A}:user/ann"
OTHER = f"arn:aws:iam::{B}:role/other"
BUCKET = "arn:aws:s3:::reports"
KEY = f"arn:aws:kms:us-east-1:{B}:key/k-1"
TARGET = f"arn:aws:iam::{B}:role/target"
SERVICE = "logging.s3.amazonaws.com"

CALLERS = [
    principal(PLAIN.replace("role/plain", "root")),
    principal(USER),
    Principal(kind="role", account=A, name="plain", session="run"),
    Principal(kind="role", account=A, name="plain", session="run"),
    Principal(kind="role", account=B, name="other", session="run"),
    Principal(kind="role", account=C, name="stranger", session="run"),
]
SERVICE_CALLER = Principal(kind="service", name=SERVICE)
NAMES = ["*", A, B, f"arn:aws:iam::{A}:root", PLAIN, USER, OTHER, f"arn:aws:iam::{B}:root"]
NAMES += [f"arn:aws:sts::{A}:assumed-role/plain/run", f"arn:aws:sts::{A}:assumed-role/plain/x"]

# Each key with values that a request may carry, and the kind of operators that it takes.
KEYS: dict[str, tuple[str, list[tuple[str, ...]]]] = {
    "aws:SourceIp": ("Ip", [("203.0.113.9",), ("198.51.100.1",), ("2001:db8::7",), ()]),
    "aws:SecureTransport": ("Bool", [("true",), ("false",)]),
    "aws:PrincipalTag/team": ("String", [("red",), ("Reds",), ("blue",), ()]),
    "aws:PrincipalOrgID": ("String", [("o-aaaaaaaaaa",), ("o-bbbbbbbbbb",), ()]),
    "aws:RequestTag/data": (
        "Binary",
        [(base64.b64encode(b"one").decode(),), (base64.b64encode(b"two").decode(),), ()],
    ),
    "aws:CurrentTime": ("Date", [("2026-01-01T00:00:00Z",), ("2027-01-01T00:00:00Z",)]),
    "aws:MultiFactorAuthAge": ("Numeric", [("10",), ("3600",), ()]),
    "aws:SourceArn": ("Arn", [("arn:aws:s3:::logs",), (f"arn:aws:sns:us-east-1:{A}:t",), ()]),
    "aws:TagKeys": ("Set", [("red",), ("red", "blue"), ("green",), ()]),
    "s3:prefix": ("String", [("red/a",), ("blue",), ("",), ()]),
    "s3:max-keys": ("Numeric", [("10",), ("3600",), ()]),
    "s3:x-amz-acl": ("String", [("private",), ("red",), ()]),
    "kms:ViaService": ("String", [("s3.us-east-1.amazonaws.com",), ()]),
    "sts:ExternalId": ("String", [("red",), ("blue",), ()]),
}
CARRIED = {
    "s3:prefix": ("s3:ListBucket",),
    "s3:max-keys": ("s3:ListBucket",),
    "s3:x-amz-acl": ("s3:PutObject",),
    "kms:ViaService": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sts:ExternalId": ("sts:AssumeRole",),
    "aws:RequestTag/data": (),
    "aws:TagKeys": (),
}
ORDERED = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
OPERATORS = {
    "Ip": ["IpAddress", "NotIpAddress"],
    "Bool": ["Bool"],
    "Binary": ["BinaryEquals"],
    "Date": [f"Date{name}" for name in ORDERED],
    "Numeric": [f"Numeric{name}" for name in ORDERED],
    "Arn": ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
    "String": [
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase"),
        *("StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"),
    ],
}
VALUES: dict[str, list[Any]] = {
    "Ip": ["203.0.113.0/24", "198.51.100.1", "2001:db8::/32", "128.0.0.0/1"],
    "Bool": ["true", "false", True, False],
    "Binary": [base64.b64encode(b"one").decode()],
    "Date": ["2026-01-01T00:00:00Z", "2026-06-01", "1790000000"],
    "Numeric": ["10", 60, "3600", "10.0"],
    "Arn": ["arn:aws:s3:::logs", "arn:aws:s3:::*", f"arn:aws:sns:*:{A}:?", "arn:aws:*:::logs"],
    "String": [
        *("red", "RED", "red*", "?lue", "o-aaaaaaaaaa", "*", "red/*", "s3.*.amazonaws.com"),
        *("${aws:PrincipalTag/team}", "${aws:username, 'red'}", "${*}", "private"),
    ],
}
ACTIONS = {
    "s3": [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:ListBucket",
        "s3:GetBucketPolicy",
    ],
    "kms": ["kms:Decrypt", "kms:GenerateDataKey"],
    "sts": ["sts:AssumeRole"],
}
PATTERNS = {
    "s3": ["s3:*", "s3:Get*", "S3:getobject", "s3:*Object", "s3:List?ucket", "s3:PutObject", "*"],
    "kms": ["kms:*", "kms:Decrypt", "kms:Generate*", "*"],
    "sts": ["sts:AssumeRole", "sts:*", "sts:Assume*"],
}
RESOURCES = {
    "s3": [
        *(
            BUCKET,
            f"{BUCKET}/*",
            f"{BUCKET}/*",
            f"{BUCKET}/red/*",
            f"{BUCKET}*",
            "*",
            "arn:aws:s3:::*/red/?",
        ),
        *(f"{BUCKET}/${{aws:PrincipalTag/team}}/*", f"{BUCKET}/${{aws:username, 'red'}}/a"),
        f"{BUCKET}/blue/${{*}}",
        "arn:aws:s3:*:reports/*",
    ],
    "kms": [KEY, "*", f"arn:aws:kms:*:{B}:key/*", f"arn:aws:kms:us-east-1:{A}:key/*"],
    "sts": [TARGET, "*", f"arn:aws:iam::{B}:role/*", f"arn:aws:iam::{B}:role/t?rget"],
}
ON = {
    "s3": [f"{BUCKET}/red/a", f"{BUCKET}/red/b/c", f"{BUCKET}/blue/a", f"{BUCKET}/green"],
    "kms": [KEY],
    "sts": [TARGET],
}


@dataclass
class Case:
    """A world, a request, and what the request's unknown keys may be."""

    world: World
    request: Request
    unknown: dict[str, list[tuple[str, ...]]]
    raw: dict[str, Any] = field(default_factory=dict)

    def completed(self, keys: frozenset[str]) -> Iterator[dict[str, tuple[str, ...]]]:
        """Yield the request's context with its unknown keys said.

        Those in ``keys`` in every way that they can be, the others in one.
        """
        candidates = [
            values if key.lower() in keys else values[:1] for key, values in self.unknown.items()
        ]
        for values in product(*candidates):
            yield dict(self.request.context) | dict(zip(self.unknown, values, strict=True))


def assembled(
    who: Principal,
    action: str,
    resource: str,
    context: dict[str, tuple[str, ...]],
    unknown: dict[str, list[tuple[str, ...]]],
    raw: dict[str, Any],
) -> Case:
    """Return the case of a request in the world of the documents in ``raw``."""
    service = action.partition(":")[0]

    def made(kind: DocumentKind, name: str, account: str = A) -> Document | None:
        return document(kind, account, name, raw[name]) if name in raw else None

    own: DocumentKind = {"s3": "bucket policy", "kms": "key policy"}.get(  # type: ignore[assignment]
        service, "trust policy"
    )
    arn = BUCKET if service == "s3" else resource
    policy = made(own, "resource", raw["owner"])
    if service == "s3":
        of: Resource = Bucket(
            arn=arn,
            account=raw["owner"],
            policy=policy,
            restrict_public=raw.get("restrictPublic", False),
        )
    else:
        of = Resource(arn=arn, account=raw["owner"], policy=policy)
    identity = Identity(
        policies=tuple(
            document("identity policy", who.account, f"{index}", content)
            for index, content in enumerate(raw.get("identity", ()))
        ),
        boundary=made("permissions boundary", "boundary"),
        session_policy=made("session policy", "session"),
    )
    endpoint = made("VPC endpoint policy", "endpoint")
    world = World(
        identities={who.identity(): identity},
        resources={arn: of},
        service_control={
            who.account: tuple(
                tuple(document("service control policy", who.account, "scp", p) for p in level)
                for level in raw.get("serviceControl", ())
            )
        },
        resource_control={
            raw["owner"]: tuple(
                tuple(document("resource control policy", B, "rcp", p) for p in level)
                for level in raw.get("resourceControl", ())
            )
        },
        endpoints={"vpce-1": endpoint} if endpoint else {},
    )
    request = Request(
        principal=who,
        action=action,
        resource=resource,
        context=context,
        endpoint="vpce-1" if endpoint else None,
    )
    return Case(world, request, unknown, raw)


class Worlds:
    """A source of random cases; the same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def case(self) -> Case:
        """Return the next case."""
        pick, chance = self._random.choice, self._chance
        service = pick(["s3", "s3", "s3", "kms", "sts"])
        action = pick(ACTIONS[service])
        who = pick(CALLERS)
        if service == "s3" and chance(0.08):
            who = ANONYMOUS
        elif service != "sts" and chance(0.05):
            who = SERVICE_CALLER
        bucket_action = action in ("s3:ListBucket", "s3:GetBucketPolicy")
        resource = BUCKET if bucket_action else pick(ON[service])
        owner = B if service != "s3" else pick([A, B, B])
        raw: dict[str, Any] = {"owner": owner, "identity": [], "restrictPublic": False}
        makes_requests = who.kind in ("user", "role")
        if makes_requests:
            raw["identity"] = [self._policy(service) for _ in range(pick([0, 1, 1, 2]))]
            if chance(0.3):
                raw["boundary"] = self._policy(service, wide=chance(0.6))
            if who.kind == "role" and chance(0.2):
                raw["session"] = self._policy(service, wide=chance(0.6))
        if service != "s3" or chance(0.8):
            raw["resource"] = self._policy(service, principals="named", trust=service == "sts")
        if who.account and chance(0.15):
            raw["serviceControl"] = [[self._policy(service, wide=chance(0.5))] for _ in "ab"]
        if chance(0.1):
            raw["resourceControl"] = [
                [self._policy(service, principals="everybody", only_deny=True)]
            ]
        if service == "s3" and chance(0.1):
            raw["restrictPublic"] = True
        if service == "s3" and chance(0.1):
            raw["endpoint"] = self._policy(service, principals="everybody", wide=chance(0.5))
        return assembled(who, action, resource, *self._context(action, who), raw)

    def _context(
        self, action: str, who: Principal
    ) -> tuple[dict[str, tuple[str, ...]], dict[str, list[tuple[str, ...]]]]:
        context: dict[str, tuple[str, ...]] = {}
        unknown: dict[str, list[tuple[str, ...]]] = {}
        for key, (_, values) in KEYS.items():
            if action not in CARRIED.get(key, (action,)) and not key.startswith("aws:"):
                continue
            if key.startswith("aws:Principal") and not who.account:
                continue  # what is nobody's is known to be absent
            if key == "aws:SourceArn" and who.kind != "service":
                continue  # only a service's own calls have it
            if len(unknown) < 3 and self._chance(0.4):
                unknown[key] = self._random.sample(values, len(values))
            else:
                context[key] = self._random.choice(values)
        return context, unknown

    def _policy(
        self,
        service: str,
        *,
        principals: Literal["", "named", "everybody"] = "",
        trust: bool = False,
        wide: bool = False,
        only_deny: bool = False,
    ) -> dict[str, Any]:
        statements = []
        if wide:
            everybody = {"Principal": "*"} if principals else {}
            statements.append({"Effect": "Allow", "Action": "*", "Resource": "*", **everybody})
        for _ in range(self._random.choice([1, 1, 2, 3])):
            statements.append(self._statement(service, principals, trust, only_deny))
        version = {} if not only_deny and self._chance(0.05) else {"Version": "2012-10-17"}
        return version | {"Statement": statements}

    def _statement(
        self, service: str, principals: str, trust: bool, only_deny: bool
    ) -> dict[str, Any]:
        pick, chance = self._random.choice, self._chance
        deny = only_deny or chance(0.2)
        result: dict[str, Any] = {"Effect": "Deny" if deny else "Allow"}
        negated = chance(0.1) and not only_deny and not trust
        actions = (
            ["ec2:*", "s3:PutObject", "kms:Encrypt", "s3:Delete*"] if negated else PATTERNS[service]
        )
        if only_deny:
            actions = [action for action in actions if action != "*"]
        result["NotAction" if negated else "Action"] = self._some(actions)
        if principals == "everybody":
            result["Principal"] = "*"
        elif principals:
            result |= self._principal(deny)
        if not trust:
            negated = chance(0.12)
            resources = [*RESOURCES[service], f"{BUCKET}/green"] if negated else RESOURCES[service]
            result["NotResource" if negated else "Resource"] = self._some(resources)
        if chance(0.4):
            result["Condition"] = self._conditions(pick([1, 1, 2]))
        return result

    def _principal(self, deny: bool) -> dict[str, Any]:
        pick = self._random.choice
        if deny and self._chance(0.15):
            return {"NotPrincipal": {"AWS": self._some([name for name in NAMES if name != "*"])}}
        form = pick(["*", {"AWS": "*"}, {"Service": SERVICE}, *["AWS"] * 6])
        return {"Principal": {"AWS": self._some(NAMES)} if form == "AWS" else form}

    def _conditions(self, count: int) -> dict[str, Any]:
        pick, chance = self._random.choice, self._chance
        result: dict[str, Any] = {}
        for _ in range(count):
            key = pick(list(KEYS))
            kind = KEYS[key][0]
            if chance(0.1):
                result.setdefault("Null", {})[key] = pick(["true", "false", True, False])
                continue
            quantifier = ""
            if kind == "Set":
                quantifier, kind = pick(["ForAllValues:", "ForAnyValue:"]), "String"
            exists = "IfExists" if chance(0.25) else ""
            operator = f"{quantifier}{pick(OPERATORS[kind])}{exists}"
            written = pick([key, key, key.lower()])
            result.setdefault(operator, {})[written] = self._some(VALUES[kind])
        return result

    def _some(self, values: list[Any]) -> Any:
        chosen = self._random.sample(values, min(len(values), self._random.choice([1, 1, 2, 3])))
        return chosen[0] if len(chosen) == 1 and self._chance(0.5) else chosen

    def _chance(self, of: float) -> bool:
        return self._random.random() < of
