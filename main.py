"""Reads the configuration, makes the stacks and synthesizes them to ``cdktf.out``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from cdktf import App, TerraformStack

    from s3_cross_account.settings import AccountSettings
    from stacks.deployment import Deployment

LINKS = Path("links.json")
PROVIDER_LOCK = Path(".terraform.lock.hcl")

# Node.js 20 does all that is needed here; jsii greets it with a page-wide banner on each call.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")


def main() -> None:
    """Synthesize every stack, or say in plain lines why not."""
    _interruptible(_interrupted)
    from stacks.failures import told

    try:
        synthesize(declared())
        _interruptible(signal.SIG_IGN)  # nothing is left but to end
    except BaseException as error:
        lines = told(error)
        if lines is None:
            raise
        # jsii takes leave of Node.js at the end, and would tell at length that it is gone.
        sys.unraisablehook = lambda _: None
        print(lines, file=sys.stderr)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def declared() -> Callable[[App], list[TerraformStack]]:
    """Return what makes the stacks: those of the links file, else the reference."""
    from stacks.files import nearly, present

    if present(LINKS):
        return declared_links()
    if near := nearly(LINKS):
        raise ConfigurationError(
            [
                f"{near}: is nearly called {LINKS}, which does not exist: rename it, or move it "
                "away to have the reference stack"
            ]
        )
    return reference()


def reference() -> Callable[[App], list[TerraformStack]]:
    """Return what makes the reference stack of ``cdktf.json``."""
    from stacks.configuration import read_configuration

    declared = read_configuration(Path("cdktf.json"))
    accounts, state = dict(declared.accounts), declared.state

    def make(app: App) -> list[TerraformStack]:
        from stacks.reference import ReferenceStack
        from stacks.reference_names import STACK

        stack = ReferenceStack(
            app, STACK, accounts=accounts, state=state, instances=declared.instances
        )
        return [stack, *supporting(app, [stack], accounts, declared)]

    return make


def declared_links() -> Callable[[App], list[TerraformStack]]:
    """Return what makes a stack of each link in ``links.json``."""
    from stacks.read_links import read_links

    declared = read_links(LINKS)
    accounts, state = declared.accounts, declared.state
    for note in declared.notes():
        print(f"{LINKS}: {note}", file=sys.stderr)

    def make(app: App) -> list[TerraformStack]:
        from stacks.link import LinkStack
        from stacks.links_file import Link
        from stacks.replication import ReplicationStack

        links: list[TerraformStack] = [
            LinkStack(app, name, link=link, accounts=accounts, state=state)
            if isinstance(link, Link)
            else ReplicationStack(app, name, link=link, accounts=accounts, state=state)
            for name, link in declared.links.items()
        ]
        return [*links, *supporting(app, links, accounts, declared)]

    return make


def supporting(
    app: App,
    deployed: list[TerraformStack],
    accounts: Mapping[str, AccountSettings],
    declared: Deployment,
) -> list[TerraformStack]:
    """Return the stacks that an administrator deploys before the others."""
    from stacks import pipeline as pipelines
    from stacks.pipeline_roles import PipelineRolesStack
    from stacks.state import BUCKET_STACK, S3State
    from stacks.state_bucket import StateBucketStack

    state, pipeline = declared.state, declared.pipeline
    found: list[TerraformStack] = []
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


def output_folder() -> str:
    """Return the folder to write to, which cdktf's command names in a variable."""
    folder = Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            [f"{folder}: cannot be written to ({error.strerror}): name another output folder"]
        ) from None
    return str(folder)


def synthesize(make: Callable[[App], list[TerraformStack]]) -> None:
    """Write every stack, once all of them are valid."""
    from stacks.failures import require_nodejs
    from stacks.files import content_of, present, write

    require_nodejs()
    lock = content_of(PROVIDER_LOCK) if present(PROVIDER_LOCK) else None

    # From here on there is something to clean up.
    _interruptible(signal.default_int_handler)
    # Imported only now: this starts Node.js.
    from cdktf import App

    from stacks.validation import problems

    app = App(outdir=output_folder())
    stacks = make(app)
    if found := problems(stacks):
        raise ConfigurationError(found)
    app.synth()
    if lock is not None:
        for stack in stacks:
            write(Path(app.outdir, "stacks", stack.to_string(), PROVIDER_LOCK.name), lock)


if __name__ == "__main__":
    main()
