"""Every dependency has its reason, is locked, and is proposed anew when it has a newer version."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import PROJECT
from tools.propose import BRANCH, LOCKS, TITLE, changes, versions

if TYPE_CHECKING:
    from pathlib import Path

PIPFILE: dict[str, Any] = tomllib.loads((PROJECT / "Pipfile").read_text())
PYPROJECT: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())
NODE = {
    folder: json.loads((PROJECT / folder / "package.json").read_text())
    for folder in ("", "tests/evaluator")
}
OURS = PYPROJECT["project"]["name"]


def declared() -> set[str]:
    project = PYPROJECT["project"]
    extras = project.get("optional-dependencies", {}).values()
    asked = [*project["dependencies"], *PYPROJECT["build-system"]["requires"]]
    asked += [text for extra in extras for text in extra]
    names = {re.split(r"[\[<>=~! ;]", text)[0] for text in asked}
    names |= {name for group in ("packages", "dev-packages") for name in PIPFILE[group]}
    for package in NODE.values():
        for group in ("dependencies", "devDependencies", "optionalDependencies"):
            names |= set(package.get(group, {}))
    return names - {OURS}


def shown(page: str) -> dict[str, str]:
    """Return the packages on the page, each with its reason."""
    text = (PROJECT / "docs" / page).read_text()
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", text, flags=re.M)
    found = [(name, reason) for names, reason in rows for name in re.findall(r"`([^`]+)`", names)]
    assert len(found) == len(dict(found)), "named twice"
    return dict(found)


@pytest.mark.parametrize("page", ["dependencies.md", "dependencies.ja.md"])
def test_every_dependency_is_on_the_page_and_no_other(page: str) -> None:
    assert set(shown(page)) == declared()
    assert min(len(reason) for reason in shown(page).values()) > 3


@pytest.mark.parametrize("page", ["dependencies.md", "dependencies.ja.md"])
def test_what_ends_has_a_way_out(page: str) -> None:
    text = (PROJECT / "docs" / page).read_text()
    ending = [
        line for line in text.splitlines() if line.startswith("| ") and line.count(" | ") == 2
    ]
    for name in ("`cdktf`", "`awscli`", "`ministack`"):
        (row,) = [line for line in ending if name in line]
        assert len(row.strip("| ").split(" | ")[2]) > 3


def test_every_dependency_is_locked_with_its_hash() -> None:
    lock = json.loads((PROJECT / "Pipfile.lock").read_text())
    for group, section in (("packages", "default"), ("dev-packages", "develop")):
        for name in set(PIPFILE[group]) - {OURS}:
            assert lock[section][name.lower()]["hashes"], name
    for folder, package in NODE.items():
        locked = json.loads((PROJECT / folder / "package-lock.json").read_text())["packages"]
        assert locked[""]["devDependencies"] == package["devDependencies"]
        for name in package["devDependencies"]:
            assert locked[f"node_modules/{name}"]["integrity"], name


def test_the_versions_that_change_are_told() -> None:
    before = {
        "default": {
            "rich": {"version": "==13.8"},
            "gone": {"version": "==1"},
            "here": {"path": "."},
        },
        "develop": {"rich": {"version": "==13.8"}},
    }
    after = {"default": {"rich": {"version": "==13.9"}, "here": {"path": "."}}}
    assert list(changes(versions(before), versions(after))) == [
        "| `gone` | 1 | - |",
        "| `rich` | 13.8 | 13.9 |",
    ]
    node = {"": {"name": "ours", "version": "0"}, "node_modules/a": {"version": "1"}}
    newer = node | {"node_modules/b/node_modules/a": {"version": "2"}}
    assert list(changes(versions({"packages": node}), versions({"packages": newer}))) == [
        "| `a` | 1 | 1, 2 |"
    ]


# Answers as `gh` does, and writes down what it was asked for.
GH = """#!{python}
import json, pathlib, sys
file = pathlib.Path({file!r})
asked = json.loads(file.read_text()) if file.exists() else []
match sys.argv[1:]:
    case ["pr", "list", *_]:
        print("7" if any(command[1] == "create" for command, _ in asked) else "")
    case ["pr", "create" | "edit" as what, *_]:
        asked.append([sys.argv[1:], sys.stdin.read()])
        print("https://github.example.com/a/b/pull/7" if what == "create" else "")
    case _:
        sys.exit("unexpected")
