"""Synthesizes the stacks by the app that ``cdktf.json`` names, as the ``cdktf`` command does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.files import present, text_of

from .interruption import run, stop_if_interrupted
from .stack import OperationError

CDKTF = Path("cdktf.json")
APP = "s3-links app"
"""The app of a folder with a links file."""


def synthesize() -> None:
    """Run the app; raise :class:`OperationError` with what it says where it fails."""
    app = _app()
    command = [sys.executable, "-m", "s3_links", "app"] if app == APP else ["sh", "-c", app]
    result = run(command)
    stop_if_interrupted()
    said = f"{result.stdout}{result.stderr}".strip()
    if result.returncode:
        raise OperationError(said or f"`{app}` failed")
    if said:
        print(said, file=sys.stderr)


def _app() -> str:
    if not present(CDKTF):
        return APP
    try:
        content: Any = json.loads(text_of(CDKTF))
        app = content["app"]
    except (ValueError, KeyError, TypeError):
        app = None
    if not isinstance(app, str):
        raise ConfigurationError([f'{CDKTF}: names no app: add "app": "{APP}"'])
    return app
