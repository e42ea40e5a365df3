"""Deploys declared links into the emulated accounts, for the tests of the options."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from s3_links import app
from s3_links.failures import told
from s3_links.sandbox.access import Principal, root
from s3_links.sandbox.emulator import ACCOUNTS, REGION
from tests.evaluator import Documents

if TYPE_CHECKING:
    from pathlib import Path

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
    said, failed = io.StringIO(), False
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(folder),
        contextlib.redirect_stderr(said),
    ):
        # Node.js stays in the folder that it was started in.
        patch.setenv("CDKTF_OUTDIR", str(folder / "cdktf.out"))
        try:
            app.synthesize(app.links())
        except Exception as error:
            lines = told(error)
            if lines is None:
                raise
            said.write(f"{lines}\n")
            failed = True
    return subprocess.CompletedProcess(["main.py"], int(failed), "", said.getvalue())


def stack_json(folder: Path, link: str) -> dict[str, Any]:
    """Return a synthesized link."""
    text = (folder / "cdktf.out" / "stacks" / link / "cdk.tf.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content


class Deployment:
    """Links that are deployed into the emulated accounts."""

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
        self._states: dict[str, dict[str, Any]] = {}
        self.roots = {alias: root(emulator.endpoint, alias) for alias in ACCOUNTS}
        result = synthesize(folder, {"accounts": accounts(**settings), "links": links})
        assert result.returncode == 0, result.stderr
        for name in links:
            self.run(name, "init", "-no-color")
            self.run(name, "apply", "-auto-approve", "-no-color")

    def run(self, link: str, *arguments: str) -> str:
        """Run Terraform on one link."""
        result = self._terraform(self.folder / "cdktf.out" / "stacks" / link, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def outputs(self, link: str) -> dict[str, Any]:
        """Return the outputs of a link."""
        outputs = self._shown(link)["values"]["outputs"]
        return {name: output["value"] for name, output in outputs.items()}

    def documents(self, link: str) -> Documents:
        """Return the policies of a link."""
        return Documents(copy.deepcopy(self._shown(link)))

    def _shown(self, link: str) -> dict[str, Any]:
        if link not in self._states:
            self._states[link] = json.loads(self.run(link, "show", "-json"))
        return self._states[link]

    def role(self, name: str, account: str = "account1") -> Principal:
        """Return a role's session, as the service that it trusts would hand it out."""
        return self.roots[account].assume(f"arn:aws:iam::{ACCOUNTS[account]}:role/{name}")

    def destroy(self, link: str) -> None:
        """Remove a link."""
        self.run(link, "destroy", "-auto-approve", "-no-color")
