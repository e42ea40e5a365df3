"""Which pipelines may plan and deploy: what the configuration says under ``pipeline``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from .part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem

STACK = "pipeline-roles"
"""The stack that creates the roles, with a role that may do more than they."""
_ID = r"^[1-9][0-9]{0,19}$"


ROLES = ("plan", "deploy")
"""What the roles end with: one may only read, one may deploy."""


class Pipeline(Part):
    """Which pipelines may plan and deploy, and what their roles are called."""

    platform: Annotated[
        Literal["github", "gitlab"],
        Field(
            description='"github" or "gitlab". Whose word the accounts take for who runs, by '
            "OpenID Connect: no keys are kept",
            examples=["github"],
        ),
    ]
    repository: Annotated[
        str,
        Field(
            description="a repository or project with its owner. Only its runs get the roles",
            examples=["my-organization/s3-links"],
            pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$",
            max_length=200,
        ),
    ]
    owner_id: Annotated[
        str | None,
        Field(
            description="the id of the repository's owner on GitHub (digits, as text). Nobody who "
            "takes the owner's name later gets the roles; given together with repository_id",
            examples=["1234567"],
            pattern=_ID,
        ),
    ] = None
    repository_id: Annotated[
        str | None,
        Field(
            description="the id of the repository on GitHub (digits, as text). Nobody who takes "
            "its name later gets the roles; given together with owner_id",
            examples=["987654321"],
            pattern=_ID,
        ),
    ] = None
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
    host: Annotated[
        str | None,
        Field(
            description="the host of a GitLab of your own. Left out: gitlab.com",
            examples=["gitlab.example.com"],
            pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
        ),
    ] = None
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
    def oidc_host(self) -> str:
        """The host of the OIDC provider."""
        if self.platform == "github":
            return "token.actions.githubusercontent.com"
        return self.host or "gitlab.com"

    @property
    def subjects(self) -> dict[str, tuple[str, ...]]:
        """Which runs may plan, and which may deploy.

        With ids GitHub's subject is the one that has them, and only that: whoever takes a name
        that became free could send the other.
        """
        if self.platform == "github":
            owner, name = self.repository.split("/")
            repository = f"repo:{owner}/{name}"
            if self.owner_id:
                repository = f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}"
            return {
                "plan": (
                    f"{repository}:pull_request",
                    f"{repository}:ref:refs/heads/{self.branch}",
                ),
                "deploy": (f"{repository}:environment:{self.environment}",),
            }
        project = f"project_path:{self.repository}:ref_type:branch:ref"
        return {"plan": (f"{project}:*",), "deploy": (f"{project}:{self.branch}",)}

    def roles(self) -> list[str]:
        """Return the names of its roles in each account."""
        return [f"{self.role_name}-{what}" for what in ROLES]

    @rule
    def _no_host(self) -> Iterator[Problem]:
        if self.platform == "github" and self.host:
            yield (), '"host" is for a GitLab of your own: leave it out'

    @rule
    def _owner_and_name(self) -> Iterator[Problem]:
        if self.platform == "github" and self.repository.count("/") > 1:
            yield (), '"repository" on GitHub is an owner and a name: write "owner/name"'

    @rule
    def _no_ids(self) -> Iterator[Problem]:
        if self.platform == "gitlab" and (self.owner_id or self.repository_id):
            yield (), '"owner_id" and "repository_id" are for GitHub: leave them out'

    @rule
    def _both_ids(self) -> Iterator[Problem]:
        if bool(self.owner_id) != bool(self.repository_id):
            missing = "repository_id" if self.owner_id else "owner_id"
            yield (
                (),
                f'"{missing}" is missing: GitHub sends both ids or none, `gh api repos/'
                f"{self.repository} --jq '.owner.id, .id'` prints them",
            )

    @rule
    def _no_environment(self) -> Iterator[Problem]:
        if self.platform == "gitlab" and "environment" in self.model_fields_set:
            yield (), '"environment" is for GitHub: GitLab vouches for the branch, leave it out'
