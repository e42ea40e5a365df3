"""The credentials file of the AWS tools: profiles are put into it, and all else in it stays.

Follows "Configuration and credential file settings in the AWS CLI" in the AWS CLI User Guide.
"""

from __future__ import annotations

import configparser
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.files import content_of, present, write

from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER = re.compile(r"\[(.+)\]")
Profiles = dict[str, dict[str, str]]


class CredentialsFile:
    """The file as it is now; raises :class:`OperationError` where profiles cannot be put into it.

    Nothing that stands in it is ever part of a message: it holds secrets.
    """

    def __init__(self) -> None:
        self._file = _place()
        try:
            self._text = content_of(self._file).decode() if present(self._file) else ""
        except ConfigurationError as error:
            raise OperationError("\n".join(error.problems)) from None
        except UnicodeDecodeError:
            raise OperationError(f"{self._file}: is not UTF-8 text: save it as UTF-8") from None
        self._profiles = self._parsed(self._text)

    def put(self, profiles: Profiles) -> None:
        """Give each profile these settings and no others; the file is its owner's alone then."""
        text = _edited(self._text, profiles)
        if self._parsed(text) != self._profiles | profiles:
            raise OperationError(
                f"{self._file}: a value goes on in a line that begins with [: write it in one line"
            )
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write(self._file, text.encode(), mode=0o600)
        except OSError as error:
            raise OperationError(
                f"{self._file}: cannot be written ({error.strerror}): make it a writable file, or "
                "name another in AWS_SHARED_CREDENTIALS_FILE"
            ) from None

    def _parsed(self, text: str) -> Profiles:
        parser = configparser.RawConfigParser(default_section="")
        try:
            parser.read_string(text)
        except configparser.DuplicateSectionError as error:
            told = f"the profile {error.section!r} stands twice: remove one"
        except configparser.DuplicateOptionError as error:
            told = f"{error.option} stands twice in the profile {error.section!r}: remove one"
        except configparser.MissingSectionHeaderError as error:
            told = f"line {error.lineno} stands before any [profile]: correct or remove it"
        except configparser.ParsingError as error:
            told = f"line {error.errors[0][0]} is no `key = value`: correct or remove it"
        else:
            return {name: dict(parser.items(name)) for name in parser.sections()}
        raise OperationError(f"{self._file}: {told}")


def _place() -> Path:
    if named := os.environ.get("AWS_SHARED_CREDENTIALS_FILE"):
        return Path(named)
    try:
        return Path.home() / ".aws" / "credentials"
    except RuntimeError:
        raise OperationError(
            "there is no home folder: name the credentials file in AWS_SHARED_CREDENTIALS_FILE"
        ) from None


def _edited(text: str, profiles: Profiles) -> str:
    """Return ``text`` with these profiles: in their places where they are, else at the end."""
    missing = dict(profiles)
    lines: list[str] = []
    replacing = False
    for line in text.split("\n"):
        if header := _HEADER.match(line.strip()):
            replacing = header[1] in missing
            lines += [line, *_settings(missing.pop(header[1], {}))]
        elif not replacing or not line.strip() or line.strip().startswith(("#", ";")):
            lines.append(line)
    for name, settings in missing.items():
        if lines[-1]:
            lines.append("")
        lines += [f"[{name}]", *_settings(settings), ""]
    return "\n".join(lines)


def _settings(settings: Mapping[str, str]) -> list[str]:
    return [f"{key} = {value}" for key, value in settings.items()]
