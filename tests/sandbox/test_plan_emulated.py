"""A plan without credentials, against emulated accounts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("planned")

# Accounts that are not the emulator's own, reached in every way, and everything that exists.
DECLARED: dict[str, Any] = {
    "accounts": {
        "here": {
            "region": "ap-northeast-1",
            "assume_role": {"role_arn": "arn:aws:iam::333333333333:role/deploy"},
            "permissions_boundary": "arn:aws:iam::333333333333:policy/limits/of-roles",
        },
        "there": {"region": "eu-west-1", "profile": "other"},
    },
    "state": {"backend": "s3", "account": "there", "bucket": "not-readable-here"},
    "links": {
        "looked-up": {
            "pattern": "direct-access",
            "consumers": [
                {"account": "here", "existing_role": "web"},
                {"account": "here", "instance_profile": "web-profile"},
                {"account": "here", "imported_role": "taken-over"},
                {"account": "here", "new_role": "made"},
            ],
            "buckets": [
                {"account": "there", "existing": "theirs", "policy": "create"},
                {"account": "there", "imported": "ours", "policy": "import"},
            ],
            "hardening": {"tls_only": True},
        }
    },
}


@pytest.fixture(scope="module")
def place(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Workplace:  # noqa: ARG001
    environment = {"HOME": "/nonexistent", "CHECKPOINT_DISABLE": "1"}  # no credentials at all
    place = Workplace(tmp_path_factory.mktemp("fork"), environment)
    place.declare(DECLARED)
    return place


@pytest.fixture(scope="module")
def planned(place: Workplace) -> dict[str, Any]:
    result = place.make("plan-emulated")
    assert result.returncode == 0, result.stdout + result.stderr
    content: dict[str, Any] = json.loads((place.folder / "plans" / "summary.json").read_text())
    return content


def test_what_exists_is_stood_in_for(planned: dict[str, Any]) -> None:
    (summary,) = planned["stacks"]
    imported = {c["address"].partition(".")[0] for c in summary["changes"] if c["imported"]}
    assert imported == {"aws_iam_role", "aws_s3_bucket", "aws_s3_bucket_policy"}
    who = {a["principal"] for a in summary["appears"] if a["target"].startswith("bucket")}
    assert who >= {"role web (here)", "role web-profile (here)", "role taken-over (here)"}


@pytest.mark.usefixtures("planned")
def test_it_says_so_and_leaves_nothing_to_apply(place: Workplace) -> None:
    text = (place.folder / "plans" / "summary.md").read_text()
    assert text.startswith("> Planned against empty emulated accounts")
    assert list((place.folder / "plans").glob("*.tfplan")) == []
    assert not (place.folder / "cdktf.out").exists()


@pytest.mark.usefixtures("planned")
def test_apply_takes_nothing_of_it(place: Workplace) -> None:
    place.run(sys.executable, "main.py")
    result = place.run(sys.executable, "-m", "s3_links", "apply")
    assert result.returncode == 1
    assert "holds a summary only" in result.stderr


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_stopped_it_leaves_nothing(place: Workplace, sign: signal.Signals) -> None:
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:  # short: plugins listen in it
        process = subprocess.Popen(
            [sys.executable, "-m", "s3_links.sandbox.plan"],
            cwd=place.folder,
            env={"PATH": os.environ["PATH"], "TMPDIR": temporary} | place.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not list(place.folder.glob(".plans-*")):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        process.send_signal(sign)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 130
        assert told.strip().endswith("the emulated accounts are stopped, nothing is left.")
        assert "Traceback" not in told
        assert list(Path(temporary).iterdir()) == []
    assert list(place.folder.glob(".plans-*")) == []
    assert not (place.folder / "plans").exists()


def test_a_gate_refuses_here_too(place: Workplace) -> None:
    result = place.make("plan-emulated", "ARGS=--refuse access")
    assert result.returncode != 0
    assert "looked-up: access appears" in result.stderr


def test_a_wrong_declaration_is_told(place: Workplace, tmp_path: Path) -> None:
    place = Workplace(tmp_path, place.environment)
    place.declare(DECLARED | {"links": {}})
    result = place.make("plan-emulated")
    assert result.returncode != 0
    assert "The configuration cannot be used:" in result.stderr
    assert "Traceback" not in result.stderr
