"""The same output everywhere, by each of the ways to run it, and without noise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .conftest import PROJECT, json_file, run_main


def test_two_folders_give_the_same_bytes(project_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "some" / "other folder"
    result = run_main(other)
    assert (result.stdout, result.stderr) == ("", "")
    assert json_file(other).read_bytes() == json_file(project_folder).read_bytes()


def test_no_path_of_this_machine_is_written(project_folder: Path) -> None:
    text = json_file(project_folder).read_text()
    for path in (project_folder, PROJECT, PROJECT.home()):
        assert f"{path}/" not in text


def test_the_cdktf_command_writes_the_same(project_folder: Path, tmp_path: Path) -> None:
    for name in ("main.py", "cdktf.json", "package.json", "stacks", "constructs"):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JSII_SILENCE")}
    result = subprocess.run(
        ["npx", "cdktf", "synth"],
        cwd=tmp_path,
        env=environment
        | {
            "CHECKPOINT_DISABLE": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TF_CLI_CONFIG_FILE": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Generated Terraform code for the stacks: s3-multi-account-deploy" in output
    assert "end-of-life" not in output
    assert "crash" not in output.lower()
    assert json_file(tmp_path).read_bytes() == json_file(project_folder).read_bytes()


def test_the_reference_stack_is_unchanged_byte_for_byte(project_folder: Path) -> None:
    recorded = PROJECT / "tests" / "fixtures" / "reference.cdk.tf.json"
    assert json_file(project_folder).read_bytes() == recorded.read_bytes()
