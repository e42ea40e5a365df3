"""The state of a stack: whether it is locked, and moving it out of this folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .credentials import Credentials, CredentialsError
from .stack import OperationError
from .terraform import terraform

if TYPE_CHECKING:
    from pathlib import Path

    from .stack import Stack


@dataclass(frozen=True)
class Lock:
    """Who holds a state, as Terraform writes it down."""

    id: str
    who: str
    operation: str
    since: str

    def explained(self, stack: Stack) -> str:
        """Say who holds the lock, since when, and what to do about one that was left."""
        started = datetime.fromisoformat(self.since)
        minutes = int((datetime.now(UTC) - started).total_seconds() // 60)
        return (
            f"the state of {stack.name} is locked by {self.who} ({self.operation}, for {minutes} "
            "minutes): let that run end. If it was killed, nobody will unlock the state: make "
            f"sure of it, then run `make unlock LINK={stack.name} ID={self.id}`"
        )


def lock(stack: Stack) -> Lock | None:
    """Return the lock on a state in S3, the object beside it.

    A local state is locked by its file for as long as Terraform runs, so none can be left; HCP
    Terraform shows its locks itself.
    """
    kind, arguments = stack.backend
    if kind != "s3":
        return None
    key = f"{arguments['key']}.tflock"
    try:
        s3 = Credentials(arguments).client("s3")
        body = s3.get_object(Bucket=arguments["bucket"], Key=key)["Body"].read()
    except CredentialsError as error:
        raise OperationError(f"the state of {stack.name}: {error}") from None
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            raise OperationError(
                f"the state bucket {arguments['bucket']!r} does not exist: create it with "
                "`make deploy LINK=terraform-state`, or correct its name"
            ) from None
        # Without s3:ListBucket a missing lock is refused; what matters Terraform will say.
        return None
    except BotoCoreError as error:
        raise OperationError(f"the state of {stack.name} cannot be read: {error}") from None
    try:
        content = json.loads(body)
        return Lock(content["ID"], content["Who"], content["Operation"], content["Created"])
    except (ValueError, KeyError):
        raise OperationError(
            f"s3://{arguments['bucket']}/{key} is no lock of Terraform: look at it, then delete it"
        ) from None


def unlock(stack: Stack, id_: str) -> None:
    """Remove a lock that a killed run left."""
    terraform(stack, "init", "-reconfigure")
    terraform(stack, "force-unlock", "-force", id_)


def left_behind(stack: Stack) -> Path | None:
    """Return the local state of a stack whose backend is another one by now."""
    kind, _ = stack.backend
    file = stack.local_state
    if kind == "local" or not file.exists():
        return None
    return file if json.loads(file.read_text(encoding="utf-8")).get("resources") else None


def move(stack: Stack) -> Path:
    """Move the local state into the stack's backend; return what the local file is called now.

    Terraform refuses where the backend holds another state, or a later one of this.
    """
    kind, _ = stack.backend
    if kind == "local":
        raise OperationError(
            f"the state of {stack.name} is to be local: configure another backend first"
        )
    file = left_behind(stack)
    if file is None:
        raise OperationError(f"{stack.local_state}: there is no local state to move")
    terraform(stack, "init", "-reconfigure")
    terraform(stack, "state", "push", str(file))
    moved = file.with_name(f"{file.name}.moved")
    file.rename(moved)
    return moved
