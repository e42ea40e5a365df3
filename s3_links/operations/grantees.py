"""Who is granted something by a link: each consumer as a principal, and how policies name it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from s3_cross_account.naming import organization_limits, permission_set_arns
from s3_cross_account.policy import Principal as Named
from s3_cross_account.policy import account_root, of_account, of_pod, service, trust_token
from s3_cross_account.trusted_services import trust_actions
from s3_links.declarations.handed_over import IDENTITY, TRUST
from s3_links.declarations.link import Link
from s3_links.declarations.named import label
from s3_links.reach.callers import STRANGER
from s3_links.synthesized.policies import document_of, handed_out
from s3_links.world import Identity, Principal, Resource, anyone_else, principal

from .asked import Documents

if TYPE_CHECKING:
    from s3_links.declarations.consumers import Consumer
    from s3_links.declarations.trusted import Token, TrustedPod
    from s3_links.world import Document

    from .asked import Conditions

SESSION_MANAGER = ":policy/AmazonSSMManagedInstanceCore"
"""Ends the ARN of AWS's policy that the role of an instance has."""


class Grantees(Documents):
    """The consumers of a link and its other roles."""

    def _consumer(self, consumer: Consumer) -> Principal:
        if consumer.managed_role is not None:
            return self._managed(consumer, consumer.managed_role)
        if consumer.permission_set is not None:
            return self._permission_set(consumer, consumer.permission_set)
        if consumer.many:
            return self._many(consumer)
        text = consumer.existing_user or consumer.existing_role or ""
        name = f"role-of-{consumer.name}" if consumer.instance_profile else consumer.name
        who = principal(text) if text.startswith("arn:") else self._of(consumer, name)
        if self._accounts[consumer.account].foreign:
            self._of_foreign(who, consumer.label)
            return who
        if not text.startswith("arn:"):
            self._any_path.add(who)
        return self._existing(who)

    def _existing(self, who: Principal) -> Principal:
        """Add somebody who exists, with policies besides."""
        self.unseen[who] = ""
        self.own[who]
        self._note(who, f"what else {who} may by its other policies is not looked up")
        return who

    def _of_foreign(self, who: Principal, label: str) -> None:
        """Add a role or a user of a foreign account, with what is handed over for it."""
        blocks = self._blocks
        outputs = [
            name
            for name in (f"{IDENTITY}{label}", *(f"{IDENTITY}{label}_{n}" for n in range(2, 11)))
            if blocks.output(name)
        ]
        made = tuple(
            handed_out(blocks, name, "identity policy", who.account, str(who)) for name in outputs
        )
        if not (isinstance(self._link, Link) and self._link.names_directly):
            arn = str(who.arn)
            named = account_root(who.partition, who.account), (self._by_arn("ArnEquals", arn),)
            self._named_as[who] = named
        told = ", ".join(outputs) or f"{IDENTITY}{label}"
        self._given_elsewhere(
            who, made, f"the output {told} has to be attached to {who}" + self._whose(who.account)
        )

    def _foreign_role(self, alias: str, name: str) -> Principal:
        """Add a role to assume of a foreign account, with the trust policy that is handed over."""
        who, label_ = self._principal(alias, name), label(alias, name)
        arn, output = str(who.arn), f"{TRUST}{label_}"
        self._of_foreign(who, label_)
        self.resources[arn] = Resource(arn=arn, account=who.account)
        trust = handed_out(self._blocks, output, "trust policy", who.account, arn)
        self.handed_out[arn] = replace(self.resources[arn], policy=trust)
        told = f"the output {output} has to be in the trust policy of {who}"
        self._note(who, told + self._whose(who.account))
        return who

    def _of(self, consumer: Consumer, name: str) -> Principal:
        who = self._principal(consumer.account, name)
        return replace(who, kind="user") if consumer.existing_user else who

    def _permission_set(self, consumer: Consumer, name: str) -> Principal:
        """Add the role of a permission set, as any that it may have in the account."""
        arns = permission_set_arns(
            self._partition(consumer.account), self._id(consumer.account), name
        )
        who = principal(arns[0].replace("?", "x").replace("*", "…"))
        self._named_as[who] = (
            account_root(who.partition, who.account),
            (self._by_arn("ArnLike", *arns),),
        )
        blocks, output = self._blocks, consumer.output
        names = str(blocks.output(output)).split()
        made = tuple(
            document_of(
                blocks, address, "policy", "identity policy", blocks.attribute(address, "arn")
            )
            for address in blocks.of("aws_iam_policy")
            if blocks.account(address) == who.account and blocks.attribute(address, "name") in names
        )
        told = f"{', '.join(names)}, in {consumer.account}: the permission set {name} has to"
        self._given_elsewhere(who, made, f"{told} reference what {output} names")
        return who

    def _many(self, consumer: Consumer) -> Principal:
        """Add everybody in an account or an organization, as whoever has what is handed out."""
        id_ = consumer.organization
        if id_ is None:
            who = anyone_else(self._id(consumer.account), self._partition(consumer.account))
            self._named_as[who] = account_root(who.partition, who.account), ()
        else:
            of = self._partition(self._link.buckets[0].account)
            path = consumer.organization_path
            who = replace(anyone_else(STRANGER, of), path=f"/{path or id_}/")
            everybody = Named(type="*", identifiers=("*",))
            self._named_as[who] = everybody, organization_limits(id_, path)
        output = consumer.output
        found = handed_out(self._blocks, output, "identity policy", who.account, str(who))
        self._given_elsewhere(
            who,
            (found,),
            f"the output {output} has to be attached to whoever is to have the access",
        )
        return who

    def _given_elsewhere(self, who: Principal, made: tuple[Document, ...], note: str) -> None:
        self.own[who]
        self.identities[who] = Identity(policies=made)
        self._note(who, note)

    # Roles

    def _managed(self, consumer: Consumer, name: str) -> Principal:
        imported, path = consumer.imported_role is not None, consumer.path or "/"
        who = self._role(consumer.account, name, imported=imported, path=path)
        if token := consumer.token:
            self._trusting_token(who, token)
        elif pod := consumer.trusted_pod:
            self._trusting(who, str(consumer.service), self._of_pod(consumer, pod))
        else:
            of = {"partition": who.partition, "account_id": who.account}
            for trusted in consumer.services:
                self._trusting(who, trusted, of_account(trusted, **of))
        if consumer.instance:
            self.unseen[who] = SESSION_MANAGER
            self._note(who, f"AWS's policy {SESSION_MANAGER[8:]} of {who} is not evaluated")
        return who

    def _principal(self, alias: str, name: str, path: str = "/") -> Principal:
        account, of = self._id(alias), self._partition(alias)
        return Principal(kind="role", account=account, name=name, path=path, partition=of)

    def _role(self, alias: str, name: str, *, imported: bool = False, path: str = "/") -> Principal:
        who = self._principal(alias, name, path)
        arn = str(who.arn)
        self.resources[arn] = Resource(arn=arn, account=who.account)
        self.own[who]
        if boundary := self._accounts[alias].permissions_boundary:
            self.boundaries[who] = boundary
            self._note(
                str(who.arn), f"{who} may all this as far as its boundary {boundary} lets it"
            )
        if imported:
            self._any_path.add(who)
            self._note(who, f"what else {who}, which is imported, may is not looked up")
        return who

    def _trusting(self, who: Principal, trusted: str, limits: Conditions = ()) -> None:
        """Add the grant of a service to assume a role."""
        self._grant(
            who=Principal(kind="service", name=trusted),
            actions=trust_actions(trusted),
            on=str(who.arn),
            resources=(str(who.arn),),
            named=service(trusted),
            theirs=limits,
        )

    def _of_pod(self, consumer: Consumer, pod: TrustedPod) -> Conditions:
        region = self._accounts[consumer.account].region
        start = f"arn:{self._partition(consumer.account)}:eks:{region}"
        return of_pod(
            namespace=pod.namespace,
            service_account=pod.service_account,
            cluster_arn=f"{start}:{self._id(consumer.account)}:cluster/{pod.cluster}",
        )

    def _trusting_token(self, who: Principal, token: Token) -> None:
        """Add the grant of whoever has a token to assume a role."""
        provider = f"arn:{who.partition}:iam::{who.account}:oidc-provider/{token.issuer}"
        trusted = trust_token(
            provider, issuer=token.issuer, audience=token.audience, subjects=(token.subject,)
        )
        self._grant(
            who=Principal(kind="federated", name=provider),
            actions=trusted.actions,
            on=str(who.arn),
            resources=(str(who.arn),),
            named=trusted.principals[0],
            theirs=trusted.conditions,
        )
        self._note(who, f"that {provider} is there, with the audience, is not looked up")
