"""What is sent to Node.js while stacks are made: numbers that no machine changes."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from jsii._kernel.providers.process import _NodeProcess

from main import declared
from s3_links.synthesis import synthesize
from tests.conftest import PROJECT
from tests.support.links import accounts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CDKTF_OUTDIR", str(tmp_path / "cdktf.out"))  # Node.js stays where it began
    (tmp_path / "cdktf.json").write_text((PROJECT / "cdktf.json").read_text())
    return tmp_path


def counted(
    folder: Path, link: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> tuple[Counter[str], int]:
    """Synthesize a link, or the reference; return what was asked, and how long it was in all."""
    if link:
        content = {"accounts": accounts(), "links": {"link": link}}
        (folder / "links.json").write_text(json.dumps(content))
    make = declared()
    asked: Counter[str] = Counter()
    lengths: list[int] = []
    send = _NodeProcess.send

    def counting(process: Any, request: Any, answer: Any) -> Any:
        what = getattr(request, "method", "") or type(request).__name__
        if what != "LoadRequest":  # once in a process, in whichever test it is
            asked[what] += 1
        lengths.append(len(repr(request)))
        return send(process, request, answer)

    with monkeypatch.context() as patch:
        patch.setattr(_NodeProcess, "send", counting)
        synthesize(make)
    return asked, sum(lengths)


def hardened(bucket: dict[str, str], *, roles: int = 1) -> dict[str, Any]:
    return {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": f"reader-{n}"} for n in range(roles)],
        "buckets": [{"account": "account2", "new_prefix": "reports-", **bucket}],
        "access": {"level": "read-only"},
        "hardening": True,
    }


def blocks(folder: Path) -> int:
    """Return how many blocks Terraform has to read."""
    (file,) = folder.glob("cdktf.out/stacks/*/cdk.tf.json")
    content = json.loads(file.read_text())
    of_types = [named for kind in ("resource", "data") for named in content[kind].values()]
    others = [content.get(kind, {}) for kind in ("output", "variable")]
    return sum(map(len, [*of_types, *others, content["provider"]["aws"]]))


def test_the_reference_is_made_with_few(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = counted(folder, None, monkeypatch)
    assert asked.total() <= 98, asked
    assert asked.total() <= 2 * blocks(folder)


@pytest.mark.parametrize(("key", "most"), [({}, 44), ({"key": "new"}, 52)])
def test_a_hardened_link_is_made_with_few(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: dict[str, str], most: int
) -> None:
    asked, _ = counted(folder, hardened(key), monkeypatch)
    assert asked.total() <= most, asked
    assert asked.total() <= 2 * blocks(folder)


def test_each_role_of_a_bucket_costs_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two, four, eight = (
        counted(folder, hardened({"key": "new"}, roles=n), monkeypatch)[0] for n in (2, 4, 8)
    )
    assert eight.total() - four.total() == 2 * (four.total() - two.total())
    # Every document is written once, whoever is added to it.
    assert eight["putStatement"] == 0


def test_what_each_role_of_a_bucket_sends_has_the_same_length(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = hardened({})
    link["buckets"] = [{"account": "account2", "existing": "reports", "policy": "merge"}]
    few, more, many = (
        counted(
            folder,
            link
            | {
                "consumers": [
                    {"account": "account1", "existing_role": f"r-{n:03}"} for n in range(roles)
                ]
            },
            monkeypatch,
        )[1]
        for roles in (20, 40, 60)
    )
    assert many - more <= (more - few) * 1.05
