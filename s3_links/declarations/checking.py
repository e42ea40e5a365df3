"""Check a configuration against its model, and report all that is wrong at once.

Each problem is told with its place and how to mend it.
"""

from __future__ import annotations

import json
import types
from collections import Counter
from contextlib import suppress
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from s3_cross_account.spelling import near_match

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]
Problem = tuple[Place, str]
"""Where something is wrong in a file; what, and how to mend it."""
Source = Union[str, "Callable[[Place], str]"]
"""The name of a file, or what gives the file and the line of a place."""

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
"""Of a part of a configuration: no unknown keys, no values of another type."""


def json_object(text: str, source: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the JSON object in ``text``, and what is wrong with it although it can be read.

    Raises :class:`ConfigurationError` where it cannot.
    """
    repeated: list[str] = []

    def noting_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    def no_constant(name: str) -> Any:
        raise ConfigurationError([f"{source}: {name} is not JSON: write a number or text"])

    try:
        value = json.loads(text, object_pairs_hook=noting_repeated, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigurationError(
            [f"{source}: is not JSON: {error.msg} at {place}: mend it there"]
        ) from None
    except RecursionError:
        raise ConfigurationError([f"{source}: is nested too deeply: flatten it"]) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise ConfigurationError([f"{source}: is not JSON: {error}: mend it"]) from None
    if not isinstance(value, dict):
        raise ConfigurationError([f"{source}: write a JSON object, {{…}}"])
    return value, [
        ((), f"the key {json.dumps(key)} stands twice in one object: remove one")
        for key in repeated
    ]


def nothing_of(problems: Iterable[str]) -> None:
    """Raise ``ValueError`` with every problem, for a validator that may find several."""
    if found := "; ".join(problems):
        raise ValueError(found)


def readable(model: type[Model], value: Any) -> list[Model]:
    """Return the items of a list, or a list of the one value, that are as they should be."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        with suppress(ValidationError):
            found.append(model.model_validate(item))
    return found


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
        problems += (((*at, *p), told) for p, told in _explained(error, model, content))
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


def _explained(
    error: ValidationError, model: type[BaseModel], content: Any
) -> Iterator[tuple[Place, str]]:
    told: set[Place] = set()
    for detail in _inner_first(error.errors()):
        place, field, parent = _follow(model, detail["loc"], content)
        if detail["type"].startswith("union_tag"):
            yield _pattern(place, field, detail)
            continue
        if detail["loc"][-1] != "[key]":  # a name has the place of what it names
            if place in told:
                continue  # each branch of a union tells of the same value
            told.add(place)
        yield place, _told(detail, place, field, parent, content)


def _pattern(place: Place, field: FieldInfo | None, detail: ErrorDetails) -> tuple[Place, str]:
    """Tell of a value that chooses between models, such as a link's pattern."""
    key = str(detail["ctx"]["discriminator"]).strip("'")
    given = detail["input"].get(key) if isinstance(detail["input"], dict) else None
    description = field.description if field else "known"
    if given is None:
        return (*place, key), f'is missing: add "{key}": {_example(field)}'
    told = f"{_short(given)} is not {description}: write for example {_example(field)}"
    return (*place, key), told


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
            hint = f'did you mean "{near}"? ' if near else "remove it. "
            return f"unknown key: {hint}Known keys: {', '.join(known)}"
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
    return f"{found} is not {description}: write for example {_example(field)}"


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
) -> tuple[Place, FieldInfo | None, type[BaseModel] | None]:
    """Follow an error's location; return its place, its field and the model with that field.

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
        branches = _branches(annotation)
        tagged = [branch for branch in branches if part in _tags(branch)]
        if len(branches) > 1 and tagged:
            annotation = tagged[0]
            continue
        if len(branches) > 1 and part in {getattr(b, "__name__", None) for b in branches}:
            continue
        inside = isinstance(value, dict) and (part in value or part == loc[-1])
        if not inside and not (isinstance(value, list) and isinstance(part, int)):
            continue
        parent = keys = None
        for candidate in branches:
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
    return tuple(place), field, parent


def _tags(branch: Any) -> tuple[Any, ...]:
    """Return the values of a discriminator that choose this model among others."""
    fields = (
        branch.model_fields if isinstance(branch, type) and issubclass(branch, BaseModel) else {}
    )
    field = fields.get("pattern") or fields.get("backend")
    return get_args(field.annotation) if field else ()


def _branches(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [branch for arg in get_args(annotation) for branch in _branches(arg)]
    return [annotation]


def _field_of(annotation: Any) -> FieldInfo | None:
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((extra for extra in extras if hasattr(extra, "description")), None)
