"""Who is let in to what runs on this machine: whoever was given its address, and no web page.

A server on 127.0.0.1 can be reached by every user of the machine and, through a browser, by every
web page. So each has a secret in the path of its address, which only its own run is told, and
refuses what a browser sends: another ``Host`` (a name that was rebound to this machine) and any
``Origin``.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


_ACCOUNT = re.compile(r"^[0-9]{12}\.")
"""Stands before the host where S3 Control is asked: an account's id."""


def new_secret() -> str:
    """Return a secret that can stand in a path."""
    return secrets.token_hex(32)


def inside(path: str, headers: Mapping[str, str], *, host: str, secret: str) -> str | None:
    """Return the path without the secret, or nothing for a request that is not let in.

    ``headers`` are by small names; ``host`` is the address with its port.
    """
    _, _, rest = path.partition("/")
    given, slash, rest = rest.partition("/")
    known = hmac.compare_digest(given.encode(), secret.encode())
    if not known or headers.get("host") != host or "origin" in headers:
        return None
    return slash + rest or "/"


class Guard:
    """An ASGI application that lets ``app`` see only the requests that are :func:`inside`."""

    def __init__(self, app: Any, *, host: str, secret: str) -> None:
        self._app = app
        self._host = host
        self._secret = secret

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and (guarded := self._inside(scope)):
            await self._app(guarded, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"not for you\n"})
        else:  # a web socket
            await receive()
            await send({"type": "websocket.close"})

    def _inside(self, scope: Any) -> Any:
        headers = {
            name.decode("latin-1").lower(): v.decode("latin-1") for name, v in scope["headers"]
        }
        # As a proxy is asked: see :attr:`Emulator.endpoints`.
        by_proxy = f"http://{headers.get('host')}"
        headers["host"] = _ACCOUNT.sub("", headers.get("host", ""))
        path = scope["path"].removeprefix(by_proxy)
        path = inside(path, headers, host=self._host, secret=self._secret)
        if path is None:
            return None
        # All else stays as it was sent: that is what is signed.
        return {
            **scope,
            "path": path,
            "raw_path": scope["raw_path"].removeprefix(by_proxy.encode()),
        }
