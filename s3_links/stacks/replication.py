"""One declared replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.replication import BatchReplicationRole, Replication

from .linked import LinkedStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.replication import ReplicationLink
    from s3_links.declarations.state import State


class ReplicationStack(LinkedStack):
    """Creates a replication between two accounts, one way or both, with a state of its own."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        link: ReplicationLink,
        accounts: Mapping[str, LinkAccount],
        state: State,
    ) -> None:
        super().__init__(scope, id_, link=link, accounts=accounts, state=state)
        source = self.bucket(link.source, "source")
        destination = self.bucket(link.destination, "destination")
        there = Replication(
            self,
            "there",
            source=source,
            destination=destination,
            role_name=link.role_name,
            rules=link.rules,
            replica_modifications=link.both_ways,
        )
        self.outputs(replication_role_arn=there.role.arn)
        if link.both_ways:
            back = Replication(
                self,
                "back",
                source=destination,
                destination=source,
                role_name=f"{link.role_name}-back",
                rules=link.rules,
                replica_modifications=True,
            )
            self.outputs(replication_role_arn_back=back.role.arn)
        if link.batch_role:
            batch = BatchReplicationRole(
                self, "batch", source=source, name=f"{link.role_name}-batch"
            )
            self.outputs(batch_replication_command=batch.command)
        self.bucket_outputs("source", source)
        self.bucket_outputs("destination", destination)
        self.kept_outputs()
