"""Print the page of the examples: ``python -m tools.examples``, or with ``ja`` in Japanese.

``make api`` writes it to ``docs/reference``. Each folder of ``examples`` holds a links file and
says in two lines what it is for; who then may do what is evaluated, as by ``s3-links who-can``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3_links.declarations.read_links import read_links
from s3_links.operations.stack import declared
from s3_links.operations.who_can import who_can

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from s3_links.declarations.links import Links
    from s3_links.operations.stack import Stack

EXAMPLES = Path(__file__).parents[1] / "examples"
_TEXTS = {
    "en": """# Each example, and who then may do what

日本語: [examples.ja.md](examples.ja.md)

`make api` makes this page from the folders of `examples`. The tests prove of each that it lets just
this, and deploy it into emulated accounts as far as these can judge it.
""",
    "ja": """# それぞれの例と、その結果だれが何をできるか

English: [examples.md](examples.md)

このページは `examples` のフォルダーから `make api` が作る。どの例も、これだけを許すことを
テストが証明し、エミュレーターが判定できる範囲でデプロイする。
""",
}
_COLUMNS = {
    "en": "| Who | may | only if | by |",
    "ja": "| だれが | 何を | 条件 | 根拠 |",
}
_NOBODY = {"en": "Nobody of these accounts.", "ja": "これらのアカウントのだれも許されない。"}


@dataclass(frozen=True)
class Example:
    """A folder of the examples."""

    folder: Path

    @property
    def content(self) -> dict[str, Any]:
        """What its links file says."""
        found: dict[str, Any] = json.loads((self.folder / "links.json").read_text("utf-8"))
        return found

    def text(self, language: str) -> str:
        """Return what it says of itself, a level below the page's title."""
        suffix = {"en": "", "ja": ".ja"}[language]
        return "#" + (self.folder / f"README{suffix}.md").read_text("utf-8").strip()


@cache
def examples() -> tuple[Example, ...]:
    """Return every example in the order of their names."""
    return tuple(Example(file.parent) for file in sorted(EXAMPLES.glob("*/links.json")))


def together() -> dict[str, Any]:
    """Return one links file with all of them: no two of them make the same."""
    accounts: dict[str, Any] = {}
    links: dict[str, Any] = {}
    for example in examples():
        for kind, all_ in (("accounts", accounts), ("links", links)):
            for name, value in example.content[kind].items():
                if all_.setdefault(name, value) != value:
                    raise ValueError(f"{example.folder.name}: {name} is not as in another example")
    return {"accounts": accounts, "links": links}


def synthesized(folder: Path) -> tuple[Links, list[Stack]]:
    """Synthesize all of them in a folder; return them as they were read, and their stacks."""
    file = folder / "links.json"
    file.write_text(json.dumps(together()), encoding="utf-8")
    environment = os.environ | {"CDKTF_OUTDIR": str(folder / "cdktf.out")}
    command = [sys.executable, "-m", "s3_links", "--file", str(file), "app"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    before = os.environ.get("CDKTF_OUTDIR")
    os.environ["CDKTF_OUTDIR"] = environment["CDKTF_OUTDIR"]
    try:
        return read_links(file), list(declared().values())
    finally:
        os.environ.pop("CDKTF_OUTDIR")
        os.environ.update({"CDKTF_OUTDIR": before} if before else {})


def page(language: str, links: Links, stacks: Sequence[Stack]) -> str:
    """Return the page of all examples as they were synthesized."""
    by_name = {stack.name: stack for stack in stacks}
    parts = [_TEXTS[language].strip()]
    for example in examples():
        own = example.content["links"]
        shown = json.dumps(own, indent=2, ensure_ascii=False)
        table = "\n".join(_table(links, {n: by_name[n] for n in own}, language))
        parts += [example.text(language), f"```json\n{shown}\n```", table]
    return "\n\n".join(parts) + "\n"


def _table(links: Links, stacks: Mapping[str, Stack], language: str) -> Iterator[str]:
    rows: dict[tuple[str, ...], None] = {}
    for name in stacks:
        for bucket in dict.fromkeys(b.name for b in links.links[name].buckets):
            answer = who_can(list(stacks.values()), links, bucket, ())
            rows |= dict.fromkeys(answer.cells())
    if not rows:
        yield _NOBODY[language]
        return
    yield _COLUMNS[language]
    yield "|---|---|---|---|"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(page((sys.argv[1:] or ["en"])[0], *synthesized(Path(folder))), end="")
