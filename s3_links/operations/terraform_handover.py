"""What is handed over as a small Terraform file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .handover import Handed, Handover


def as_terraform(found: Handover) -> str:
    """Return a handover as HCL, with a variable for each name to fill in."""
    return "\n".join(_blocks(found)) + "\n"


def _blocks(found: Handover) -> Iterator[str]:
    yield f"# What account {found.account} has to write for {found.link}. Take from it what you"
    yield "# need: roles and users are named as they are expected to be called in your account."
    for name, what in found.fill_in.items():
        yield from (
            "",
            f'variable "{name}" {{',
            f'  description = "{what}"',
            "  type        = string",
            "}",
        )
    created = {document.of for document in found.documents if document.kind == "trust"}
    for document in found.documents:
        yield ""
        match document.kind:
            case "identity":
                yield from _identity(found.link, document, created)
            case "trust":
                yield from _role(document)
            case _:
                yield from _merged(document)


def _identity(link: str, document: Handed, created: set[str]) -> Iterator[str]:
    name = _label(document)
    yield f'resource "aws_iam_policy" "{name}" {{'
    yield f'  name   = "{link}-{document.name}"'
    yield from _heredoc("policy", document)
    yield "}"
    if not document.of:
        yield "# Attach it to each role or user that is to have the access."
        return
    kind = "user" if ":user/" in document.of else "role"
    who = document.of.rpartition("/")[2]
    named = f"aws_iam_role.{_word(who)}.name" if document.of in created else f'"{who}"'
    yield ""
    yield f'resource "aws_iam_{kind}_policy_attachment" "{name}" {{'
    yield f"  {kind}       = {named}"
    yield f"  policy_arn = aws_iam_policy.{name}.arn"
    yield "}"


def _role(document: Handed) -> Iterator[str]:
    who = document.of.rpartition("/")[2]
    yield "# Where the role exists already, merge the trust policy into its own."
    yield f'resource "aws_iam_role" "{_word(who)}" {{'
    yield f'  name               = "{who}"'
    yield from _heredoc("assume_role_policy", document)
    yield "}"


def _merged(document: Handed) -> Iterator[str]:
    name = _label(document)
    yield f"# The {document.kind} policy is one document of"
    yield f"# {document.of}:"
    yield "# take the json of this data source for it, with your own statements first."
    yield "locals {"
    yield from _heredoc(name, document)
    yield "}"
    yield ""
    yield f'data "aws_iam_policy_document" "{name}" {{'
    yield f"  source_policy_documents = [local.{name}] # and those of yours"
    yield "}"


def _heredoc(argument: str, document: Handed) -> Iterator[str]:
    yield f"  {argument} = <<-POLICY"
    # A name stands in the text as ${name}: everything else in it is no template.
    text = re.sub(r"(?<!\$)\$\{(\w+)\}", r"${var.\1}", document.text.replace("%{", "%%{"))
    yield from (f"    {line}" for line in text.splitlines())
    yield "  POLICY"


def _label(document: Handed) -> str:
    return f"{document.kind}_{_word(document.name)}"


def _word(text: str) -> str:
    word = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return word if word[:1].isalpha() else f"_{word}"
