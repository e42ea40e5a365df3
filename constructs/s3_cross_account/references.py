"""References to what a stack creates, without asking Node.js for each.

Why: to read ``role.arn`` is a round trip to Node.js, and takes as long as creating a block. What
comes of it in the JSON, ``${aws_iam_role.<logical id>.arn}``, follows from the construct's path.

How: what a stack creates that asked for it (:func:`known_beforehand`) is noted on its way to
Node.js, and its attributes are answered here. What is none of those texts still comes from there,
and so does everything of other stacks: they may name their blocks themselves, or refer to each
other's, which only cdktf resolves.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import jsii
from cdktf import Fn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdktf import TerraformStack
    from constructs import Construct

_TEXTS = frozenset({"accountId", "arn", "bucket", "id", "json", "keyId", "name"})
"""The attributes that are answered here, as Node.js knows them."""
_OF_AWS = re.compile(r"@cdkt[fn]/provider-aws\.(?!provider\.)(?:(dataAws)(?=[A-Z]))?(\w+)\.\w+")
_NOTED = "_path_in_stack"

_create, _get = jsii.create, jsii.get


def known_beforehand(stack: TerraformStack) -> None:
    """Answer here what is read of anything that is created in ``stack`` from now on.

    The stack has to leave the logical ids of its blocks to cdktf, and keep them to itself.
    """
    vars(stack)[_NOTED] = ()
    # Generated code calls these by this name.
    jsii.create, jsii.get = _noting, _answering


def _noting(klass: type, obj: Any, args: list[Any] | None = None) -> Any:
    created = _create(klass, obj, args)
    if args and len(args) > 1 and (path := getattr(args[0], _NOTED, None)) is not None:
        vars(obj)[_NOTED] = (*path, args[1])
    return created


def _answering(obj: Any, attribute: str) -> Any:
    path = getattr(obj, _NOTED, None) if attribute in _TEXTS else None
    if path and (type_ := block_type(type(obj))):
        return f"${{{type_}.{logical_id(path)}.{snake_case(attribute)}}}"
    return _get(obj, attribute)


def reference_below(scope: Construct, id_: str, binding: type, attribute: str) -> str | None:
    """Return the reference to an attribute of what will be created in ``scope``, if it is known."""
    path = getattr(scope, _NOTED, None)
    if path is None:
        return None
    return f"${{{block_type(binding)}.{logical_id((*path, id_))}.{snake_case(attribute)}}}"


def encoded(scope: Construct, content: Any) -> str:
    """Return what Terraform writes as JSON, once it knows what is referred to in it.

    cdktf's own function takes references that are texts already, as they are here, for no such.
    """
    if getattr(scope, _NOTED, None) is None:
        return Fn.jsonencode(content)
    return f"${{jsonencode({json.dumps(content)})}}"


def block_type(binding: Any) -> str | None:
    """Return what Terraform calls the blocks of a binding, ``None`` where it is none of AWS's."""
    if found := _OF_AWS.fullmatch(binding.__jsii_type__):
        return f"{'data.' if found[1] else ''}aws_{snake_case(found[2])}"
    return None


def snake_case(name: str) -> str:
    """Return a name as Terraform writes it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def logical_id(path: Sequence[str]) -> str:
    """Return the name that cdktf gives to a block, from its path below its stack."""
    path = [part.replace("/", "--") for part in path if part != "Default"]
    if len(path) == 1:
        return _letters(path[0])
    told: list[str] = []
    for part in path:
        if not told or not told[-1].endswith(part):
            told.append(part)
    human = "_".join(_letters(part) for part in told if part != "Resource")
    digest = hashlib.md5("/".join(path).encode(), usedforsecurity=False).hexdigest()
    return f"{human[:240]}_{digest[:8].upper()}"


def _letters(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "", part)
