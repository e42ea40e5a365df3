"""A run's folder goes with it, however the run ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.cost("planned")

RUN = """
import sys, time
from s3_links.sandbox.run_folder import run_folder
with run_folder("s3-tried-") as folder:
    (folder / "plan.tfplan").write_text("a plan")
    print("ready", flush=True)
    time.sleep(60)
"""


def start(temporary: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=PROJECT,
        env={"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with start(tmp_path) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_goes_with_a_run_that_is_stopped(
    running: subprocess.Popen[str], sign: signal.Signals, tmp_path: Path
) -> None:
    running.send_signal(sign)
    running.wait(timeout=10)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_goes_with_the_next(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    (left,) = tmp_path.iterdir()
    (tmp_path / "s3-tried-by-hand").mkdir()  # nobody's run: no lock
    running.kill()
    running.wait()
    assert (left / "plan.tfplan").exists()
    with start(tmp_path) as following:
        assert not left.exists()
        with start(tmp_path) as third:  # beside one that runs, which stays
            assert len(list(tmp_path.glob("s3-tried-*/plan.tfplan"))) == 2
            third.terminate()
        following.terminate()
    assert [f.name for f in tmp_path.iterdir()] == ["s3-tried-by-hand"]
