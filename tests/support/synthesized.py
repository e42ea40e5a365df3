"""The policies of a synthesized stack as AWS would have them, without Terraform.

Reads blocks, references and statements by itself: what the library writes is judged on this, and
the product's own reader is compared with it.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdktf import App

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.read_links import read_links
from s3_links.stacks.declared import declared_stack
from s3_links.stacks.validation import problems
from s3_links.synthesized.blocks import foreign_accounts
from tests.support.links import accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_links.declarations.links import Links

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z0-9_]+)\.([A-Za-z0-9_-]+)\.([a-z_]+)\}")
_LOOKED_UP = {
    "data.aws_iam_role": "arn",
    "data.aws_iam_instance_profile": "role_arn",
    "data.aws_iam_user": "arn",
}
_ATTACHMENTS = {"role": "aws_iam_role_policy_attachment", "user": "aws_iam_user_policy_attachment"}
_TARGETS = {
    "sqs_queue": ("queue_url", "sqs"),
    "sns_topic": ("arn", "sns"),
    "cloudwatch_event_bus": ("event_bus_name", "events"),
}
_TO_WRITE = "trust_policy_to_write_"
_TO_HAND_OVER = (
    *("identity_policy_to_attach_", "bucket_policy_to_merge_", "key_policy_to_merge_"),
    _TO_WRITE,
)
COMPLETION = "20261124000000000000000001"  # what Terraform puts behind a prefix


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy document, and the name of the block that it is made in."""

    name: str
    document: dict[str, Any]


