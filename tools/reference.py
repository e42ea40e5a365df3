"""Print a page of the reference: ``python -m tools.reference links-file``, or ``commands.ja``.

``make api`` writes them to ``docs/reference``: the fields of a links file from their descriptions
in the schema, the commands from their help, in Japanese as ``japanese.json`` has them. A page is
refused while something on it says nothing of itself.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    Schema = dict[str, Any]


@dataclass(frozen=True)
class Language:
    """What a page says beside the descriptions, and the descriptions in its language."""

    links_file: str
    commands: str
    whole_file: str
    columns: str
    required: str
    same_as: str
    translated: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        """Return a description in the language, on one line for each paragraph."""
        plain = _plain("\n\n".join(" ".join(part.split()) for part in text.split("\n\n")))
        return self.translated.get(" ".join(plain.split()), plain)


ENGLISH = Language(
    """# The links file, field by field

日本語: [links-file.ja.md](links-file.ja.md)

What [a links file](../links.md) may hold. `make api` makes this page from the descriptions that an
editor and the errors show; `NAME` stands for a name of yours, `[]` for each of a list.
""",
    """# The commands, option by option

日本語: [commands.ja.md](commands.ja.md)

What [the command](../commands.md) takes. `make api` makes this page from its `--help`.
""",
    whole_file="The file",
    columns="| Field | What it is | If left out | Example |",
    required="required",
    same_as="The same as {}.",
)
JAPANESE = Language(
    """# リンクファイルの全フィールド

English: [links-file.md](links-file.md)

[リンクファイル](../links.ja.md)に書けるものです。`make api` が、エディターとエラーに出る説明から
このページを作ります。`NAME` は自分で付ける名前、`[]` は一覧のそれぞれを表します。
""",
    """# コマンドの全オプション

English: [commands.md](commands.md)

[コマンド](../commands.ja.md)が受け取るものです。`make api` が `--help` からこのページを作ります。
""",
    whole_file="ファイル全体",
    columns="| フィールド | 説明 | 省略したとき | 例 |",
    required="必須",
    same_as="{} も同じです。",
    translated=json.loads(Path(__file__).with_name("japanese.json").read_text(encoding="utf-8")),
)


@dataclass
class _Part:
    """What a user writes as one object: where it stands, and which words choose it there."""

    schema: Schema
    paths: list[str]
    chosen_by: list[str] = field(default_factory=list)

    def heading(self, language: Language) -> str:
        chosen = f" ({', '.join(self.chosen_by)})" if self.chosen_by else ""
        return f"`{self.paths[0]}`{chosen}" if self.paths[0] else language.whole_file

    @property
    def link(self) -> str:
        heading = self.heading(ENGLISH)
        anchor = re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")
        return f"[{heading}](#{anchor})"


def links_file(schema: Schema, language: Language = ENGLISH) -> str:
    """Return the page of a links file; raises ``ValueError`` naming what has no description."""
    parts = _parts(schema)
    silent = [p.heading(ENGLISH) for p in parts.values() if not p.schema.get("description")]
    silent += [
        f"{part.heading(ENGLISH)}: {key}"
        for part in parts.values()
        for key, value in part.schema["properties"].items()
        if not value.get("description")
    ]
    if silent:
        raise ValueError(f"without a description: {', '.join(silent)}")
    described = (_described(part, parts, language) for part in parts.values())
    return "\n".join([language.links_file, *described])


def _parts(schema: Schema) -> dict[str, _Part]:
    """Return every object of the file by its reference, each after where it is first named."""
    found = {"": _Part(schema, [""])}
    waiting = [""]
    while waiting:
        part = found[waiting.pop(0)]
        for key, value in part.schema["properties"].items():
            for suffix, reference, chosen_by in _references(value):
                path = f"{part.paths[0]}.{key}{suffix}".lstrip(".")
                if reference in found:
                    found[reference].paths += [path] * (path not in found[reference].paths)
                    continue
                name = reference.removeprefix("#/$defs/")
                found[reference] = _Part(schema["$defs"][name], [path], chosen_by)
                waiting.append(reference)
    return found


def _references(value: Schema, suffix: str = "") -> Iterator[tuple[str, str, list[str]]]:
    """Yield the objects that a field may hold: how its path goes on, and which word chooses it."""
    mapping = value.get("discriminator", {}).get("mapping", {})
    if reference := value.get("$ref"):
        yield suffix, reference, []
    for one in (*value.get("oneOf", ()), *value.get("anyOf", ())):
        for more, reference, _ in _references(one, suffix):
            yield more, reference, [word for word, chosen in mapping.items() if chosen == reference]
    if items := value.get("items"):
        yield from _references(items, f"{suffix}[]")
    for named in value.get("patternProperties", {}).values():
        yield from _references(named, f"{suffix}.NAME")


def _described(part: _Part, parts: dict[str, _Part], language: Language) -> str:
    lines = [f"## {part.heading(language)}\n", language(part.schema["description"]) + "\n"]
    if others := ", ".join(f"`{path}`" for path in part.paths[1:]):
        lines.append(language.same_as.format(others) + "\n")
    lines += [language.columns, "|---|---|---|---|"]
    required = part.schema.get("required", [])
    for key, value in part.schema["properties"].items():
        said = _cell(language(value["description"]))
        inner = dict.fromkeys(reference for _, reference, _ in _references(value))
        if inner:
            said += f": {', '.join(parts[reference].link for reference in inner)}"
        default = value.get("default")  # of an object, its description says what it comes to
        absent = "" if inner and default else _json(default)
        example = _json(value["examples"][0]) if value.get("examples") else ""
        absent = language.required if key in required else absent
        lines.append(f"| `{key}` | {said} | {absent} | {example} |")
    return "\n".join(lines) + "\n"


def _plain(docstring: str) -> str:
    return re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", docstring).replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _json(value: Any) -> str:
    return "" if value is None else f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def commands(app: Any, language: Language = ENGLISH) -> str:
    """Return the page of a Typer application; raises ``ValueError`` naming what has no help."""
    shown = list(_commands(get_command(app), "s3-links"))
    silent = [name for name, command in shown if not command.help]
    silent += [
        f"{name} {parameter.name}"
        for name, command in shown
        for parameter in command.params
        if not getattr(parameter, "help", None)
    ]
    if silent:
        raise ValueError(f"without a help text: {', '.join(silent)}")
    return "\n".join([language.commands, *(_command(*one, language) for one in shown)])


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield from _commands(one, f"{name} {inner}")


def _command(name: str, command: Any, language: Language) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## {name}\n", f"```text\n{usage}\n```\n", language(command.help) + "\n"]
    rows = [_row(parameter, context, language) for parameter in command.params]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _row(parameter: Any, context: Any, language: Language) -> str:
    names, said = parameter.get_help_record(context)
    if parameter.param_type_name == "argument":  # which Typer shows with its type in Python
        names = parameter.metavar or parameter.name.upper()
    return f"| `{_cell(names)}` | {_cell(language(said))} |"


def main() -> None:
    """Print the page that is named as its file is, without ``.md``."""
    from s3_links.cli import app
    from s3_links.declarations.links import schema

    name, _, suffix = sys.argv[1].partition(".")
    language = JAPANESE if suffix == "ja" else ENGLISH
    try:
        shown = (
            commands(app, language)
            if name == "commands"
            else links_file(json.loads(schema()), language)
        )
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.write(shown)


if __name__ == "__main__":
    main()
