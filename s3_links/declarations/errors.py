"""What is raised for a mistake of the user's: told in plain lines, never with a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ConfigurationError(Exception):
    """The configuration cannot be used. The message lists every reason and its remedy."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = (f"  {problem}" for problem in self.problems)
        super().__init__("\n".join(["The configuration cannot be used:", *lines]))
