"""Many links are made in several processes, and nobody can tell from what is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from s3_links import app, synthesis
from s3_links.failures import ToldError
from tests.support.links import accounts, synthesize

# The processes import this file before they start Node.js: nothing here imports jsii.
pytestmark = pytest.mark.cost("synthesized")

PIPELINE = {
    "pipeline": {"platform": "github", "repository": "acme/s3-links"},
    "state": {
        "backend": "s3",
        "bucket": "acme-states",
        "account": "account1",
        "create_bucket": True,
    },
}


def links(**changed: dict[str, Any]) -> dict[str, Any]:
    return {
        "accounts": accounts(),
        "links": {
            # Not in the order of their names.
            name: {
                "pattern": "direct-access",
                "consumers": [{"account": "account1", "new_role": f"reader-{name}"}],
                "buckets": [{"account": "account2", "new_prefix": f"reports-{name}-"}],
                "access": {"level": "read-only"},
                **changed.get(name, {}),
            }
            for name in ("e", "d", "c", "b", "a")
        },
    }


def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "")  # which is set for them
    monkeypatch.setattr(app, "LINKS_ALONE", 2)
    monkeypatch.setattr(app, "LINKS_A_PROCESS", 2)


def written(folder: Path) -> dict[str, bytes]:
    out = folder / "cdktf.out"
    return {str(f.relative_to(out)): f.read_bytes() for f in out.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    ("links", "processors", "sizes"),
    [
        (100, 2, [100]),
        (101, 2, [50, 51]),
        (1000, 2, [166, 167, 167, 166, 167, 167]),
        (1000, 1, [200] * 5),
        (150, 16, [50] * 3),
    ],
)
def test_each_process_has_as_many_and_each_processor_one(
    links: int, processors: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "processors", lambda: processors)
    names = [str(n) for n in range(links)]
    parts = app._parts(names)
    assert [len(part) for part in parts] == sizes
    assert [name for part in parts for name in part] == names


@pytest.mark.parametrize("pipeline", [{}, PIPELINE], ids=["links", "pipeline"])
def test_several_processes_write_what_one_does(
    pipeline: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = links() | pipeline
    (tmp_path / "one").mkdir()
    for folder in ("one", "several"):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / ".terraform.lock.hcl").write_text("# locked\n")
    assert not synthesize(tmp_path / "one", declared).returncode
    in_processes(monkeypatch)
    # What a deployment left there stays.
    kept = tmp_path / "several" / "cdktf.out" / "stacks" / "a" / ".terraform" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert not synthesize(tmp_path / "several", declared).returncode
    kept.unlink()
    one = written(tmp_path / "one")
    assert written(tmp_path / "several") == one
    supporting = {"pipeline-roles", "terraform-state"} if pipeline else set()
    assert {name.split("/")[1] for name in one if "/" in name} == {*"abcde"} | supporting
    left = {entry.name for entry in (tmp_path / "several" / "cdktf.out").iterdir()}
    assert left == {"manifest.json", "stacks"}


def test_every_part_says_what_is_wrong_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefixes = [f"{'p' * 60}-{n}/" for n in range(120)]
    long = {"access": {"level": "read-only", "prefixes": prefixes}}
    in_processes(monkeypatch)
    result = synthesize(tmp_path, links(a=long, e=long))
    assert result.returncode
    told = [line for line in result.stderr.splitlines() if "managed policy may get" in line]
    assert list(dict.fromkeys(line.strip()[0] for line in told)) == ["e", "a"]
    assert written(tmp_path) == {}


def killed(_: object) -> list[Any]:
    """End the process that makes stacks, as the system does where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def test_a_process_that_is_killed_is_told_of_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_processes(monkeypatch)
    monkeypatch.setenv("CDKTF_OUTDIR", str(tmp_path / "cdktf.out"))
    with pytest.raises(ToldError, match="a process ended too early: run it again"):
        synthesis.synthesize(synthesis.Stacks([killed, killed]))
    assert [*(tmp_path / "cdktf.out").iterdir()] == []


def ended(_: object) -> list[Any]:
    """End this process as the others are ended where one of them is gone."""
    os.kill(os.getpid(), signal.SIGTERM)
    return []


def test_a_process_that_is_ended_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_processes(monkeypatch)
    for variable, name in (("CDKTF_OUTDIR", "cdktf.out"), ("TMPDIR", "temporary")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    with pytest.raises(ToldError, match="a process ended too early"):
        synthesis.synthesize(synthesis.Stacks([ended, ended]))
    assert [*tmp_path.glob("*/*")] == []


TWICE = """
import os, signal
from s3_links import nodejs, synthesis

synthesis._interruptible()
nodejs.begin()
process = nodejs._Direct.running._process
kill = os.kill

def again(pid, number):
    kill(os.getpid(), signal.SIGTERM)
    kill(pid, number)

os.kill = again
with process._waitpid_lock:  # as whoever waits for it holds it
    kill(os.getpid(), signal.SIGTERM)
    signal.pause()
"""


def test_a_process_that_is_ended_twice_waits_for_nothing_that_it_has_interrupted() -> None:
    project = Path(synthesis.__file__).parents[1]
    folders = f"{project}:{project / 'constructs'}"
    result = subprocess.run(
        [sys.executable, "-c", TWICE],
        env=os.environ | {"PYTHONPATH": folders},
        timeout=60,
        check=False,
    )
    assert result.returncode == 130
