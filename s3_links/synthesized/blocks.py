"""The blocks of one moment: of a synthesized stack, a plan's before or after, or a state.

What is not known yet is taken from the synthesized JSON; what that does not know either, such as
the name that a prefix is completed to, stands as itself: the same text wherever it is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from s3_cross_account.settings import FOREIGN_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

UNKNOWN = "(known after apply)"
UNNAMED = "?"
"""Stands for the account of a block whose provider is not known."""
_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z0-9_]+\.[A-Za-z0-9_-]+)\.([a-z0-9_]+)\}")
_VARIABLE = re.compile(r"\$\{var\.([A-Za-z0-9_-]+)\}")
_ESCAPED = re.compile(r"(?:[$&]{1,2}|%{1,2})\{")
_SAID = {"$${": "${", "%%{": "%{", "&{": "${", "&&{": "&${", "$&{": "$${"}
"""Terraform's spellings of what is none of its expressions, and its policy documents'."""
_ACCOUNT = re.compile(r"^arn:[\w-]+:iam::(\d{12}):")
_OWN_ACCOUNT = re.compile(r"^(?:arn:[\w-]+:[\w-]+:[^:]*:)?(\d{12})(?::|$)")
_TOLD = re.compile(r"arn:[\w-]+:iam::(\d{12}):(role|user)/(?:.*/)?([^/]+)")
_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
_NAMED = {
    "aws_iam_role": "role",
    "aws_iam_policy": "policy",
    "aws_iam_user": "user",
    "aws_iam_instance_profile": "instance-profile",
}
_OF_REGION = {
    "aws_sqs_queue": ("sqs", ""),
    "aws_sns_topic": ("sns", ""),
    "aws_cloudwatch_event_bus": ("events", "event-bus/"),
    "aws_cloudwatch_event_rule": ("events", "rule/"),
    "aws_s3_access_point": ("s3", "accesspoint/"),
}


class UnresolvedError(ValueError):
    """A text holds what nobody can say before it is applied."""


def aliases_of(source: Mapping[str, Any]) -> dict[str, str]:
    """Return the provider alias of each address that a synthesized stack declares."""
    return {
        f"{data}{type_}.{name}": block["provider"].partition(".")[2]
        for section, data in (("resource", ""), ("data", "data."))
        for type_, blocks in source.get(section, {}).items()
        for name, block in blocks.items()
        if "provider" in block
    }


def foreign_accounts(source: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids, by their aliases, of the accounts that a stack has no credentials for."""
    told = source.get("output", {}).get(FOREIGN_OUTPUT, {}).get("value", "")
    return dict(pair.split("=") for pair in str(told).split())


