"""Files are written beside and renamed, and what cannot be read says why."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.files import content_of, nearly, present, write
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with file.open("rb") as reader:
        write(file, b"new")
        assert reader.read() == b"old"  # whoever was reading it reads on in what he opened
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_and_leads_to_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there/file")
    write(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"new"


def test_the_mode_is_subject_to_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for mode in (0o666, 0o600):
            write(tmp_path / "file", b"", mode=mode)
            assert (tmp_path / "file").stat().st_mode & 0o777 == mode & ~0o027
    finally:
        os.umask(before)


@pytest.mark.cost("synthesized")
def test_on_a_full_disk_the_old_file_stays_and_nothing_is_left_beside(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    code = (
        "import resource, pathlib, s3_links.declarations.files as f;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        f"f.write(pathlib.Path({str(file)!r}), b'x' * 100_000)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert f"OSError: [Errno 27] File too large: '{file}'" in result.stderr
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_in_the_place_is_named_and_nothing_is_left_beside(tmp_path: Path) -> None:
    (tmp_path / "file" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match=r"directory: '.*/file'"):
        write(tmp_path / "file", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


UNREADABLE: dict[str, tuple[Callable[[Path], None], str]] = {
    "nothing": (lambda _: None, "does not exist: run this in the project's folder"),
    "a link to nowhere": (
        lambda file: file.symlink_to("nowhere"),
        "is a link to nowhere, which does not exist: mend or remove it",
    ),
    "a link to itself": (lambda file: file.symlink_to(file.name), "cannot be read ("),
    "a folder": (lambda file: file.mkdir(), "is a folder: put the file in its place"),
    "a pipe": (os.mkfifo, "is no regular file: put the file in its place"),
    "a device": (lambda file: file.symlink_to("/dev/null"), "is no regular file"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_says_why(kind: str, tmp_path: Path) -> None:
    make, told = UNREADABLE[kind]
    file = tmp_path / "links.json"
    make(file)
    assert present(file) is (kind != "nothing")
    with pytest.raises(ConfigurationError) as raised:
        content_of(file)
    (problem,) = raised.value.problems
    assert problem.startswith(f"{file}: {told}")


def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "folder").symlink_to("folder")  # for root, too
    with pytest.raises(ConfigurationError, match="cannot be read"):
        present(tmp_path / "folder" / "links.json")


@pytest.mark.parametrize(
    "name",
    [
        "Links.json",
        "LINKS.JSON",
        "link.json",
        "linsk.json",
        "links.jsn",
        "links.jsonc",
        "links_json",
        "links.json.txt",
        "links.json.json",
    ],
)
def test_a_slip_in_a_name_is_seen(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert nearly(tmp_path / "links.json") == name


@pytest.mark.parametrize("name", ["Links.yaml", "links.yaml.txt", "links.yaml.json", "link.yaml"])
def test_and_in_yamls(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert nearly(tmp_path / "links.yaml") == name


@pytest.mark.parametrize(
    "name",
    [
        "links.schema.json",
        "links.json~",
        "#links.json#",
        ".#links.json",
        ".links.json.swp",
        "links.json.bak",
        "links.json.orig",
        "links.example.json",
        "my-links.json",
        "package.json",
        "cdktf.json",
    ],
)
def test_a_name_of_another_purpose_is_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert nearly(tmp_path / "links.json") is None
