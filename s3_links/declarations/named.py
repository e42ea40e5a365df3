"""What is in an account and has its name in one of several fields: as new, or as what exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from .names import AccountAlias
from .part import Part, UnreadableError, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem


def label(account: str, name: str) -> str:
    """Return what something in an account is called in the names of outputs."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", "_".join(filter(None, (account, name))))


class Named(Part):
    """What is in an account, under just one of several names."""

    KINDS: ClassVar[Mapping[str, str]]
    """The fields for a name, and what tells the names in them apart in an id."""

    account: AccountAlias

    def _names(self) -> dict[str, str]:
        """Return the names that are given, by their kinds."""
        found = {field: getattr(self, field) for field in self.KINDS}
        return {field: name for field, name in found.items() if name is not None}

    @property
    def _kind_and_name(self) -> tuple[str, str]:
        names = self._names()
        if len(names) != 1:
            raise UnreadableError  # nobody can say which is meant
        ((field, name),) = names.items()
        return self.KINDS[field], name

    @property
    def name(self) -> str:
        """Its name, or how that begins."""
        return self._kind_and_name[1]

    @property
    def id(self) -> str:
        """What tells it from all others in a link; an alias has no dot."""
        return ".".join(filter(None, (self.account, *self._kind_and_name)))

    @property
    def label(self) -> str:
        """What it is called in the names of outputs."""
        return label(self.account, self.name)

    @rule
    def _one_name(self) -> Iterator[Problem]:
        if len(self._names()) != 1:
            *others, last = (f'"{field}"' for field in self.KINDS)
            yield (), f"give one of {', '.join(others)} and {last}"
