"""Writes what a folder of links begins with: the links file and what goes beside it."""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3_cross_account.spelling import near_match
from s3_cross_account.trusted_services import KNOWN
from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.files import FILES, SUFFIXES, VARIABLE, place_of_links, present, write
from s3_links.declarations.links import schema
from s3_links.declarations.read_links import read_links

from .stack import OperationError
from .synthesis import APP, CDKTF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = Path("links.schema.json")
_WORKFLOWS = Path(__file__).with_name("workflows")
_PIPELINES = {"github": Path(".github/workflows/s3-links.yml"), "gitlab": Path(".gitlab-ci.yml")}
_ACCOUNT = re.compile(r"(?P<alias>[^=]+)=(?P<id>\d{12}):(?P<region>[^:]+)(?::(?P<profile>.+))?")
_SERVICE = ".amazonaws.com"
_IGNORED = "cdktf.out/\ncdktf.log\nplans/\n.plans*\n*.tfstate\n*.tfstate.*\n"


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of which repository is to plan and deploy, and where the state is kept."""

    platform: str
    repository: str
    state_bucket: str


def account(text: str) -> tuple[str, dict[str, str]]:
    """Return an account's alias and settings from ``ALIAS=ID:REGION[:PROFILE]``."""
    found = _ACCOUNT.fullmatch(text)
    if found is None:
        raise OperationError(
            f"--account {text}: write ALIAS=ID:REGION or ALIAS=ID:REGION:PROFILE, such as "
            "home=111111111111:eu-west-1"
        )
    alias = found["alias"]
    profile = found["profile"] or alias
    return alias, {"region": found["region"], "profile": profile, "account_id": found["id"]}


def consumer(new_role: str, existing_role: str = "", service: str = "") -> dict[str, str]:
    """Return who gets access: a new role, and the service that works as it, or one that exists.

    A service is named as its principal, or by what that begins with.
    """
    if existing_role:
        if new_role or service:
            given = "--role" if new_role else "--service"
            raise OperationError(f"{given} is not for a role that exists: leave one of them out")
        return {"existing_role": existing_role}
    if not service:
        return {"new_role": new_role}
    whole = service if service.endswith(_SERVICE) else f"{service}{_SERVICE}"
    if whole not in KNOWN:
        near = near_match(whole, KNOWN)
        meant = f"did you mean {near.removesuffix(_SERVICE)}? " if near else ""
        known = ", ".join(name.removesuffix(_SERVICE) for name in sorted(KNOWN))
        raise OperationError(f"--service {service}: is not known: {meant}known are {known}")
    return {"new_role": new_role, "trusted_service": whole}


def declaration(
    accounts: Sequence[str],
    *,
    link: str,
    consumer: Mapping[str, str],
    bucket: Mapping[str, str],
    level: str,
    pipeline: Pipeline | None,
) -> dict[str, Any]:
    """Return a links file: a role of the first account reaches a bucket of the second."""
    if len(accounts) != 2:
        raise OperationError("give two accounts: the role's, then the bucket's")
    (home, _), (away, _) = parsed = [account(text) for text in accounts]
    content: dict[str, Any] = {"$schema": f"./{SCHEMA}", "accounts": dict(parsed)}
    if pipeline is not None:
        content["state"] = {
            "backend": "s3",
            "account": home,
            "bucket": pipeline.state_bucket,
            "create_bucket": True,
        }
        content["pipeline"] = {"platform": pipeline.platform, "repository": pipeline.repository}
    content["links"] = {
        link: {
            "pattern": "direct-access",
            "consumers": [{"account": home, **consumer}],
            "buckets": [{"account": away, **bucket}],
            "access": {"level": level},
            "hardening": True,
        }
    }
    return content


def begin(content: Mapping[str, Any]) -> list[Path]:
    """Write the links file and what goes beside it, all or nothing; return the files.

    Raises :class:`OperationError` where one of them or other links exist, and
    :class:`ConfigurationError` where the links are not right.
    """
    named = os.environ.get(VARIABLE)
    links = Path(named or FILES[0])
    found = None if named and not present(links) else place_of_links()
    if found is None and links.suffix not in SUFFIXES:
        raise OperationError(f"{links}: name a file that ends in one of {', '.join(SUFFIXES)}")
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    settings = {
        "language": "python",
        "app": APP,
        "projectId": "s3-links",
        "sendCrashReports": "false",
        "terraformProviders": [],
        "terraformModules": [],
    }
    files = {
        links: text,
        links.with_name(SCHEMA.name): schema(),
        CDKTF: json.dumps(settings, indent=2) + "\n",
        Path(".gitignore"): _IGNORED,
    }
    if pipeline := content.get("pipeline"):
        platform = pipeline["platform"]
        workflow = (_WORKFLOWS / f"{platform}.yml").read_text(encoding="utf-8")
        files[_PIPELINES[platform]] = workflow.replace("@VERSION@", version("s3-links"))
    there = [*([found] if found else []), *filter(present, files)]
    if existing := list(dict.fromkeys(map(str, there))):
        raise OperationError(
            f"{', '.join(existing)}: there already: nothing was written; move them away, or run "
            "this in an empty folder"
        )
    _checked(text, str(links))
    try:
        for file, content_ in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, content_.encode())
    except BaseException:
        for file in files:  # none of them was there before
            with suppress(OSError):
                file.unlink()
        raise
    return list(files)


def _checked(text: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "links.json")
        write(file, text.encode())
        try:
            read_links(file)
        except ConfigurationError as error:
            told = [problem.replace(str(file), name) for problem in error.problems]
            raise ConfigurationError(told) from None