class Synthesized:
    """Names completed, ARNs in the place of references, and who has which policy.

    ``roles`` are the ARNs by the role's or the user's name, which may be there in each account.
    ``identity`` and ``trusts`` are by these ARNs, ``on_buckets`` by the bucket's, ``on_keys`` by
    the key's, ``on_targets`` by that of what is told of events; ``points`` has all access points.
    ``given_elsewhere`` are the policies that others give, by the output that says so;
    of them ``handed_over`` are those of what is in foreign accounts, by the ARNs of these, and
    ``attached_there`` those of its roles and users.

    A role that is looked up has a path, and that of an instance profile a name of its own.
    """

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self.stack = stack
        self.accounts: dict[str, str] = {}
        self._regions: dict[str, str] = {}
        for provider in stack["provider"]["aws"]:
            (self.accounts[provider["alias"]],) = provider["allowed_account_ids"]
            self._regions[provider["alias"]] = provider["region"]
        self.accounts |= foreign_accounts(stack)
        self.policies = {
            name: Policy(name, self._document(block["statement"]))
            for name, block in self.blocks("data.aws_iam_policy_document").items()
        }
        self.roles: dict[str, list[str]] = defaultdict(list)
        self.trusts: dict[str, Policy] = {}
        self.identity: dict[str, list[Policy]] = {}
        for name, block in self.blocks("aws_iam_role").items():
            arn = self._attribute("aws_iam_role", name, "arn")
            self.roles[block["name"]].append(arn)
            self.trusts[arn] = self._referred(block["assume_role_policy"])
            self.identity[arn] = []
        for type_, attribute in _LOOKED_UP.items():
            for name in self.blocks(type_):
                arn = self._attribute(type_, name, attribute)
                self.roles[arn.rpartition("/")[2]].append(arn)
                self.identity[arn] = []
        for output in self.stack.get("output", {}).values():
            arn = str(output["value"])  # of what is declared by it
            if re.match("arn:[a-z-]+:iam:", arn) and arn not in self.identity:
                self.roles[arn.rpartition("/")[2]].append(arn)
                self.identity[arn] = []
        for kind, attachment in _ATTACHMENTS.items():
            for block in self.blocks(attachment).values():
                type_, name, _ = self._reference(block["policy_arn"])
                if type_ == "aws_iam_policy":  # AWS's own are not made here
                    policy = self._referred(self.blocks(type_)[name]["policy"])
                    of = f":{self._account(block['provider'])}:{kind}/"
                    (arn,) = (arn for arn in self.roles[self.text(block[kind])] if of in arn)
                    self.identity[arn].append(policy)
        self.given_elsewhere = dict(self._given_elsewhere())
        self.handed_over: dict[str, Policy] = {}
        self.attached_there: dict[str, list[Policy]] = defaultdict(list)
        if foreign_accounts(stack):
            self._hand_over()
        self.on_buckets = {
            f"arn:aws:s3:::{self.text(block['bucket'])}": self._referred(block["policy"])
            for block in self.blocks("aws_s3_bucket_policy").values()
        }
        self.points = {
            self._point(block): self._referred(block["policy"]) if block["policy"] != "{}" else None
            for block in self.blocks("aws_s3_access_point").values()
        }
        self.on_targets = {
            self._target(type_, block): self._referred(block["policy"])
            for type_ in _TARGETS
            for block in self.blocks(f"aws_{type_}_policy").values()
        }
        self.on_keys = {
            self._key(block): self._referred(block["policy"])
            for block in self.blocks("aws_kms_key_policy").values()
        }

    def _point(self, block: Mapping[str, Any]) -> str:
        """Return the ARN of an access point."""
        region = self._regions[block["provider"].partition(".")[2]]
        return f"arn:aws:s3:{region}:{self._account(block['provider'])}:accesspoint/{block['name']}"

    def _target(self, type_: str, block: Mapping[str, Any]) -> str:
        """Return the ARN of the queue, the topic or the event bus that a policy is of."""
        argument, service = _TARGETS[type_]
        name = re.split("[/:]", self.text(block[argument]))[-1]
        region = self._regions[block["provider"].partition(".")[2]]
        beginning = "event-bus/" if service == "events" else ""
        return f"arn:aws:{service}:{region}:{self._account(block['provider'])}:{beginning}{name}"

    def _given_elsewhere(self) -> Iterator[tuple[str, list[Policy]]]:
        for name, output in self.stack.get("output", {}).items():
            if name.startswith("identity_policy_to_attach_"):
                yield name, [self._handed_over(name, output["value"])]
            if name.startswith("policies_to_reference_"):
                yield (
                    name,
                    [
                        self._referred(block["policy"])
                        for block in self.blocks("aws_iam_policy").values()
                        if block["name"] in output["value"].split()
                    ],
                )

    def _hand_over(self) -> None:
        """Take what is handed over as written, each by whom or what it is for."""
        told = {name: str(one["value"]) for name, one in self.stack["output"].items()}
        assumed = {
            name.removeprefix(_TO_WRITE): told["assumed_role_arn"]
            for name in told
            if name.startswith(_TO_WRITE)
        }
        for name, text in told.items():
            label = next((name.removeprefix(p) for p in _TO_HAND_OVER if name.startswith(p)), "")
            if not label or _REFERENCE.fullmatch(text):  # what is ours is merged by ourselves
                continue
            policy = self.policies[name] = _with_lists(self._handed_over(name, text))
            if name.startswith("identity_policy"):
                whose = (told.get(f"{what}_arn_{label}") for what in ("role", "user"))
                arn = assumed.get(label) or next(filter(None, whose), None)
                if arn:
                    self.given_elsewhere.pop(name, None)
                    self.attached_there[arn].append(policy)
                    self.identity.setdefault(arn, [])
            elif name.startswith(_TO_WRITE):
                self.handed_over[assumed[label]] = policy
                self.roles[assumed[label].rpartition("/")[2]].append(assumed[label])
            elif name.startswith("bucket"):
                self.handed_over[f"arn:aws:s3:::{told[f'bucket_name_{label}']}"] = policy
            else:
                (arn,) = {on for s in policy.document["Statement"] for on in s["Resource"]}
                self.handed_over[arn] = policy

    def _handed_over(self, name: str, text: str) -> Policy:
        """Return a document of an output: a data source's, or for a foreign account its text."""
        if _REFERENCE.fullmatch(text):
            return self._referred(text)
        return Policy(name, json.loads(self.text(text)))

    def blocks(self, type_: str) -> dict[str, Any]:
        """Return the blocks of a type by their names; a data source's begins with ``data.``."""
        section = "data" if type_.startswith("data.") else "resource"
        found: dict[str, Any] = self.stack.get(section, {}).get(type_.removeprefix("data."), {})
        return found

    def bucket(self, declared: str) -> str:
        """Return the ARN of a bucket by its prefix, or by the name of one that exists."""
        for name, block in self.blocks("aws_s3_bucket").items():
            if declared == block.get("bucket_prefix"):
                return self._attribute("aws_s3_bucket", name, "arn")
        return f"arn:aws:s3:::{declared}"

    def text(self, text: str) -> str:
        """Return a text with every reference resolved, and with IAM's variables as IAM has them."""
        resolved = _REFERENCE.sub(lambda found: self._attribute(*found.groups()), text)
        return resolved.replace("&{", "${")

    def _attribute(self, type_: str, name: str, attribute: str) -> str:
        block = self.blocks(type_)[name]
        if attribute in ("name", "url"):
            return str(block["name"])
        account = self._account(block["provider"])
        if type_ == "data.aws_iam_user":
            return f"arn:aws:iam::{account}:user/{block['user_name']}"
        if type_ == "data.aws_iam_role":
            return f"arn:aws:iam::{account}:role/service-role/{block['name']}"
        if type_ == "data.aws_iam_instance_profile":
            role = f"{block['name']}-role"
            return role if attribute == "role_name" else f"arn:aws:iam::{account}:role/p/{role}"
        if type_ == "data.aws_caller_identity":
            return account
        if type_ == "aws_s3_bucket":
            bucket = block.get("bucket") or f"{block['bucket_prefix']}{COMPLETION}"
            return f"arn:aws:s3:::{bucket}" if attribute == "arn" else str(bucket)
        if type_ == "aws_kms_key":
            region = self._regions[block["provider"].partition(".")[2]]
            return f"arn:aws:kms:{region}:{account}:key/{name}" if attribute == "arn" else name
        if type_ == "aws_iam_openid_connect_provider":
            host = block["url"].removeprefix("https://")
            return f"arn:aws:iam::{account}:oidc-provider/{host}"
        assert attribute == "arn", (type_, name, attribute)
        kind = type_.removeprefix("data.").removeprefix("aws_iam_")
        return f"arn:aws:iam::{account}:{kind}{block.get('path') or '/'}{block['name']}"

    def _key(self, block: Mapping[str, Any]) -> str:
        """Return the ARN of the key that a policy is of: of one made here, or told by its id."""
        if _REFERENCE.fullmatch(block["key_id"]):
            return self._attribute(*self._reference(block["key_id"])[:2], "arn")
        region = self._regions[block["provider"].partition(".")[2]]
        return f"arn:aws:kms:{region}:{self._account(block['provider'])}:key/{block['key_id']}"

    def _account(self, provider: str) -> str:
        return self.accounts[provider.partition(".")[2]]

    def _reference(self, text: str) -> tuple[str, str, str]:
        found = _REFERENCE.fullmatch(text)
        assert found, text
        return found[1], found[2], found[3]

    def _referred(self, text: str) -> Policy:
        return self.policies[self._reference(text)[1]]

    def _document(self, statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [self._statement(s) for s in statements]}

    def _statement(self, block: Mapping[str, Any]) -> dict[str, Any]:
        def resolved(values: Iterable[str]) -> list[str]:
            return [self.text(value) for value in values]

        statement: dict[str, Any] = {
            "Effect": block.get("effect") or "Allow",
        }
        for element, name in (("Action", "actions"), ("NotAction", "not_actions")):
            if block.get(name):
                statement[element] = list(block[name])
        if block.get("sid"):
            statement["Sid"] = block["sid"]
        if block.get("resources"):
            statement["Resource"] = resolved(block["resources"])
        for principal in block.get("principals") or []:
            if principal["type"] == "*" or principal["identifiers"] == ["*"]:
                statement["Principal"] = "*"
            else:
                named = statement.setdefault("Principal", {})
                named.setdefault(principal["type"], []).extend(resolved(principal["identifiers"]))
        for condition in block.get("condition") or []:
            tests = statement.setdefault("Condition", {})
            keys = tests.setdefault(condition["test"], {})
            keys[condition["variable"]] = resolved(condition["values"])
        return statement


