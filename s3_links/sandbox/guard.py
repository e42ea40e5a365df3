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


_ACCOUNT = re.compile(r"[0-9]{12}\.(.+)")
"""What S3 Control is asked by: an account's id before the host, which no name server knows here."""


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
        if of_account := _ACCOUNT.fullmatch(headers.get("host", "")):
            scope, headers = (
                self._by_proxy(scope, of_account[0]),
                {**headers, "host": of_account[1]},
            )
        path = inside(scope["path"], headers, host=self._host, secret=self._secret)
        # The raw path stays as it was sent: that is what is signed.
        return None if path is None else {**scope, "path": path}

    def _by_proxy(self, scope: Any, host: str) -> Any:
        """Return a request of S3 Control as others are sent: see :attr:`Emulator.endpoints`."""
        start = f"http://{host}"
        kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
        return {
            **scope,
            "path": scope["path"].removeprefix(start),
            "raw_path": scope["raw_path"].removeprefix(start.encode()),
            "headers": [(b"host", self._host.encode()), *kept],
        }
