"""cdktf's app: synthesizes a stack of each link, or says in plain lines why it cannot."""

from __future__ import annotations

import gc
import os
import signal
import sys
from functools import partial
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from . import nodejs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from cdktf import App

    from s3_cross_account.settings import AccountSettings

    from .declarations.deployment import Deployment
    from .declarations.links import Links
    from .stacks.base import BaseStack
    from .synthesis import Stacks, Supporting, Written

LINKS_ALONE = 100
"""As many are made before other processes have started."""
BYTES_ALONE = 30_000
"""About what a file of as many links has."""
LINKS_A_PROCESS = 200
"""A process keeps what it made until it ends: with more of them, memory would grow with them."""

# Node.js 20 does all that is needed here; jsii greets it with a page-wide banner on each call.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")


def main(declared: Callable[[], Stacks] | None = None) -> None:
    """Synthesize every stack that ``declared`` reads, by default those of the links file."""
    # What is made here stays to the end: looking for what does not takes a tenth of the time.
    gc.disable()
    _interruptible(_interrupted)
    from .failures import require_nodejs, told
    from .synthesis import synthesize
    from .unchecked import leave_unchecked

    try:
        stacks = (declared or links)()
        require_nodejs()
        # From here on there is something to clean up.
        _interruptible(signal.default_int_handler)
        leave_unchecked()
        synthesize(stacks)
        _interruptible(signal.SIG_IGN)  # nothing is left but to end
    except BaseException as error:
        lines = told(error)
        if lines is None:
            raise
        # jsii takes leave of Node.js at the end, and would tell at length that it is gone.
        sys.unraisablehook = lambda _: None
        print(lines, file=sys.stderr)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def links() -> Stacks:
    """Return the stacks of the links that are declared in this folder."""
    from .declarations.files import FILES, place_of_links
    from .declarations.read_links import read_with_notes
    from .synthesis import Stacks

    place = place_of_links() or FILES[0]
    # What other processes make needs no Node.js here.
    if not place.exists() or place.stat().st_size < BYTES_ALONE:
        nodejs.begin()
    declared, notes = read_with_notes(place)
    for note in notes:
        print(note, file=sys.stderr)
    parts = [partial(_links, declared, names) for names in _parts(list(declared.links))]
    return Stacks(parts, supporting(declared, declared.accounts))


def _parts(names: list[str]) -> list[list[str]]:
    """Return the names in equal parts, one for each process, so that no processor is left idle."""
    from .synthesis import processors

    if len(names) <= LINKS_ALONE:
        return [names]
    at_once = processors()
    number = min(
        at_once * ceil(len(names) / (LINKS_A_PROCESS * at_once)),
        ceil(2 * len(names) / LINKS_ALONE),
    )
    bounds = [len(names) * n // number for n in range(number + 1)]
    return [names[start:end] for start, end in pairwise(bounds)]


def _links(declared: Links, names: Sequence[str], app: App) -> list[BaseStack]:
    """Make the stacks of some of the links."""
    from .stacks.declared import declared_stack

    accounts, state = declared.accounts, declared.state
    return [
        declared_stack(app, name, link=declared.links[name], accounts=accounts, state=state)
        for name in names
    ]


def supporting(declared: Deployment, accounts: Mapping[str, AccountSettings]) -> Supporting | None:
    """Return what makes the stacks that an administrator deploys before the others."""
    if declared.pipeline is None and not getattr(declared.state, "create_bucket", False):
        return None
    return partial(_supporting, declared, accounts)


def _supporting(
    declared: Deployment, accounts: Mapping[str, AccountSettings], app: App, written: Written
) -> list[BaseStack]:
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
            stacks=written(),
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
    nodejs.abandon()
    os.write(2, b"Interrupted.\n")
    os._exit(130)
