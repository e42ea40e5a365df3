"""The map as SVG and as an HTML page, both laid out by dagre.

The page holds all that it needs and lays itself out; for an SVG, Node.js runs the same script.
``make dagre`` renews the copy of dagre, which keeps its licence.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .graph import Graph

_MARK = re.compile(r"\{\{([a-z-]+)\}\}")


class DrawingError(Exception):
    """The map cannot be drawn; the message says why, and what to do."""


def svg(graph: Graph) -> str:
    """Return the map as one SVG file; it follows its reader's light or dark scheme."""
    node = shutil.which("node")
    if node is None:
        raise DrawingError("Node.js lays out an SVG, and is not installed: install version 20+")
    style = _asset("picture.css")
    run = f"process.stdout.write(file({graph.as_json()}, {json.dumps(style)}));"
    script = "\n".join([_asset("dagre.min.js"), _asset("picture.js"), run])
    result = subprocess.run(
        [node, "-"], input=script, capture_output=True, encoding="utf-8", check=False
    )
    if result.returncode:
        raise DrawingError(f"Node.js cannot draw the map: {result.stderr.strip()}")
    return result.stdout


def page(graph: Graph) -> str:
    """Return the map as one HTML page that loads nothing and runs no script but its own."""
    script = "\n".join(map(_asset, ("dagre.min.js", "picture.js", "page.js")))
    style = "\n".join(map(_asset, ("picture.css", "page.css")))
    filled = {
        "script-hash": _digest(script),
        "style-hash": _digest(style),
        "style": style,
        "graph": graph.as_json(),
        "script": script,
    }
    # In one pass: what is put in may hold such marks too.
    return _MARK.sub(lambda mark: filled[mark[1]], _asset("page.html"))


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
