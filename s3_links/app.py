"""cdktf's app: synthesizes a stack of each link, or says in plain lines why it cannot."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .declarations.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from cdktf import App

    from s3_cross_account.settings import AccountSettings

    from .declarations.deployment import Deployment
    from .stacks.base import BaseStack

    Make = Callable[[App], list[BaseStack]]
    """What makes the stacks, once cdktf is there."""

PROVIDER_LOCK = Path(".terraform.lock.hcl")

# Node.js 20 does all that is needed here; jsii greets it with a page-wide banner on each call.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")


def main(declared: Callable[[], Make] | None = None) -> None:
    """Synthesize every stack that ``declared`` reads, by default those of the links file."""
    _interruptible(_interrupted)
    from .failures import told

    try:
        synthesize((declared or links)())
        _interruptible(signal.SIG_IGN)  # nothing is left but to end
    except BaseException as error:
        lines = told(error)
        if lines is None:
            raise
        # jsii takes leave of Node.js at the end, and would tell at length that it is gone.
        sys.unraisablehook = lambda _: None
        print(lines, file=sys.stderr)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def links() -> Make:
    """Return what makes a stack of each link that is declared in this folder."""
    from .declarations.files import FILES, place_of_links
    from .declarations.read_links import read_with_notes

    declared, notes = read_with_notes(place_of_links() or FILES[0])
    accounts, state = declared.accounts, declared.state
    for note in notes:
        print(note, file=sys.stderr)

    def make(app: App) -> list[BaseStack]:
        from .stacks.declared import declared_stack

        links: list[BaseStack] = [
            declared_stack(app, name, link=link, accounts=accounts, state=state)
            for name, link in declared.links.items()
        ]
        return [*links, *supporting(app, links, accounts, declared)]

    return make


def supporting(
    app: App,
    deployed: list[BaseStack],
    accounts: Mapping[str, AccountSettings],
    declared: Deployment,
) -> list[BaseStack]:
    """Return the stacks that an administrator deploys before the others."""
    from .declarations import pipeline as pipelines
    from .declarations.state import BUCKET_STACK, S3State
    from .stacks.pipeline_roles import PipelineRolesStack
    from .stacks.state_bucket import StateBucketStack

    state, pipeline = declared.state, declared.pipeline
    found: list[BaseStack] = []
    if isinstance(state, S3State) and state.create_bucket:
        found.append(StateBucketStack(app, BUCKET_STACK, state=state, accounts=accounts))
    if pipeline is not None:
        roles = PipelineRolesStack(
            app,
            pipelines.STACK,
            pipeline=pipeline,
            stacks=[stack.to_terraform() for stack in deployed],
            accounts=accounts,
            state=state,
        )
        found.append(roles)
    return found


def _interruptible(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in the background
        signal.signal(signal.SIGINT, handler)


def _interrupted(*_: object) -> None:
    """End at once: while pydantic makes its models, it would swallow an exception."""
    os.write(2, b"Interrupted.\n")
    os._exit(130)


def output_folder() -> Path:
    """Return the folder to write to, which cdktf's command names in a variable."""
    folder = Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            [f"{folder}: cannot be written to ({error.strerror}): name another output folder"]
        ) from None
    return folder


def synthesize(make: Make) -> None:
    """Write every stack, once all of them are valid."""
    from .declarations.files import content_of, present, write
    from .failures import require_nodejs

    require_nodejs()
    lock = content_of(PROVIDER_LOCK) if present(PROVIDER_LOCK) else None

    # From here on there is something to clean up.
    _interruptible(signal.default_int_handler)
    # Imported only now: this starts Node.js.
    from cdktf import App

    from .stacks.validation import problems

    # It would validate each stack again while it writes them.
    folder = output_folder()
    app = App(outdir=str(folder), skip_validation=True)
    stacks = make(app)
    if found := problems(stacks):
        raise ConfigurationError(found)
    app.synth()
    for stack in stacks:
        written = folder / "stacks" / stack.id
        stack.written(written)
        if lock is not None:
            write(written / PROVIDER_LOCK.name, lock)
