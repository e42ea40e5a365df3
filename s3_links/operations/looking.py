"""How AWS is asked for what exists, and what is found of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Finding:
    """One thing that exists, or should: what was found of it, and whether that stops a plan."""

    place: str
    told: str
    stops: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


class UnknownError(Exception):
    """Something may not be read; the message is AWS's word."""


class RefusedError(UnknownError):
    """AWS refuses the question itself."""


def asked(call: Callable[[], Any], *absent: str) -> Any:
    """Return a reply, or nothing where AWS answers with a code of ``absent``."""
    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in absent:
            return None
        refused = code in ("403", "AccessDenied")
        raise (RefusedError if refused else UnknownError)(str(error)) from None
    except BotoCoreError as error:
        raise UnknownError(str(error)) from None
