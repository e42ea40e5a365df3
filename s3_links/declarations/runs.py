"""Whose runs a platform vouches for by OpenID Connect: a repository's, on GitHub or GitLab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from .part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem

_ID = r"^[1-9][0-9]{0,19}$"


class Runs(Part):
    """The runs of a repository."""

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
    host: Annotated[
        str | None,
        Field(
            description="the host of a GitLab of your own. Left out: gitlab.com",
            examples=["gitlab.example.com"],
            pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
        ),
    ] = None

    @property
    def oidc_host(self) -> str:
        """The host of the OIDC provider."""
        if self.platform == "github":
            return "token.actions.githubusercontent.com"
        return self.host or "gitlab.com"

    def in_environment(self, name: str) -> str:
        """Return the subject of a GitHub run in an environment."""
        return f"{self._of_repository}:environment:{name}"

    def on_branch(self, name: str) -> str:
        """Return the subject of a run for a branch."""
        if self.platform == "github":
            return f"{self._of_repository}:ref:refs/heads/{name}"
        return f"project_path:{self.repository}:ref_type:branch:ref:{name}"

    def on_tag(self, name: str) -> str:
        """Return the subject of a run for a tag, in whose name ``*`` stands for anything."""
        if self.platform == "github":
            return f"{self._of_repository}:ref:refs/tags/{name}"
        return f"project_path:{self.repository}:ref_type:tag:ref:{name}"

    @property
    def _of_repository(self) -> str:
        """Begins GitHub's subjects. With ids it is the one that has them, and only that.

        Whoever takes a name that became free could send the other.
        """
        owner, name = self.repository.split("/")
        if self.owner_id:
            return f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}"
        return f"repo:{owner}/{name}"

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
