"""Variables with which Terraform would do something else than what is declared."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS = {
    "TF_WORKSPACE": "selects another state than the declared one",
    "TF_DATA_DIR": "moves what Terraform remembers of a stack, such as the place of its state",
}
_ARGUMENTS = "TF_CLI_ARGS"
_HARMLESS = re.compile(
    r"--?(no-color|compact-warnings|concise|input=false|plugin-dir=.+"
    r"|parallelism=\d+|lock-timeout=[\w.]+)"
)


def problems(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return what changes the meaning of a plan or an apply, and how to mend it.

    Of the arguments in ``TF_CLI_ARGS`` and ``TF_CLI_ARGS_<command>`` only those are let through
    that are known to change nothing.
    """
    found = [
        f"{name}={environment[name]}: {reason}: unset it"
        for name, reason in _REASONS.items()
        if environment.get(name)
    ]
    for name, value in sorted(environment.items()):
        if not name.startswith(_ARGUMENTS):
            continue
        wrong = [word for word in value.split() if not _HARMLESS.fullmatch(word)]
        if wrong:
            found.append(
                f"{name}: {' '.join(wrong)} may change what is planned or applied: unset it"
            )
    return found


def endpoints(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return what is not asked of AWS itself, but of an address that the environment names.

    Of an address only the host is shown: the rest may be a secret.
    """
    return [
        f"{name}: requests go to {urlsplit(value).netloc.rpartition('@')[2]}, not to AWS"
        for name, value in sorted(environment.items())
        if name.startswith("AWS_ENDPOINT_URL") and value
    ]
