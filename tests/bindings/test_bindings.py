"""Every example with the successor of cdktf, and with the bindings of AWS provider 6: the same."""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest

from s3_cross_account import slim
from s3_cross_account.slim.__main__ import build, imported_modules
from tests.bindings import installation, run
from tests.conftest import PROJECT
from tests.support.links import accounts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

SUCCESSOR, PROVIDER_6 = "cdktn", "provider-6"
PINNED = {
    name: dict(re.findall(r"^([\w-]+)==(\S+) ", (PROJECT / file).read_text(), flags=re.M))
    for name in (SUCCESSOR, PROVIDER_6)
    for file in (f"tests/bindings/{name}.txt",)
}
DISTRIBUTIONS = {SUCCESSOR: "cdktn-provider-aws", PROVIDER_6: "cdktf-cdktf-provider-aws"}


def written(folder: Path) -> dict[str, str]:
    """Return each stack that was synthesized below ``folder``."""
    files = folder.rglob("cdktf.out/stacks/*/cdk.tf.json")
    return {str(file.relative_to(folder)): file.read_text() for file in files}


def without_version(text: str, version: str) -> str:
    """Return a stack's text without the version of cdktf that wrote it.

    The successor writes an empty list or object in one line, cdktf in two.
    """
    recorded = f'"version": "{version}"'
    assert text.count(recorded) == 1
    return re.sub(r"([\[{])\s+([\]}])", r"\1\2", text.replace(recorded, '"version": ""'))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Every example's stacks, with the pinned bindings."""
    folder = tmp_path_factory.mktemp("examples")
    result = run(folder, "-m", "tests.bindings.examples", ".")
    version = importlib.metadata.version(slim.DISTRIBUTION)
    assert (result.stdout, result.stderr) == (f"{slim.DISTRIBUTION} {version}\n", "")
    return written(folder)


@pytest.mark.parametrize("name", [SUCCESSOR, PROVIDER_6])
def test_every_example_is_the_same(name: str, examples: Mapping[str, str], tmp_path: Path) -> None:
    result = run(tmp_path, "-m", "tests.bindings.examples", ".", bindings=installation(name))
    distribution = DISTRIBUTIONS[name]
    # Nothing is said of a slim assembly that cannot be used.
    used = f"{distribution} {PINNED[name][distribution]}\n"
    assert (result.stdout, result.stderr) == (used, "")
    here = importlib.metadata.version("cdktf")
    expected = {file: without_version(text, here) for file, text in examples.items()}
    wrote = PINNED[name].get("cdktn", here)
    found = {file: without_version(text, wrote) for file, text in written(tmp_path).items()}
    assert found.keys() == expected.keys()
    assert [file for file in expected if found[file] != expected[file]] == []
    if name == PROVIDER_6:
        assert written(tmp_path) == examples


def test_the_examples_hold_every_resource_type(examples: Mapping[str, str]) -> None:
    """Or the comparison would say nothing of one: as long as a resource type is imported."""
    stacks = [json.loads(text) for text in examples.values()]
    resources = {type_ for stack in stacks for type_ in stack.get("resource", {})}
    data = {f"data_{type_}" for stack in stacks for type_ in stack.get("data", {})}
    made = {type_.removeprefix("aws_") for type_ in resources | data}
    assert made | {"provider"} == set(imported_modules())


def test_what_the_extra_asks_for_is_what_is_tried_and_has_a_slim_assembly() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = dict(
        re.findall(
            r"^(\S+?)>=([\d.]+),", "\n".join(project["optional-dependencies"][SUCCESSOR]), re.M
        )
    )
    assert asked["cdktn"] in PINNED[SUCCESSOR]["cdktn"]
    assert asked["cdktn-provider-aws"] == PINNED[SUCCESSOR]["cdktn-provider-aws"]
    versions = json.loads(slim.MANIFEST.read_text())["versions"]
    assert versions == {
        "cdktf-cdktf-provider-aws": [
            importlib.metadata.version("cdktf-cdktf-provider-aws"),
            PINNED[PROVIDER_6]["cdktf-cdktf-provider-aws"],
        ],
        "cdktn-provider-aws": [PINNED[SUCCESSOR]["cdktn-provider-aws"]],
    }


