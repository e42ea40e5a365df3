"""What the owners of foreign accounts have to write, as files to hand over: JSON and Terraform."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from s3_cross_account.settings import partition
from s3_links.declarations import read_links
from s3_links.declarations.files import write
from s3_links.declarations.handed_over import (
    BUCKET,
    IDENTITY,
    KEY,
    TRUST,
    of_target,
    of_target_key,
)
from s3_links.declarations.link import Link
from s3_links.declarations.named import label
from s3_links.declarations.replication import ReplicationLink
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks, foreign_accounts

from .stack import OperationError
from .state import outputs
from .terraform import initialize
from .terraform_handover import as_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from s3_links.declarations.links import AnyLink

    from .stack import Stack

Kind = Literal["identity", "bucket", "key", "trust", "queue", "topic", "bus"]
_TARGETS: tuple[Kind, ...] = ("queue", "topic", "bus")
_REFERENCE = re.compile(r"\$\{((?:data\.)?(aws_[a-z0-9_]+)\.[A-Za-z0-9_-]+)\.([a-z0-9_]+)\}")
_KNOWN_ACCOUNT = re.compile(r":\d{12}:")


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A document to hand over: what it is of (a role, a user, a bucket or a key, by its ARN).

    ``text`` is JSON, in which ``${name}`` stands for each of the names to fill in, and ``$${`` for
    a policy variable's beginning. Of a whole account ``of`` is empty: its owner chooses who.
    """

    kind: Kind
    of: str
    number: int
    text: str

    @property
    def name(self) -> str:
        """What files and blocks are called by it."""
        tail = re.split(r"[:/]", self.of)[-1] or "whole-account"
        return re.sub(r"[^A-Za-z0-9-]", "-", tail) + (f"-{self.number}" if self.number > 1 else "")

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.kind}-policy-{self.name}.json"

    @property
    def json(self) -> str:
        """It as JSON; what is to be filled in stands in angle brackets."""
        filled = re.sub(r"(?<!\$)\$\{(\w+)\}", r"<\1>", self.text)
        return filled.replace("$${", "${") + "\n"

    def todo(self) -> str:
        """Return what its owner does with it."""
        match self.kind:
            case "identity" if not self.of:
                return "attach it to each role or user that is to have the access"
            case "identity":
                return f"attach it to {self.of}"
            case "trust":
                return f"it is the trust policy of {self.of}; of one that exists, merge it"
        return f"merge its statements into the {self.kind} policy of {self.of}"


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What the owner of one account has to write for one link.

    ``fill_in`` are the names that nobody knows before the link is deployed, each with what it is.
    """

    link: str
    alias: str
    account: str
    documents: tuple[Handed, ...]
    fill_in: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the files: their names, and what is in them."""
        for document in self.documents:
            yield document.file, document.json
        yield f"{self.link}.tf", as_terraform(self)
        yield "README.md", self._read_me()

    def _read_me(self) -> str:
        lines = [
            f"# {self.link}: what account {self.account} has to write",
            "",
            f"The other half of each permission is written in the account that shares with you. "
            f"`{self.link}.tf` is the same as the JSON files, for Terraform: take one of the two.",
            "",
            *(f"- `{document.file}`: {document.todo()}" for document in self.documents),
        ]
        if self.fill_in:
            lines += ["", "To fill in, in the JSON `<...>` and in Terraform variables:", ""]
            lines += [f"- `{name}`: {what}" for name, what in self.fill_in.items()]
        return "\n".join(lines) + "\n"


def handovers(
    stack: Stack, link: AnyLink, deployed: Mapping[str, str] | None = None
) -> list[Handover]:
    """Return what is handed over of a link, one for each foreign account.

    ``deployed`` are the outputs of the deployed stack: with them nothing has to be filled in.
    Raises :class:`OperationError` where there is nothing, and where an output is missing.
    """
    foreign = foreign_accounts(stack.content)
    if not foreign:
        raise OperationError(
            f'{stack.name}: names no account with "foreign": true, so that nothing is handed over'
        )
    return [
        _Writer(stack, link, alias, id_, deployed).handover()
        for alias, id_ in foreign.items()
        if alias in {alias for alias, *_ in _outputs(link)}
    ]


def of_stacks(stacks: Sequence[Stack], *, named: bool, deployed: bool) -> list[Handover]:
    """Return what is handed over of links; with ``named`` each has to have something.

    With ``deployed`` it has the names that the links have got.
    """
    links = read_links.declared()
    if links is None:
        raise OperationError("there is no links file here, which would declare foreign accounts")
    found = []
    for stack in stacks:
        if stack.name in links.links and (named or foreign_accounts(stack.content)):
            if deployed:
                initialize(stack)
            values = outputs(stack) if deployed else None
            found += handovers(stack, links.links[stack.name], values)
    if not found:
        raise OperationError(
            'no link names an account with "foreign": true, so that nothing is handed over'
        )
    return found


