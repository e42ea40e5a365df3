"""The emulator and the metadata service answer to their own run: no page, no other user."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest

from s3_links.sandbox import emulator_process
from s3_links.sandbox.access import Principal, root
from s3_links.sandbox.emulator import ACCOUNTS, REGION, Emulator
from s3_links.sandbox.metadata import MetadataService
from tests.support.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

BUCKET = "still-there"
LAMBDA = "/2015-03-31/functions"
_ROLE = f"arn:aws:iam::{ACCOUNTS['account1']}:role/any"
FUNCTION = json.dumps(
    {"FunctionName": "f", "Runtime": "python3.11", "Handler": "x.y", "Role": _ROLE}
)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("attacked")) as emulator:
        owner(emulator).s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield emulator


def test_without_the_emulator_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(SystemExit) as stopped:
        emulator_process.check_sources()
    told = str(stopped.value)
    assert "\n" not in told
    assert f"`pip install ministack=={emulator_process.VERSION}`" in told


def owner(emulator: Emulator) -> Principal:
    return root(emulator.endpoint, "account1")


def ask(
    endpoint: str,
    method: str,
    path: str,
    *,
    body: str = "",
    secret: bool = False,
    **headers: str,
) -> tuple[int, dict[str, str]]:
    """Send a request, the secret in its path or not; return the status and the headers."""
    address = urlsplit(endpoint)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request(method, (address.path if secret else "") + path, body, headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}


SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCOUNTS['account1']}/20260101/{REGION}/s3/aws4_request, "


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/", ""),
        ("GET", f"/{BUCKET}", ""),
        ("DELETE", f"/{BUCKET}", ""),
        ("POST", "/", "Action=CreateUser&UserName=stranger&Version=2010-05-08"),
        ("POST", LAMBDA, FUNCTION),
        ("OPTIONS", LAMBDA, ""),
        ("GET", "/_ministack/ready", ""),
        ("POST", "/_ministack/reset", ""),
        ("POST", "/_ministack/config", "{}"),
        ("GET", "/_localstack/health", ""),
    ],
)
@pytest.mark.parametrize(
    ("secret", "headers"),
    [
        (False, {}),
        (True, {"Origin": "http://attacker.example"}),
        (True, {"Origin": "null"}),
        (True, {"Host": "attacker.example"}),
        (True, {"Host": "localhost"}),
        (True, {"Host": "111111111111.attacker.example"}),
    ],
    ids=[
        *("another user", "a page", "a page without a name", "a rebound name", "no port"),
        "a rebound name of an account",
    ],
)
def test_it_refuses(
    attacked: Emulator, method: str, path: str, body: str, secret: bool, headers: dict[str, str]
) -> None:
    signed = headers | {"Authorization": SIGNED + "SignedHeaders=host, Signature=0"}
    status, shown = ask(attacked.endpoint, method, path, body=body, secret=secret, **signed)
    assert status == 403
    assert "access-control-allow-origin" not in shown
    assert [b["Name"] for b in owner(attacked).s3.list_buckets()["Buckets"]] == [BUCKET]
    assert owner(attacked).client("iam").list_users()["Users"] == []


def test_its_own_run_cannot_run_programs_with_it_either(attacked: Emulator) -> None:
    ours = {"Authorization": SIGNED.replace("/s3/", "/lambda/") + "SignedHeaders=host, Signature=0"}
    status, _ = ask(attacked.endpoint, "POST", LAMBDA, body=FUNCTION, secret=True, **ours)
    assert status == 400  # a service that is not served
    assert ask(attacked.endpoint, "GET", "/_ministack/ready", secret=True)[0] == 200


@pytest.mark.parametrize(
    ("host", "secret", "status"),
    [("111111111111.{}", True, 200), ("{}", True, 200), ("111111111111.{}", False, 403)]
    + [(host, True, 403) for host in ("evil.{}", "1.{}", "111111111111.evil.{}")],
)
def test_it_is_a_proxy_for_the_hosts_of_accounts_alone(
    attacked: Emulator, host: str, secret: bool, status: int
) -> None:
    address = urlsplit(attacked.endpoint)
    host = host.format(address.netloc)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    path = f"http://{host}{address.path if secret else ''}/_ministack/ready"
    connection.request("GET", path, headers={"Host": host})
    assert connection.getresponse().status == status
    connection.close()


def test_a_secret_is_of_one_run(attacked: Emulator, tmp_path: Path) -> None:
    with Emulator(tmp_path / "another") as another:
        stolen = urlsplit(another.endpoint)._replace(netloc=urlsplit(attacked.endpoint).netloc)
        assert ask(stolen.geturl(), "GET", "/_ministack/ready", secret=True)[0] == 403


def test_only_who_may_read_the_process_sees_the_secret(attacked: Emulator) -> None:
    secret = urlsplit(attacked.endpoint).path.strip("/")
    assert len(secret) >= 32
    lines = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if secret in line]


def test_it_takes_no_web_socket(attacked: Emulator) -> None:
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert ask(attacked.endpoint, "GET", "/", secret=True, **upgrade)[0] == 403


CREDENTIALS = "/latest/meta-data/iam/security-credentials/reader"


@pytest.mark.parametrize(
    ("secret", "headers", "expected"),
    [
        (True, {}, 200),
        (False, {}, 403),
        (True, {"Origin": "http://attacker.example"}, 403),
        (True, {"Host": "attacker.example"}, 403),
    ],
)
def test_the_metadata_service_hands_out_the_session_to_its_instance_alone(
    secret: bool, headers: dict[str, str], expected: int
) -> None:
    role = Principal("http://127.0.0.1:1", "key", "secret", "token")
    with MetadataService("reader", role, REGION) as service:
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        status, _ = ask(
            service.endpoint, "PUT", "/latest/api/token", secret=secret, **headers, **ttl
        )
        assert status == expected
        if expected == 200:
            status, _ = ask(service.endpoint, "GET", CREDENTIALS, secret=True)
            assert status == 401  # not without the token of version 2


PAGE = """<!doctype html><title>attack</title><pre id="seen"></pre><script>
const target = %s, seen = [];
async function attack(name, path, options) {
  try {
    const reply = await fetch(target + path, options);
    seen.push(name + ": " + (reply.type === "opaque" ? "sent" : "read " + reply.status));
  } catch (error) { seen.push(name + ": nothing read"); }
}
(async () => {
  for (const mode of ["cors", "no-cors"]) {
    await attack(mode + " reset", "/_ministack/reset", {method: "POST", mode});
    await attack(mode + " ready", "/_ministack/ready", {mode});
    await attack(mode + " user", "/", {method: "POST", mode,
      body: new URLSearchParams({Action: "CreateUser", UserName: "page", Version: "2010-05-08"})});
    await attack(mode + " function", %s, {method: "POST", mode, body: %s});
  }
  document.getElementById("seen").textContent = seen.join("\\n") + "\\ndone";
})();
</script>"""


@pytest.mark.cost("planned")
@pytest.mark.parametrize("leaked", [False, True], ids=["the port", "the whole address"])
def test_a_page_in_a_real_browser_reads_and_changes_nothing(
    attacked: Emulator, tmp_path: Path, leaked: bool
) -> None:
    browser = chromium("the same requests are tried without it above")
    address = urlsplit(attacked.endpoint)
    target = attacked.endpoint if leaked else f"http://{address.netloc}"
    page = PAGE % tuple(map(json.dumps, (target, LAMBDA, FUNCTION)))

    class Attacker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Attacker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet]
    command += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"]
    try:
        shown = subprocess.run(
            [*command, f"http://127.0.0.1:{server.server_address[1]}/"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        ).stdout
    finally:
        server.shutdown()
        server.server_close()
    seen = shown.partition('<pre id="seen">')[2].partition("</pre>")[0].splitlines()
    assert seen.pop() == "done"
    assert [line for line in seen if line.startswith("cors")] == [
        f"cors {attack}: nothing read" for attack in ("reset", "ready", "user", "function")
    ]
    # Sent blindly, and refused: what follows is unchanged.
    assert [line.partition(": ")[2] for line in seen if line.startswith("no-cors")] == ["sent"] * 4
    assert [b["Name"] for b in owner(attacked).s3.list_buckets()["Buckets"]] == [BUCKET]
    assert owner(attacked).client("iam").list_users()["Users"] == []