@pytest.mark.parametrize("name", [SUCCESSOR, PROVIDER_6])
def test_a_rebuild_of_its_slim_assembly_gives_the_same(name: str) -> None:
    package = DISTRIBUTIONS[name].replace("-", "_")
    version, tarball = build(imported_modules(), installation(name) / package)
    assert version == PINNED[name][DISTRIBUTIONS[name]]
    assert gzip.decompress(tarball) == gzip.decompress(slim.tarball(version).read_bytes())


IMPORTED = "{first}\nfrom s3_cross_account import bindings, slim\nimport {core}\n" + (
    "print(slim.PACKAGE, {core}.App.__module__, bindings.S3Bucket.__module__)"
)


@pytest.mark.parametrize(
    ("first", "core", "package"),
    [
        ("", "cdktf", "cdktn_provider_aws"),
        ("import cdktn", "cdktf", "cdktn_provider_aws"),
        ("import cdktn", "cdktn", "cdktn_provider_aws"),
        # A program that has objects of cdktf cannot give them to the successor.
        ("import cdktf", "cdktf", "cdktf_cdktf_provider_aws"),
    ],
)
def test_what_a_program_imports_first_is_used(
    first: str, core: str, package: str, tmp_path: Path
) -> None:
    script = IMPORTED.format(first=first, core=core)
    result = run(tmp_path, "-c", script, bindings=installation(SUCCESSOR))
    name = package.partition("_")[0]
    assert result.stdout == f"{package} {name} {package}.s3_bucket\n", result.stderr


def test_without_its_aws_bindings_the_successor_takes_no_place(tmp_path: Path) -> None:
    (tmp_path / "cdktn").symlink_to(installation(SUCCESSOR) / "cdktn")
    script = IMPORTED.format(first="", core="cdktf")
    result = run(tmp_path, "-c", script, bindings=tmp_path)
    assert result.stdout.startswith("cdktf_cdktf_provider_aws cdktf "), result.stderr


MIXED = """
from cdktn import App, TerraformStack
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from s3_cross_account.account import Account
from s3_cross_account.settings import AccountSettings

app = App(outdir="out")
stack = TerraformStack(app, "mixed")
account = Account(
    stack, "home", alias="home", settings=AccountSettings(region="eu-west-1", profile="home")
)
CloudwatchLogGroup(stack, "logs", provider=account.provider)
app.synth()
"""


def test_a_program_of_the_successor_uses_the_library_and_other_types(tmp_path: Path) -> None:
    result = run(tmp_path, "-c", MIXED, bindings=installation(SUCCESSOR))
    assert (result.returncode, result.stderr) == (0, "")
    stack = json.loads((tmp_path / "out" / "stacks" / "mixed" / "cdk.tf.json").read_text())
    assert set(stack["resource"]) == {"aws_cloudwatch_log_group"}


def test_the_command_proves_what_it_synthesizes_with_the_successor(tmp_path: Path) -> None:
    link = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [{"account": "account2", "new_prefix": "reports-", "key": "new"}],
        "hardening": True,
    }
    (tmp_path / "links.json").write_text(
        json.dumps({"accounts": accounts(), "links": {"reports": link}})
    )
    result = run(tmp_path, "-m", "s3_links", "prove", bindings=installation(SUCCESSOR))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("reports: proved")
    (text,) = written(tmp_path).values()
    assert json.loads(text)["//"]["metadata"]["version"] == PINNED[SUCCESSOR]["cdktn"]


@pytest.mark.cost("planned")
def test_the_tests_run_on_the_successor_as_the_pipeline_runs_them(tmp_path: Path) -> None:
    installation(SUCCESSOR)
    folder = tmp_path / "tests"
    one = f"tests/reference/test_synthesis.py -k unchanged --basetemp={folder}"
    result = subprocess.run(
        ["make", "test-cdktn", f"PYTEST={one}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
    (text,) = written(folder).values()
    assert json.loads(text)["//"]["metadata"]["version"] == PINNED[SUCCESSOR]["cdktn"]
