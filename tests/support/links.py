"""Deploys declared links into the emulated accounts, for the tests of the options."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.app import links
from s3_links.declarations.read_links import read_links
from s3_links.failures import told
from s3_links.sandbox.access import Principal, root
from s3_links.sandbox.emulator import ACCOUNTS, REGION
from s3_links.sandbox.together import write_together
from s3_links.synthesis import synthesize as synthesize_stacks
from tests.evaluator import Documents

if TYPE_CHECKING:
    from s3_links.declarations.links import Links
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

ROOTS = {alias: f"arn:aws:iam::{id_}:root" for alias, id_ in ACCOUNTS.items()}


def accounts(**more: dict[str, Any]) -> dict[str, Any]:
    """Return the emulated accounts as a links file has them, with further settings and accounts."""
    emulated: dict[str, Any] = {
        alias: {"region": REGION, "profile": alias, "account_id": id_}
        for alias, id_ in ACCOUNTS.items()
    }
    return emulated | {alias: emulated.get(alias, {}) | given for alias, given in more.items()}


def synthesize(folder: Path, declared: Any) -> subprocess.CompletedProcess[str]:
    """Do what ``main.py`` does in ``folder`` on a links file with this content, in this process.

    A process of its own would load the bindings each time; ``run_main`` starts one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = declared if isinstance(declared, str) else json.dumps(declared)
    (folder / "links.json").write_text(text)
    with contextlib.chdir(folder):
        return synthesized_here()


def synthesized_here() -> subprocess.CompletedProcess[str]:
    """Do what the app does in the folder that this process is in."""
    said, failed = io.StringIO(), False
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        # Node.js stays in the folder that it was started in.
        patch.setenv("CDKTF_OUTDIR", str(Path.cwd() / "cdktf.out"))
        try:
            synthesize_stacks(links())
        except Exception as error:
            lines = told(error)
            if lines is None:
                raise
            said.write(f"{lines}\n")
            failed = True
    return subprocess.CompletedProcess(["app"], int(failed), "", said.getvalue())


def stack_json(folder: Path, link: str) -> dict[str, Any]:
    """Return a synthesized link."""
    text = (folder / "cdktf.out" / "stacks" / link / "cdk.tf.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content


def read_and_stacks(declared: dict[str, Any]) -> tuple[Links, dict[str, dict[str, Any]]]:
    """Return a links file as it is read, and the synthesized stack of each link."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        result = synthesize(folder, declared)
        assert result.returncode == 0, result.stderr
        read = read_links(folder / "links.json")
        return read, {link: stack_json(folder, link) for link in declared["links"]}


class Deployment:
    """Links that are deployed into the emulated accounts, all by one run of Terraform.

    Each stack is a module, as it was synthesized but for its backend and its providers, which are
    the same in all: a run for each would load the provider as often.
    """

    def __init__(
        self,
        terraform: Terraform,
        emulator: Emulator,
        folder: Path,
        links: dict[str, Any],
        **settings: dict[str, Any],
    ) -> None:
        self._terraform = terraform
        self.endpoint = emulator.endpoint
        self.folder = folder
        self._shown: dict[str, Any] | None = None
        self.roots = {alias: root(emulator.endpoint, alias) for alias in ACCOUNTS}
        result = synthesize(folder, {"accounts": accounts(**settings), "links": links})
        assert result.returncode == 0, result.stderr
        self._together = folder / "together"
        write_together(self._together, {link: stack_json(folder, link) for link in links})
        self._run("init", "-no-color")
        self._run("apply", "-auto-approve", "-no-color")

    def _run(self, *arguments: str) -> str:
        result = self._terraform(self._together, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def plan(self, *links: str) -> str:
        """Return what Terraform says that it would change of these links."""
        return self._run("plan", "-no-color", *(f"-target=module.{link}" for link in links))

    def outputs(self, link: str) -> dict[str, Any]:
        """Return the outputs of a link."""
        outputs: dict[str, Any] = self._values()["outputs"][link]["value"]
        return outputs

    def documents(self, link: str) -> Documents:
        """Return the policies of a link."""
        modules = self._values()["root_module"]["child_modules"]
        (shown,) = (module for module in modules if module["address"] == f"module.{link}")
        return Documents(copy.deepcopy({"values": {"root_module": shown}}))

    def _values(self) -> dict[str, Any]:
        if self._shown is None:
            self._shown = json.loads(self._run("show", "-json"))["values"]
        return self._shown

    def role(self, name: str, account: str = "account1") -> Principal:
        """Return a role's session, as the service that it trusts would hand it out."""
        return self.roots[account].assume(f"arn:aws:iam::{ACCOUNTS[account]}:role/{name}")

    def destroy(self, link: str) -> None:
        """Remove a link."""
        self._run("destroy", "-auto-approve", "-no-color", f"-target=module.{link}")
