"""Whose workloads get a new role, where no AWS service hands it out by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field

from s3_cross_account.policy import PIPELINE_AUDIENCE

from .choices import is_, one_of, when, without
from .names import text
from .part import Part, rule
from .runs import Runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem

PODS = "pods.eks.amazonaws.com"
"""The service that hands out roles by EKS Pod Identity."""

# "Available keys for AWS web identity federation" in the IAM User Guide: no OIDC provider of the
# account vouches for these, and their tokens have keys of their own.
_BUILT_IN = (
    *("accounts.google.com", "cognito-identity.amazonaws.com"),
    *("graph.facebook.com", "www.amazon.com"),
)


# "Identity-provider controls for shared OIDC providers" there: whoever has an account with one of
# these gets tokens of the same issuer, and only the subject says whose they are.
_SHARED = (
    *("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"),
    *("agent.buildkite.com", "oidc.codefresh.io", "scalr.io"),
)
_WHOSE = re.compile(r"[^*:/]+:[^*:/]+[:/].*")


class Token(NamedTuple):
    """What is asked of a token: who issued it, for whom, and about whom."""

    issuer: str
    """The issuer's address without ``https://``."""
    audience: str
    subject: str


def _issuer(address: str) -> str:
    host = address.removeprefix("https://").partition("/")[0]
    if host in _BUILT_IN:
        raise ValueError(
            f'"{host}" is one that AWS knows by itself, and its tokens have keys of their own: '
            'make the role by hand, and name it as "existing_role"'
        )
    return address


_ADDRESS = "the address of an OIDC provider, as its tokens have it in iss"
_EXAMPLE = "https://oidc.eks.ap-northeast-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
_Issuer = Annotated[
    str,
    text(
        f"{_ADDRESS}. The account has an IAM OIDC provider for it already",
        _EXAMPLE,
        r"^https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~/-]*)?$",
        255,
    ),
    AfterValidator(_issuer),
]


class TrustedPod(Part):
    """A Kubernetes service account, by IAM roles for service accounts or by EKS Pod Identity."""

    model_config = ConfigDict(json_schema_extra=one_of("oidc_issuer", "cluster"))

    namespace: Annotated[
        str,
        text(
            "a Kubernetes namespace. The one that the service account is in",
            "reports",
            r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        ),
    ]
    service_account: Annotated[
        str,
        text(
            "a Kubernetes service account. Its pods get the role, and no other's",
            "reader",
            r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
        ),
    ]
    oidc_issuer: Annotated[
        _Issuer | None,
        Field(
            description=f"{_ADDRESS}. The cluster's, for IAM roles for service accounts; the "
            "account has an IAM OIDC provider for it already",
            examples=[_EXAMPLE],
        ),
    ] = None
    cluster: Annotated[
        str | None,
        text(
            "the name of an EKS cluster. It is in the role's account and region, and hands out the "
            "role by EKS Pod Identity, with its session tags; oidc_issuer in its place is for IAM "
            "roles for service accounts",
            "production",
            r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$",
        ),
    ] = None

    @property
    def token(self) -> Token | None:
        """What is asked of its token, with IAM roles for service accounts."""
        if self.oidc_issuer is None:
            return None
        subject = f"system:serviceaccount:{self.namespace}:{self.service_account}"
        return _token(self.oidc_issuer, PIPELINE_AUDIENCE, subject)

    @rule
    def _one_way(self) -> Iterator[Problem]:
        if (self.oidc_issuer is None) == (self.cluster is None):
            yield (
                (),
                'give one of "oidc_issuer" (IAM roles for service accounts) and "cluster" (EKS Pod '
                "Identity)",
            )


_BRANCH = r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$"


class TrustedJob(Runs):
    """A job on GitHub or GitLab."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of("branch", "tag", "environment"),
            **when(is_(platform=["gitlab"]), without("environment")),
        }
    )

    branch: Annotated[
        str | None,
        text("a branch of the repository. Only runs for it get the role", "main", _BRANCH, 200),
    ] = None
    tag: Annotated[
        str | None,
        text(
            "tags of the repository. Only runs for them get the role; * stands for anything",
            "v*",
            r"^[A-Za-z0-9_*][A-Za-z0-9_./*-]*$",
            200,
        ),
    ] = None
    environment: Annotated[
        str | None,
        text(
            "a GitHub environment. Only runs in it get the role: they have it in the place of "
            "their branch",
            "production",
            r"^[A-Za-z0-9_-]+$",
            200,
        ),
    ] = None

    @property
    def token(self) -> Token:
        """What is asked of its token."""
        if self.environment is not None:
            subject = self.in_environment(self.environment)
        elif self.tag is not None:
            subject = self.on_tag(self.tag)
        else:
            subject = self.on_branch(str(self.branch))
        return Token(self.oidc_host, PIPELINE_AUDIENCE, subject)

    @rule
    def _one_subject(self) -> Iterator[Problem]:
        if [self.branch, self.tag, self.environment].count(None) != 2:
            yield (), 'give one of "branch", "tag" and "environment": only its runs get the role'

    @rule
    def _no_environment(self) -> Iterator[Problem]:
        if self.platform == "gitlab" and self.environment is not None:
            yield (
                (),
                '"environment" is for GitHub: GitLab vouches for branches and tags, leave it out',
            )


def _subject(subject: str) -> str:
    if subject.startswith("*"):
        raise ValueError(
            f'"{subject}" means everybody whom the issuer vouches for: begin with what is yours'
        )
    return subject


class TrustedIssuer(Part):
    """Whoever an OIDC provider vouches for."""

    issuer: _Issuer
    audience: Annotated[
        str,
        text(
            "an audience, as the tokens have it in aud. The IAM OIDC provider has it among its "
            "client ids",
            "sts.amazonaws.com",
            r"^[A-Za-z0-9._~:/@+-]+$",
            255,
        ),
    ]
    subject: Annotated[
        str,
        text(
            "a subject, as the tokens have it in sub. * stands for anything, but not at the "
            "beginning",
            "organization:acme:project:reports:workspace:*",
            r"^[A-Za-z0-9._~:/@+|=*-]+$",
            1024,
        ),
        AfterValidator(_subject),
    ]

    @property
    def token(self) -> Token:
        """What is asked of its token."""
        return _token(self.issuer, self.audience, self.subject)

    @rule
    def _of_one_owner(self) -> Iterator[Problem]:
        host = self.issuer.removeprefix("https://").rstrip("/")
        if host in _SHARED and "*" in self.subject and not _WHOSE.match(self.subject):
            yield (
                ("subject",),
                f'"{self.subject}" means others too, as many share {host}: give the whole name of '
                'what is yours, and what ends it, before "*", such as "repo:acme/*"',
            )


def _token(address: str, audience: str, subject: str) -> Token:
    return Token(address.removeprefix("https://"), audience, subject)
