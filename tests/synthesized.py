"""The policies of a stack that was synthesized and not deployed, as if Terraform showed them."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from cdktf import App

from stacks.checking import ConfigurationError
from stacks.link import LinkStack
from stacks.links_file import Link, read_links
from stacks.replication import ReplicationStack
from stacks.validation import problems

from .evaluator import Documents
from .links import accounts

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z0-9_]+)\.([A-Za-z0-9_-]+)\.([a-z_]+)\}")
_KEY_ID = "11111111-2222-3333-4444-555555555555"


class Synthesized:
    """A stack's blocks with AWS's answers in place of references.

    A role or an instance profile that exists has a path, and a profile's role a name of its own.
    """

    def __init__(self, stack: dict[str, Any]) -> None:
        self._stack = stack
        self._providers = {
            f"aws.{provider['alias']}": (
                provider["region"],
                provider["allowed_account_ids"][0],
                "aws-us-gov" if provider["region"].startswith("us-gov-") else "aws",
            )
            for provider in stack["provider"]["aws"]
        }

    @property
    def documents(self) -> Documents:
        """The policies, for the evaluator."""
        resources = [
            {"type": type_, "values": self._resolved(block) | self._answers(type_, block)}
            for type_, blocks in self._stack["resource"].items()
            for block in blocks.values()
        ]
        for type_ in ("aws_iam_role", "aws_iam_instance_profile"):
            for block in self._stack["data"].get(type_, {}).values():
                answers = self._answers(f"data.{type_}", block)
                role = {"arn": answers.get("role_arn") or answers["arn"]}
                role["name"] = role["arn"].rpartition("/")[2]
                resources.append({"type": "aws_iam_role", "values": role})
        return Documents({"values": {"root_module": {"resources": resources}}})

    def _answers(self, type_: str, block: dict[str, Any]) -> dict[str, str]:
        """Return the attributes of a block that AWS or the provider answers."""
        region, account, partition = self._providers[block["provider"]]
        iam = f"arn:{partition}:iam::{account}"
        name = self._resolved(block.get("name"))
        if type_ == "data.aws_iam_policy_document":
            return {"json": json.dumps({"Statement": [*map(self._statement, block["statement"])]})}
        if type_ == "data.aws_iam_instance_profile":
            role = f"{name}-role"
            return {"role_name": role, "role_arn": f"{iam}:role/profiles/{role}"}
        if type_ == "aws_s3_bucket":
            bucket = block.get("bucket") or f"{block['bucket_prefix']}1"
            return {"bucket": bucket, "id": bucket, "arn": f"arn:{partition}:s3:::{bucket}"}
        return {
            "aws_iam_role": {"arn": f"{iam}:role/{name}"},
            "data.aws_iam_role": {"arn": f"{iam}:role/service-role/{name}"},
            "aws_iam_policy": {"arn": f"{iam}:policy/{name}"},
            "aws_kms_key": {
                "arn": f"arn:{partition}:kms:{region}:{account}:key/{_KEY_ID}",
                "key_id": _KEY_ID + account,
            },
            "data.aws_caller_identity": {"account_id": account},
        }.get(type_, {})

    def _statement(self, block: dict[str, Any]) -> dict[str, Any]:
        block = self._resolved(block)
        rendered = {"Sid": block.get("sid", ""), "Effect": block.get("effect", "Allow")}
        rendered["Action"] = block["actions"]
        if "resources" in block:
            rendered["Resource"] = block["resources"]
        if "principals" in block:
            principals = {p["type"]: p["identifiers"] for p in block["principals"]}
            rendered["Principal"] = "*" if "*" in principals else principals
        conditions: dict[str, dict[str, list[str]]] = {}
        for condition in block.get("condition", []):
            conditions.setdefault(condition["test"], {})[condition["variable"]] = condition[
                "values"
            ]
        return rendered | ({"Condition": conditions} if conditions else {})

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, str):
            return _REFERENCE.sub(self._answer, value)
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        return value

    def _answer(self, reference: re.Match[str]) -> str:
        kind, name, attribute = reference.groups()
        section = "data" if kind.startswith("data.") else "resource"
        block = self._stack[section][kind.removeprefix("data.")][name]
        answers = self._answers(kind, block)
        return str(answers[attribute] if attribute in answers else self._resolved(block[attribute]))


def synthesized(link: dict[str, Any], **settings: dict[str, Any]) -> dict[str, Any]:
    """Synthesize one link as ``main.py`` does, or raise :class:`ConfigurationError`.

    ``settings`` are further ones of the emulated accounts.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "links.json"
        file.write_text(json.dumps({"accounts": accounts(**settings), "links": {"link": link}}))
        read = read_links(file)
        declared, app = read.links["link"], App(outdir=folder)
        stack = (
            LinkStack(app, "link", link=declared, accounts=read.accounts, state=read.state)
            if isinstance(declared, Link)
            else ReplicationStack(
                app, "link", link=declared, accounts=read.accounts, state=read.state
            )
        )
        if found := problems([stack]):
            raise ConfigurationError(found)
        app.synth()
        text = (Path(folder) / "stacks" / "link" / "cdk.tf.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content