def save(found: Handover, folder: Path) -> list[Path]:
    """Write what is handed over below ``folder``; return the files."""
    place = folder / found.link / found.alias
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in found.files():
            write(place / name, text.encode())
    except OSError as error:
        raise OperationError(f"{place}: cannot be written to ({error.strerror})") from None
    return [place / name for name, _ in found.files()]


def _outputs(link: AnyLink) -> Iterator[tuple[str, Kind, str, str]]:
    """Yield each output that may have something to hand over, by account: kind, name, of what."""
    if isinstance(link, Link):
        for consumer in link.consumers:
            if consumer.account:
                of = "" if consumer.many else consumer.output
                yield consumer.account, "identity", f"{IDENTITY}{consumer.label}", of
        if role := link.assumed_role:
            name = label(role.account, role.name)
            yield role.account, "trust", f"{TRUST}{name}", "assumed_role_arn"
            yield role.account, "identity", f"{IDENTITY}{name}", "assumed_role_arn"
    named = link.ends if isinstance(link, ReplicationLink) else link.buckets
    for name, bucket in zip([one.label for one in named], link.buckets, strict=True):
        yield bucket.account, "bucket", f"{BUCKET}{name}", f":s3:::{bucket.name}"
        yield bucket.account, "key", f"{KEY}{name}", str(bucket.key)
    for to in dict.fromkeys(one.to for bucket in link.buckets for one in bucket.notifications):
        of = f"{to.kind}_arn_{to.label}"
        for kind in _TARGETS:
            if to.kind == kind:
                yield to.account, kind, of_target(kind, to.label), of
        if to.key:
            yield to.account, "key", of_target_key(to.label), to.key


class _Writer:
    def __init__(
        self,
        stack: Stack,
        link: AnyLink,
        alias: str,
        account: str,
        deployed: Mapping[str, str] | None,
    ) -> None:
        source = stack.content
        self._stack, self._link, self._deployed = stack, link, deployed
        self._alias, self._account = alias, account
        self._blocks = Blocks(declared_blocks(source), aliases_of(source), source)
        self._names: dict[str, str] = {}
        self._fill_in: dict[str, str] = {}

    def handover(self) -> Handover:
        documents = tuple(self._documents())
        return Handover(
            link=self._stack.name,
            alias=self._alias,
            account=self._account,
            documents=documents,
            fill_in=self._fill_in,
        )

    def _documents(self) -> Iterator[Handed]:
        for alias, kind, output, of in _outputs(self._link):
            if alias != self._alias:
                continue
            known = self._blocks.output(of)
            arn = str(known) if known else of
            if kind == "bucket":
                arn = f"arn:{partition(self._stack.providers[0]['region'])}{of}"
            for number in range(1, 11):
                name = output if number == 1 else f"{output}_{number}"
                if declared := self._blocks.output(name):
                    yield Handed(
                        kind=kind, of=arn, number=number, text=self._text(name, str(declared))
                    )

    def _text(self, name: str, declared: str) -> str:
        if self._deployed is None:
            return _REFERENCE.sub(self._filled, declared)
        if name not in self._deployed:
            raise OperationError(
                f"{self._stack.name}: its state has no output {name}: deploy it first, or leave "
                "out --deployed"
            )
        return str(self._deployed[name]).replace("${", "$${")

    def _filled(self, found: re.Match[str]) -> str:
        """Return a value that is known beforehand, or the name to fill in for it."""
        address, type_, attribute = found.groups()
        value = self._blocks.attribute(address, attribute)
        by_name = type_ == "aws_iam_role" and not address.startswith("data.")
        if by_name and _KNOWN_ACCOUNT.search(value):
            return value
        if type_ == "aws_s3_bucket" and "…" not in value:
            return value
        if found[0] not in self._names:
            self._names[found[0]] = self._name(type_, attribute, value)
        return f"${{{self._names[found[0]]}}}"

    def _name(self, type_: str, attribute: str, value: str) -> str:
        kind = type_.rpartition("_")[2]
        tail = "" if kind == "key" else re.split(r"[:/]", value)[-1]
        words = [kind, *re.findall(r"[A-Za-z0-9]+", tail), attribute]
        base = name = "_".join(words)
        number = 1
        while name in self._fill_in:
            number += 1
            name = f"{base}_{number}"
        what = f"the {attribute} of the {kind}" + (f" {tail}" if tail else "")
        self._fill_in[name] = f"{what}, which is known once {self._stack.name} is deployed"
        return name
