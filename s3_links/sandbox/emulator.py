"""Two emulated AWS accounts: a process to start and stop, and the environment to reach it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Self

from . import installation
from .emulator_process import ENCRYPTED, SECRET, SERVICES
from .guard import new_secret

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

ACCOUNTS = {"account1": "111111111111", "account2": "222222222222"}
"""The emulated accounts' ids, by provider alias. An id is also its root's access key."""

REGION = "ap-northeast-1"
_START_SECONDS = 30


class EmulatorError(Exception):
    """The emulator did not start; the message says why."""


class Emulator:
    """Runs the emulator on a free port of 127.0.0.1, with its files in ``folder``.

    Use it as a context manager. ``environment`` is what Terraform, the AWS CLI and boto3 need to
    reach it: a profile for each account, named by its alias, with that account's root user.
    ``endpoint`` is not for others: its path has the secret that lets in.
    Requests come over plain HTTP; with ``encrypted`` they count as encrypted ones.
    """

    def __init__(self, folder: Path, *, encrypted: bool = False) -> None:
        self.folder = folder
        self._encrypted = encrypted
        self.log = folder / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port, secret = _free_port(), new_secret()
        self.endpoint = f"http://127.0.0.1:{port}/{secret}"
        try:
            command = installation.command()
        except installation.InstallationError as error:
            raise EmulatorError(str(error)) from None
        settings = {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "SERVICES": SERVICES,
            SECRET: secret,
            "TMPDIR": str(self.folder),  # holds its pid file
            ENCRYPTED: str(self._encrypted).lower(),
        }
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env=_of_the_machine(os.environ) | settings,
                stdin=subprocess.PIPE,  # its end is the process's sign to stop
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: we stop it when all is removed
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmulatorError(f"the emulator did not start. {self.last_words}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the process; harmless when it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def last_words(self) -> str:
        """The end of what the process printed."""
        lines = self.log.read_text(errors="replace").strip().splitlines()[-3:]
        return "It printed last: " + ("\n".join(lines) or "nothing")

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/ready", timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a workstation's tools, without a trace of real credentials."""
        config, credentials = self.folder / "config", self.folder / "credentials"
        config.write_text("".join(f"[profile {alias}]\nregion = {REGION}\n" for alias in ACCOUNTS))
        credentials.write_text(
            "".join(
                f"[{alias}]\naws_access_key_id = {id_}\naws_secret_access_key = {id_}\n"
                for alias, id_ in ACCOUNTS.items()
            )
        )
        return (
            _of_the_machine(os.environ)
            | self.endpoints
            | {
                "AWS_CONFIG_FILE": str(config),
                "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
                "AWS_EC2_METADATA_DISABLED": "true",
            }
        )

    @property
    def endpoints(self) -> dict[str, str]:
        """The part of the environment that sends every request to the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            # Not covered by the former where a profile assumes a role.
            "AWS_ENDPOINT_URL_STS": self.endpoint,
            # The id of an account stands before the host where S3 Control is asked, and there is no
            # such host: it is asked by way of a proxy, which is the emulator itself.
            "HTTP_PROXY": self.endpoint.rpartition("/")[0],
            "http_proxy": self.endpoint.rpartition("/")[0],
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


def _of_the_machine(environment: os._Environ[str]) -> dict[str, str]:
    """Return an environment without what its user set for AWS, Terraform's runs or the emulator."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AWS_", "MINISTACK_", "TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE"))
        and name != "TF_DATA_DIR"
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
