"""The network of an instance that needs to reach S3 and Systems Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import (
    DefaultSecurityGroup,
    InternetGateway,
    RouteTable,
    RouteTableAssociation,
    RouteTableRoute,
    SecurityGroup,
    SecurityGroupEgress,
    Subnet,
    Vpc,
)
from .hardening import NONE, Hardening

if TYPE_CHECKING:
    from .account import Account

__all__ = ["PublicNetwork"]

_ANYWHERE = "0.0.0.0/0"


class PublicNetwork(Construct):
    """Creates a VPC with one public subnet in ``account``, and a security group without ingress.

    Instances in it reach AWS's public endpoints through an internet gateway; nothing from outside
    reaches them. ``hardening`` says whether they reach anything but HTTPS, and whether the default
    security group of the VPC, which nothing here uses, is closed.

    Follows "Connect to the internet using an internet gateway" and "Default security groups for
    your VPCs" in the Amazon VPC User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        cidr_block: str = "10.0.0.0/16",
        subnet_cidr_block: str = "10.0.1.0/24",
        hardening: Hardening = NONE,
    ) -> None:
        super().__init__(scope, id_)
        provider = account.provider

        def named(what: str) -> dict[str, str]:
            return {"Name": f"{account.name}-{what}"}

        vpc = Vpc(self, "vpc", provider=provider, cidr_block=cidr_block, tags=named("vpc"))
        vpc_id = vpc.id
        if hardening.default_security_group_closed:
            DefaultSecurityGroup(
                self,
                "default-security-group",
                provider=provider,
                vpc_id=vpc_id,
                ingress=[],
                egress=[],
                tags=named("default-sg"),
            )
        gateway = InternetGateway(
            self, "internet-gateway", provider=provider, vpc_id=vpc_id, tags=named("igw")
        )
        subnet = Subnet(
            self,
            "public-subnet",
            provider=provider,
            vpc_id=vpc_id,
            cidr_block=subnet_cidr_block,
            availability_zone=f"{account.region}a",
            tags=named("public-subnet"),
        )
        self.subnet_id: str = subnet.id
        routes = RouteTable(
            self,
            "public-route-table",
            provider=provider,
            vpc_id=vpc_id,
            route=[RouteTableRoute(cidr_block=_ANYWHERE, gateway_id=gateway.id)],
            tags=named("public-rtb"),
        )
        RouteTableAssociation(
            self,
            "public-route-table-association",
            provider=provider,
            subnet_id=self.subnet_id,
            route_table_id=routes.id,
        )
        group = SecurityGroup(
            self,
            "security-group",
            provider=provider,
            name=f"{account.name}-sg",
            description=f"{account.name}-sg",
            vpc_id=vpc_id,
            egress=[_egress(hardening)],
            tags=named("sg"),
        )
        self.security_group_id: str = group.id


def _egress(hardening: Hardening) -> SecurityGroupEgress:
    # Amazon's DNS and time servers, and the metadata service, are reached whatever this says.
    port, protocol = (443, "tcp") if hardening.https_egress_only else (0, "-1")
    return SecurityGroupEgress(
        from_port=port, to_port=port, protocol=protocol, cidr_blocks=[_ANYWHERE]
    )
