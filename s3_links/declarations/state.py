"""Where the stacks keep their state: in this folder, in an S3 bucket or in HCP Terraform.

Follows "Backend type: s3" and "Terraform settings: cloud block" of the Terraform documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from . import claims
from .names import ALIAS, BUCKET, AccountAlias, about, bucket_name
from .part import Part, claim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cdktf import TerraformStack

    from s3_cross_account.settings import AccountSettings

    from .claims import Claim

BUCKET_STACK = "terraform-state"
"""The stack that creates the state bucket. Its own state is local: the bucket holds the others."""

IMPORTED_OUTPUT, KEPT_OUTPUT = "imported_resources", "kept_resources"
"""The outputs of a stack with what stays when it goes: what it took over, and what is to be kept.

In its state they outlive the declaration."""
KEY_POLICY_OUTPUT = "key_policy_taken_over_"
"""The output with a key policy as it was taken over; the key's id is behind it.

When its stack goes, the key gets it back."""


class LocalState(Part):
    """One file for each stack, beside ``cdktf.json``."""

    backend: Annotated[
        Literal["local"],
        Field(description='"local". One file for each stack, in this folder', examples=["local"]),
    ]


class S3State(Part):
    """One object for each stack in a bucket of ``account``, locked by an object beside it.

    Terraform reaches the bucket as it reaches the account.
    """

    backend: Annotated[
        Literal["s3"],
        Field(description='"s3". One object for each stack, in an S3 bucket', examples=["s3"]),
    ]
    account: Annotated[AccountAlias, about(ALIAS, "The one that the state is in", "account1")]
    bucket: Annotated[
        str,
        Field(
            description=f"{BUCKET}. The states are in it, and are locked there; no dots",
            examples=["my-terraform-state"],
            pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        ),
        AfterValidator(bucket_name),
    ]
    prefix: Annotated[
        str,
        Field(
            description="a prefix that ends with / (letters, digits, dots, hyphens, underscores). "
            "How the keys of the states begin, for a bucket that others use too",
            examples=["s3-links/"],
            pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$",
            max_length=512,
        ),
    ] = ""
    create_bucket: Annotated[
        bool,
        Field(
            description=f"true or false: whether the stack {BUCKET_STACK} creates the bucket. It "
            "is deployed before the others, by an administrator",
            examples=[True],
        ),
    ] = False

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [claims.bucket(self.account, self.bucket)]
        yield [claims.bucket_policy(self.account, self.bucket)]


class HcpTerraformState(Part):
    """One workspace of HCP Terraform for each stack, named like it behind ``prefix``."""

    backend: Annotated[
        Literal["hcp-terraform"],
        Field(
            description='"hcp-terraform". One workspace for each stack, in HCP Terraform',
            examples=["hcp-terraform"],
        ),
    ]
    organization: Annotated[
        str,
        Field(
            description="an organization's name. The one of HCP Terraform that has the workspaces",
            examples=["my-organization"],
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,39}$",
        ),
    ]
    project: Annotated[
        str | None,
        Field(
            description="a project's name. The one that new workspaces are created in; left out: "
            "the organization's default project",
            examples=["s3-links"],
            pattern=r"^[\w -]{3,40}$",
        ),
    ] = None
    prefix: Annotated[
        str,
        Field(
            description="how the workspaces' names begin. The stack's name follows",
            examples=["s3-"],
            pattern=r"^[A-Za-z0-9_-]*$",
            max_length=20,
        ),
    ] = ""
    hostname: Annotated[
        str | None,
        Field(
            description="a Terraform Enterprise host. Instead of app.terraform.io",
            examples=["terraform.example.com"],
            pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
        ),
    ] = None


State = Annotated[
    LocalState | S3State | HcpTerraformState,
    Field(
        discriminator="backend",
        description='"local", "s3" or "hcp-terraform". Where the stacks keep their state: left '
        "out, in this folder",
        examples=["s3"],
    ),
]


LOCAL = LocalState(backend="local")


def keep_state(
    stack: TerraformStack, id_: str, state: State, accounts: Mapping[str, AccountSettings]
) -> None:
    """Have ``stack`` keep its state where ``state`` says, under its own id."""
    # Imported only now: cdktf starts Node.js, which checking a configuration does not need.
    from cdktf import (
        CloudBackend,
        LocalBackend,
        NamedCloudWorkspace,
        S3Backend,
        S3BackendAssumeRoleConfig,
    )

    if isinstance(state, HcpTerraformState):
        workspace = NamedCloudWorkspace(f"{state.prefix}{id_}", project=state.project)
        CloudBackend(
            stack,
            organization=state.organization,
            hostname=state.hostname,
            workspaces=workspace,
        )
    elif isinstance(state, S3State):
        account = accounts[state.account]
        role = account.assume_role
        S3Backend(
            stack,
            bucket=state.bucket,
            key=f"{state.prefix}{id_}.tfstate",
            region=account.region,
            profile=account.profile,
            assume_role=None
            if role is None
            else S3BackendAssumeRoleConfig(
                role_arn=role.role_arn,
                external_id=role.external_id,
                session_name=role.session_name,
            ),
            encrypt=True,
        )
        # cdktf does not know this argument.
        stack.add_override("terraform.backend.s3.use_lockfile", True)
    else:
        # The default backend writes an absolute path; this is the same place in any folder.
        LocalBackend(stack, path=f"../../../terraform.{id_}.tfstate")


def minimal_version(state: State) -> str:
    """Return the first Terraform that can keep this state: S3's own locks came with 1.10."""
    return "1.10.0" if isinstance(state, S3State) else "1.3.0"
