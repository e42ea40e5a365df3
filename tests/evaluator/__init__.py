"""An independent IAM evaluator, fed with the policies that Terraform shows.

They are passed on as they are, read by nothing of ours: it judges our evaluator and our reader too.
But for one thing: it knows no condition keys of an OIDC provider whose address has a path, so that
the slashes of these are written as dots, in policies and requests alike.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER = Path(__file__).parent
_KEY_WITH_PATH = re.compile(r'"([a-z0-9-]+\.[a-z0-9.-]+/[^":]+):(aud|sub)"')
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def decide(requests: Sequence[dict[str, Any]]) -> list[bool]:
    """Return whether each request is allowed."""
    text = _KEY_WITH_PATH.sub(
        lambda found: f'"{found[1].replace("/", ".")}:{found[2]}"', json.dumps(requests)
    )
    decisions: list[bool] = _node("evaluate.mjs", text)
    return decisions


def unknown_actions(actions: Sequence[str]) -> list[str]:
    """Return the actions that the Service Authorization Reference does not list."""
    unknown: list[str] = _node("known.mjs", json.dumps(actions))
    return unknown


def _node(script: str, text: str) -> Any:
    result = subprocess.run(
        ["node", script],
        cwd=_FOLDER,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class Documents:
    """The policies in a state or a plan, as ``terraform show -json`` gives them."""

    def __init__(self, shown: dict[str, Any]) -> None:
        resources = shown["values"]["root_module"]["resources"]
        self._by_type: dict[str, list[dict[str, Any]]] = {}
        for resource in resources:
            self._by_type.setdefault(resource["type"], []).append(resource["values"])
        policies = {p["arn"]: p["policy"] for p in self._by_type.get("aws_iam_policy", [])}
        self._roles = {role["arn"]: role for role in self._by_type.get("aws_iam_role", [])}
        self._attached = {
            arn: [
                json.loads(policies[attachment["policy_arn"]])
                for attachment in self._by_type.get("aws_iam_role_policy_attachment", [])
                if attachment["role"] == role["name"] and attachment["policy_arn"] in policies
            ]
            for arn, role in self._roles.items()
        }
        self._bucket_policies = {
            p["bucket"]: json.loads(p["policy"])
            for p in self._by_type.get("aws_s3_bucket_policy", [])
        }

    def on_bucket(
        self, principal: str, action: str, bucket: str, owner: str, key: str | None, **context: Any
    ) -> dict[str, Any]:
        """Return the request of a role or an account's root on a bucket or an object in it."""
        arn = f"arn:aws:s3:::{bucket}" + ("" if key is None else f"/{key}")
        return self._request(principal, action, arn, owner, context) | {
            "resourcePolicy": self._bucket_policies.get(bucket)
        }

    def on_key(
        self, principal: str, action: str, *, account: str, **context: str
    ) -> dict[str, Any]:
        """Return the request of a role on the one key that there is in an account."""
        (key,) = (k for k in self._by_type["aws_kms_key"] if f":{account}:" in k["arn"])
        policies = self._by_type["aws_kms_key_policy"]
        (policy,) = (p for p in policies if p["key_id"] == key["key_id"])
        return self._request(principal, action, key["arn"], account, dict(context)) | {
            "resourcePolicy": json.loads(policy["policy"])
        }

    def assume(self, principal: str, role_arn: str) -> dict[str, Any]:
        """Return the request to assume a role."""
        account = role_arn.split(":")[4]
        return self._request(principal, "sts:AssumeRole", role_arn, account, {}) | {
            "resourcePolicy": json.loads(self._roles[role_arn]["assume_role_policy"])
        }

    def passes(self, principal: str, role: str, service: str) -> dict[str, Any]:
        """Return the request to hand a role of the principal's account to a service."""
        account = principal.split(":")[4]
        arn = f"arn:aws:iam::{account}:role/{role}"
        context = {"iam:PassedToService": service}
        return self._request(principal, "iam:PassRole", arn, account, context)

    def asks(self, principal: str, action: str, resource: str, **context: str) -> dict[str, Any]:
        """Return the request of a role on something of its account that leaves it to IAM."""
        account = principal.split(":")[4]
        root = {"AWS": f"arn:aws:iam::{account}:root"}
        leaves = {"Effect": "Allow", "Principal": root, "Action": "*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [leaves]}
        with_policy = {"resourcePolicy": policy} if resource.startswith("arn:aws:kms:") else {}
        return self._request(principal, action, resource, account, dict(context)) | with_policy

    def _request(
        self, principal: str, action: str, resource: str, account: str, context: dict[str, Any]
    ) -> dict[str, Any]:
        principal_account = principal.split(":")[4]
        is_role = ":role/" in principal
        name = principal.rpartition("/")[2]
        session = f"arn:aws:sts::{principal_account}:assumed-role/{name}/session"
        return {
            "principal": session if is_role else principal,
            "action": action,
            "resource": resource,
            "account": account,
            "identity": self._attached[principal] if is_role else [EVERYTHING],
            "context": {
                # Through a VPC endpoint a request has no public address.
                **({} if "aws:SourceVpce" in context else {"aws:SourceIp": "203.0.113.1"}),
                "aws:SecureTransport": "true",
                "aws:PrincipalArn": principal,
                "aws:PrincipalAccount": principal_account,
                "aws:ResourceAccount": account,
                **context,
            },
        }
