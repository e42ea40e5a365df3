"""Check a configuration against its model, and report all that is wrong at once.

Each problem is told with its place and how to mend it.
"""

from __future__ import annotations

import json
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from s3_cross_account.spelling import near_match

from .errors import ConfigurationError
from .part import Part, contradictions
from .reading import branches, meant, parts_among, readable, tags
from .word_values import told_of_value
from .words import told_of_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from .part import Place, Problem

Model = TypeVar("Model", bound=Part)
Source = Union[str, "Callable[[Place], str]"]
"""The name of a file, or what gives the file and the line of a place."""


def checked(
    model: type[Model],
    content: dict[str, Any],
    *,
    source: Source,
    at: Place = (),
    found: Iterable[Problem] = (),
) -> Model:
    """Return ``content`` as a ``model``, or raise :class:`ConfigurationError`.

    ``at`` is where the content stands in its ``source``. ``found`` is what else is wrong with
    the file: all of it is reported at once.
    """
    problems: list[Problem] = []
    try:
        result = model.model_validate(content)
    except ValidationError as error:
        problems += _explained(error, model, content)
        result = readable(model, content)
    problems += contradictions(result)
    problems = [((*at, *place), told) for place, told in problems]
    problems += found
    if problems:
        raise wrong(source, problems)
    return result


def wrong(source: Source, problems: Iterable[Problem]) -> ConfigurationError:
    """Return the error that tells of every problem of the file ``source``."""
    return ConfigurationError(located(source, problem) for problem in problems)


def located(source: Source, problem: Problem) -> str:
    """Return the line that tells of a problem, with its place."""
    place, told = problem
    file = source if isinstance(source, str) else source(place)
    return ": ".join(filter(None, (file, _shown(place), told)))


def _shown(place: Place) -> str:
    """Return a place as one writes it: ``links.reports.buckets[0].key``."""
    parts = (f"[{p}]" if isinstance(p, int) else f".{json.dumps(p)[1:-1]}" for p in place)
    return "".join(parts).lstrip(".")


def _explained(error: ValidationError, model: type[BaseModel], content: Any) -> Iterator[Problem]:
    told: set[Place] = set()
    for detail in _inner_first(error.errors()):
        place, field, parent, annotation = _follow(model, detail["loc"], content)
        if detail["type"].startswith("union_tag"):
            key = str(detail["ctx"]["discriminator"]).strip("'")
            known = [word for part in parts_among(annotation) for word in tags(part)]
            yield _pattern(place, field, key, detail["input"], known)
            yield from _as_meant(place, annotation, key, detail["input"])
            continue
        if detail["loc"][-1] != "[key]":  # a name has the place of what it names
            if place in told:
                continue  # each branch of a union tells of the same value
            told.add(place)
        yield place, _told(detail, place, field, parent, content)


def _pattern(
    place: Place, field: FieldInfo | None, key: str, value: Any, known: Sequence[str]
) -> Problem:
    """Tell of a value that chooses between models, such as a link's pattern."""
    given = value.get(key) if isinstance(value, dict) else None
    description = _description(field) or "known"
    if given is None:
        return (*place, key), f'is missing: add "{key}": {_example(field)}'
    hint = _near(given, known) or f"write for example {_example(field)}"
    return (*place, key), f"{_short(given)} is not {description}: {hint}"


def _near(given: Any, known: Iterable[str]) -> str:
    """Return the question whether one of the ``known`` words is meant, if one is like it."""
    near = near_match(given, known) if isinstance(given, str) else None
    return f'did you mean "{near}"?' if near else ""


def _as_meant(place: Place, annotation: Any, key: str, value: Any) -> Iterator[Problem]:
    """Tell what else is wrong with it, held against the model that it is most like."""
    model = meant(parts_among(annotation), value)
    if not isinstance(value, dict) or not value.keys() & (model.model_fields.keys() - {key}):
        return
    content = value | {key: tags(model)[0]}
    try:
        model.model_validate(content)
    except ValidationError as error:
        yield from (((*place, *inner), told) for inner, told in _explained(error, model, content))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    shown = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _inner_first(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what a union's simple branches say where a model among them says more."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if not any(
            len(other) > len(detail["loc"])
            and other[: len(detail["loc"]) - 1] == detail["loc"][:-1]
            and isinstance(detail["input"], dict)
            and detail["type"].endswith("_type")
            for other in places
        )
    ]