def _with_lists(policy: Policy) -> Policy:
    """Return a policy as those of data sources are read: with lists, were they of one."""
    document: dict[str, Any] = deepcopy(policy.document)
    for statement in document["Statement"]:
        for name in {"Action", "Resource"} & set(statement):
            if isinstance(statement[name], str):
                statement[name] = [statement[name]]
    return Policy(policy.name, document)


def synthesized(link: dict[str, Any], **settings: dict[str, Any]) -> dict[str, Any]:
    """Synthesize one link as ``main.py`` does, or raise :class:`ConfigurationError`.

    ``settings`` are further ones of the emulated accounts.
    """
    return declared_and_synthesized(link, **settings)[1]


def declared_and_synthesized(
    link: dict[str, Any], **settings: dict[str, Any]
) -> tuple[Links, dict[str, Any]]:
    """Synthesize one link, called ``link``; return it too as it was read."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "links.json"
        file.write_text(json.dumps({"accounts": accounts(**settings), "links": {"link": link}}))
        read = read_links(file)
        declared, app = read.links["link"], App(outdir=folder)
        stack = declared_stack(app, "link", link=declared, accounts=read.accounts, state=read.state)
        if found := problems([stack]):
            raise ConfigurationError(found)
        app.synth()
        text = (Path(folder) / "stacks" / "link" / "cdk.tf.json").read_text()
    return read, json.loads(text)