file.write_text(json.dumps(asked))
"""


class Repository:
    """A clone with our lock files, whose origin is a folder."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.origin = folder / "clone", folder / "origin"
        self._asked = folder / "asked.json"
        command = folder / "bin" / "gh"
        command.parent.mkdir()
        command.write_text(GH.format(python=sys.executable, file=str(self._asked)))
        command.chmod(0o755)
        self._environment = {
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GITHUB_SERVER_URL": "https://github.example.com",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_RUN_ID": "42",
        }
        (self.clone / "tests" / "evaluator").mkdir(parents=True)
        for name in (*LOCKS, "Makefile", "tools/propose.py", "tools/__init__.py"):
            (self.clone / name).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT / name, self.clone / name)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", ".")
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        self.git(*who, "commit", "--quiet", "--message", "Begin")
        self.git("clone", "--quiet", "--bare", ".", str(self.origin))
        self.git("remote", "add", "origin", str(self.origin))

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.clone,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def propose(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "propose"],
            cwd=self.clone,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )

    def renew(self, version: str) -> None:
        self.git("switch", "--quiet", "main")
        file = self.clone / "Pipfile.lock"
        lock = json.loads(file.read_text())
        lock["develop"]["zizmor"]["version"] = f"=={version}"
        file.write_text(json.dumps(lock))

    @property
    def asked(self) -> list[tuple[list[str], str]]:
        """Return what the GitHub CLI was asked to write."""
        return [tuple(one) for one in json.loads(self._asked.read_text())]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.cost("planned")
def test_where_nothing_was_renewed_nothing_is_proposed(repository: Repository) -> None:
    (repository.clone / "else").touch()
    result = repository.propose()
    assert (result.returncode, result.stdout) == (0, "Nothing has changed.\n")
    assert repository.git("ls-remote", "--heads", "origin").split("\t")[1:] == ["refs/heads/main\n"]


@pytest.mark.cost("planned")
def test_what_was_renewed_is_proposed_and_followed_in_one_pull_request(
    repository: Repository,
) -> None:
    with (repository.clone / "Makefile").open("a") as file:
        file.write("# not ours to propose\n")
    repository.renew("998")
    result = repository.propose()
    opened = "https://github.example.com/a/b/pull/7\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, opened, "")
    ((words, body),) = repository.asked
    assert words[:8] == ["pr", "create", "--base", "main", "--head", BRANCH, "--title", TITLE]
    assert body.startswith("All checks and tests passed with it: https://github.example.com/a/b/ac")
    assert re.search(r"^\| `zizmor` \| [\d.]+ \| 998 \|$", body, flags=re.M)
    assert body.count("\n| `") == 1
    assert repository.git("diff", "--name-only", "main", f"origin/{BRANCH}") == "Pipfile.lock\n"
    author = repository.git("log", "-1", "--format=%an %s", f"origin/{BRANCH}")
    assert author == f"github-actions[bot] {TITLE}\n"

    repository.renew("999")
    result = repository.propose()
    assert result.stdout == "Pull request 7 has the new versions.\n"
    words, body = repository.asked[1]
    assert words == ["pr", "edit", "7", "--body-file", "-"]
    assert "| 999 |" in body
    assert repository.git("rev-list", "--count", f"main..origin/{BRANCH}") == "1\n"


@pytest.mark.cost("planned")
def test_a_push_that_is_refused_is_told_in_one_line(repository: Repository) -> None:
    repository.renew("998")
    shutil.rmtree(repository.origin)
    result = repository.propose()
    assert result.returncode != 0
    assert "does not appear to be a git repository" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.cost("planned")
def test_make_lock_renews_all_lock_files_and_names_no_index(tmp_path: Path) -> None:
    for name in ("Makefile", "Pipfile", "pyproject.toml", "README.md", "LICENSE", *LOCKS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    for folder in (".", "tests/evaluator"):
        for name in ("package.json", ".npmrc"):
            shutil.copy(PROJECT / folder / name, tmp_path / folder / name)
    for name in ("constructs", "s3_links", "tools", ".tools"):
        (tmp_path / name).symlink_to(PROJECT / name)
    lock = json.loads((PROJECT / "Pipfile.lock").read_text())
    lock["develop"]["ruff"] = {"version": "==0.1.0", "hashes": []}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    result = subprocess.run(
        ["make", "lock"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if result.returncode:
        reason = f"no package index is reached: {result.stderr[-300:]}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    renewed = json.loads((tmp_path / "Pipfile.lock").read_text())
    assert set(renewed["default"]) >= set(PIPFILE["packages"]) - {OURS}
    assert set(renewed["develop"]) >= {name.lower() for name in PIPFILE["dev-packages"]}
    assert renewed["develop"]["ruff"]["version"] != "==0.1.0"
    assert renewed["develop"]["ruff"]["hashes"]
    assert renewed["_meta"]["sources"] == []
    for name in LOCKS:
        text = (tmp_path / name).read_text()
        assert not re.search(r'"(resolved|index)":', text), name
