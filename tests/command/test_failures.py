"""Whatever stops a synthesis, ``main.py`` says so in a line or two, and hangs on nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cdktf import App, TerraformStack

from s3_cross_account.account import Account
from s3_links.failures import told
from tests.conftest import PROJECT, STACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.cost("planned")


def run(
    folder: Path, *, environment: Mapping[str, str] | None = None, command: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run ``main.py`` on the project's own configuration, and for a minute at most."""
    if not os.path.lexists(folder / "cdktf.json"):
        (folder / "cdktf.json").write_text((PROJECT / "cdktf.json").read_text())
    return subprocess.run(
        [*command, sys.executable, str(PROJECT / "main.py")],
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


JSON = Path("cdktf.out", "stacks", STACK, "cdk.tf.json")
LOCK = ".terraform.lock.hcl"


def folder(at: Path) -> None:
    at.mkdir(parents=True)


def nowhere(at: Path) -> None:
    at.symlink_to("nowhere")


def full_disk(at: Path) -> None:
    at.parent.mkdir(parents=True)
    at.symlink_to("/dev/full")


def file(at: Path) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    at.touch()


WRONG_FILES: list[tuple[str | Path, Callable[[Path], None], str]] = [
    ("links.json", folder, "links.json: is a folder"),
    ("links.json", nowhere, "links.json: is a link to nowhere, which does not exist"),
    ("links.json", os.mkfifo, "links.json: is no regular file"),
    ("Links.json", file, "Links.json: is nearly called links.json, which does not exist: rename"),
    ("links.json.txt", nowhere, "links.json.txt: is nearly called links.json"),
    ("cdktf.json", folder, "cdktf.json: is a folder"),
    ("cdktf.json", os.mkfifo, "cdktf.json: is no regular file"),
    ("cdktf.json", nowhere, "cdktf.json: is a link to nowhere"),
    (LOCK, folder, f"{LOCK}: is a folder"),
    (LOCK, nowhere, f"{LOCK}: is a link to nowhere"),
    (LOCK, os.mkfifo, f"{LOCK}: is no regular file"),
    ("cdktf.out", file, "cdktf.out: cannot be written to"),
    ("cdktf.out/stacks", file, f"cdktf.out/stacks/{STACK}: cannot be read or written (not a dir"),
    (JSON, folder, f"{JSON}: cannot be read or written (illegal operation on a directory): mend"),
    (JSON, full_disk, "a file: cannot be read or written (no space left on device): mend that"),
]


@pytest.mark.parametrize(
    ("name", "make", "told"),
    [pytest.param(*case, id=f"{case[0]} {case[1].__name__}") for case in WRONG_FILES],
)
def test_a_file_that_is_none(
    name: str, make: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    result = run(tmp_path)
    assert result.returncode == 1
    *head, line = result.stderr.splitlines()
    assert head in ([], ["The configuration cannot be used:"])
    assert line.strip().startswith(told)
    assert result.stdout == ""


def test_a_full_disk(tmp_path: Path) -> None:
    limited = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")  # what jsii unpacks is more
    result = run(tmp_path, command=limited)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "a file: cannot be read or written (File too large): mend that, and run it again"
    ]


def node(folder: Path, script: str) -> dict[str, str]:
    """Return the environment in which ``node`` is this script."""
    program = folder / "bin" / "node"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "REAL": _real_node()}


def _real_node() -> str:
    return subprocess.check_output(
        ["node", "-p", "process.execPath"], text=True, timeout=60
    ).strip()


# Passes on the first requests and their replies, and no more.
SHORT_LIVED = """
import os, socket, subprocess, sys
theirs, ours = socket.fromfd(3, socket.AF_UNIX, socket.SOCK_STREAM), socket.socketpair()
os.dup2(ours[1].fileno(), 3)
with subprocess.Popen([os.environ["REAL"], *sys.argv[1:]], pass_fds=[3]) as node:
    requests, replies = theirs.makefile("rb"), ours[0].makefile("rb")
    for _ in range(20):
        theirs.sendall(replies.readline())
        ours[0].sendall(requests.readline())
    node.kill()
"""
VERSION = '[ "$1" = --version ] && exec "$REAL" "$@"'
INSTALL = "install version 20 or later"
TOO_EARLY = "Node.js ended too early: run it again; memory may have been short"
NODES = {
    "one that does not start": ("exit 127", f"`node --version` does not work: {INSTALL}"),
    "one that is too old": (
        '[ "$1" = --version ] && echo v18.20.8 || exec "$REAL" "$@"',
        f"Node.js 18 is too old: {INSTALL}",
    ),
    "one that says something else": (f"{VERSION}; echo hello", TOO_EARLY),
    "one that ends at once": (f"{VERSION}; exit 1", TOO_EARLY),
    "one that is killed at work": (
        f"{VERSION}; exec {sys.executable} -c '{SHORT_LIVED}' \"$@\"",
        TOO_EARLY,
    ),
}


@pytest.mark.parametrize("kind", NODES)
def test_a_nodejs_that_does_not_do(kind: str, tmp_path: Path) -> None:
    script, told = NODES[kind]
    result = run(tmp_path, environment=node(tmp_path, script))
    assert result.returncode == 1
    assert [line for line in result.stderr.splitlines() if line != "hello"] == [told]


@pytest.mark.parametrize("package", ["pydantic", "pydantic_core", "cdktf", "jsii", "constructs"])
def test_a_package_that_is_not_installed(package: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{package!r}] = None")
    result = run(tmp_path, environment=first_in_path(tmp_path))
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"The Python package {package} is not installed here: run `make synth`")


def first_in_path(folder: Path) -> dict[str, str]:
    others = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{folder}:{others}" if others else str(folder)}


WHEN_IMPORTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
"""


@pytest.mark.parametrize(
    "module", ["pydantic", "s3_links.declarations.deployment", "cdktf", "stacks.reference"]
)
def test_ctrl_c_while_something_is_imported(module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WHEN_IMPORTED.format(module=module))
    result = run(tmp_path, environment=first_in_path(tmp_path))
    assert (result.returncode, result.stderr) == (130, "Interrupted.\n")
    assert not (tmp_path / JSON).exists()


def test_ctrl_c_while_nodejs_works(tmp_path: Path) -> None:
    environment = node(tmp_path, "kill -INT $PPID; sleep 1")
    result = run(tmp_path, environment=environment)
    assert (result.returncode, result.stderr) == (130, "Interrupted.\n")


def test_a_mistake_of_this_program_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from s3_links.declarations import files\nfiles.present = lambda _: 1 / 0\n"
    )
    environment = first_in_path(tmp_path)
    environment["PYTHONPATH"] += f":{PROJECT}"
    result = run(tmp_path, environment=environment)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError" in result.stderr


def test_what_a_construct_refuses_is_no_matter_of_nodejs() -> None:
    stack = TerraformStack(App(), "stack")
    with pytest.raises(ValueError, match="give settings, a provider, or") as raised:
        Account(stack, "account", alias="account")
    assert any("jsii" in str(entry.path) for entry in raised.traceback)
    assert told(raised.value) is None
