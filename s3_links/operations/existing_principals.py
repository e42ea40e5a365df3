"""The roles, users and OIDC providers that the links expect to find."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3_links.declarations.link import Link
from s3_links.declarations.replication import ReplicationLink

from .looking import Finding, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3_links.declarations.consumers import Consumer
    from s3_links.declarations.links import AnyLink
    from s3_links.declarations.trusted import Token

    from .credentials import Credentials

    Look = Callable[[str, Credentials], Iterator[Finding]]


Makers = Mapping[tuple[str, str], str]
"""The links that make roles, by the account's alias and the role's name."""


def makers(links: Mapping[str, AnyLink]) -> Makers:
    """Return which link makes which role."""
    made = {}
    for name, link in links.items():
        for _, consumer in _consumers(link):
            if consumer.new_role:
                made[consumer.account, consumer.new_role] = name
        if isinstance(link, Link) and link.assumed_role and not link.assumed_role.imported:
            made[link.assumed_role.account, link.assumed_role.name] = name
    return made


def principals(link: AnyLink, made: Makers) -> Iterator[tuple[str, str, str, Look]]:
    """Yield the place, what should be there, the account, and how to look for it."""
    for where, one in _principals(link):
        maker = made.get((one.account, one.name), "") if one.kind == "role" else ""
        look = functools.partial(_principal, one, maker)
        yield where, f"the {one.kind} {one.name!r}", one.account, look
    for where, consumer in _consumers(link):
        if token := consumer.token:
            what = f"the OIDC provider {token.issuer!r}"
            look = functools.partial(_provider, consumer.account, token)
            yield where, what, consumer.account, look


@dataclass(frozen=True)
class _Principal:
    """A role, a user or an instance profile that should be there, perhaps with just this ARN."""

    account: str
    kind: str
    name: str
    arn: str | None = None


def _consumers(link: AnyLink) -> Iterator[tuple[str, Consumer]]:
    for number, consumer in enumerate(link.consumers if isinstance(link, Link) else ()):
        yield f"consumers[{number}]", consumer


def _principals(link: AnyLink) -> Iterator[tuple[str, _Principal]]:
    """Yield each principal that should be there, with its place."""
    for place, consumer in _consumers(link):
        named = {
            "role": consumer.existing_role or consumer.imported_role,
            "user": consumer.existing_user,
            "instance profile": consumer.instance_profile,
        }
        for kind, text in named.items():
            if text:
                arn = text if text.startswith("arn:") else None
                yield place, _Principal(consumer.account, kind, consumer.name, arn)
    if isinstance(link, Link) and link.assumed_role and link.assumed_role.imported:
        role = link.assumed_role
        yield "assumed_role", _Principal(role.account, "role", role.name)
    for way in link.ways if isinstance(link, ReplicationLink) else ():
        if way.merged:
            yield way.source.where, _Principal(way.source.bucket.account, "role", way.role)


def _principal(
    one: _Principal, maker: str, place: str, credentials: Credentials
) -> Iterator[Finding]:
    iam, kind, name = credentials.client("iam"), one.kind, one.name
    if kind == "role":
        reply = asked(lambda: iam.get_role(RoleName=name), "NoSuchEntity")
        found = reply and reply["Role"]["Arn"]
    elif kind == "user":
        reply = asked(lambda: iam.get_user(UserName=name), "NoSuchEntity")
        found = reply and reply["User"]["Arn"]
    else:
        reply = asked(lambda: iam.get_instance_profile(InstanceProfileName=name), "NoSuchEntity")
        roles = reply["InstanceProfile"]["Roles"] if reply else []
        if reply and not roles:
            yield Finding(place, f"the {kind} {name!r} has no role: add one to it", stops=True)
            return
        found = reply and roles[0]["Arn"]
    if found and one.arn not in (None, found):
        told = f"the {kind} {name!r} is {found}, declared is {one.arn}: correct the ARN"
        yield Finding(place, told, stops=True)
    elif found:
        yield Finding(place, f"the {kind} {name!r} is there, {found}")
    else:
        new = kind != "user" and "consumers" in place
        remedy = "correct the name" + (', or declare a "new_role"' if new else "")
        if maker:
            remedy = f"the link {maker} makes it: `s3-links deploy {maker}` first"
        yield Finding(place, f"{one.account} has no {kind} {name!r}: {remedy}", stops=True)


def _provider(alias: str, token: Token, place: str, credentials: Credentials) -> Iterator[Finding]:
    """Look whether the account takes an issuer's word, for the audience of its tokens."""
    iam = credentials.client("iam")
    listed = asked(iam.list_open_id_connect_providers)["OpenIDConnectProviderList"]
    arns = [p["Arn"] for p in listed if p["Arn"].endswith(f":oidc-provider/{token.issuer}")]
    if not arns:
        yield Finding(
            place,
            f"{alias} has no OIDC provider for {token.issuer}: aws iam "
            f"create-open-id-connect-provider --url https://{token.issuer} --client-id-list "
            f"{token.audience}",
            stops=True,
        )
        return
    reply = asked(lambda: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arns[0]))
    if token.audience in reply.get("ClientIDList", []):
        yield Finding(place, f"the OIDC provider is there, {arns[0]}")
    else:
        yield Finding(
            place,
            f"the OIDC provider {arns[0]} is not for the audience {token.audience!r}: aws iam "
            "add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn "
            f"{arns[0]} --client-id {token.audience}",
            stops=True,
        )
