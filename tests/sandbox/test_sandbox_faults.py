"""Faults in the middle of a deployment, and wrong accounts."""

from __future__ import annotations

import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import Emulator
from s3_links.sandbox.leftovers import leftovers
from s3_links.sandbox.workstation import ToolError, Workstation, default_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Terraform


@pytest.fixture
def own_emulator(
    terraform: Terraform,  # noqa: ARG001 (skips without it)
    tmp_path: Path,
) -> Iterator[Emulator]:
    with Emulator(tmp_path / "emulator") as emulator:
        yield emulator


def everything(emulator: Emulator) -> list[str]:
    return [
        thing
        for alias in ("account1", "account2")
        for thing in leftovers(root(emulator.endpoint, alias))
    ]


def start_apply(workstation: Workstation) -> subprocess.Popen[str]:
    workstation.cdktf("synth")
    code, output = workstation.terraform("init", "-no-color")
    assert code == 0, output
    return subprocess.Popen(
        ["terraform", "apply", "-auto-approve", "-no-color", "-parallelism=2"],
        cwd=workstation.stack_folder,
        env=workstation.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_progress(emulator: Emulator, things: int) -> None:
    deadline = time.monotonic() + 60
    while len(everything(emulator)) < things:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_a_pause(emulator: Emulator) -> None:
    """Wait until nothing is being made: the provider waits for what it has made.

    A request that is in flight when Terraform is stopped may be carried out and not recorded.
    """
    before: list[str] = []
    deadline = time.monotonic() + 60
    while (now := everything(emulator)) != before:
        assert time.monotonic() < deadline
        before = now
        time.sleep(1)


def test_an_apply_killed_half_way_is_completed_by_the_next(
    own_emulator: Emulator, tmp_path: Path
) -> None:
    workstation = Workstation(own_emulator, tmp_path / "work")
    process = start_apply(workstation)
    wait_for_progress(own_emulator, 6)
    wait_for_a_pause(own_emulator)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode != 0
    half_way = everything(own_emulator)
    workstation.deploy()
    complete = everything(own_emulator)
    assert set(half_way) <= set(complete)  # nothing was lost
    assert sum(thing.startswith("bucket ") for thing in complete) == 4  # nothing is there twice
    assert workstation.diff() == "No changes."


def test_the_emulator_stopped_half_way_is_a_clear_error_and_the_next_run_completes(
    own_emulator: Emulator, tmp_path: Path
) -> None:
    workstation = Workstation(own_emulator, tmp_path / "work")

    def stop_half_way() -> None:
        wait_for_progress(own_emulator, 4)
        own_emulator.stop()

    stopping = threading.Thread(target=stop_half_way)
    stopping.start()
    with pytest.raises(ToolError, match=r"the emulator has ended: run this again"):
        workstation.deploy()
    stopping.join()
    own_emulator.start()  # all that was in it is gone, as in a new sandbox
    second = Workstation(own_emulator, tmp_path / "second")
    outputs = second.deploy()
    assert outputs["bucket1_name"].startswith("s3-account1-bucketpolicy-")


def test_a_profile_of_the_other_account_is_stopped_before_any_change(
    own_emulator: Emulator, tmp_path: Path
) -> None:
    accounts = default_accounts()
    accounts["account1"]["profile"], accounts["account2"]["profile"] = "account2", "account1"
    workstation = Workstation(own_emulator, tmp_path / "work", accounts=accounts)
    with pytest.raises(ToolError, match="AWS account ID not allowed: 222222222222"):
        workstation.deploy()
    assert everything(own_emulator) == []


def test_two_profiles_of_one_account_are_stopped_when_the_ids_are_pinned(
    own_emulator: Emulator, tmp_path: Path
) -> None:
    workstation = Workstation(own_emulator, tmp_path / "work")
    config = own_emulator.folder / "credentials"
    config.write_text(config.read_text().replace("222222222222", "111111111111"))
    with pytest.raises(ToolError, match="AWS account ID not allowed: 111111111111"):
        workstation.deploy()
    assert everything(own_emulator) == []


def test_the_same_profile_twice_is_refused_at_synthesis(
    own_emulator: Emulator, tmp_path: Path
) -> None:
    accounts = default_accounts()
    accounts["account2"]["profile"] = "account1"
    del accounts["account1"]["account_id"], accounts["account2"]["account_id"]
    workstation = Workstation(own_emulator, tmp_path / "work", accounts=accounts)
    with pytest.raises(ToolError, match='is the same account as "account1"'):
        workstation.deploy()


def test_a_profile_that_does_not_exist_is_named(own_emulator: Emulator, tmp_path: Path) -> None:
    accounts = default_accounts()
    accounts["account2"]["profile"] = "acount2"
    workstation = Workstation(own_emulator, tmp_path / "work", accounts=accounts)
    with pytest.raises(ToolError, match="failed to get shared config profile, acount2"):
        workstation.deploy()
    assert everything(own_emulator) == []
