"""Print the library's API page from its docstrings: ``make api`` writes ``docs/api.md``.

Of the modules with an ``__all__`` it shows the names in it, with their public methods, and refuses
one that says nothing of itself. The sources are read, not imported: that needs no Node.js, and sees
what stands below an attribute.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]
PACKAGE = "s3_cross_account"
_WIDTH = 88
_HEAD = """# The library's API

What [the library](library.md) `s3_cross_account` promises, module by module; the rest
of it may change. `make api` makes this page from the docstrings.
"""


def public(folder: Path = PROJECT / "constructs") -> list[griffe.Module]:
    """Return the modules that promise something, except the re-exported AWS bindings."""
    package = griffe.load(PACKAGE, search_paths=[folder])
    modules = (m for _, m in sorted(package.modules.items()) if m.name != "bindings")
    return [module for module in modules if module.exports]


def page(modules: list[griffe.Module]) -> str:
    """Return the page; raises ``ValueError`` naming every public name without a docstring."""
    shown = [(module, [module[str(name)] for name in module.exports or ()]) for module in modules]
    names = [name for module, members in shown for name in (module, *members)]
    names += [method for _, members in shown for member in members for method in _methods(member)]
    if silent := [name.path for name in names if name.docstring is None]:
        raise ValueError(f"without a docstring: {', '.join(silent)}")
    lines = (line for module, members in shown for line in _of(module, members))
    return "\n".join([_HEAD, *lines])


def _of(module: griffe.Module, members: list[griffe.Object]) -> Iterator[str]:
    yield f"## {PACKAGE}.{module.name}\n\n{_said(module)}\n"
    for member in members:
        yield f"### {member.name}\n\n```python\n{_declared(member)}\n```\n\n{_said(member)}\n"
        for entry in (*_attributes(member), *_methods(member)):
            said = textwrap.indent(_said(entry), "  ").strip()
            yield f"- `{_declared(entry, _WIDTH * 9)}`: {said}\n"


def _said(member: griffe.Object) -> str:
    """Return a docstring as Markdown."""
    assert member.docstring is not None
    plain = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", member.docstring.value)
    return plain.replace("``", "`")


def _attributes(member: griffe.Object) -> list[griffe.Attribute]:
    return [a for a in _own(member) if isinstance(a, griffe.Attribute) and a.docstring]


def _methods(member: griffe.Object) -> list[griffe.Function]:
    return [f for f in _own(member) if isinstance(f, griffe.Function) and f.name[:2] != "__"]


def _own(member: griffe.Object) -> list[griffe.Object | griffe.Alias]:
    """Return a class's public members, without the inherited ones: its base shows those."""
    members = member.members.values() if isinstance(member, griffe.Class) else ()
    return [member for member in members if member.is_public]


def _declared(member: griffe.Object, width: int = _WIDTH) -> str:
    """Return how a name is declared, without what is behind it."""
    return _declaration(member, width).replace("'", '"')


def _declaration(member: griffe.Object, width: int) -> str:
    if isinstance(member, griffe.Attribute):
        typed = f": {_type(member.annotation)}" if member.annotation else ""
        value = f" = {member.value}" if member.value and "property" not in member.labels else ""
        return f"{member.name}{typed}{value}" if len(value) < width else f"{member.name}{typed}"
    assert isinstance(member, (griffe.Class, griffe.Function))
    parameters = list(_parameters(member))
    returned = f" -> {member.returns}" if isinstance(member, griffe.Function) else ""
    name = member.name
    if isinstance(member, griffe.Class) and member.bases:
        returned = f"  # a {' and a '.join(str(base).rpartition('.')[2] for base in member.bases)}"
    line = f"{name}({', '.join(parameters)}){returned}"
    if len(line) <= width:
        return line
    return "\n".join([f"{name}(", *(f"    {one}," for one in parameters), f"){returned}"])


def _parameters(member: griffe.Class | griffe.Function) -> Iterator[str]:
    parameters = [p for p in member.parameters if p.name != "self"]
    if isinstance(member, griffe.Class) and not parameters:  # a pydantic model's fields
        fields = [a for a in member.attributes.values() if a.annotation and a.is_public]
        yield from ["*", *(_declaration(field, _WIDTH) for field in fields)] if fields else []
    only_named = False
    for parameter in parameters:
        if parameter.kind is griffe.ParameterKind.keyword_only and not only_named:
            only_named = True
            yield "*"
        stars = {
            griffe.ParameterKind.var_positional: "*",
            griffe.ParameterKind.var_keyword: "**",
        }.get(parameter.kind, "")
        only_named |= stars == "*"
        typed = f": {_type(parameter.annotation)}" if parameter.annotation else ""
        default = "" if parameter.default is None or stars else f" = {parameter.default}"
        yield f"{stars}{parameter.name}{typed}{default}"


def _type(annotation: str | griffe.Expr | None) -> str:
    """Return an annotation without what only pydantic reads of it."""
    if isinstance(annotation, griffe.ExprSubscript) and str(annotation.left) == "Annotated":
        inner = annotation.slice
        first = inner.elements[0] if isinstance(inner, griffe.ExprTuple) else inner
        return _type(first)
    if isinstance(annotation, griffe.ExprSubscript):
        inner = annotation.slice
        elements = inner.elements if isinstance(inner, griffe.ExprTuple) else [inner]
        return f"{annotation.left}[{', '.join(map(_type, elements))}]"
    return str(annotation)


if __name__ == "__main__":
    try:
        sys.stdout.write(page(public()))
    except ValueError as error:
        sys.exit(str(error))
