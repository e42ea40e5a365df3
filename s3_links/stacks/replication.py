"""One declared replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.document import rendered_once
from s3_cross_account.replication import BatchReplicationRole, Replication
from s3_cross_account.replication_rule import prefixes

from .linked import LinkedStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.replication import ReplicationLink
    from s3_links.declarations.state import State


class ReplicationStack(LinkedStack):
    """Creates a replication between accounts, one way or both, with a state of its own."""

    @rendered_once()
    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        link: ReplicationLink,
        accounts: Mapping[str, LinkAccount],
        state: State,
    ) -> None:
        super().__init__(scope, id_, link=link, accounts=accounts, state=state)
        buckets = {end.label: self.bucket(end.bucket, end.label) for end in link.ends}
        batches = []
        for way in link.ways:
            suffix = ("_back" if way.back else "") + way.source.suffix
            source = buckets[way.source.label]
            replication = Replication(
                self,
                ("back" if way.back else "there") + way.source.suffix,
                source=source,
                role_name=way.role,
                destinations={buckets[to.label]: rules for to, rules in way.destinations},
                replica_modifications=link.both_ways,
                object_lock=way.source.bucket.object_lock,
                configuration=way.source.bucket.replication or "create",
            )
            self.outputs(**{f"replication_role_arn{suffix}": replication.role.arn})
            if replication.rules_json:
                merge = f"replication_rules_to_merge_{way.source.label}"
                self.outputs(**{merge: replication.rules_json})
            if link.batch_role and not way.back:
                batches.append((source, way))
        for source, way in batches:
            batch = BatchReplicationRole(
                self,
                f"batch{way.source.suffix}",
                source=source,
                name=f"{way.role}-batch",
                prefixes=prefixes(way.rules),
            )
            self.outputs(**{f"batch_replication_command{way.source.suffix}": batch.command})
        self.share()
        for label, bucket in buckets.items():
            self.bucket_outputs(label, bucket)
        self.kept_outputs()
