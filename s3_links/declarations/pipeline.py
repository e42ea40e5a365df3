"""Which pipelines may plan and deploy: what the configuration says under ``pipeline``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from .part import rule
from .runs import Runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem

STACK = "pipeline-roles"
"""The stack that creates the roles, with a role that may do more than they."""


ROLES = ("plan", "deploy")
"""What the roles end with: one may only read, one may deploy."""


class Pipeline(Runs):
    """Which pipelines may plan and deploy, and what their roles are called."""

    branch: Annotated[
        str,
        Field(
            description="the branch that is deployed. Its runs plan, and on GitLab only they "
            "deploy",
            examples=["main"],
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$",
            max_length=200,
        ),
    ] = "main"
    environment: Annotated[
        str,
        Field(
            description="the GitHub environment that waits for an approval. Only runs in it may "
            "deploy",
            examples=["production"],
            pattern=r"^[A-Za-z0-9_-]+$",
            max_length=200,
        ),
    ] = "production"
    role_name: Annotated[
        str,
        Field(
            description="how the roles' names begin (without path or ARN). They end with -plan and "
            "-deploy",
            examples=["s3-links"],
            pattern=r"^[A-Za-z0-9_+=,.@-]+$",
            max_length=50,
        ),
    ] = "s3-links"
    existing_oidc_provider: Annotated[
        bool,
        Field(
            description="true or false: whether the accounts have the platform's OIDC provider. An "
            "account can have one only; left out, the stack of the roles creates it",
            examples=[True],
        ),
    ] = False

    @property
    def subjects(self) -> dict[str, tuple[str, ...]]:
        """Which runs may plan, and which may deploy."""
        if self.platform == "github":
            return {
                "plan": (f"{self._of_repository}:pull_request", self.on_branch(self.branch)),
                "deploy": (self.in_environment(self.environment),),
            }
        return {"plan": (self.on_branch("*"),), "deploy": (self.on_branch(self.branch),)}

    def roles(self) -> list[str]:
        """Return the names of its roles in each account."""
        return [f"{self.role_name}-{what}" for what in ROLES]

    @rule
    def _no_environment(self) -> Iterator[Problem]:
        if self.platform == "gitlab" and "environment" in self.model_fields_set:
            yield (), '"environment" is for GitHub: GitLab vouches for the branch, leave it out'
