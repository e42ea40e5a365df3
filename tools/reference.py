"""Print a page of the reference: ``python -m tools.reference links-file`` or ``commands``.

``make api`` writes both to ``docs/reference``: the fields of a links file from their descriptions
in the schema, the commands from their help. Either is refused while something in it says nothing of
itself.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    Schema = dict[str, Any]

_LINKS_FILE = """# The links file, field by field

What [a links file](../links.md) may hold. `make api` makes this page from the descriptions that an
editor and the errors show; `NAME` stands for a name of yours, `[]` for each of a list.
"""
_COMMANDS = """# The commands, option by option

What [the command](../commands.md) takes. `make api` makes this page from its `--help`.
"""


@dataclass
class _Part:
    """What a user writes as one object: where it stands, and what else is written in its place."""

    schema: Schema
    paths: list[str]
    chosen_by: list[str] = field(default_factory=list)

    @property
    def heading(self) -> str:
        chosen = f" ({', '.join(self.chosen_by)})" if self.chosen_by else ""
        return f"`{self.paths[0]}`{chosen}" if self.paths[0] else "The file"

    @property
    def link(self) -> str:
        anchor = re.sub(r"[^a-z0-9_ -]", "", self.heading.lower()).replace(" ", "-")
        return f"[{self.heading}](#{anchor})"


def links_file(schema: Schema) -> str:
    """Return the page of a links file; raises ``ValueError`` naming what has no description."""
    parts = _parts(schema)
    silent = [part.heading for part in parts.values() if not part.schema.get("description")]
    silent += [
        f"{part.heading}: {key}"
        for part in parts.values()
        for key, value in part.schema["properties"].items()
        if not value.get("description")
    ]
    if silent:
        raise ValueError(f"without a description: {', '.join(silent)}")
    return "\n".join([_LINKS_FILE, *(_described(part, parts) for part in parts.values())])


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


def _described(part: _Part, parts: dict[str, _Part]) -> str:
    also = (
        f"\n\nThe same as {', '.join(f'`{p}`' for p in part.paths[1:])}." if part.paths[1:] else ""
    )
    lines = [f"## {part.heading}\n", _plain(part.schema["description"]) + also + "\n"]
    lines += ["| Field | What it is | If left out | Example |", "|---|---|---|---|"]
    required = part.schema.get("required", [])
    for key, value in part.schema["properties"].items():
        said = _cell(value["description"])
        inner = dict.fromkeys(reference for _, reference, _ in _references(value))
        if inner:
            said += f": {', '.join(parts[reference].link for reference in inner)}"
        default = value.get("default")
        absent = "required" if key in required else _json(None if inner and default else default)
        example = _json(value["examples"][0]) if value.get("examples") else ""
        lines.append(f"| `{key}` | {said} | {absent} | {example} |")
    return "\n".join(lines) + "\n"


def _plain(docstring: str) -> str:
    return re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", docstring).replace("``", "`")


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|")


def _json(value: Any) -> str:
    return "" if value is None else f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def commands(app: Any) -> str:
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
    return "\n".join([_COMMANDS, *(_command(name, command) for name, command in shown)])


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner, one in getattr(command, "commands", {}).items():
        if not one.hidden:
            yield from _commands(one, f"{name} {inner}")


def _command(name: str, command: Any) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## {name}\n", f"```text\n{usage}\n```\n", _paragraphs(command.help)]
    rows = [_row(parameter, context) for parameter in command.params]
    if rows:
        lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _paragraphs(text: str) -> str:
    return "\n\n".join(_plain(" ".join(p.split())) for p in text.split("\n\n")) + "\n"


def _row(parameter: Any, context: Any) -> str:
    names, said = parameter.get_help_record(context)
    if parameter.param_type_name == "argument":  # which Typer shows with its type in Python
        names = parameter.metavar or parameter.name.upper()
    return f"| `{_cell(names)}` | {_cell(said)} |"


if __name__ == "__main__":
    from s3_links.cli import app
    from s3_links.declarations.links import schema

    pages = {
        "links-file": lambda: links_file(json.loads(schema())),
        "commands": lambda: commands(app),
    }
    try:
        sys.stdout.write(pages[sys.argv[1]]())
    except ValueError as error:
        sys.exit(str(error))
