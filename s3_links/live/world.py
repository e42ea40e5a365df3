"""All that was read of live accounts, as the world that is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_links.world import World

from . import buckets, everybody, identities, keys, limits, points
from .reader import UnreadError

if TYPE_CHECKING:
    from s3_links.world import Document, Identity, Levels, Principal, Resource

    from .reader import Reader


class Live:
    """What is asked for is read, once, and is in the world from then on."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._identities: dict[Principal, Identity] = {}
        self._resources: dict[str, Resource] = {}
        self._service_control: dict[str, Levels] = {}
        self._resource_control: dict[str, Levels] = {}
        self._endpoints: dict[str, Document] = {}

    def identity(self, who: Principal) -> Principal | None:
        """Read a user or a role; return it with its path and its unique id, if there is one."""
        if who.kind not in ("user", "role"):
            return who
        found = identities.identity(self.reader, who)
        return None if found is None else self._took(found)

    def everybody(self, account: str) -> list[Principal]:
        """Read every user and role of an account; none where that may not be read."""
        try:
            return [self._took(found) for found in everybody.everybody(self.reader, account)]
        except UnreadError:
            return []

    def _took(self, found: identities.FoundIdentity) -> Principal:
        self._identities[found.who.identity()] = found.identity
        if found.role is not None:
            self._resources[found.role.arn] = found.role
        return found.who

    def bucket(self, name: str, owner: buckets.Owner, partition: str) -> buckets.FoundBucket:
        """Read a bucket of an account that can be asked."""
        found = buckets.bucket(self.reader, name, owner, partition)
        self._resources[found.resource.arn] = found.resource
        return found

    def points(self, account: str, bucket: str) -> None:
        """Read the access points that an account has of a bucket."""
        for point in points.of_bucket(self.reader, account, bucket):
            self.know(point)

    def know(self, resource: Resource) -> None:
        """Take what was read before."""
        self._resources[resource.arn] = resource

    def key(self, named: str, account: str, whose: Principal) -> keys.FoundKey:
        """Read a key, with its grants to ``whose`` role."""
        found = keys.key(self.reader, named, account, whose)
        self._resources[found.resource.arn] = found.resource
        return found

    def organization(self, account: str, kind: limits.Kind) -> limits.Organization:
        """Read what an organization limits an account by, of one kind."""
        found = limits.organization(self.reader, account, kind)
        held = self._service_control
        if kind == "resource control policy":
            held = self._resource_control
        if found.levels:
            held[account] = found.levels
        return found

    def endpoint(self, id_: str, account: str) -> None:
        """Read the policy of a VPC endpoint."""
        self._endpoints[id_] = limits.endpoint(self.reader, id_, account)

    @property
    def world(self) -> World:
        """What has been read so far."""
        return World(
            identities=dict(self._identities),
            resources=dict(self._resources),
            service_control=dict(self._service_control),
            resource_control=dict(self._resource_control),
            endpoints=dict(self._endpoints),
        )
