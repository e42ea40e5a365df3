"""The stacks as they were synthesized: what a workstation and a pipeline work on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3_cross_account.spelling import near_match
from s3_links.declarations.pipeline import STACK as PIPELINE_STACK
from s3_links.declarations.state import BUCKET_STACK
from s3_links.synthesized.written import misshapen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


SUPPORTING = (BUCKET_STACK, PIPELINE_STACK)


class OperationError(Exception):
    """Something has to be mended first; the message says what, and how."""


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: its name, its Terraform JSON, and the digest by which that is known."""

    name: str
    file: Path
    content: dict[str, Any]
    digest: str

    @property
    def folder(self) -> Path:
        """The folder below ``cdktf.out`` in which Terraform runs."""
        return self.file.parent

    @property
    def providers(self) -> list[dict[str, Any]]:
        """The provider configurations, each with its ``alias``."""
        found: list[dict[str, Any]] = self.content.get("provider", {}).get("aws", [])
        return found

    @property
    def backend(self) -> tuple[str, dict[str, Any]]:
        """The backend's type and its arguments."""
        settings = self.content["terraform"]
        backends = settings.get("backend") or {"cloud": settings.get("cloud", {})}
        return next(iter(backends.items()))

    @property
    def local_state(self) -> Path:
        """Where the state is while it is local."""
        return self.folder.parents[2] / f"terraform.{self.name}.tfstate"


def synthesized(names: Sequence[str] = ()) -> list[Stack]:
    """Return the stacks with these names.

    Without a name, all but those that an administrator deploys before the others.
    """
    found = declared()
    unknown = [name for name in names if name not in found]
    if unknown:
        near = near_match(unknown[0], found)
        meant = f"did you mean {near!r}? There are" if near else "choose from"
        raise OperationError(
            f"there is no stack {', '.join(map(repr, unknown))}: {meant} {', '.join(found)}"
        )
    repeated = {name for name in names if list(names).count(name) > 1}
    if repeated:
        raise OperationError(f"named twice: {', '.join(sorted(repeated))}: name each stack once")
    return [found[name] for name in names or found if names or name not in SUPPORTING]


def declared() -> dict[str, Stack]:
    """Return every stack by its name, from the output folder of a synthesis."""
    out = Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out").absolute()
    found = {}
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["stacks"]
        for name, entry in manifest.items():
            file = out / entry["synthesizedStackPath"]
            text = file.read_bytes()
            found[name] = Stack(name, file, content=json.loads(text), digest=digest(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise OperationError(f"{out}: holds no synthesized stacks: run `s3-links synth`") from None
    require_shape({stack.file: stack.content for stack in found.values()})
    return found


def require_shape(contents: Mapping[Path, Any]) -> None:
    """Raise for the files whose JSON is not as cdktf writes it: nothing here could read them."""
    wrong = [f"{file}: {place}" for file, one in contents.items() for place in misshapen(one)]
    if wrong:
        remedy = "is not as cdktf writes it: synthesize the stack again"
        raise OperationError("\n".join(f"{place}: {remedy}" for place in wrong))


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()
