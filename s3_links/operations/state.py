"""The state of a stack: whether it is locked, and moving it out of this folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from .credentials import Credentials, CredentialsError
from .stack import OperationError
from .terraform import binary, initialize, terraform

if TYPE_CHECKING:
    from collections.abc import Mapping
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
            f"sure of it, then run `s3-links state unlock {stack.name} --id {self.id}`"
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
                "`s3-links deploy terraform-state`, or correct its name"
            ) from None
        # Without s3:ListBucket a missing lock is refused; what matters Terraform will say.
        return None
    except BotoCoreError as error:
        raise OperationError(f"the state of {stack.name} cannot be read: {error}") from None
    try:
        content = json.loads(body)
        return Lock(content["ID"], content["Who"], content["Operation"], content["Created"])
    except (ValueError, KeyError, TypeError):
        raise OperationError(
            f"s3://{arguments['bucket']}/{key} is no lock of Terraform: look at it, then delete it"
        ) from None


def locked(stack: Stack) -> str | None:
    """Say who holds the lock on a state, if anybody does."""
    found = lock(stack)
    return found.explained(stack) if found else None


def unlock(stack: Stack, id_: str) -> None:
    """Remove a lock that a killed run left."""
    initialize(stack)
    terraform(stack, "force-unlock", "-force", id_)


def outputs(stack: Stack) -> dict[str, Any]:
    """Return the outputs in the state by their names; what is sensitive has no value to print."""
    found = json.loads(terraform(stack, "output", "-json"))
    return {
        name: "(sensitive)" if output["sensitive"] else output["value"]
        for name, output in found.items()
    }


def problem(stack: Stack) -> str | None:
    """Return why Terraform would take another state than the declared one, or nothing."""
    selected = stack.folder / ".terraform" / "environment"
    # HCP Terraform's backend writes the name of the stack's own workspace there.
    known = stack.backend[0] == "cloud" or not selected.exists()
    if not known and selected.read_text(encoding="utf-8").strip() not in ("", "default"):
        return (
            f"{stack.name}: another workspace is selected in its folder, with another state: run "
            f"`{binary()} -chdir={os.path.relpath(stack.folder)} workspace select default`"
        )
    move_it = f"move it with `s3-links state move {stack.name}`"
    if _is_local(stack):
        resources(stack.local_state)  # refuses what is no state
    elif resources(stack.local_state):
        return (
            f"{stack.local_state.name}: the state of {stack.name} is still here, not in the "
            f"configured backend: {move_it}"
        )
    _, place = _elsewhere(stack)
    if place and not stack.local_state.exists():
        return f"the state of {stack.name} was in {place} at the last run: {move_it}"
    return None


def resources(file: Path) -> list[Any]:
    """Return the resources in a local state, none where there is no file."""
    found: list[Any] = _local(file).get("resources", [])
    return found


def _local(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found["resources"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise OperationError(
            f"{file.name}: is no state, or only a part of one: restore it "
            f"({file.name}.backup may hold the one before), or delete it if nothing was deployed"
        ) from None
    return found


def content(stack: Stack) -> dict[str, Any] | None:
    """Return the state, wherever it is, or nothing where it cannot be read here.

    HCP Terraform shows a state to Terraform only.
    """
    kind, arguments = stack.backend
    if kind == "local":
        return _local(stack.local_state)
    if kind != "s3":
        return None
    try:
        s3 = Credentials(arguments).client("s3")
        body = s3.get_object(Bucket=arguments["bucket"], Key=arguments["key"])["Body"].read()
        found: dict[str, Any] = json.loads(body)
    except ClientError as error:
        missing = error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket")
        return {} if missing else None
    except (BotoCoreError, CredentialsError, ValueError):
        return None
    return found


def move(stack: Stack) -> str:
    """Move the state to where the stack keeps it now, and say from where.

    It comes from the local file, which is then renamed, or from where the last run kept it. A
    state that is there already is not overwritten.
    """
    if held := locked(stack):
        raise OperationError(held)
    file = stack.local_state
    if not _is_local(stack) and resources(file):
        initialize(stack)
        terraform(stack, "state", "push", str(file))
        moved = file.with_name(f"{file.name}.moved")
        file.rename(moved)
        return f"{file.name}, which is called {moved.name} now"
    kind, place = _elsewhere(stack)
    if not place:
        raise OperationError(f"{stack.name}: there is no state to move: it is where it belongs")
    if _is_local(stack) and resources(file):
        raise OperationError(f"{file.name}: is there already: move it away, or delete it")
    if "cloud" in (kind, stack.backend[0]):
        raise OperationError(
            f"{stack.name}: Terraform moves a state from {place} by way of a file only: configure "
            f"that place again, run `{binary()} -chdir={stack.folder} state pull > {file.name}`, "
            "then configure the new one and run this again"
        )
    if not _is_local(stack):
        _refuse_to_overwrite(stack)
    terraform(stack, "init", "-migrate-state", "-force-copy")
    return place


def _is_local(stack: Stack) -> bool:
    return stack.backend[0] == "local"


def _place(kind: str, arguments: Mapping[str, Any]) -> str:
    if kind == "s3":
        return f"s3://{arguments['bucket']}/{arguments['key']}"
    if kind == "cloud":
        return f"HCP Terraform ({arguments.get('organization')})"
    return f"{arguments.get('path')}"


def _elsewhere(stack: Stack) -> tuple[str, str]:
    """Return the backend and the place where the last run kept the state, empty if here."""
    try:
        text = (stack.folder / ".terraform" / "terraform.tfstate").read_text(encoding="utf-8")
        recorded = json.loads(text)["backend"]
        kind = recorded["type"]
        place = _place(kind, recorded["config"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""
    if kind == "local" or place == _place(*stack.backend):
        return "", ""
    return kind, place


def _refuse_to_overwrite(stack: Stack) -> None:
    kind, arguments = stack.backend
    try:
        s3 = Credentials(arguments).client("s3")
        s3.head_object(Bucket=arguments["bucket"], Key=arguments["key"])
    except (ClientError, BotoCoreError, CredentialsError):
        return  # there is none, or Terraform will say why not
    raise OperationError(f"{_place(kind, arguments)}: holds a state already: look at it first")
