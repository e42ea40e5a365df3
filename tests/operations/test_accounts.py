"""Credentials as people have them: what the check says, and that Terraform agrees."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlparse

import pytest

from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS, Emulator
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("planned")

ROLE = {alias: f"arn:aws:iam::{id_}:role/engineer" for alias, id_ in ACCOUNTS.items()}
LINK = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "checked"}],
    "buckets": [{"account": "account2", "new_prefix": "checked-"}],
}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module", autouse=True)
def engineers(emulator: Emulator) -> None:
    """A role in each account that account 1 may assume, in account 2 with an external id."""
    for alias in ACCOUNTS:
        iam = root(emulator.endpoint, alias).client("iam")
        trust: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNTS['account1']}:root"},
            "Action": "sts:AssumeRole",
        }
        if alias == "account2":
            trust["Condition"] = {"StringEquals": {"sts:ExternalId": "link-7f3a"}}
        iam.create_role(RoleName="engineer", AssumeRolePolicyDocument=document(trust))
        iam.put_role_policy(
            RoleName="engineer", PolicyName="all", PolicyDocument=document(EVERYTHING)
        )


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Portal(ThreadingHTTPServer):
    """What IAM Identity Center answers to a signed-in user who asks for a role's credentials.

    The emulator has no such service; the credentials are real ones of the emulated accounts.
    """

    TOKEN = "signed-in"

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        super().__init__(("127.0.0.1", 0), _PortalRequest)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _PortalRequest(BaseHTTPRequestHandler):
    server: Portal

    def do_GET(self) -> None:
        url = urlparse(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers["x-amz-sso_bearer_token"] != Portal.TOKEN:
            self._reply(401, {"message": "Session token not found or invalid"})
            return
        alias = next(a for a, id_ in ACCOUNTS.items() if id_ == asked["account_id"])
        external = {"ExternalId": "link-7f3a"} if alias == "account2" else {}
        arn = f"arn:aws:iam::{asked['account_id']}:role/{asked['role_name']}"
        session = root(self.server.emulator.endpoint, "account1").assume(arn, **external)
        keys = session.credentials
        self._reply(
            200,
            {
                "roleCredentials": {
                    "accessKeyId": keys["aws_access_key_id"],
                    "secretAccessKey": keys["aws_secret_access_key"],
                    "sessionToken": keys["aws_session_token"],
                    "expiration": int((time.time() + 3600) * 1000),
                }
            },
        )

    def _reply(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def portal(emulator: Emulator) -> Iterator[Portal]:
    with Portal(emulator) as server:
        yield server
        server.shutdown()


@pytest.fixture
def place(terraform: Terraform, tmp_path: Path) -> Workplace:
    place = Workplace(tmp_path / "place", terraform.environment)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        place.environment[variable] = str(tmp_path / variable)
    place.environment["HOME"] = str(tmp_path)  # the sign-in's cache is below it
    return place


def configure(place: Workplace, text: str) -> None:
    Path(place.environment["AWS_CONFIG_FILE"]).write_text(text)


KEYS = "aws_access_key_id = 111111111111\naws_secret_access_key = 111111111111\n"


def source_profiles(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    roles = [
        f"[profile {alias}]\nrole_arn = {ROLE[alias]}\nsource_profile = me\n" for alias in ACCOUNTS
    ]
    configure(place, f"[profile me]\n{KEYS}\n{roles[0]}\n{roles[1]}external_id = link-7f3a\n")
    return accounts()


def identity_center(place: Workplace, portal: Portal) -> dict[str, Any]:
    profiles = [
        f"[profile {alias}]\nsso_session = work\nsso_account_id = {id_}\n"
        "sso_role_name = engineer\nregion = ap-northeast-1\n"
        for alias, id_ in ACCOUNTS.items()
    ]
    session = (
        "[sso-session work]\nsso_region = ap-northeast-1\n"
        "sso_start_url = https://example.awsapps.com/start\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    configure(place, "\n".join([*profiles, session]))
    place.environment["AWS_ENDPOINT_URL_SSO"] = f"http://127.0.0.1:{portal.server_port}"
    sign_in(place, datetime.now(UTC) + timedelta(hours=8))
    return accounts()


def sign_in(place: Workplace, until: datetime) -> None:
    """Leave what `aws sso login` leaves."""
    cache = Path(place.environment["HOME"]) / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    token = {
        "startUrl": "https://example.awsapps.com/start",
        "region": "ap-northeast-1",
        "accessToken": Portal.TOKEN,
        "expiresAt": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    name = hashlib.sha1(b"work").hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(token))


def environment(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    place.environment["AWS_ACCESS_KEY_ID"] = "111111111111"
    place.environment["AWS_SECRET_ACCESS_KEY"] = "111111111111"
    return roles_to_assume()


def assume_role(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    configure(place, f"[profile me]\n{KEYS}")
    return {alias: account | {"profile": "me"} for alias, account in roles_to_assume().items()}


def roles_to_assume() -> dict[str, Any]:
    found = {}
    for alias, account in accounts().items():
        role = {"role_arn": ROLE[alias]} | (
            {"external_id": "link-7f3a"} if alias == "account2" else {}
        )
        found[alias] = {k: v for k, v in account.items() if k != "profile"} | {"assume_role": role}
    return found


@pytest.mark.parametrize("kind", [source_profiles, identity_center, environment, assume_role])
def test_credentials_as_people_have_them(
    kind: Callable[[Workplace, Portal], dict[str, Any]], place: Workplace, portal: Portal
) -> None:
    declared = kind(place, portal)
    place.declare({"accounts": declared, "links": {"checked": LINK}})
    result = place.operations("check", "checked")
    assert result.returncode == 0, result.stderr
    endpoint = place.environment["AWS_ENDPOINT_URL"]
    host = urlparse(endpoint).netloc
    assert f"AWS_ENDPOINT_URL: requests go to {host}, not to AWS" in result.stdout
    assert endpoint not in result.stdout  # its path is a secret
    for alias, id_ in ACCOUNTS.items():
        line = f"{alias}: account {id_} (pinned) as arn:aws:sts::{id_}:assumed-role/engineer/"
        assert line in result.stdout
    assert place.terraform("checked", "init").returncode == 0
    planned = place.terraform("checked", "plan", "-no-color")
    assert "to add, 0 to change" in planned.stdout, planned.stderr


WRONG: list[tuple[str, Callable[[Workplace, Portal], dict[str, Any]], str]] = []


def wrong(problem: str) -> Callable[[Any], Any]:
    def register(function: Callable[[Workplace, Portal], dict[str, Any]]) -> Any:
        WRONG.append((function.__name__, function, problem))
        return function

    return register


@wrong("account2: is account 111111111111, pinned is 222222222222: correct the profile")
def the_other_account(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    configure(place, f"[profile account1]\n{KEYS}[profile account2]\n{KEYS}")
    return accounts()


@wrong("account2: is account 111111111111, as account1 is: give each alias its own")
def the_same_account_twice(place: Workplace, portal: Portal) -> dict[str, Any]:
    declared = the_other_account(place, portal)
    return {a: {k: v for k, v in s.items() if k != "account_id"} for a, s in declared.items()}


@wrong("account1: there is no profile 'account1': correct the name, or add the profile")
def no_profile(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    configure(place, "")
    return accounts()


@wrong("account1: the profile 'account1' has no credentials")
def an_empty_profile(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    configure(place, "[profile account1]\nregion = eu-west-1\n[profile account2]\nregion = x\n")
    return accounts()


@wrong("account1: the environment has no credentials")
def an_empty_environment(place: Workplace, portal: Portal) -> dict[str, Any]:  # noqa: ARG001
    return roles_to_assume()


@wrong("account2: the session of IAM Identity Center is missing or has ended: run `aws sso login")
def an_ended_session(place: Workplace, portal: Portal) -> dict[str, Any]:
    declared = identity_center(place, portal)
    sign_in(place, datetime.now(UTC) - timedelta(minutes=1))
    return declared


@wrong(f"may not assume {ROLE['account2']}: its trust policy must name that caller")
def another_external_id(place: Workplace, portal: Portal) -> dict[str, Any]:
    declared = assume_role(place, portal)
    declared["account2"]["assume_role"]["external_id"] = "another"
    return declared


@wrong("account2: the profile 'account2' is refused: the trust policy of its role_arn")
def a_source_profile_without_the_external_id(place: Workplace, portal: Portal) -> dict[str, Any]:
    declared = source_profiles(place, portal)
    file = Path(place.environment["AWS_CONFIG_FILE"])
    file.write_text(file.read_text().replace("external_id = link-7f3a", ""))
    return declared


@wrong("Could not connect to the endpoint URL")
def nobody_answers(place: Workplace, portal: Portal) -> dict[str, Any]:
    declared = source_profiles(place, portal)
    place.environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1"
    return declared


@pytest.mark.parametrize(
    ("make", "problem"), [pytest.param(make, told, id=name) for name, make, told in WRONG]
)
def test_before_anything_is_planned_it_stops(
    make: Callable[[Workplace, Portal], dict[str, Any]],
    problem: str,
    place: Workplace,
    portal: Portal,
) -> None:
    declared = make(place, portal)
    place.declare({"accounts": declared, "links": {"checked": LINK}})
    result = place.operations_here("plan")
    assert result.returncode == 1
    assert problem in result.stderr
    assert "Traceback" not in result.stderr
    assert not (place.folder / "plans").exists()
    assert not (place.stack("checked") / ".terraform").exists()


def test_an_unknown_stack_is_told_with_those_there_are(place: Workplace) -> None:
    place.declare({"accounts": accounts(), "links": {"checked": LINK}})
    result = place.make("deploy", "LINK=cheked")
    assert result.returncode != 0
    assert "there is no stack 'cheked': did you mean 'checked'? There are checked" in result.stderr
