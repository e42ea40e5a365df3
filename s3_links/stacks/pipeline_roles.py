"""The roles that pipelines plan and deploy with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from constructs import Construct

from s3_cross_account.account import Account
from s3_cross_account.document import rendered_once
from s3_cross_account.pipeline import OidcProvider, PipelineRole
from s3_cross_account.role import ExistingRole
from s3_links.declarations.state import S3State
from s3_links.permissions.needs import Permissions

from .base import BaseStack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cdktf import App

    from s3_cross_account.settings import AccountSettings
    from s3_links.declarations.pipeline import Pipeline
    from s3_links.declarations.state import State


class PipelineRolesStack(BaseStack):
    """Creates, in each account, a role that plans ``stacks`` and one that deploys them.

    ``stacks`` is the JSON of every stack that the pipeline deploys: the roles may do what Terraform
    needs for them and no more, so that this stack is deployed again, by somebody who may do more,
    when a stack names something new.

    Follows "Security best practices in IAM" in the IAM User Guide.
    """

    @rendered_once()
    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        pipeline: Pipeline,
        stacks: Sequence[Mapping[str, Any]],
        accounts: Mapping[str, AccountSettings],
        state: State,
    ) -> None:
        super().__init__(scope, id_, accounts=accounts, state=state)
        # Nobody deploys in a foreign account.
        own = {a: s for a, s in accounts.items() if not getattr(s, "foreign", False)}
        for alias, settings in own.items():
            account = Account(self, f"{alias}-provider", alias=alias, settings=settings)
            in_account = Construct(self, alias)
            permissions = Permissions(stacks, account, _roles_of_profiles(in_account, account))
            if isinstance(state, S3State) and state.account == alias:
                permissions.states()
            provider = OidcProvider(
                in_account,
                "oidc-provider",
                account=account,
                host=pipeline.oidc_host,
                existing=pipeline.existing_oidc_provider,
            )
            statements = {"plan": permissions.to_plan(), "deploy": permissions.to_deploy()}
            for what, subjects in pipeline.subjects.items():
                name = f"{pipeline.role_name}-{what}"
                PipelineRole(
                    in_account,
                    what,
                    account=account,
                    name=name,
                    provider=provider,
                    subjects=subjects,
                    statements=statements[what],
                )
                # Known beforehand, so that a pipeline need not ask the state for it.
                arn = f"arn:{account.partition}:iam::{settings.account_id}:role/{name}"
                self.outputs(**{f"{what}_role_arn_{alias}": arn})


def _roles_of_profiles(scope: Construct, account: Account) -> Callable[[str], str]:
    """Return what looks up the role of an instance profile, which no declaration names."""

    @cache
    def look_up(profile: str) -> str:
        return ExistingRole(
            scope,
            f"profile.{profile}",
            account=account,
            policy_name_prefix="",
            instance_profile=profile,
        ).arn

    return look_up
