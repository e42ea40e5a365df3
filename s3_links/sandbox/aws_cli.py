"""Which AWS CLI the emulated instances have.

Amazon Linux 2023 has version 2, which is on no package index: it runs where this machine has it,
and else version 1, which is installed with the project.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s3_cross_account.aws_cli import WITHOUT_TAGS

from .workstation import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = Path(sys.executable).parent


@dataclass(frozen=True)
class AwsCli:
    """The AWS CLI in ``folder``."""

    folder: Path
    version: str

    @property
    def old(self) -> bool:
        """Whether this is version 1."""
        return self.version.startswith("1.")

    def takes(self, command: str) -> str:
        """Return a command for version 2 as this version takes it."""
        return command.replace(WITHOUT_TAGS, "") if self.old else command


def aws_clis(path: str | None = None) -> Iterator[AwsCli]:
    """Yield each version 2 in the folders of ``path``, by default those of ``PATH``; then ours."""
    folders = (os.environ.get("PATH", "") if path is None else path).split(os.pathsep)
    for folder in map(Path, dict.fromkeys(filter(None, folders))):
        if folder != _OURS and (found := _aws_cli(folder)) and not found.old:
            yield found
    if (ours := _aws_cli(_OURS)) is None:
        raise ToolError("the AWS CLI is not installed: run `make install`")
    yield ours


def _aws_cli(folder: Path) -> AwsCli | None:
    try:
        command = [str(folder / "aws"), "--version"]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.match(r"aws-cli/(\S+)", shown)
    return AwsCli(folder, found[1]) if found else None
