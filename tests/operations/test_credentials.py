"""A pipeline's credentials: what becomes of the file, and what is said of each malformed input."""

from __future__ import annotations

import base64
import configparser
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.operations import oidc
from s3_links.operations.credentials_file import CredentialsFile
from s3_links.operations.oidc import write_credentials
from s3_links.operations.stack import OperationError, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS = {"aws_access_key_id": "A", "aws_secret_access_key": "B", "aws_session_token": "C"}
ARNS = {alias: f"arn:aws:iam::{n * 12}:role/plan" for alias, n in (("one", "1"), ("two", "2"))}


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(claims: Any) -> str:
    return f"{encoded({'alg': 'RS256'})}.{encoded(claims)}.c2lnbmF0dXJl"


TOKEN = token({"sub": "repo:a/b:pull_request", "actor": "somebody"})


def stack(**without: Any) -> Stack:
    content: dict[str, Any] = {
        "provider": {
            "aws": [{"alias": a, "region": "eu-west-1", "profile": a} | without for a in ARNS]
        },
        "output": {f"plan_role_arn_{alias}": {"value": arn} for alias, arn in ARNS.items()},
    }
    return Stack(name="pipeline-roles", file=Path(), content=content, digest="")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the credentials are, and a run of GitLab's that has a token."""
    for name in os.environ:
        if name.startswith(("AWS_", "ACTIONS_")):
            monkeypatch.delenv(name)
    file = tmp_path / "aws" / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_ID_TOKEN", TOKEN)
    return file


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "_session", lambda *_: dict(KEYS))


