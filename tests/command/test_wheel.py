"""The wheel, in a fresh environment and another folder: the README's road."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest

from s3_links.sandbox.emulator import ACCOUNTS, REGION
from tests.command.test_cli import INIT
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("planned")

CDKTF = str(PROJECT / "node_modules" / ".bin" / "cdktf")
DATA = {
    "s3_cross_account/py.typed",
    "s3_cross_account/condition_keys.json",
    "s3_cross_account/s3_actions.json",
    "s3_cross_account/slim/overlay/_jsii/manifest.json",
    "s3_cross_account/slim/overlay/_jsii/provider-aws-20.1.0.tgz",
    "s3_cross_account/slim/overlay/_jsii/provider-aws-21.22.1.tgz",
    "s3_cross_account/slim/overlay/_jsii/provider-aws-25.8.1.tgz",
    *(f"s3_links/map/assets/{name}" for name in ("dagre.min.js", "picture.css", "picture.js")),
    *(f"s3_links/map/assets/page.{kind}" for kind in ("css", "html", "js")),
    "s3_links/operations/workflows/github.yml",
    "s3_links/operations/workflows/gitlab.yml",
    "s3_links/py.typed",
    "s3_links/reach/iam.json",
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does, who has nothing of this repository in the environment."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    environment |= {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "JSII_"))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel; skips where what builds it cannot be had, fails under CI."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("constructs", "s3_links"):
        shutil.copytree(PROJECT / name, source / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    result = run(folder, *command, str(source))
    if result.returncode:
        reason = f"the wheel cannot be built here: {result.stderr.strip()}"
        if "Could not find a version" not in result.stderr or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel beside the packages that are here."""
    folder = tmp_path_factory.mktemp("installed")
    run(folder, sys.executable, "-m", "venv", "--without-pip", ".")
    python = str(folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    result = run(folder, *pip, str(wheel))
    assert result.returncode == 0, result.stderr
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "s3-links"


def test_it_holds_the_data_of_its_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = archive.namelist()
    assert set(found) >= DATA
    assert {name.partition("/")[0] for name in found if "dist-info" not in name} == {
        "s3_cross_account",
        "s3_links",
    }


def test_it_asks_for_ranges_and_for_nothing_that_only_the_tests_need(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (file,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        asked = re.findall(r"^Requires-Dist: (.*)", archive.read(file).decode(), flags=re.M)
    asked, extra = ([line for line in asked if (";" in line) is said] for said in (False, True))
    assert [line for line in asked + extra if "==" in line.partition(";")[0]] == []
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert len(asked) == len(project["dependencies"])
    assert {re.split(r"[<>=]", line)[0] for line in extra} == {"cdktn", "cdktn-provider-aws"}
    names = {re.split(r"[<>=]", line)[0] for line in asked}
    tests_only = set(tomllib.loads((PROJECT / "Pipfile").read_text())["dev-packages"]) - {"rich"}
    assert names & tests_only == set()


def test_the_version_is_that_of_the_one_place(installed: Path, tmp_path: Path) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    result = run(tmp_path, str(installed), "--version")
    assert result.stdout == f"{project['version']}\n"
    assert f"({project['version']})" in (PROJECT / "CHANGELOG.md").read_text()


def test_an_empty_folder_gets_what_this_repository_makes_of_its_links(
    installed: Path, tmp_path: Path
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    for command in (INIT, ["synth"]):
        result = run(there, str(installed), *command)
        assert (result.returncode, result.stderr) == (0, "")
    here.mkdir()
    shutil.copy(there / "links.json", here)
    assert run(here, sys.executable, str(PROJECT / "main.py")).returncode == 0
    made = "cdktf.out/stacks/reports/cdk.tf.json"
    assert (there / made).read_bytes() == (here / made).read_bytes()


def test_the_cdktf_command_works_in_that_folder(installed: Path, tmp_path: Path) -> None:
    assert run(tmp_path, str(installed), *INIT).returncode == 0
    path = f"{installed.parent}:{os.environ['PATH']}"
    result = run(tmp_path, "env", f"PATH={path}", "CHECKPOINT_DISABLE=1", CDKTF, "synth")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "cdktf.out/stacks/reports/cdk.tf.json").exists()


@pytest.mark.cost("deployed")
def test_the_cdktf_command_deploys_and_destroys_in_that_folder(
    installed: Path, terraform: Terraform, tmp_path: Path
) -> None:
    accounts = [f"--account={alias}={id_}:{REGION}" for alias, id_ in ACCOUNTS.items()]
    begun = run(tmp_path, str(installed), "init", *accounts, *INIT[3:])
    assert (begun.returncode, begun.stderr) == (0, "")
    path = f"{installed.parent}:{os.environ['PATH']}"
    for command, told in (
        (["diff"], "18 to add"),
        (["deploy", "--auto-approve"], "18 added"),
        (["diff"], "No changes."),
        (["destroy", "--auto-approve"], "18 destroyed"),
    ):
        result = subprocess.run(
            [CDKTF, *command, "reports", "--skip-provider-lock"],
            cwd=tmp_path,
            env=terraform.environment | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert told in re.sub(r"\x1b\[\d*m", "", result.stdout)
