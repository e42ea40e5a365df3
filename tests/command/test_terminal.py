"""The command on a real terminal: it asks, shows that it works, and takes only yes for yes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Terraform

_SECONDS = 240


def on_terminal(
    folder: Path, arguments: list[str], answers: dict[str, str], environment: dict[str, str]
) -> tuple[int, str]:
    """Run the command on a terminal of 80 columns; give each answer when its question comes."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "s3_links", *arguments],
        cwd=folder,
        env=environment | {"TERM": "xterm-256color", "COLUMNS": "80", "PATH": os.environ["PATH"]},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    said, left = "", dict(answers)
    try:
        while select.select([ours], [], [], _SECONDS)[0]:
            try:
                said += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # the terminal's other end is closed
                break
            for question in [q for q in left if q in said]:
                os.write(ours, f"{left.pop(question)}\n".encode())
    finally:
        process.kill() if process.poll() is None and left else None
        os.close(ours)
    assert not left, f"never asked: {left}; said: {said}"
    return process.wait(timeout=60), said


def plain(said: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said).replace("\r", "")


def test_a_link_is_begun_deployed_and_destroyed_by_who_answers(
    terraform: Terraform, tmp_path: Path
) -> None:
    environment = terraform.environment
    code, said = on_terminal(
        tmp_path,
        ["init"],
        {
            "The role's account": "account1=111111111111:ap-northeast-1",
            "The bucket's account": "account2=222222222222:ap-northeast-1",
            "The name of the new role": "reports-reader",
            "What the new bucket's name begins with": "reports-",
        },
        environment,
    )
    assert (code, "Written: links.json" in plain(said)) == (0, True)
    declared = json.loads((tmp_path / "links.json").read_text())
    del declared["links"]["reports"]["hardening"]  # for whose lifecycle rules Terraform waits long
    (tmp_path / "links.json").write_text(json.dumps(declared))

    code, said = on_terminal(tmp_path, ["deploy"], {"Only yes is taken": "y"}, environment)
    assert code == 1
    assert "Nothing was deployed." in plain(said)
    assert "reports-reader" in plain(said)  # which access appears, before it asks
    assert "Planning" in plain(said)
    assert "\x1b[" in said  # colours and progress, as on a terminal
    assert not list(tmp_path.glob("terraform.*.tfstate"))

    code, said = on_terminal(tmp_path, ["deploy"], {"Only yes is taken": "yes"}, environment)
    assert (code, "role_arn_account1_reports-reader = arn:" in plain(said)) == (0, True), plain(
        said
    )

    code, said = on_terminal(tmp_path, ["destroy"], {"Only yes is taken": "no"}, environment)
    assert (code, "Nothing was destroyed." in plain(said)) == (1, True), plain(said)
    code, said = on_terminal(tmp_path, ["destroy"], {"Only yes is taken": "yes"}, environment)
    assert code == 0, plain(said)
    (state,) = tmp_path.glob("terraform.*.tfstate")
    assert json.loads(state.read_text())["resources"] == []


@pytest.mark.cost("planned")
def test_nothing_is_coloured_where_no_terminal_is(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "s3_links", "--help"],
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm-256color"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "\x1b[" not in result.stdout
