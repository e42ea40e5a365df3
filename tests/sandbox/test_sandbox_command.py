"""``python -m s3_links.sandbox`` as a newcomer runs it, and as they interrupt it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from s3_cross_account.aws_cli import copy_command
from s3_links.sandbox.access import Cell
from s3_links.sandbox.article import Step
from s3_links.sandbox.aws_cli import AwsCli, aws_clis
from s3_links.sandbox.report import problems, steps_table
from s3_links.sandbox.terraform import terraform_settings
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cost("synthesized")

COMMAND = [sys.executable, "-m", "s3_links.sandbox"]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a short name: Terraform's plugins listen on sockets in it."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        yield Path(folder)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment whose temporary files are all in ``folder``."""
    folder.mkdir(exist_ok=True)
    return os.environ | {"TMPDIR": str(folder), **more}


def processes_of(folder: Path) -> list[str]:
    """Return the processes that name a folder in their environment or command line."""
    found = []
    for process in psutil.process_iter():
        try:
            texts = [*process.environ().values(), *process.cmdline()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in text for text in texts):
            found.append(" ".join(process.cmdline()[:4]))
    return found


@pytest.mark.usefixtures("terraform")
def test_from_nothing_to_the_table_and_the_copied_objects(tmp_path: Path, temporary: Path) -> None:
    report = tmp_path / "report.json"
    result = subprocess.run(
        [*COMMAND, "--json", str(report)],
        cwd=PROJECT,
        env=environment(temporary, TF_CLI_CONFIG_FILE=str(tmp_path / "does-not-exist")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "All 231 answers and 8 commands are as promised." in result.stdout
    assert "cdktf diff after the deployment: No changes." in result.stdout
    assert "Left in the accounts after cdktf destroy: nothing" in result.stdout
    assert "\x1b" not in result.stdout  # no terminal, no control sequences
    assert result.stderr == ""
    content = json.loads(report.read_text())
    assert len(content["access"]) == 231
    assert content["aws_cli"] == next(aws_clis()).version
    assert f"with AWS CLI {content['aws_cli']}" in result.stdout
    assert content["left_after_destroy"] == []
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


@pytest.mark.usefixtures("terraform")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_stops_everything(sign: signal.Signals, temporary: Path) -> None:
    process = subprocess.Popen(
        COMMAND,
        cwd=PROJECT,
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(temporary.glob("*/workstation/terraform.*.tfstate")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(sign)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Interrupted: the emulated accounts are stopped" in output
    assert "Traceback" not in output
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


@pytest.mark.usefixtures("terraform")
def test_killed_outright_it_leaves_no_emulator(temporary: Path) -> None:
    process = subprocess.Popen(COMMAND, cwd=PROJECT, env=environment(temporary))
    deadline = time.monotonic() + 30
    while not any("emulator_process" in p for p in processes_of(temporary)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    while any("emulator_process" in p for p in processes_of(temporary)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({"terraform": "v1.5"}, "Node.js is not installed: install version 20 or later"),
        ({"node": "v20.0"}, "Terraform is not installed: install version 1.5 or later"),
        (
            {"node": "v18.20", "terraform": "v1.5"},
            "Node.js 18 is too old: install version 20 or later",
        ),
        (
            {"node": "v20.0", "terraform": "v1.4"},
            "Terraform 1.4 is too old: install version 1.5 or later",
        ),
    ],
)
def test_a_missing_or_old_tool_is_named_with_the_remedy(
    versions: dict[str, str], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, version in versions.items():
        (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
        (folder / name).chmod(0o755)
    result = subprocess.run(
        COMMAND,
        cwd=PROJECT,
        env=environment(tmp_path / "temporary", PATH=str(folder)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout.strip() == f"The sandbox stopped: {message}"
    assert result.stderr == ""


GOOD = Cell("role 1", "get", "bucket 1", expected=True, found=True)
DONE = Step("ec2-1", "aws s3 cp", expected=True, found=True, detail="exit code 0")


def test_whatever_is_not_as_promised_fails_the_command() -> None:
    assert problems([GOOD], [DONE], "No changes.", []) == []
    let_in = replace(GOOD, target="bucket 3", expected=False)
    assert problems([GOOD, let_in], [DONE], "No changes.", []) == ["role 1, get, bucket 3"]
    failed = replace(DONE, found=False, detail="exit code 1")
    assert problems([GOOD], [failed], "No changes.", []) == ["ec2-1: aws s3 cp: exit code 1"]
    assert problems([], [], "Plan: 1 to add, 0 to change, 0 to destroy.", []) != []
    assert problems([], [], "No changes.", ["bucket b"]) == ["bucket b is left"]


class TestAwsCli:
    """Which AWS CLI the instances have."""

    def put(self, folder: Path, version: str) -> Path:
        folder.mkdir()
        script = folder / "aws"
        script.write_text(f"#!/bin/sh\necho aws-cli/{version} Python/3.11.2\n")
        script.chmod(0o755)
        return folder

    def test_version_2_is_found_behind_another_version_1(self, tmp_path: Path) -> None:
        old, new = (self.put(tmp_path / v, v) for v in ("1.46.3", "2.9.19"))
        path = f"{Path(sys.executable).parent}:{tmp_path / 'missing'}:{old}:{new}"
        assert next(aws_clis(path)) == AwsCli(new, "2.9.19")

    def test_without_it_the_projects_own_runs_and_takes_no_copy_props(self, tmp_path: Path) -> None:
        (ours,) = aws_clis(str(tmp_path))
        assert ours.folder == Path(sys.executable).parent
        assert ours.version.startswith("1.")
        command = copy_command("a", "b", profile="p")
        assert ours.takes(command) == "aws s3 cp s3://a s3://b --recursive --profile p"
        assert AwsCli(tmp_path, "2.9.19").takes(command) == command

    @pytest.mark.parametrize(("version", "said"), [("1.46.3", True), ("2.9.19", False)])
    def test_the_report_says_which_ran(self, version: str, said: bool, tmp_path: Path) -> None:
        table = steps_table([DONE], {}, AwsCli(tmp_path, version))
        assert str(table.title).endswith(f"with AWS CLI {version}")
        assert ("--copy-props" in str(table.caption)) is said


class TestProviderMirror:
    """Where the provider comes from."""

    def mirror(self, folder: Path) -> Path:
        (folder / "registry.terraform.io/hashicorp/aws/5.100.0").mkdir(parents=True)
        return folder

    def test_a_configuration_that_names_a_mirror_is_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "rc"
        file.write_text("provider_installation {}\n")
        settings = terraform_settings(tmp_path, {"TF_CLI_CONFIG_FILE": str(file)})
        assert "TF_CLI_CONFIG_FILE" not in settings

    def test_an_implied_mirror_is_left_to_terraform(self, tmp_path: Path) -> None:
        self.mirror(tmp_path / ".terraform.d/plugins")
        settings = terraform_settings(tmp_path / "out", {"HOME": str(tmp_path)})
        assert "TF_CLI_CONFIG_FILE" not in settings

    def test_a_mirror_in_a_usual_place_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mirror = self.mirror(tmp_path / "prefix/share/plugins")
        monkeypatch.setattr(
            "s3_links.sandbox.terraform._USUAL_PREFIXES", (str(tmp_path / "prefix"),)
        )
        (tmp_path / ".terraformrc").write_text("disable_checkpoint = true\n")
        settings = terraform_settings(tmp_path / "out", {"HOME": str(tmp_path)})
        written = Path(settings["TF_CLI_CONFIG_FILE"]).read_text()
        assert f'path    = "{mirror}"' in written
        assert "disable_checkpoint = true" in written  # the user's own settings stay

    def test_without_one_the_registry_is_asked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "s3_links.sandbox.terraform._USUAL_PREFIXES", (str(tmp_path / "prefix"),)
        )
        missing = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "missing")}
        assert terraform_settings(tmp_path, missing)["TF_CLI_CONFIG_FILE"] == ""
        assert "TF_CLI_CONFIG_FILE" not in terraform_settings(tmp_path, {"HOME": str(tmp_path)})
