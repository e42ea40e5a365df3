"""Stacks that are deployed but no longer declared, and how one goes without its declaration."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from s3_cross_account.settings import AccountSettings
from s3_links.declarations import read_links
from s3_links.declarations.state import IMPORTED_OUTPUT, KEPT_OUTPUT
from s3_links.synthesis import PROVIDER_LOCK

from . import state
from .credentials import Credentials, CredentialsError
from .key_policies import give_back
from .stack import Stack
from .terraform import initialize, terraform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from s3_links.declarations.accounts import LinkAccount

_REFERENCE = re.compile(r"\$\{(\w+\.[\w-]+)\.(\w+)\}")
_SETTINGS = dict.fromkeys(
    (
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
    ),
    "aws_s3_bucket",
)
"""What is part of what: a bucket that stays keeps these."""
_ALIAS = re.compile(r"\]\.([A-Za-z0-9_-]+)$")


def undeclared(declared: Iterable[Stack]) -> dict[str, Stack]:
    """Return the stacks that have something deployed and are not among ``declared``, by name.

    Looks where the declared ones keep their state: beside the local files, and below the prefix in
    S3. A state there that uses other provider aliases than ours is another project's. HCP
    Terraform's workspaces are not looked through.
    """
    declared, found = list(declared), dict[str, Stack]()
    names = {stack.name for stack in declared}
    providers = functools.cache(lambda: _providers(declared))
    # Stacks that keep their states in one place are looked beside once.
    for stack in {_place(stack): stack for stack in declared}.values():
        for name in set(_names_beside(stack)) - names - found.keys():
            other = _like(stack, name, providers())
            aliases = {provider["alias"] for provider in other.providers}
            used = {
                _ALIAS.search(r["provider"])
                for r in (state.content(other) or {}).get("resources", [])
            }
            if used and all(match and match[1] in aliases for match in used):
                found[name] = other
    return found


def _place(stack: Stack) -> str:
    return json.dumps(stack.backend, sort_keys=True).replace(f"{stack.name}.tfstate", "")


def _names_beside(stack: Stack) -> Iterator[str]:
    kind, arguments = stack.backend
    if kind == "local":
        for file in stack.local_state.parent.glob("terraform.*.tfstate"):
            yield file.name.removeprefix("terraform.").removesuffix(".tfstate")
    elif kind == "s3":
        prefix = arguments["key"].removesuffix(f"{stack.name}.tfstate")
        # What may not be listed is another's to clear up.
        with contextlib.suppress(ClientError, BotoCoreError, CredentialsError):
            pages = Credentials(arguments).client("s3").get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=arguments["bucket"], Prefix=prefix, Delimiter="/"):
                for entry in page.get("Contents", []):
                    if entry["Key"].endswith(".tfstate"):
                        yield entry["Key"].removeprefix(prefix).removesuffix(".tfstate")


def _providers(declared: Iterable[Stack]) -> list[dict[str, Any]]:
    """Return the providers of all accounts: those of stacks, and of accounts that none is in."""
    links = read_links.declared()
    accounts = links.accounts if links else {}
    found = {alias: _provider(alias, one) for alias, one in accounts.items() if not one.foreign}
    found |= {provider["alias"]: provider for one in declared for provider in one.providers}
    return list(found.values())


def _provider(alias: str, account: LinkAccount) -> dict[str, Any]:
    """Return the provider of an account, as it is synthesized where a link is in the account."""
    settings = account.model_dump(include={*AccountSettings.model_fields}, exclude_none=True)
    id_, tags = settings.pop("account_id", None), settings.pop("tags", None)
    blocks = {
        "assume_role": settings.pop("assume_role", None),
        "default_tags": tags and {"tags": tags},
        "ignore_tags": settings.pop("ignore_tags", None),
    }
    settings |= {name: [block] for name, block in blocks.items() if block}
    return {"alias": alias, **settings} | ({"allowed_account_ids": [id_]} if id_ else {})


def _like(stack: Stack, name: str, providers: Sequence[Mapping[str, Any]]) -> Stack:
    """Return the stack ``name`` as far as it can be known: its state and everybody's providers."""
    kind, arguments = stack.backend
    place = "path" if kind == "local" else "key"
    moved = arguments | {
        place: arguments[place].replace(f"{stack.name}.tfstate", f"{name}.tfstate")
    }
    settings = stack.content["terraform"] | {"backend": {kind: moved}}
    content = {"terraform": settings, "provider": {"aws": providers}}
    return Stack(name, stack.folder.with_name(name) / stack.file.name, content, digest="")


def contents(stack: Stack) -> tuple[list[str], list[str]]:
    """Return the addresses that go with an undeclared stack, and those that stay."""
    return parted(state.content(stack) or {})


def parted(
    content: Mapping[str, Any], declared: Mapping[str, Any] | None = None
) -> tuple[list[str], list[str]]:
    """Return the addresses in a state that go with its stack, and those that stay.

    What it took over stays, which it never was allowed to destroy, and what is to be kept by the
    state's outputs or those that are ``declared``: each with its settings, and without the policies
    that let somebody in.
    """
    resources = [r for r in content.get("resources", []) if r["mode"] == "managed"]
    attributes = {
        f"{r['type']}.{r['name']}": r["instances"][0]["attributes"]
        for r in resources
        if r["instances"]
    }
    told = " ".join(
        str(outputs.get(name, {}).get("value", ""))
        for outputs in (content.get("outputs", {}), declared or {})
        for name in (IMPORTED_OUTPUT, KEPT_OUTPUT)
    )
    staying = {*_REFERENCE.sub(lambda m: str(attributes.get(m[1], {}).get(m[2])), told).split()}
    goes: list[str] = []
    stays: list[str] = []
    for resource in resources:
        type_ = _SETTINGS.get(resource["type"], resource["type"])
        names = {
            f"{type_}/{instance['attributes'].get(key)}"
            for instance in resource["instances"]
            for key in ("bucket", "name", "arn", "key_id")
        }
        of = stays if names & staying else goes
        of.append(f"{resource['type']}.{resource['name']}")
    return goes, stays


def destroy(stack: Stack) -> None:
    """Destroy what goes with an undeclared stack, and forget what stays.

    A key whose policy it took over gets that back.
    """
    _, stays = contents(stack)
    with tempfile.TemporaryDirectory(prefix="s3-destroy-") as folder:
        kind, arguments = stack.backend
        here = {"local": {"path": str(stack.local_state)}}
        backend = here if kind == "local" else {kind: arguments}
        settings = stack.content["terraform"] | {"backend": backend}
        content = stack.content | {"terraform": settings}
        file = Path(folder) / stack.file.name
        file.write_text(json.dumps(content), encoding="utf-8")
        if PROVIDER_LOCK.exists():
            shutil.copy(PROVIDER_LOCK, folder)
        alone = Stack(stack.name, file, content, digest="")
        initialize(alone)
        give_back(alone, state.content(stack) or {})
        if stays:
            terraform(alone, "state", "rm", *stays)
        print(terraform(alone, "apply", "-destroy", "-auto-approve"), end="")
