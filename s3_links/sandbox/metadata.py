"""An instance metadata service (IMDSv2) that hands out a role's session.

Follows "Use the Instance Metadata Service to access instance metadata" in the Amazon EC2 User
Guide, as far as the AWS CLI asks: a token, the role's name and its credentials. Written here
because the emulator's own serves keys that belong to no session.
"""

from __future__ import annotations

import json
import secrets
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from .guard import inside, new_secret

if TYPE_CHECKING:
    from .access import Principal

_ROOT = "/latest/meta-data"
_CREDENTIALS = f"{_ROOT}/iam/security-credentials/"


class MetadataService:
    """Serves ``role`` on a free port of 127.0.0.1 while it is used as a context manager."""

    def __init__(self, role_name: str, role: Principal, region: str) -> None:
        now = datetime.now(UTC)
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        document = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": now.strftime(stamp),
            "Expiration": (now + timedelta(hours=1)).strftime(stamp),
            "AccessKeyId": role.credentials["aws_access_key_id"],
            "SecretAccessKey": role.credentials["aws_secret_access_key"],
            "Token": role.credentials["aws_session_token"],
        }
        answers = {
            _CREDENTIALS: role_name,
            f"{_CREDENTIALS}{role_name}": json.dumps(document),
            f"{_ROOT}/placement/availability-zone/": f"{region}a",
        }
        secret = new_secret()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers, secret))
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/{secret}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(answers: dict[str, str], secret: str) -> type[BaseHTTPRequestHandler]:
    tokens: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def parse_request(self) -> bool:
            if not super().parse_request():
                return False
            headers = {name.lower(): value for name, value in self.headers.items()}
            host = "{}:{}".format(*self.connection.getsockname())
            path = inside(self.path, headers, host=host, secret=secret)
            if path is None:
                self.send_error(403)
                return False
            self.path = path
            return True

        def do_PUT(self) -> None:
            if self.path != "/latest/api/token":
                return self._reply(404)
            if not self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
                return self._reply(400)
            token = secrets.token_urlsafe()
            tokens.add(token)
            return self._reply(200, token)

        def do_GET(self) -> None:
            if self.headers.get("X-aws-ec2-metadata-token") not in tokens:
                return self._reply(401)
            answer = answers.get(self.path)
            return self._reply(404) if answer is None else self._reply(200, answer)

        def _reply(self, status: int, body: str = "") -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
