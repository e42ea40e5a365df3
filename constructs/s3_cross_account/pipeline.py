"""Who a pipeline is in an account: an OIDC provider that vouches for it, and its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import IamOpenidConnectProvider
from .document import PolicyDocument
from .policy import PIPELINE_AUDIENCE, trust_token
from .role import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .account import Account
    from .policy import Statement

__all__ = ["OidcProvider", "PipelineRole"]


class OidcProvider(Construct):
    """Creates, in ``account``, the OIDC provider of a platform that runs pipelines.

    ``host`` is its address without ``https://``. An account has one for each host; with
    ``existing`` it is there already and nothing is created. ``arn`` names it.

    Follows "Create an OpenID Connect (OIDC) identity provider in IAM" in the IAM User Guide.
    """

    def __init__(
        self, scope: Construct, id_: str, *, account: Account, host: str, existing: bool = False
    ) -> None:
        super().__init__(scope, id_)
        self.host = host
        self.arn = f"arn:{account.partition}:iam::{account.account_id}:oidc-provider/{host}"
        if not existing:
            provider = IamOpenidConnectProvider(
                self,
                "Resource",
                provider=account.provider,
                url=f"https://{host}",
                client_id_list=[PIPELINE_AUDIENCE],
            )
            self.arn = provider.arn


class PipelineRole(Role):
    """Creates a role in ``account`` for the runs of a pipeline whose subject is one of these.

    ``subjects`` are values of the token's claim ``sub``, which ``*`` may end; ``statements`` is
    what the runs may do.

    Follows "Configuring OpenID Connect in Amazon Web Services" of the GitHub documentation and
    "Configure OpenID Connect in AWS to retrieve temporary credentials" of GitLab's.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        name: str,
        provider: OidcProvider,
        subjects: tuple[str, ...],
        statements: Iterable[Statement],
    ) -> None:
        trusted = trust_token(
            provider.arn, issuer=provider.host, audience=PIPELINE_AUDIENCE, subjects=subjects
        )
        trust = PolicyDocument(
            scope,
            f"{id_}-trust",
            account=account,
            statements=[trusted],
        )
        super().__init__(scope, id_, account=account, name=name, trust=trust)
        for statement in statements:
            self.allow(statement, account=account)
