"""The stack of a declared link, by its pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_links.declarations.link import Link
from s3_links.declarations.replication import ReplicationLink

from .delivery import ServiceDeliveryStack
from .link import LinkStack
from .replication import ReplicationStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.links import AnyLink
    from s3_links.declarations.state import State

    from .linked import LinkedStack


def declared_stack(
    scope: App,
    id_: str,
    *,
    link: AnyLink,
    accounts: Mapping[str, LinkAccount],
    state: State,
) -> LinkedStack:
    """Create the stack of a link, with a state of its own."""
    if isinstance(link, Link):
        return LinkStack(scope, id_, link=link, accounts=accounts, state=state)
    if isinstance(link, ReplicationLink):
        return ReplicationStack(scope, id_, link=link, accounts=accounts, state=state)
    return ServiceDeliveryStack(scope, id_, link=link, accounts=accounts, state=state)
