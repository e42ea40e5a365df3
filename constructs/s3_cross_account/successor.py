"""Put ``cdktn``, the successor of ``cdktf``, in its place where it is installed.

Why: ``cdktf`` is archived. ``cdktn`` has the same classes under another name, and writes the same
JSON but for its own version; the sources here name ``cdktf``, and run on both.

Which: ``cdktn`` where it and its AWS bindings are installed, as ``pip install s3-links[cdktn]``
does, else ``cdktf``. No setting says it: what is installed is locked and the same for everybody,
where a variable is forgotten in one shell. A program that has imported one of them by its own name
keeps that one, as objects of both do not go together.

How: importing ``cdktf`` or a module of it then gives that of ``cdktn``, the same object under both
names. That costs nothing, and nothing is imported, until somebody does.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_SUCCESSORS = {"cdktf": "cdktn", "cdktf_cdktf_provider_aws": "cdktn_provider_aws"}


def use_successor() -> None:
    """Make imports of ``cdktf`` and its AWS bindings give ``cdktn`` and its own, where they are."""
    if not in_use() and not _SUCCESSORS.keys() & sys.modules.keys() and _is_wanted():
        sys.meta_path.insert(0, _Renamed())


def in_use() -> bool:
    """Return whether ``cdktf`` stands for ``cdktn``."""
    return any(isinstance(finder, _Renamed) for finder in sys.meta_path)


def real_name(name: str) -> str:
    """Return what a module of ``cdktf`` or its AWS bindings is called where it comes from."""
    package, *submodules = name.split(".")
    return ".".join([_SUCCESSORS[package], *submodules]) if in_use() else name


def _is_wanted() -> bool:
    imported = any(name in sys.modules for name in _SUCCESSORS.values())
    return imported or all(find_spec(name) for name in _SUCCESSORS.values())


class _Renamed(MetaPathFinder, Loader):
    """Finds a module of the successor under the old name."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        known = fullname.partition(".")[0] in _SUCCESSORS
        return ModuleSpec(fullname, self) if known else None

    def exec_module(self, module: ModuleType) -> None:
        # What stands here in the end is what the import gives.
        sys.modules[module.__name__] = import_module(real_name(module.__name__))
