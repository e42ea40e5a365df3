"""An engineer's workstation: the real cdktf command against the emulated accounts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3_links.failures import NodejsError, require_nodejs
from s3_links.operations.terraform import binary, missing

from .emulator import ACCOUNTS, REGION, Emulator
from .terraform import terraform_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parents[2]
STACK = "s3-multi-account-deploy"
_CDKTF = PROJECT / "node_modules" / ".bin" / "cdktf"
_ENDING_SECONDS = 15


class ToolError(Exception):
    """A tool is missing or failed; the message says what to do."""


def check_tools() -> None:
    """Raise :class:`ToolError` with one line for each tool that is missing or too old."""
    problems = []
    try:
        require_nodejs()
        if not _CDKTF.exists():
            problems.append("the cdktf command is not installed: run `make install`")
    except NodejsError as error:
        problems.append(str(error))
    if problem := missing():
        problems.append(problem)
    elif (terraform := _terraform_version()) and terraform < (1, 5):
        shown = ".".join(map(str, terraform))
        problems.append(f"Terraform {shown} is too old: install version 1.5 or later")
    if problems:
        raise ToolError("\n".join(problems))


def _terraform_version() -> tuple[int, int] | None:
    command = [binary(), "version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"v(\d+)\.(\d+)", shown)
    return (int(found[1]), int(found[2])) if found else None


class Workstation:
    """Synthesizes and deploys from ``folder`` with a profile for each emulated account.

    ``accounts`` overrides the accounts of the configuration. State, output and Terraform's files
    all stay in ``folder``.
    """

    def __init__(
        self, emulator: Emulator, folder: Path, *, accounts: Mapping[str, Any] | None = None
    ) -> None:
        self._emulator = emulator
        self.folder = folder
        self.stack_folder = folder / "cdktf.out" / "stacks" / STACK
        self.state = folder / f"terraform.{STACK}.tfstate"
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = emulator.environment | terraform_settings(folder / ".terraform-settings")
        self.environment["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
        # The cdktf command loses the end of what Terraform prints when it fails into a pipe.
        self._log = folder / "terraform.log"
        self.environment |= {"TF_LOG": "ERROR", "TF_LOG_PATH": str(self._log)}
        self.configure(accounts or default_accounts())

    def configure(self, accounts: Mapping[str, Any]) -> None:
        """Write a configuration that synthesizes this project for these accounts."""
        configuration = {
            "language": "python",
            "app": f'"{sys.executable}" "{PROJECT / "main.py"}"',
            "projectId": "sandbox",
            "sendCrashReports": "false",
            "context": {"accounts": accounts},
        }
        (self.folder / "cdktf.json").write_text(json.dumps(configuration), encoding="utf-8")

    def deploy(self) -> dict[str, str]:
        """Run ``cdktf deploy`` and return the stack's outputs."""
        outputs = self.folder / "outputs.json"
        self.cdktf(
            "deploy",
            STACK,
            "--auto-approve",
            "--skip-provider-lock",  # it asks the registry whatever mirror is configured
            "--outputs-file",
            str(outputs),
        )
        values: dict[str, str] = json.loads(outputs.read_text(encoding="utf-8"))[STACK]
        return values

    def diff(self) -> str:
        """Run ``cdktf diff`` and return Terraform's one line on what it would change."""
        shown = self.cdktf("diff", STACK, "--skip-provider-lock")
        found = re.findall(r"No changes\.|Plan: .*?destroy\.", shown)
        return str(found[-1]) if found else shown

    def destroy(self) -> None:
        """Run ``cdktf destroy``."""
        self.cdktf("destroy", STACK, "--auto-approve", "--skip-provider-lock")

    def cdktf(self, *arguments: str) -> str:
        """Run the cdktf command; return what it printed, or raise :class:`ToolError` with it."""
        self._log.unlink(missing_ok=True)
        code, output = run([str(_CDKTF), *arguments], self.folder, self.environment)
        if code:
            reason = self._terraform_errors() or readable(output)
            if not self._emulator.alive:
                reason = f"the emulator has ended: run this again. {self._emulator.last_words}"
            raise ToolError(f"cdktf {arguments[0]} failed:\n{reason}")
        return readable(output)

    def _terraform_errors(self) -> str:
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        found = re.findall(r'\[ERROR\] vertex "(.*?)" error: (.*)', log)
        return "\n".join(dict.fromkeys(f"{place}: {error}" for place, error in found))

    def terraform(self, *arguments: str) -> tuple[int, str]:
        """Run Terraform in the stack's folder; return its exit code and what it printed."""
        command = [binary(), *arguments]
        code, output = run(command, self.stack_folder, self.environment)
        return code, readable(output)


def default_accounts() -> dict[str, dict[str, str]]:
    """Return the emulated accounts as the configuration has them, pinned to their ids."""
    return {
        alias: {"region": REGION, "profile": alias, "account_id": id_}
        for alias, id_ in ACCOUNTS.items()
    }


def run(
    command: list[str], folder: Path, environment: Mapping[str, str], *, shown: bool = False
) -> tuple[int, str]:
    """Run ``command`` to its end; when we are interrupted, so is all that it started.

    Returns its exit code and what it printed, which with ``shown`` goes where ours goes.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        end(process)
        raise
    return process.returncode, output or ""


def end(process: subprocess.Popen[str]) -> None:
    """End a process and its children: Terraform saves its state when it is interrupted."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=_ENDING_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def readable(output: str) -> str:
    """Return output without the control sequences of a terminal and without spinner lines."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    noise = re.compile(r"\s*$|[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|\d+ Stacks? deploying|\[\d{4}-\S+ \[ERROR\] default - ")
    return "\n".join(line for line in plain.splitlines() if not noise.match(line))
