"""What limits a request from outside of both halves: an organization's policies, a VPC endpoint's.

Follows "Service control policies (SCPs)" and "Resource control policies (RCPs)" in the AWS
Organizations User Guide: the policies of every level count, from the root down to the account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from s3_cross_account.policy import Statement
from s3_cross_account.reading import Unreadable
from s3_links.synthesized.policies import parsed, unknown

from .reader import UnreadError

if TYPE_CHECKING:
    from s3_links.world import Document, Levels

    from .reader import Reader

_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"
Kind = Literal["service control policy", "resource control policy"]


@dataclass(frozen=True, kw_only=True)
class Organization:
    """The organization of an account: its id, empty where there is none, ``None`` where not known.

    ``levels`` are its policies of one kind for the account; ``read`` is false where any of them
    could not be read.
    """

    id: str | None = None
    levels: Levels = ()
    read: bool = False


def organization(reader: Reader, account: str, kind: Kind) -> Organization:
    """Return what limits an account, where it may be read: by few accounts of an organization."""
    ask = partial(reader.ask, account, "organizations", of="the organization")
    try:
        reply = ask("describe_organization", _NO_ORGANIZATION)
    except UnreadError:
        return Organization()
    if reply is None:
        return Organization(id="", read=True)
    id_ = str(reply["Organization"]["Id"])
    if reply["Organization"].get("MasterAccountId") == account:  # which neither kind affects
        return Organization(id=id_, read=True)
    try:
        return Organization(id=id_, levels=_levels(ask, account, kind), read=True)
    except UnreadError:
        return Organization(id=id_)


def _levels(ask: Any, account: str, kind: Kind) -> Levels:
    targets, child = [account], account
    while parents := ask("list_parents", ChildId=child)["Parents"]:
        child = parents[0]["Id"]
        targets.insert(0, child)
        if parents[0]["Type"] == "ROOT":
            break
    filter_ = kind.upper().replace(" ", "_")
    return tuple(
        tuple(
            _policy(ask, kind, target, policy)
            for policy in ask("list_policies_for_target", TargetId=target, Filter=filter_)[
                "Policies"
            ]
        )
        for target in targets
    )


def _policy(ask: Any, kind: Kind, target: str, policy: dict[str, str]) -> Document:
    content = ask("describe_policy", PolicyId=policy["Id"])["Policy"]["Content"]
    return parsed(kind, target, policy["Name"], content)


def endpoint(reader: Reader, id_: str, account: str) -> Document:
    """Return the policy of a VPC endpoint of ``account``."""
    kind: Literal["VPC endpoint policy"] = "VPC endpoint policy"
    of = f"VPC endpoint {id_}"
    try:
        reply = reader.ask(account, "ec2", "describe_vpc_endpoints", of=of, VpcEndpointIds=[id_])
    except UnreadError as error:
        return unknown(kind, account, id_, str(error))
    if not reply["VpcEndpoints"]:
        return unknown(kind, account, id_, f"{account} has no such endpoint in this region")
    found = reply["VpcEndpoints"][0]
    policy = parsed(kind, account, id_, found["PolicyDocument"])
    return _of_gateway(policy) if found.get("VpcEndpointType") == "Gateway" else policy


def _of_gateway(policy: Document) -> Document:
    """Return the policy of a gateway endpoint, where everybody alone can be named.

    Whom anything else means is not said but of an account: its root user. See "Endpoint policies
    for gateway endpoints" in the AWS PrivateLink Guide.
    """
    reason = "the policy of a gateway endpoint names a principal"
    return replace(
        policy,
        statements=tuple(
            Unreadable(reason=reason, text=str(one))
            if isinstance(one, Statement) and not _names_everybody(one)
            else one
            for one in policy.statements
        ),
    )


def _names_everybody(statement: Statement) -> bool:
    named = [text for group in statement.principals for text in group.identifiers]
    return named == ["*"] and not statement.not_principals
