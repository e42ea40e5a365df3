"""Who gets access by a link, and the role that they assume."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from s3_cross_account.spelling import near_match
from s3_cross_account.trusted_services import KNOWN

from .choices import given, is_, one_of, when, without
from .claims import Claim, output
from .claims import role as role_claim
from .named import Named
from .names import (
    ALIAS,
    PROFILE,
    ROLE,
    ROLE_OR_ARN,
    USER_OR_ARN,
    AccountAlias,
    InstanceProfileName,
    PermissionSetName,
    RoleName,
    RoleNameOrArn,
    UserNameOrArn,
    about,
    free_path,
    text,
)
from .part import claim, rule
from .trusted import PODS, Token, TrustedIssuer, TrustedJob, TrustedPod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem

_KINDS = {
    "new_role": "new",
    "existing_role": "existing",
    "imported_role": "new",
    "instance_profile": "profile",
    "existing_user": "user",
    "permission_set": "permission-set",
    "whole_account": "account",
    "organization_id": "organization",
    "organization_path": "organization-path",
}
_TRUSTED = ("trusted_service", "trusted_services", "trusted_pod", "trusted_job", "trusted_issuer")
_PAIRS: list[JsonValue] = [{"not": {"required": [*two]}} for two in combinations(_TRUSTED, 2)]
_NEW, _TOLD = ("new_role", "imported_role"), '"new_role" or "imported_role"'
_SERVICE = r"^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$"
_ORGANIZATIONS = ("organization_id", "organization_path")


class Consumer(Named):
    """Who gets access: a new role or one that exists, a user, a permission set, or many."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of(*_KINDS),
            "allOf": [
                when(
                    is_(instance=[True]),
                    {
                        "required": ["new_role"],
                        "properties": {"trusted_service": {"pattern": "^ec2[.]"}},
                    }
                    | without(*_TRUSTED[1:]),
                ),
                when(without(*_NEW), without(*_TRUSTED[1:])),
                when(without("new_role"), without("path")),
                {
                    "if": {"anyOf": [given(name) for name in _ORGANIZATIONS]},
                    "then": {"not": {"required": ["account"]}},
                    "else": {"required": ["account"]},
                },
                *_PAIRS,
            ],
        }
    )

    KINDS = _KINDS

    account: Annotated[
        AccountAlias,
        about(ALIAS, "The one that the role is in; an organization is in none", "account1"),
    ] = ""
    new_role: Annotated[
        RoleName | None,
        about(ROLE, "The link creates the role, and destroys it with itself", "reports-reader"),
    ] = None
    existing_role: Annotated[
        RoleNameOrArn | None,
        about(
            ROLE_OR_ARN,
            "The role exists and stays its owner's: the link adds a policy",
            "web",
        ),
    ] = None
    imported_role: Annotated[
        RoleName | None,
        about(ROLE, "The role exists, and from now on the link manages it", "web"),
    ] = None
    instance_profile: Annotated[
        InstanceProfileName | None,
        about(PROFILE, "The role in it exists, and the link adds a policy to it", "web"),
    ] = None
    existing_user: Annotated[
        UserNameOrArn | None,
        about(
            USER_OR_ARN,
            "The user exists, and the link adds a policy to it",
            "backup",
        ),
    ] = None
    permission_set: Annotated[
        PermissionSetName | None,
        about(
            "the name of a permission set of IAM Identity Center",
            "Whoever has it assigned in the account; the link creates the policy that the "
            "permission set has to reference",
            "Analyst",
        ),
    ] = None
    whole_account: Annotated[
        Literal[True] | None,
        Field(
            description="true. Everybody in the account whom its administrators let: they get the "
            "policy to attach as an output",
            examples=[True],
        ),
    ] = None
    organization_id: Annotated[
        str | None,
        text(
            "an organization's id. Everybody in its accounts whom their administrators let: they "
            "get the policy to attach as an output",
            "o-a1b2c3d4e5",
            r"^o-[a-z0-9]{10,32}$",
        ),
    ] = None
    organization_path: Annotated[
        str | None,
        text(
            "the path of an organizational unit, from its organization on, with /* for all below "
            "it or / for its own accounts. Everybody in these accounts whom their administrators "
            "let: they get the policy to attach as an output",
            "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*",
            r"^o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}/(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}/)*\*?$",
        ),
    ] = None
    path: Annotated[
        str | None,
        text(
            "the path of a new role (begins and ends with /). It is a part of the role's ARN",
            "/teams/reports/",
            r"^/([A-Za-z0-9_+=,.@-]+/)+$",
            512,
        ),
        AfterValidator(free_path),
    ] = None
    trusted_service: Annotated[
        str,
        text(
            "an AWS service principal. The service that hands out the role's sessions: the trust "
            "policy of a new role lets it, for its own account where the service tells that, and "
            "what else it needs is written for it",
            "lambda.amazonaws.com",
            _SERVICE,
        ),
    ] = "ec2.amazonaws.com"
    trusted_services: Annotated[
        list[Annotated[str, text("an AWS service principal", "lambda.amazonaws.com", _SERVICE)]],
        Field(
            description="a list of AWS service principals. In the place of trusted_service, where "
            "several hand out sessions of the new role, such as Amazon Redshift and its Serverless",
            examples=[["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]],
        ),
    ] = []
    trusted_pod: Annotated[
        TrustedPod | None,
        Field(
            description="a Kubernetes service account. Its pods get the new role, by IAM roles for "
            "service accounts or by EKS Pod Identity",
            examples=[
                {"cluster": "production", "namespace": "reports", "service_account": "reader"}
            ],
        ),
    ] = None
    trusted_job: Annotated[
        TrustedJob | None,
        Field(
            description="a job on GitHub or GitLab. It gets the new role by OpenID Connect; the "
            "account has the platform's OIDC provider already",
            examples=[{"platform": "github", "repository": "acme/reports", "branch": "main"}],
        ),
    ] = None
    trusted_issuer: Annotated[
        TrustedIssuer | None,
        Field(
            description="an OIDC provider. Whoever has a token of it for this audience and subject "
            "gets the new role; the account has the OIDC provider already",
            examples=[
                {
                    "issuer": "https://app.terraform.io",
                    "audience": "aws.workload.identity",
                    "subject": "organization:acme:project:reports:*",
                }
            ],
        ),
    ] = None
    instance: Annotated[
        bool,
        Field(
            description="true or false: whether to create an EC2 instance with the role. It comes "
            "with a network of its own, in the role's account, and costs by the hour",
            examples=[True],
        ),
    ] = False

    @property
    def managed_role(self) -> str | None:
        """The role's name, where this link makes it or takes it over."""
        return self.new_role or self.imported_role

    @property
    def organization(self) -> str | None:
        """The id of the organization, where it is one or a unit of it."""
        return self.organization_id or (self.organization_path or "").partition("/")[0] or None

    @property
    def many(self) -> bool:
        """Whether it stands for all whom the administrators of accounts let."""
        return bool(self.whole_account or self.organization)

    @property
    def token(self) -> Token | None:
        """What is asked of a token, where the role is got with one."""
        trusted = self.trusted_pod or self.trusted_job or self.trusted_issuer
        return trusted.token if trusted else None

    @property
    def services(self) -> list[str]:
        """The AWS services that hand out the role's sessions, where some do."""
        if self.trusted_pod or self.token:
            return [] if self.token else [PODS]
        is_role = self.managed_role or self.existing_role or self.instance_profile
        return (self.trusted_services or [self.trusted_service]) if is_role else []

    @property
    def service(self) -> str | None:
        """The first of them."""
        return next(iter(self.services), None)

    @property
    def names_its_chain(self) -> bool:
        """Whether the service is told the ARNs of all the roles, from the first to the last."""
        return any(s.startswith(("redshift.", "redshift-serverless.")) for s in self.services)

    @property
    def on_instances(self) -> bool:
        """Whether the role is one that EC2 instances have, as far as one can see here."""
        return bool(self.instance_profile) or (
            self.managed_role is not None and any(s.startswith("ec2.") for s in self.services)
        )

    @property
    def by_service(self) -> bool:
        """Whether a service hands out the role's sessions, as far as one can see here."""
        service = "trusted_service" in self.model_fields_set
        return service or self.managed_role is not None or self.instance_profile is not None

    @property
    def output(self) -> str:
        """The name of the output with its ARN, or with what somebody else has to do for it."""
        if self.permission_set:
            return f"policies_to_reference_{self.label}"
        if self.many:
            return f"identity_policy_to_attach_{self.label}"
        return f"{'user' if self.existing_user else 'role'}_arn_{self.label}"

    def _names(self) -> dict[str, str]:
        """Return how each name that is given is shown: an ARN by what it ends with."""
        found = super()._names()
        for field in ("existing_role", "existing_user"):
            if field in found:
                found[field] = found[field].rpartition("/")[2]
        if "whole_account" in found:
            found["whole_account"] = "whole-account"
        if "organization_path" in found:
            found["organization_path"] = re.sub(r"\W+", "-", found["organization_path"]).strip("-")
        return found

    @rule
    def _an_account(self) -> Iterator[Problem]:
        if not self.organization and not self.account:
            yield ("account",), f"is missing: give {ALIAS}"

    @rule
    def _no_account(self) -> Iterator[Problem]:
        if self.organization and self.account:
            yield ("account",), "an organization is in no account of yours: leave it out"

    @rule
    def _an_instance(self) -> Iterator[Problem]:
        if self.instance and (self.new_role is None or not self.on_instances):
            yield (), '"instance" needs a "new_role" that EC2 may assume'

    @rule
    def _a_path(self) -> Iterator[Problem]:
        if self.path is not None and self.new_role is None:
            yield (), '"path" is for a "new_role": give the ARN of a role that exists'

    @rule
    def _trusted_by_whom(self) -> Iterator[Problem]:
        trusted = [name for name in _TRUSTED if name in self.model_fields_set]
        for name in trusted[1:]:
            yield (), f'give "{trusted[0]}" or "{name}", not both: a role is trusted to one'
        for name in trusted:
            if name != "trusted_service" and self.managed_role is None:
                yield (), f'"{name}" is for a {_TOLD}: one that exists has its trust policy'

    @rule
    def _several_services(self) -> Iterator[Problem]:
        if len({*self.trusted_services}) < len(self.trusted_services):
            yield ("trusted_services",), "names a service twice: name each once"
        if self.instance and self.trusted_services:
            yield (), '"instance" is for EC2 alone: leave out "trusted_services"'

    @rule
    def _trusted_service(self) -> Iterator[Problem]:
        if "trusted_service" in self.model_fields_set and (
            self.existing_user or self.permission_set or self.many
        ):
            yield (), '"trusted_service" is for a role: leave it out'

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        managed = [role_claim(self.account, name) for name in [self.managed_role] if name]
        yield [*managed, output(self.output)]

    def note(self) -> str | None:
        """Return what is not known of the service, where it is named."""
        given = {"trusted_service", "trusted_services"} & self.model_fields_set
        unknown = next((name for name in self.services if name not in KNOWN), None)
        if unknown is None or not given:
            return None
        near = near_match(unknown, KNOWN)
        return (
            f'"{unknown}" is not known here: it is taken to need sts:AssumeRole and '
            "no more; where its guide asks for more (sts:TagSession, sts:SetSourceIdentity), make "
            "the role by hand" + (f'. Did you mean "{near}"?' if near else "")
        )
