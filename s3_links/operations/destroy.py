"""Destroys a stack, also one that is no longer declared."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import undeclared
from .markdown import as_markdown
from .plan import alone, planned
from .terraform import terraform

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stack import Stack


def destroy(stack: Stack, agreed: Callable[[str], None]) -> None:
    """Plan it, and destroy what the plan says; ``agreed`` is given its summary, and may raise."""
    with alone(), tempfile.TemporaryDirectory(prefix="s3-destroy-") as folder:
        file = Path(folder) / "plan"
        agreed(as_markdown([planned(stack, file, "-destroy")]))
        print(terraform(stack, "apply", str(file)), end="")


def destroy_undeclared(stack: Stack, agreed: Callable[[str], None]) -> None:
    """Destroy what an undeclared stack made; ``agreed`` is given the addresses, and may raise."""
    goes, stays = undeclared.contents(stack)
    told = "\n  ".join([f"{stack.name} is no longer declared. It made, and this destroys:", *goes])
    if stays:
        told += "\n" + "\n  ".join(["It took over, and these stay as they are:", *stays])
    agreed(told)
    undeclared.destroy(stack)