def declared_blocks(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a synthesized stack declares as a plan shows resources: by their addresses."""
    return [
        {"address": f"{data}{type_}.{name}", "mode": "data" if data else "managed"}
        for section, data in (("resource", ""), ("data", "data."))
        for type_, blocks in source.get(section, {}).items()
        for name in blocks
    ]


class Blocks:
    """Values by address; ``aliases`` has the provider alias of each address.

    ``completed`` stands for what Terraform puts behind a prefix.
    """

    def __init__(
        self,
        resources: Iterable[Mapping[str, Any]],
        aliases: Mapping[str, str],
        source: Mapping[str, Any],
        accounts: Mapping[str, str] | None = None,
        *,
        completed: str = "…",
    ) -> None:
        self._completed = completed
        self._values = {r["address"]: r.get("values") or {} for r in resources}
        self._types = {address: type_of(address) for address in self._values}
        self.aliases = aliases
        self.source = source
        self._regions: dict[str, str] = {}
        # An account whose id nobody knows has its alias in the id's place.
        self._accounts = dict(accounts or {})
        for provider in source.get("provider", {}).get("aws", []):
            alias = provider.get("alias", "")
            self._regions[alias] = str(provider.get("region") or "")
            ids = provider.get("allowed_account_ids")
            for id_ in ids if isinstance(ids, list) else ():
                self._accounts.setdefault(alias, str(id_))
        self._foreign = foreign_accounts(source)
        self._accounts |= self._foreign
        for address, values in self._values.items():
            found = _ACCOUNT.match(str(values.get("arn")))
            # An ARN that is an argument may be another account's.
            alias = aliases.get(_without_index(address))
            if found and alias is not None and "arn" not in self.declared(address):
                self._accounts.setdefault(alias, found[1])

        outputs = (str(output.get("value")) for output in source.get("output", {}).values())
        self.told_arns = [text for text in outputs if _TOLD.fullmatch(text)]
        """The ARNs that outputs tell by themselves: of what is declared by its ARN."""
        for address in self.of("aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment"):
            alias = aliases.get(_without_index(address))
            (named, *more) = self._named(type_of(address).split("_")[2], address) or ("",)
            if named and not more and alias is not None:
                self._accounts.setdefault(alias, named.split(":")[4])

    @property
    def accounts(self) -> dict[str, str]:
        """The id of each account by its alias, as far as they are known."""
        return self._accounts

    @property
    def declared_accounts(self) -> set[str]:
        """The ids of all accounts that are declared, or what stands for them."""
        return {self._accounts.get(alias, alias) for alias in (*self._regions, *self._foreign)}

    def of(self, *types: str) -> list[str]:
        """Return the addresses of blocks of these types; a data source's begins with ``data.``."""
        return [address for address, type_ in self._types.items() if type_ in types]

    def managed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the blocks that are no data sources, as they are synthesized."""
        for address in self._values:
            if not address.startswith("data."):
                yield address, self.declared(address)

    def account(self, address: str) -> str:
        """Return the id of the account that a block is in, or its alias."""
        alias = self.aliases.get(_without_index(address))
        if alias is None:
            return self._told_account(address)
        return self._accounts.get(alias, alias)

    def place(self, address: str) -> str:
        """Return the alias of the account that a block is in, or its id where it has none."""
        alias = self.aliases.get(_without_index(address))
        account = self.account(address)
        return alias or next((a for a, id_ in self._accounts.items() if id_ == account), account)

    def _told_account(self, address: str) -> str:
        """Return the account that the values themselves tell: of what the state alone has."""
        values = self._values.get(address, {})
        told = (_OWN_ACCOUNT.match(str(values.get(n))) for n in ("arn", "policy_arn", "account_id"))
        return next((found[1] for found in told if found), UNNAMED)

    def partition(self, address: str) -> str:
        """Return the partition that a block is in."""
        region = self.region(address)
        return next((p for sign, p in _PARTITIONS.items() if region.startswith(f"{sign}-")), "aws")

    def arn(self, address: str, service: str, name: str) -> str:
        """Return the ARN of what has this name in the account and the region of a block."""
        start = f"arn:{self.partition(address)}:{service}:{self.region(address)}"
        return f"{start}:{self.account(address)}:{name}"

    def region(self, address: str) -> str:
        """Return the region that a block's provider is declared in."""
        return self._regions.get(self.aliases.get(_without_index(address), ""), "")

    def known(self, address: str, name: str) -> Any:
        """Return what is known of an argument, or what was declared of it, with its references."""
        value = self._values.get(address, {}).get(name)
        if value is not None:
            return value
        declared = self.declared(address).get(name)
        if isinstance(declared, str):
            return _VARIABLE.sub(lambda found: self._variable(found[1]), declared)
        return declared

    def is_known(self, address: str, name: str) -> bool:
        """Whether the value itself is known, and not its declaration alone."""
        return self._values.get(address, {}).get(name) is not None

    def declared(self, address: str) -> dict[str, Any]:
        """Return the synthesized block."""
        section = "data" if address.startswith("data.") else "resource"
        type_, _, name = _without_index(address).removeprefix("data.").partition(".")
        block: dict[str, Any] = self.source.get(section, {}).get(type_, {}).get(name, {})
        return block

    def output(self, name: str) -> Any:
        """Return what a synthesized output holds, with its references."""
        return self.source.get("output", {}).get(name, {}).get("value")

    def attribute(self, address: str, name: str) -> str:
        """Return an attribute, or the text that stands for it until it is known."""
        value = self._values.get(address, {}).get(name)
        if value is not None:
            return str(value)
        declared = self.declared(address).get(name)
        if isinstance(declared, str):
            declared = _VARIABLE.sub(lambda found: self._variable(found[1]), declared)
            return _REFERENCE.sub(lambda found: self.attribute(found[1], found[2]), declared)
        return self._stand_in(address, name)

    def text(self, text: str, *, whole: bool = False) -> str:
        """Return a text with its references resolved, as IAM is given it.

        Raises :class:`UnresolvedError` where an expression remains, and with ``whole`` where a
        stand-in would: a pattern that nobody knows may match anything.
        """
        return "".join(self._pieces(text, whole))

    def _pieces(self, text: str, whole: bool) -> Iterator[str]:
        end = 0
        while found := _ESCAPED.search(text, end):
            yield text[end : found.start()]
            end = found.end()
            if (said := _SAID.get(found[0])) is not None:
                yield said
            elif found[0] == "%{":  # a directive, such as a condition
                raise UnresolvedError(f"{text} is {UNKNOWN}")
            else:
                variable = _VARIABLE.match(text, found.start())
                if variable is not None:
                    yield self._variable(variable[1])
                    end = variable.end()
                    continue
                reference = _REFERENCE.match(text, found.start() + found[0].index("${"))
                if reference is None:
                    raise UnresolvedError(f"{text} is {UNKNOWN}")
                value = self.attribute(reference[1], reference[2])
                if whole and UNKNOWN in value:
                    raise UnresolvedError(f"{text} is {UNKNOWN}")
                yield value
                end = reference.end()
        yield text[end:]

    def _variable(self, name: str) -> str:
        """Return a variable's default, or a text that stands for it."""
        default = self.source.get("variable", {}).get(name, {}).get("default")
        return f"var.{name}" if default is None else str(default)

    def reference(self, text: object) -> str | None:
        """Return the address that a text consists of a reference to."""
        found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
        return found[1] if found else None

    def told(self, kind: str, address: str) -> str | None:
        """Return the ARN of the role or user that a block names, where an output tells it.

        What is declared by its ARN is looked up nowhere.
        """
        of = f":{self.account(address)}:"
        return next((arn for arn in self._named(kind, address) if of in arn), None)

    def _named(self, kind: str, address: str) -> list[str]:
        name = str(self.known(address, kind))
        found = (_TOLD.fullmatch(arn) for arn in self.told_arns)
        return [one[0] for one in found if one and (one[2], one[3]) == (kind, name)]

    def _stand_in(self, address: str, name: str) -> str:
        type_ = type_of(address).removeprefix("data.")
        account, partition = self.account(address), self.partition(address)
        if type_ == "aws_s3_bucket":
            bucket = self._bucket(address)
            return f"arn:{partition}:s3:::{bucket}" if name == "arn" else bucket
        if type_ in _NAMED and name in ("arn", "id", "name"):
            if type_ == "aws_iam_policy" and name == "id":
                name = "arn"
            data_user = type_of(address) == "data.aws_iam_user"
            named = self._name(address, "user_name" if data_user else "name")
            path = self.known(address, "path") or "/"
            arn = f"arn:{partition}:iam::{account}:{_NAMED[type_]}{path}{named}"
            return arn if name == "arn" else named
        if type_ == "aws_iam_instance_profile" and name in ("role_arn", "role_name"):
            role = f"role-of-{self.known(address, 'name')}"
            return f"arn:{partition}:iam::{account}:role/{role}" if name == "role_arn" else role
        if type_ == "aws_kms_alias" and name in ("target_key_arn", "target_key_id"):
            key = self.reference(self.declared(address).get("target_key_id"))
            attribute = "arn" if name == "target_key_arn" else "key_id"
            return self.attribute(key, attribute) if key else f"{address}.{name} {UNKNOWN}"
        if type_ in ("aws_kms_key", "aws_kms_alias") and name in ("arn", "key_id", "id"):
            key = f"key/{address.rpartition('.')[2]}"
            if type_ == "aws_kms_alias":  # its ARN in a policy is not its key's
                key = str(self.known(address, "name") or f"alias/{address.rpartition('.')[2]}")
            region = self.region(address)
            whole = f"arn:{partition}:kms:{region}:{account}:{key}"
            return whole if name == "arn" else key.removeprefix("key/")
        if type_ == "aws_iam_openid_connect_provider" and name == "arn":
            host = str(self.known(address, "url")).removeprefix("https://")
            return f"arn:{partition}:iam::{account}:oidc-provider/{host}"
        if type_ in _OF_REGION and name in ("arn", "id", "url", "name"):
            return self._of_region(address, type_, name)
        if type_ == "aws_caller_identity" and name in ("account_id", "id"):
            return account
        return f"{address}.{name} {UNKNOWN}"

    def _of_region(self, address: str, type_: str, name: str) -> str:
        """Return what stands for an attribute of what has a region in its ARN."""
        service, beginning = _OF_REGION[type_]
        known = self._name(address, "name")
        if type_ == "aws_sqs_queue" and name in ("id", "url"):
            start = f"https://sqs.{self.region(address)}.amazonaws.com"
            return f"{start}/{self.account(address)}/{known}"
        if name == "name" or (name == "id" and service == "events"):
            return known
        return self.arn(address, service, f"{beginning}{known}")

    def _bucket(self, address: str) -> str:
        """Return a bucket's name: two that one prefix begins are told apart by their accounts."""
        name, own = self._name(address, "bucket"), self.declared(address).get("bucket")
        alike = [
            other
            for other in self.of("aws_s3_bucket")
            if other != address and own is None and self._name(other, "bucket") == name
        ]
        return name + self.aliases.get(address, "") if alike else name

    def _name(self, address: str, argument: str) -> str:
        """Return a name as far as it is declared: one that a prefix begins is completed."""
        for name, completed in ((argument, ""), (f"{argument}_prefix", self._completed)):
            known = self.known(address, name)
            if known and isinstance(known, str):
                return self.attribute(address, name) + completed
        return self._completed


def _without_index(address: str) -> str:
    """Return the address by which all of several blocks are declared."""
    return address.partition("[")[0]


def nested(value: Any) -> list[dict[str, Any]]:
    """Return the blocks in a block: one alone may be synthesized without its list."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def first(value: Any) -> dict[str, Any]:
    """Return the first of the blocks in a block, or an empty one."""
    return next(iter(nested(value)), {})


def type_of(address: str) -> str:
    """Return the type of a block; a data source's begins with ``data.``."""
    data = "data." if address.startswith("data.") else ""
    return data + address.removeprefix("data.").partition(".")[0]
