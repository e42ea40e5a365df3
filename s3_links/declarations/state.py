"""Where the stacks keep their state: in this folder, in an S3 bucket or in HCP Terraform.

Follows "Backend type: s3" and "Terraform settings: cloud block" of the Terraform documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from .checking import STRICT
from .names import AccountAlias, bucket_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import TerraformStack

    from s3_cross_account.settings import AccountSettings

BUCKET_STACK = "terraform-state"
"""The stack that creates the state bucket. Its own state is local: the bucket holds the others."""

IMPORTED_OUTPUT = "imported_resources"
"""The output of a stack with what it took over: in its state, it outlives the declaration."""


class _Backend(BaseModel):
    model_config = STRICT


class LocalState(_Backend):
    """One file for each stack, beside ``cdktf.json``."""

    backend: Literal["local"] = "local"


class S3State(_Backend):
    """One object for each stack in a bucket of ``account``, locked by an object beside it.

    Terraform reaches the bucket as it reaches the account.
    """

    backend: Literal["s3"]
    account: AccountAlias
    bucket: Annotated[
        str,
        Field(
            description="a bucket's name",
            examples=["my-terraform-state"],
            pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        ),
        AfterValidator(bucket_name),
    ]
    prefix: Annotated[
        str,
        Field(
            description="a prefix that ends with / (letters, digits, dots, hyphens, underscores)",
            examples=["s3-links/"],
            pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$",
            max_length=512,
        ),
    ] = ""
    create_bucket: Annotated[
        bool, Field(description=f"true: the stack {BUCKET_STACK} creates the bucket")
    ] = False


class HcpTerraformState(_Backend):
    """One workspace of HCP Terraform for each stack, named like it behind ``prefix``."""

    backend: Literal["hcp-terraform"]
    organization: Annotated[
        str,
        Field(
            description="an organization's name",
            examples=["my-organization"],
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,39}$",
        ),
    ]
    project: Annotated[
        str | None,
        Field(description="a project's name", examples=["s3-links"], pattern=r"^[\w -]{3,40}$"),
    ] = None
    prefix: Annotated[
        str,
        Field(
            description="how the workspaces' names begin",
            examples=["s3-"],
            pattern=r"^[A-Za-z0-9_-]*$",
            max_length=20,
        ),
    ] = ""
    hostname: Annotated[
        str | None,
        Field(
            description="a Terraform Enterprise host",
            examples=["terraform.example.com"],
            pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
        ),
    ] = None


State = Annotated[
    LocalState | S3State | HcpTerraformState,
    Field(
        discriminator="backend",
        description='"local", "s3" or "hcp-terraform"',
        examples=["s3"],
    ),
]


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
