"""Who gets access by a link, in the emulated accounts: what others do for it, and its sessions."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from s3_cross_account.trusted_services import SOURCES
from s3_links.declarations.handed_over import IDENTITY

from .access import Principal, root_of
from .stand_in import document, make_role, make_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from s3_links.declarations.consumers import Consumer

OTHER = "s3-links-try-other"
"""A role or a user in an account that may do everything to S3, and is named nowhere."""
EVERYTHING = {"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": "*"}
_MEMBER = "s3-links-try-member"
_ELSEWHERE = "999999999999"
"""An account that no link declares. Nobody here is in an organization."""
_SUFFIX = "0123456789abcdef"


@dataclass(frozen=True)
class Grantee:
    """A consumer of a deployed link, in its account.

    ``owner`` is the root of that account, ``account`` its id, ``output`` what the link says of it:
    its ARN, or what somebody else has to do for it.
    """

    consumer: Consumer
    link: str
    owner: Principal
    account: str
    output: str
    elsewhere: Principal
    """The root of an account that no link declares, and that is in no organization."""
    handed_over: tuple[str, ...] = ()
    """The policies that the owner of a foreign account has to attach to it."""

    @property
    def judged(self) -> bool:
        """Whether the emulator judges it: it knows no organizations."""
        return self.consumer.organization is None

    @cached_property
    def arn(self) -> str:
        """The ARN by which policies mean it."""
        if self.consumer.permission_set:
            return self._of_permission_set(self.consumer.permission_set)
        if self.consumer.many:
            return f"arn:aws:iam::{self.account}:role/{_MEMBER}"
        return self.output

    def _of_permission_set(self, name: str) -> str:
        role = f"AWSReservedSSO_{name}_{_SUFFIX}"
        return f"arn:aws:iam::{self.account}:role{_path(self.owner)}{role}"

    def given(self) -> None:
        """Do what others have to do: reference the policies, attach what is handed out.

        Beside it stands somebody of its kind who may do everything, and gets nothing of the link.
        """
        consumer, iam = self.consumer, self.owner.client("iam")
        if consumer.permission_set:
            make_role(self.owner, self.arn)
            for policy in self.output.split():
                arn = f"arn:aws:iam::{self.account}:policy/{policy}"
                iam.attach_role_policy(RoleName=_name(self.arn), PolicyArn=arn)
            make_role(self.owner, self._of_permission_set(self._another), EVERYTHING)
        elif consumer.many:
            make_role(self.owner, self.arn)
            arn = f"arn:aws:iam::{self.account}:policy/{self.link}-{_MEMBER}"
            name, text = _name(arn), self.output
            iam.create_policy(PolicyName=name, PolicyDocument=text)
            iam.attach_role_policy(RoleName=_MEMBER, PolicyArn=arn)
            make_role(self.elsewhere, OTHER, EVERYTHING)
        if self.handed_over:
            take_over(self.owner, self.arn, self.handed_over)
        if consumer.existing_user and make_user(self.owner, OTHER):
            text = document(EVERYTHING)
            iam.put_user_policy(UserName=OTHER, PolicyName="all", PolicyDocument=text)

    @property
    def _another(self) -> str:
        return f"{self.consumer.permission_set}_Other"

    def session(self) -> Principal:
        """Return it with credentials, as whoever hands them out in AWS would."""
        if self.consumer.existing_user:
            return self._user(self.consumer.name)
        return self._role()

    def others(self) -> Iterator[tuple[str, Principal]]:
        """Yield who is of its kind, may do everything and is not let in."""
        if self.consumer.permission_set:
            arn = self._of_permission_set(self._another)
            yield f"permission set {self._another}", self.owner.assume(arn)
        if self.consumer.existing_user:
            yield f"another user ({self.consumer.account})", self._user(OTHER)
        if self.consumer.many:
            other = self.elsewhere.assume(f"arn:aws:iam::{_ELSEWHERE}:role/{OTHER}")
            yield "a role of another account", other

    def impostors(self) -> Iterator[tuple[str, Callable[[], Principal]]]:
        """Yield who is not to get the new role's sessions, and how they would."""
        if self.consumer.trusted_pod:
            yield "another service account", lambda: self._role("another")
        elif self.consumer.token:
            yield "another subject", lambda: self._role("another")
        elif self.consumer.managed_role and any(s in SOURCES for s in self.consumer.services):
            yield "a service for another account", lambda: self.elsewhere.assume(self.arn)

    def _user(self, name: str) -> Principal:
        key = self.owner.client("iam").create_access_key(UserName=name)["AccessKey"]
        return self.owner.by_key(key["AccessKeyId"], key["SecretAccessKey"])

    def _role(self, subject: str | None = None) -> Principal:
        """Return a session of its role, or what somebody else would get in its place."""
        consumer = self.consumer
        if token := consumer.token:
            about = token.subject.replace("*", "any")
            claims = {
                "iss": f"https://{token.issuer}",
                "aud": token.audience,
                "sub": f"{subject}-{about}" if subject else about,
            }
            return self.owner.assume_by_token(self.arn, _token(claims))
        tags: dict[str, Any] = {}
        if pod := consumer.trusted_pod:
            cluster = f"arn:aws:eks:{self.owner.region}:{self.account}:cluster/{pod.cluster}"
            values = {
                "eks-cluster-arn": cluster,
                "kubernetes-namespace": pod.namespace,
                "kubernetes-service-account": subject or pod.service_account,
            }
            tags["Tags"] = [{"Key": key, "Value": value} for key, value in values.items()]
        return self.owner.assume(self.arn, **tags)


def grantee(
    consumer: Consumer,
    link: str,
    owners: Mapping[str, Principal],
    accounts: Mapping[str, str],
    outputs: Mapping[str, str],
    endpoint: str,
) -> Grantee:
    """Return a consumer in its account; an organization's is one that no link declares."""
    alias = consumer.account
    elsewhere = root_of(endpoint, _ELSEWHERE)
    owner = owners[alias] if alias else elsewhere
    account = accounts[alias] if alias else _ELSEWHERE
    handed = () if consumer.many else identity_policies(outputs, consumer.label)
    return Grantee(consumer, link, owner, account, outputs[consumer.output], elsewhere, handed)


def identity_policies(outputs: Mapping[str, str], label: str) -> tuple[str, ...]:
    """Return what is handed over for a role or a user, by what outputs call it."""
    names = (f"{IDENTITY}{label}", *(f"{IDENTITY}{label}_{number}" for number in range(2, 11)))
    return tuple(outputs[name] for name in names if name in outputs)


def take_over(
    owner: Principal, arn: str, policies: Sequence[str], trust: str | None = None
) -> None:
    """Do what the owner of a foreign account does: make the role or the user, if it is not there.

    It gets the policies, and the trust policy if there is one.
    """
    iam, kind = owner.client("iam"), "user" if ":user/" in arn else "role"
    (make_user if kind == "user" else make_role)(owner, arn)
    if trust:
        iam.update_assume_role_policy(RoleName=_name(arn), PolicyDocument=trust)
    for text in policies:
        name = f"s3-links-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        policy = iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
        named = {f"{kind.capitalize()}Name": _name(arn)}
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=policy, **named)


def _path(owner: Principal) -> str:
    return f"/aws-reserved/sso.amazonaws.com/{owner.region}/"


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _token(claims: Mapping[str, Any]) -> str:
    """Return a token that nobody has signed: the emulator reads its claims alone."""
    parts = ({"alg": "RS256"}, {"exp": 32503680000, **claims})
    texts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts)
    return ".".join((*(text.rstrip("=") for text in texts), "unsigned"))