def written(file: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.read(file)
    return {name: dict(parser.items(name)) for name in parser.sections()}


BEFORE = """\
# Do not touch: see the wiki.
[mine]
aws_access_key_id = A%B ; kept
s3 =
  max_concurrent_requests = 1

; the pipeline's
[one]
# from the run of yesterday
aws_access_key_id = old
credential_process = /bin/old
  --continued

[last]
region = eu-west-1"""

AFTER = """\
# Do not touch: see the wiki.
[mine]
aws_access_key_id = A%B ; kept
s3 =
  max_concurrent_requests = 1

; the pipeline's
[one]
aws_access_key_id = A
aws_secret_access_key = B
aws_session_token = C
# from the run of yesterday

[last]
region = eu-west-1

[two]
aws_access_key_id = A
aws_secret_access_key = B
aws_session_token = C
"""


@pytest.mark.usefixtures("sessions")
def test_comments_order_and_other_profiles_stay(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(BEFORE)
    assert write_credentials(stack(), "plan") == ARNS
    assert file.read_text() == AFTER
    write_credentials(stack(), "plan")
    assert file.read_text() == AFTER


@pytest.mark.usefixtures("sessions")
def test_only_its_owner_may_read_an_existing_file(file: Path) -> None:
    file.parent.mkdir()
    file.touch(mode=0o644)
    file.chmod(0o644)
    write_credentials(stack(), "plan")
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(written(file)) == list(ARNS)


@pytest.mark.usefixtures("sessions")
def test_a_new_file_is_its_owners_too_and_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    file.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").touch(mode=0o644)
    write_credentials(stack(), "plan")
    assert file.is_symlink()
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o600
    file.unlink()
    write_credentials(stack(), "plan")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["credentials"]


@pytest.mark.usefixtures("sessions")
def test_what_cannot_be_edited_safely_is_left_as_it_is(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("[a]\nk =\n  [one]\n")
    with pytest.raises(OperationError, match=r"a value goes on in a line that begins with \["):
        write_credentials(stack(), "plan")
    assert file.read_text() == "[a]\nk =\n  [one]\n"


def no_folder(file: Path) -> None:
    file.parent.rmdir()
    file.parent.touch()


FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a profile twice": (
        lambda f: f.write_text("[a]\nk = SECRET\n[a]\n"),
        "the profile 'a' stands twice: remove one",
    ),
    "a key twice": (
        lambda f: f.write_text("[a]\nk = SECRET\nk = SECRET\n"),
        "k stands twice in the profile 'a': remove one",
    ),
    "no profile": (
        lambda f: f.write_text("k = SECRET\n"),
        "line 1 stands before any [profile]: correct or remove it",
    ),
    "a stray line": (
        lambda f: f.write_text("[a]\nSECRET\n"),
        "line 2 is no `key = value`: correct or remove it",
    ),
    "not UTF-8": (lambda f: f.write_bytes(b"[a]\nk = \xff\n"), "is not UTF-8 text"),
    "a folder": (lambda f: f.mkdir(), "is a folder: put the file in its place"),
    "a pipe": (os.mkfifo, "is no regular file"),
    "a link to nowhere": (lambda f: f.symlink_to("nowhere"), "is a link to nowhere, which does"),
    "a folder that is none": (no_folder, "cannot be read (Not a directory)"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_none_is_told_before_a_session_is_asked_for(kind: str, file: Path) -> None:
    make, told = FILES[kind]
    file.parent.mkdir()
    make(file)
    with pytest.raises(OperationError) as raised:
        write_credentials(stack(), "plan")
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{file}: {told}")
    assert "SECRET" not in line


def test_a_file_that_cannot_be_written_is_told(file: Path) -> None:
    opened = CredentialsFile()
    file.mkdir(parents=True)
    with pytest.raises(OperationError) as raised:
        opened.put({"one": KEYS})
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{file}: cannot be written (Is a directory): make it a writable file")


def test_without_a_home_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(OperationError, match="no home folder: name the credentials file in AWS_SH"):
        write_credentials(stack(), "plan")


@pytest.mark.usefixtures("sessions")
def test_every_account_without_a_profile_or_a_role_is_named(file: Path) -> None:
    without = stack()
    del without.providers[0]["profile"]
    del without.content["output"]["plan_role_arn_two"]
    with pytest.raises(OperationError) as raised:
        write_credentials(without, "plan")
    one, two = str(raised.value).splitlines()
    assert one.startswith("one: the stack pipeline-roles has no 'profile' for it: run `make synth`")
    assert two.startswith("two: the stack pipeline-roles has no 'plan_role_arn_two' for it")
    assert not file.exists()


TOKENS = {
    "no token": "SECRET",
    "two parts": "SECRET.SECRET",
    "a line break": f"{TOKEN}\nSECRET",
    "another alphabet": "SECRET.Ä.SECRET",
}


@pytest.mark.parametrize("kind", TOKENS)
def test_nothing_of_what_is_no_token_is_shown(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ID_TOKEN", TOKENS[kind])
    with pytest.raises(OperationError) as raised:
        write_credentials(stack(), "plan")
    told = "AWS_ID_TOKEN is no token, three parts with dots between: correct it"
    assert str(raised.value) == told


CLAIMS: list[tuple[Any, str]] = [
    ({"sub": "repo:a/b:ref:x", "actor": "SECRET"}, "'repo:a/b:ref:x'"),
    ({"sub": {"SECRET": 1}}, "not readable"),
    ({"SECRET": 1}, "not readable"),
    (["SECRET"], "not readable"),
    ("SECRET", "not readable"),
    (None, "not readable"),
]


@pytest.mark.parametrize(("claims", "subject"), CLAIMS)
def test_of_a_refused_token_only_the_subject_is_shown(
    claims: Any, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = token(claims)

    class Refusing:
        def assume_role_with_web_identity(self, **asked: str) -> None:
            message = f"the token {asked['WebIdentityToken']} or {given.split('.')[1]} is wrong"
            raise ClientError(
                {"Error": {"Code": "InvalidIdentityToken", "Message": message}}, "AssumeRole"
            )

    monkeypatch.setattr("boto3.client", lambda *_, **__: Refusing())
    monkeypatch.setenv("AWS_ID_TOKEN", given)
    with pytest.raises(OperationError) as raised:
        write_credentials(stack(), "plan")
    for line, (alias, arn) in zip(str(raised.value).splitlines(), ARNS.items(), strict=True):
        told = f"{alias}: {arn} does not trust this run, whose subject is {subject}: compare it"
        assert line.startswith(told)
        assert "InvalidIdentityToken" in line
        assert not any(part in line for part in (*given.split("."), "SECRET"))


def test_a_token_that_is_no_base64_is_not_shown() -> None:
    assert oidc._subject("a.SECRETSECRETS.c") == "not readable"


class Platform(ThreadingHTTPServer):
    """What GitHub's endpoint of tokens may reply."""

    body = b""
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Reply)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Reply(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with Platform() as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv(
            "ACTIONS_ID_TOKEN_REQUEST_URL", f"http://127.0.0.1:{server.server_port}/?a=b"
        )
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "REQUEST-SECRET")
        yield server
        server.shutdown()


MALFORMED = 'the platform gave no token (the request or the reply is malformed, no {"value": …})'
NO_TOKEN = "what the platform gave is no token, three parts with dots between: correct it"
REPLIES: list[tuple[int, Any, str]] = [
    (200, ["SECRET"], MALFORMED),
    (200, "SECRET", MALFORMED),
    (200, {"vlaue": "SECRET"}, MALFORMED),
    (200, b"<html>SECRET", MALFORMED),
    (200, b"\xffSECRET", MALFORMED),
    (200, b"", MALFORMED),
    (200, {"value": None}, NO_TOKEN),
    (200, {"value": ["SECRET"]}, NO_TOKEN),
    (200, {"value": ""}, "this is no run with a token"),
    (403, b"SECRET", "the platform gave no token (Forbidden): run the job again"),
]


@pytest.mark.parametrize(("status", "body", "told"), REPLIES)
def test_a_reply_that_is_no_token(status: int, body: Any, told: str, platform: Platform) -> None:
    platform.status = status
    platform.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert_told(told)


REQUESTS: list[tuple[dict[str, str | None], str]] = [
    ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": None}, "this is no run with a token: give the job"),
    ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "REQUEST-SECRET\nX: y"}, MALFORMED),
    ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "REQUEST-SECRETÄ中"}, MALFORMED),
    ({"ACTIONS_ID_TOKEN_REQUEST_URL": "SECRET"}, MALFORMED),
    ({"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1/SECRET"}, "the platform gave no token ("),
    ({"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:x/SECRET"}, "the platform gave no token ("),
    ({"ACTIONS_ID_TOKEN_REQUEST_URL": "http://a b/SECRET"}, "the platform gave no token ("),
]


@pytest.mark.parametrize(("variables", "told"), REQUESTS)
@pytest.mark.usefixtures("platform")
def test_a_request_that_cannot_be_made(
    variables: dict[str, str | None], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    assert_told(told)


def assert_told(told: str) -> None:
    with pytest.raises(OperationError) as raised:
        write_credentials(stack(), "plan")
    (line,) = str(raised.value).splitlines()
    assert line.startswith(told)
    assert "SECRET" not in line
