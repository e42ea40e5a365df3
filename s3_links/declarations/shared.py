"""Whose a bucket is that several links of a file name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .buckets import LinkBucket
    from .delivery import ServiceDeliveryLink
    from .link import Link
    from .links import AnyLink


@dataclass(frozen=True, eq=False)
class Owner:
    """The link that writes a bucket's policy, and how that declares the bucket."""

    name: str
    link: AnyLink
    bucket: LinkBucket


@dataclass(frozen=True, eq=False)
class Sharer:
    """A link that names another one's bucket, and how it declares it."""

    name: str
    link: Link | ServiceDeliveryLink
    bucket: LinkBucket
