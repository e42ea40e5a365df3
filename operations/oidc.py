"""Credentials for a pipeline's run, by the token with which its platform vouches for it."""

from __future__ import annotations

import base64
import configparser
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from s3_cross_account.policy import PIPELINE_AUDIENCE
from stacks.pipeline import STACK

from .credentials import session_keys
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stack import Stack


def write_credentials(stack: Stack, role: str) -> dict[str, str]:
    """Write a profile with the session of ``role`` (``plan`` or ``deploy``) for each account.

    ``stack`` is the one that creates the roles. Returns the roles' ARNs by the profiles' names. The
    sessions last one hour.
    """
    outputs = stack.content["output"]
    token = _token()
    sessions, problems, arns = {}, [], {}
    for provider in stack.providers:
        alias, profile = provider["alias"], provider["profile"]
        arns[profile] = outputs[f"{role}_role_arn_{alias}"]["value"]
        try:
            sessions[profile] = _session(token, arns[profile], provider["region"])
        except OperationError as error:
            problems.append(f"{alias}: {error}")
    if problems:
        raise OperationError("\n".join(problems))
    _write(sessions)
    return arns


def _token() -> str:
    """Return the token of this run: GitHub hands it out on request, GitLab in a variable."""
    url = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    if not url:
        token = os.environ.get("AWS_ID_TOKEN")
        if not token:
            raise OperationError(
                "this is no run with a token: give the job `permissions: id-token: write` (GitHub) "
                f"or `id_tokens: AWS_ID_TOKEN: aud: {PIPELINE_AUDIENCE}` (GitLab)"
            )
        return token
    request = urllib.request.Request(
        f"{url}&audience={PIPELINE_AUDIENCE}",
        headers={"Authorization": f"bearer {os.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return str(json.load(reply)["value"])
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        raise OperationError(f"the platform gave no token ({error}): run the job again") from None


def _session(token: str, arn: str, region: str) -> dict[str, str]:
    sts = boto3.client("sts", region_name=region, config=Config(signature_version=UNSIGNED))
    try:
        reply = sts.assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName="pipeline", WebIdentityToken=token
        )["Credentials"]
    except ClientError as error:
        subject = _subject(token)
        ids = ' ("owner_id" and "repository_id" stand behind @)' if "@" in subject else ""
        raise OperationError(
            f"{arn} does not trust this run, whose subject is {subject!r}: compare it with "
            f'"pipeline" in the configuration{ids}, and deploy the stack {STACK} again ({error})'
        ) from None
    except BotoCoreError as error:
        raise OperationError(f"{arn} cannot be assumed: {error}") from None
    return session_keys(reply)


def _subject(token: str) -> str:
    """Return the claim that AWS compares; only to be shown."""
    try:
        claims = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"])
    except (IndexError, ValueError, KeyError):
        return "not readable"


def _write(sessions: Mapping[str, Mapping[str, str]]) -> None:
    named = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    file = Path(named) if named else Path.home() / ".aws" / "credentials"
    content = configparser.RawConfigParser()
    content.read(file, encoding="utf-8")
    for profile, keys in sessions.items():
        content[profile] = dict(keys)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8") as stream:
        content.write(stream)
