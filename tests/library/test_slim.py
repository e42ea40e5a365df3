"""The slim bindings: complete, reproducible, equal to the usual import, and safe to lose."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from s3_cross_account import slim
from s3_cross_account.slim.__main__ import build, imported_modules
from tests.conftest import PROJECT, json_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("planned")

MANIFEST: dict[str, Any] = json.loads(slim.MANIFEST.read_text())
VERSION, INSTALLED = slim.installed()


def test_every_module_that_is_imported_is_in_it() -> None:
    assert MANIFEST["modules"] == imported_modules(), "run `make bindings`"


def test_only_the_bindings_module_imports_from_the_provider() -> None:
    sources = [*PROJECT.glob("constructs/**/*.py"), *PROJECT.glob("stacks/**/*.py")]
    importing = [s.name for s in sources if imported_modules(s)]
    assert importing == ["bindings.py"]


def test_a_rebuild_gives_the_same() -> None:
    version, tarball = build(imported_modules(), INSTALLED)
    # Compared unpacked: compression may differ between versions of zlib.
    assert gzip.decompress(tarball) == gzip.decompress(slim.tarball(version).read_bytes())


@pytest.mark.parametrize("version", [v for found in MANIFEST["versions"].values() for v in found])
def test_there_is_one_for_the_pinned_version_and_for_what_an_installation_takes(
    version: str,
) -> None:
    with tarfile.open(slim.tarball(version)) as tarball:
        file = tarball.extractfile("package/.jsii")
        assert file is not None
        assembly = json.load(file)
    assert assembly["version"] == version
    directories = (entry["symbolId"].split("/")[1] for entry in assembly["submodules"].values())
    found = {name.replace("-", "_") for name in directories} - set(slim.BESIDE)
    assert sorted(found) == imported_modules()
    pinned, taken = MANIFEST["versions"]["cdktf-cdktf-provider-aws"]
    assert f'cdktf-cdktf-provider-aws = "=={pinned}"' in (PROJECT / "Pipfile").read_text()
    assert int(taken.partition(".")[0]) == 21  # the range that the wheel asks for ends there


def test_building_names_a_module_that_does_not_exist() -> None:
    with pytest.raises(SystemExit, match=r"has no s3_buckett"):
        build(["s3_bucket", "s3_buckett"], INSTALLED)


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    shutil.copy(PROJECT / "cdktf.json", folder)
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


MAIN = f"import runpy, sys; sys.path.insert(0, {str(PROJECT)!r}); " + (
    f"runpy.run_path({str(PROJECT / 'main.py')!r}, run_name='__main__')"
)


@pytest.mark.parametrize("broken", ["version", "manifest"])
def test_what_does_not_fit_is_told_once_and_left(broken: str, tmp_path: Path) -> None:
    """As if nothing had been tried: the usual import comes next."""
    left = (
        "import sys; slim.use_slim_assembly()\n"
        "print([name for name in sys.modules if name.startswith(slim.PACKAGE)])\n"
        "print([finder for finder in sys.meta_path if isinstance(finder, slim._LeftOut)])"
    )
    result = run(tmp_path / "run", broken_overlay(broken, tmp_path) + left)
    assert (result.returncode, result.stdout) == (0, "[]\n[]\n")
    assert result.stderr.count("the slim AWS bindings cannot be used") == 1
    assert "`make bindings`" in result.stderr


@pytest.mark.parametrize("broken", ["manifest", "tarball"])
def test_it_falls_back_saying_so_once(broken: str, project_folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "run", broken_overlay(broken, tmp_path) + MAIN)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("the slim AWS bindings cannot be used") == 1
    assert "`make bindings`" in result.stderr
    assert json_file(tmp_path / "run").read_bytes() == json_file(project_folder).read_bytes()


def broken_overlay(broken: str, folder: Path) -> str:
    """Return the beginning of a script whose slim bindings do not fit."""
    overlay = folder / "overlay"
    shutil.copytree(slim.OVERLAY, overlay)
    match broken:
        case "version":
            text = json.dumps(MANIFEST | {"versions": {slim.DISTRIBUTION: ["20.0.0"]}})
            (overlay / "_jsii" / "manifest.json").write_text(text)
        case "tarball":
            tarball = slim.tarball(VERSION)
            (overlay / "_jsii" / tarball.name).write_bytes(tarball.read_bytes()[:5000])
        case "manifest":
            (overlay / "_jsii" / "manifest.json").unlink()
    return (
        "from pathlib import Path; from s3_cross_account import slim\n"
        f"slim.OVERLAY = Path({str(overlay)!r})\n"
        "slim.MANIFEST = slim.OVERLAY / '_jsii' / 'manifest.json'\n"
    )


STACK = """
from cdktf import App, TerraformStack
from s3_cross_account.account import Account
from s3_cross_account.settings import AccountSettings

def make():
    app = App(outdir="out")
    stack = TerraformStack(app, "mixed")
    settings = AccountSettings(region="eu-west-1", profile="home")
    account = Account(stack, "home", alias="home", settings=settings)
    return app, stack, account.provider
"""
QUEUE = """
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
"""


MADE = "\napp, stack, provider = make()\nSqsQueue(stack, 'queue', provider=provider)\napp.synth()\n"


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all was imported the usual way, for another type; the import takes long."""
    folder = tmp_path_factory.mktemp("usual")
    result = run(folder, QUEUE + STACK + MADE + MAIN)
    assert (result.returncode, result.stderr) == (0, "")
    return folder


def test_the_output_is_that_of_the_usual_import(project_folder: Path, usual: Path) -> None:
    assert json_file(usual).read_bytes() == json_file(project_folder).read_bytes()


def test_any_other_type_can_be_imported_before(usual: Path) -> None:
    check_mixed(usual)


def test_any_other_type_can_be_imported_after(tmp_path: Path) -> None:
    result = run(tmp_path, STACK + QUEUE + MADE)
    assert (result.returncode, result.stderr) == (0, "")
    check_mixed(tmp_path)


def check_mixed(folder: Path) -> None:
    content = json.loads((folder / "out" / "stacks" / "mixed" / "cdk.tf.json").read_text())
    assert set(content["resource"]) == {"aws_sqs_queue"}
    assert [provider["alias"] for provider in content["provider"]["aws"]] == ["home"]


def test_a_type_that_was_left_out_is_refused_with_the_remedy(tmp_path: Path) -> None:
    script = f"{STACK}make()\nimport cdktf_cdktf_provider_aws.sqs_queue"
    result = run(tmp_path, script)
    assert result.returncode == 1
    assert "sqs_queue is not in the slim AWS bindings" in result.stderr
    assert "`import cdktf_cdktf_provider_aws` before s3_cross_account" in result.stderr
