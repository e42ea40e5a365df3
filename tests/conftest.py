"""What several tests need: the synthesized stack, Terraform, and two emulated accounts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsii._kernel.providers.process import ProcessProvider

from s3_links.sandbox.emulator import Emulator
from s3_links.sandbox.terraform import terraform_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Node.js is started by the first import of cdktf.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"

PROJECT = Path(__file__).parents[1]
FIXTURES = Path(__file__).parent / "fixtures"
STACK = "s3-multi-account-deploy"
COSTS = ("pure", "synthesized", "planned", "deployed")
LONGEST = "test_pipeline.py"
"""It takes minutes, most of them in runs that need the one before."""


def run_main(
    folder: Path, *, configuration: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``main.py`` in ``folder``, with the project's ``cdktf.json`` or another text in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if configuration is None:
        configuration = (PROJECT / "cdktf.json").read_text()
    (folder / "cdktf.json").write_text(configuration)
    return subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def json_file(folder: Path) -> Path:
    """Return where a run of ``main.py`` in ``folder`` writes the stack."""
    return folder / "cdktf.out" / "stacks" / STACK / "cdk.tf.json"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it costs: what its file or itself says, and what it is given.

    Files begin in the order of what is dearest in them: cheap ones fill the end, where one worker
    would still be deploying and the others wait. The longest of all begins first.
    """
    dearest: dict[Path, int] = {}
    for item in items:
        said = item.get_closest_marker("cost")
        cost: str = said.args[0] if said else "pure"
        assert cost in COSTS, (item.nodeid, cost)
        given = set(getattr(item, "fixturenames", ()))
        if given & {"emulator", "terraform"} and cost != "planned":
            cost = "deployed"
        elif "project_folder" in given and cost == "pure":
            cost = "synthesized"
        item.add_marker(cost)
        dearest[item.path] = max(dearest.get(item.path, 0), COSTS.index(cost))
    items.sort(key=lambda item: (item.path.name != LONGEST, -dearest[item.path]))


@pytest.fixture(autouse=True)
def _a_pure_test_starts_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail a test that counts as pure and is not."""
    if request.node.get_closest_marker("pure") is None:
        return

    def refuse(*_: object, **__: object) -> None:
        pytest.fail('it is not pure: mark it with cost("synthesized") or a higher one')

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(ProcessProvider, "_process", property(refuse))


@pytest.fixture(scope="session")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``main.py`` was run with the project's own configuration."""
    folder = tmp_path_factory.mktemp("project")
    result = run_main(folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="session")
def synthesized(project_folder: Path) -> dict[str, Any]:
    """The reference stack's JSON."""
    content: dict[str, Any] = json.loads(json_file(project_folder).read_text())
    return content


@pytest.fixture(scope="session")
def _emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="module")
def emulator(_emulator: Emulator) -> Iterator[Emulator]:
    """Two emulated accounts, empty for each file of tests."""
    yield _emulator
    request = urllib.request.Request(f"{_emulator.endpoint}/_ministack/reset", method="POST")
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200


class Terraform:
    """Runs the real Terraform against the emulated accounts."""

    def __init__(self, emulator: Emulator) -> None:
        self.environment = emulator.environment | terraform_settings(emulator.folder)

    def __call__(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *arguments],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def plan(self, folder: Path, *arguments: str) -> dict[str, Any]:
        """Initialize and plan in ``folder``, which validates too; return the plan as shown."""
        for command in (("init", "-no-color"), ("plan", "-no-color", "-out=plan", *arguments)):
            result = self(folder, *command)
            assert result.returncode == 0, result.stdout + result.stderr
        plan: dict[str, Any] = json.loads(self(folder, "show", "-json", "plan").stdout)
        return plan


@pytest.fixture(scope="module")
def terraform(_terraform: Terraform, emulator: Emulator) -> Terraform:  # noqa: ARG001
    """Terraform with the AWS provider; skips where they cannot be had, fails under CI."""
    return _terraform


@pytest.fixture(scope="session")
def _terraform(_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    runner = Terraform(_emulator)
    if shutil.which("terraform") is None:
        _unavailable("Terraform is not installed: install version 1.5 or later")
    folder = tmp_path_factory.mktemp("provider")
    required = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}
    (folder / "main.tf.json").write_text(json.dumps({"terraform": required}))
    result = runner(folder, "init", "-no-color", "-backend=false")
    if result.returncode:
        _unavailable(f"the AWS provider cannot be had: {result.stderr.strip()}")
    return runner


def _unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print which access is left when one half of a permission is taken away."""
    rows = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "half" and report.when == "call"
    ]
    if rows:
        terminalreporter.section("each half is needed: what is left of an access without one")
        for access, half, left in rows:
            terminalreporter.write_line(f"{access:22}  without {half:28} {left}")


def stack_copy(project_folder: Path, target: Path, *, state: Path | None = None) -> Path:
    """Copy the synthesized stack below ``target``, with ``state`` as its state; return its folder.

    The stack keeps its state three folders up, beside ``cdktf.out``.
    """
    folder = json_file(target).parent
    folder.mkdir(parents=True)
    shutil.copy(json_file(project_folder), folder)
    if state is not None:
        shutil.copy(state, target / f"terraform.{STACK}.tfstate")
    return folder
