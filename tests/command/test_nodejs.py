"""Node.js is started directly or as jsii does, with the same result, and nothing of it is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsii
import pytest

from tests.conftest import FIXTURES, PROJECT, STACK

pytestmark = pytest.mark.cost("planned")

RECORDING = """#!/bin/sh
echo "$@" >> started
exec {node} "$@"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a configuration, and with a ``node`` that notes its starts."""
    shutil.copy(PROJECT / "cdktf.json", tmp_path)
    (tmp_path / "temporary").mkdir()
    program = tmp_path / "bin" / "node"
    program.parent.mkdir()
    program.write_text(RECORDING.format(node=shutil.which("node")))
    program.chmod(0o755)
    return tmp_path


def run(folder: Path, script: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``main.py``, after the lines of ``script``."""
    (folder / "sitecustomize.py").write_text(script)
    settings = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{folder}:{PROJECT}:{os.environ.get('PYTHONPATH', '')}",
        "TMPDIR": str(folder / "temporary"),
    }
    return subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        cwd=folder,
        env=os.environ | settings | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def started(folder: Path) -> list[str]:
    """Return the scripts that Node.js was started with, once it has ended."""
    lines = (folder / "started").read_text().splitlines()
    return [Path(line.split()[-1]).name for line in lines if line != "--version"]


def runtime(folder: Path) -> str:
    """Lay out what jsii starts, as it does."""
    scripts = Path(jsii.__file__).parent / "_embedded" / "jsii"
    for file in scripts.glob("*.js"):
        place = folder / "runtime" / file.name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    return str(folder / "runtime" / "bin" / "jsii-runtime.js")


@pytest.mark.parametrize(
    ("case", "scripts"),
    [
        ("as usual", ["program.js"]),
        ("another layout", ["jsii-runtime.js"]),
        ("a runtime that is named", ["jsii-runtime.js"]),
    ],
)
def test_the_reference_is_the_same_however_nodejs_starts(
    case: str, scripts: list[str], folder: Path
) -> None:
    script = {"another layout": "from s3_links import nodejs; nodejs.PROGRAM = {'other.js': ''}"}
    named = {"JSII_RUNTIME": runtime(folder)} if case == "a runtime that is named" else {}
    result = run(folder, script.get(case, ""), **named)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    written = folder / "cdktf.out" / "stacks" / STACK / "cdk.tf.json"
    assert written.read_bytes() == (FIXTURES / "reference.cdk.tf.json").read_bytes()
    assert started(folder) == scripts
    assert [*(folder / "temporary").iterdir()] == []


INTERRUPTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "stacks.configuration":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
"""


@pytest.mark.parametrize("wrong", ["a declaration", "the output folder", "interrupted"])
def test_nothing_is_left_where_a_synthesis_ends_early(wrong: str, folder: Path) -> None:
    if wrong == "a declaration":
        (folder / "cdktf.json").write_text("{}")
    if wrong == "the output folder":
        (folder / "cdktf.out").touch()
    result = run(folder, INTERRUPTED if wrong == "interrupted" else "")
    assert result.returncode in (1, 130)
    assert "program.js" not in result.stderr
    assert len(result.stderr.splitlines()) <= 2
    assert [*(folder / "temporary").iterdir()] == []


def test_what_nodejs_prints_is_printed_to_standard_error(folder: Path) -> None:
    hello = folder / "hello.js"
    hello.write_text("console.log('hello'); console.error('x'.repeat(10_000))")
    result = run(folder, NODE_OPTIONS=f"--require={hello}")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "hello\n")


def test_a_standard_output_that_is_closed(folder: Path) -> None:
    command = ["sh", "-c", 'exec "$@" >&- <&-', "sh", sys.executable, str(PROJECT / "main.py")]
    result = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_the_app_leaves_its_bindings_unchecked(folder: Path) -> None:
    asking = (
        "import atexit, typing; atexit.register(lambda: print(typing.get_type_hints.__module__))"
    )
    result = run(folder, asking)
    assert (result.returncode, result.stdout) == (0, "s3_links.unchecked\n")