def _told(
    detail: ErrorDetails,
    place: Place,
    field: FieldInfo | None,
    parent: type[BaseModel] | None,
    content: Any,
) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    known = [f.alias or name for name, f in parent.model_fields.items()] if parent else []
    if kind in ("extra_forbidden", "missing"):
        key = str(place[-1])
        present = reduce(lambda value, name: value[name], place[:-1], content)
        if kind == "extra_forbidden":
            near = near_match(key, (name for name in known if name not in present))
            other = told_of_key(key, known)
            hint = f"{other}." if other else f'did you mean "{near}"?' if near else "remove it."
            return f"unknown key: {hint} Known keys: {', '.join(known)}"
        near = near_match(key, (name for name in present if name not in known))
        return "is missing: " + (
            f'found "{near}": rename it' if near else f'add "{key}": {_example(field)}'
        )
    found = _short(detail["input"])
    if kind == "model_attributes_type" and field is not None and field.discriminator:
        return f'{found} is no object: write {{"{field.discriminator}": {_example(field)}, …}}'
    description = _description(field)
    if description is not None and isinstance(place[-1], int):
        return f"{found} is no item of {description}: write for example {_example(field)}"
    if description is None:
        return f"{found} is not right: {detail['msg']}"
    hint = _near(detail["input"], _words(field))
    hint = hint or told_of_value(str(place[-1]), detail["input"]) or ""
    return f"{found} is not {description}: {hint or f'write for example {_example(field)}'}"


def _words(field: FieldInfo | None) -> list[str]:
    """Return the words that a field takes, if it takes these alone."""
    literals = [b for b in branches(field and field.annotation) if get_origin(b) is Literal]
    return [word for literal in literals for word in get_args(literal)]


def _description(field: FieldInfo | None) -> str | None:
    """Return how a field's description begins, or that of the type that it is optional of."""
    if field is None:
        return None
    inner = (_field_of(branch) for branch in get_args(field.annotation))
    described = (info.description for info in (field, *inner) if info and info.description)
    first = next(described, None)
    return " ".join(first.partition(". ")[0].split()) if first else None


def _example(field: FieldInfo | None) -> str:
    if field is not None:
        inner = (_field_of(branch) for branch in get_args(field.annotation))
        for info in (field, *inner):
            if info is not None and info.examples:
                return json.dumps(info.examples[0], ensure_ascii=False)
    return "true"


def _follow(
    model: type[BaseModel], loc: tuple[int | str, ...], content: Any
) -> tuple[Place, FieldInfo | None, type[BaseModel] | None, Any]:
    """Follow an error's location; return its place, field, the model with that field, and its type.

    Parts of a location that name a branch of a union stand for no place in the content.
    """
    place: list[str | int] = []
    annotation: Any = model
    keys: Any = None
    field: FieldInfo | None = None
    parent: type[BaseModel] | None = None
    value = content
    for part in loc:
        if part == "[key]" and keys is not None:
            field = _field_of(keys)
            break
        candidates = branches(annotation)
        tagged = [candidate for candidate in candidates if part in tags(candidate)]
        if len(candidates) > 1 and tagged:
            annotation = tagged[0]
            continue
        if len(candidates) > 1 and part in {getattr(c, "__name__", None) for c in candidates}:
            continue
        inside = isinstance(value, dict) and (part in value or part == loc[-1])
        if not inside and not (isinstance(value, list) and isinstance(part, int)):
            continue
        parent = keys = None
        for candidate in candidates:
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                by_key = {f.alias or n: f for n, f in candidate.model_fields.items()}
                parent = candidate
                if part in by_key:
                    field = by_key[str(part)]
                    annotation = field.annotation
                    break
            elif get_origin(candidate) in (list, dict, tuple):
                keys, *values = (a for a in get_args(candidate) if a is not Ellipsis)
                annotation = values[0] if values else keys
                field = _field_of(annotation) or field
                break
        place.append(part)
        value = value.get(part) if isinstance(value, dict) else value[int(part)]
    return tuple(place), field, parent, annotation


def _field_of(annotation: Any) -> FieldInfo | None:
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((extra for extra in extras if hasattr(extra, "description")), None)
