"""Credentials for a pipeline's run, by the token with which its platform vouches for it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from s3_cross_account.policy import PIPELINE_AUDIENCE
from s3_links.declarations.pipeline import STACK

from .credentials import session_keys
from .credentials_file import CredentialsFile
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stack import Stack

_TOKEN = re.compile(r"[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+){2}")


def write_credentials(stack: Stack, role: str) -> dict[str, str]:
    """Write a profile with the session of ``role`` (``plan`` or ``deploy``) for each account.

    ``stack`` is the one that creates the roles. Returns the roles' ARNs by the profiles' names. The
    sessions last one hour. No message holds anything of a token but its subject.
    """
    file = CredentialsFile()
    token = _token()
    sessions, problems, arns = {}, [], {}
    for provider in stack.providers:
        alias = provider["alias"]
        try:
            profile, arn = _target(stack, provider, role)
            arns[profile] = arn
            sessions[profile] = _session(token, arn, provider["region"])
        except OperationError as error:
            problems.append(f"{alias}: {error}")
    if problems:
        raise OperationError("\n".join(problems))
    file.put(sessions)
    return arns


def _target(stack: Stack, provider: dict[str, Any], role: str) -> tuple[str, str]:
    """Return the profile to write for an account, and the role whose session it gets."""
    try:
        arn = stack.content["output"][f"{role}_role_arn_{provider['alias']}"]["value"]
        return provider["profile"], arn
    except KeyError as missing:
        raise OperationError(
            f"the stack {STACK} has no {missing} for it: run `make synth`, with a profile for the "
            "account in the configuration"
        ) from None


def _token() -> str:
    """Return the token of this run: GitHub hands it out on request, GitLab in a variable."""
    if url := os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        token, source = _requested(url), "what the platform gave"
    else:
        token, source = os.environ.get("AWS_ID_TOKEN"), "AWS_ID_TOKEN"
    if not token:
        raise OperationError(
            "this is no run with a token: give the job `permissions: id-token: write` (GitHub) "
            f"or `id_tokens: AWS_ID_TOKEN: aud: {PIPELINE_AUDIENCE}` (GitLab)"
        )
    if not _TOKEN.fullmatch(token):
        raise OperationError(f"{source} is no token, three parts with dots between: correct it")
    return token


def _requested(url: str) -> str | None:
    secret = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not secret:
        return None
    try:
        request = urllib.request.Request(
            f"{url}&audience={PIPELINE_AUDIENCE}", headers={"Authorization": f"bearer {secret}"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return str(json.load(reply)["value"])
    except urllib.error.URLError as error:  # also what the status says
        reason = str(error.reason)
    except (OSError, http.client.HTTPException) as error:
        reason = type(error).__name__
    except (ValueError, KeyError, TypeError):  # whose messages may hold what was sent or received
        reason = 'the request or the reply is malformed, no {"value": …}'
    raise OperationError(f"the platform gave no token ({reason}): run the job again")


def _session(token: str, arn: str, region: str) -> dict[str, str]:
    try:
        sts = boto3.client("sts", region_name=region, config=Config(signature_version=UNSIGNED))
        reply = sts.assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName=_session_name(os.environ), WebIdentityToken=token
        )["Credentials"]
    except ClientError as error:
        subject = _subject(token)
        ids = ' ("owner_id" and "repository_id" stand behind @)' if "@" in subject else ""
        raise OperationError(
            f"{arn} does not trust this run, whose subject is {subject}: compare it with "
            f'"pipeline" in the configuration{ids}, and deploy the stack {STACK} again '
            f"({_without(token, str(error))})"
        ) from None
    except BotoCoreError as error:
        raise OperationError(f"{arn} cannot be assumed: {_without(token, str(error))}") from None
    return session_keys(reply)


def _session_name(environment: Mapping[str, str]) -> str:
    """Return by what CloudTrail and every denial tell one run's session from another's.

    Follows "AssumeRoleWithWebIdentity" in the AWS STS API Reference: 2 to 64 of some characters.
    """
    run = environment.get("GITHUB_RUN_ID") or environment.get("CI_PIPELINE_ID")
    job = environment.get("GITHUB_JOB") or environment.get("CI_JOB_NAME")
    name = "-".join(part for part in ("pipeline", run, job) if part)
    return re.sub(r"[^A-Za-z0-9_+=,.@-]+", "-", name)[:64]


def _without(token: str, message: str) -> str:
    for part in (token, *token.split(".")):
        message = message.replace(part, "…")
    return message


def _subject(token: str) -> str:
    """Return the claim that AWS compares, and no other; only to be shown."""
    claims = token.split(".")[1]
    try:
        subject = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    except (ValueError, KeyError, TypeError, RecursionError):
        subject = None
    return repr(subject) if isinstance(subject, str) else "not readable"
