"""A service of other accounts that delivers into a bucket or reads from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from s3_cross_account.delivery import Delivery, Source, across_regions
from s3_cross_account.delivery_services import SERVICES

from .buckets import LinkBucket, imports_of
from .choices import given, is_, when, without
from .hardening import HardeningChoice, switches
from .names import BucketName, text
from .part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from s3_cross_account.hardening import Hardening

    from .part import Problem

_NAMES = tuple(dict.fromkeys(s.name for s in SERVICES.values() if s.name))
_ASKED = tuple(dict.fromkeys((*_NAMES, *(name for s in SERVICES.values() for name in s.asks))))
_WITH_LOGS = "AWSLogs"

SourceAccount = Annotated[
    str,
    text(
        "accounts (each by its alias or its id of 12 digits)",
        "account1",
        r"^([A-Za-z][A-Za-z0-9_-]*|[0-9]{12})$",
    ),
]


SourceBucket = Annotated[BucketName, Field(description="buckets' names", examples=["my-reports"])]


class ServiceDeliveryLink(Part):
    """A service that delivers into a bucket or reads from it, its own stack and its own state."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                when(
                    is_(service=[word]),
                    without(*(name for name in _NAMES if name != service.name))
                    | (given(service.name) if service.name else {}),
                )
                for word, service in SERVICES.items()
            ]
        }
    )

    pattern: Annotated[
        Literal["service-delivery"],
        Field(
            description='"service-delivery". A service of AWS delivers from other accounts into '
            "the bucket, or reads from it for them",
            examples=["service-delivery"],
        ),
    ]
    service: Annotated[
        Literal[tuple(SERVICES)],  # type: ignore[valid-type]
        Field(
            description=f"one of {', '.join(SERVICES)}. The service; log-delivery is every other "
            "one whose logs delivery.logs.amazonaws.com delivers",
            examples=["cloudtrail"],
        ),
    ]
    sources: Annotated[
        list[SourceAccount],
        Field(
            alias="from",
            description="a list of accounts. Where the trail, the load balancer, the distribution "
            "is; by alias, or by id where nobody here has credentials",
            examples=[["account1"]],
            min_length=1,
        ),
    ]
    bucket: Annotated[
        LinkBucket,
        Field(
            description="a bucket. The one that the service delivers into or reads from",
            examples=[{"account": "account2", "new_prefix": "trails-"}],
        ),
    ]
    prefix: Annotated[
        str | None,
        text(
            "the beginning of the objects' keys (letters, digits, ._=- and slashes). As entered in "
            "the service; what the service itself puts behind it, such as AWSLogs, is not of it",
            "audit",
            r"^[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*/?$",
            200,
        ),
    ] = None
    regions: Annotated[
        list[Annotated[str, text("AWS regions", "eu-west-1", r"^[a-z]{2}(-[a-z]+)+-[1-9]$")]]
        | None,
        Field(
            description="a list of AWS regions. Where the service runs that delivers; left out: "
            "the region of each account, of an id that of the bucket",
            examples=[["ap-northeast-1"]],
            min_length=1,
        ),
    ] = None
    trail: Annotated[
        str | None,
        text(
            "a trail's name. Of cloudtrail only; it is the same in each of the accounts",
            "audit",
            r"^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$",
        ),
    ] = None
    organization_id: Annotated[
        str | None,
        text(
            "an organization's id. Of cloudtrail and s3-storage-lens only: the trail or the "
            "dashboard is one of the whole organization, and from is the account that has it",
            "o-a1b2c3d4e5",
            r"^o-[a-z0-9]{10,32}$",
        ),
    ] = None
    source_buckets: Annotated[
        list[Annotated[BucketName, Field(description="buckets' names", examples=["my-reports"])]]
        | None,
        Field(
            description="a list of buckets' names. Of s3-inventory only: what is listed",
            examples=[["my-reports"]],
            min_length=1,
        ),
    ] = None
    distribution_ids: Annotated[
        list[Annotated[str, text("distributions' ids", "EDFDVBD6EXAMPLE", r"^[A-Z0-9]{8,24}$")]]
        | None,
        Field(
            description="a list of distributions' ids. Of cloudfront only: which read from the "
            "bucket by an origin access control",
            examples=[["EDFDVBD6EXAMPLE"]],
            min_length=1,
        ),
    ] = None
    write: Annotated[
        bool,
        Field(
            description="true or false: whether viewers may put objects through the distributions. "
            "Of cloudfront only",
            examples=[True],
        ),
    ] = False
    hive_compatible: Annotated[
        bool,
        Field(
            description="true or false: whether the flow logs have Hive-compatible S3 prefixes. Of "
            "vpc-flow-logs only",
            examples=[True],
        ),
    ] = False
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it."""
        return switches(self.hardening)

    @property
    def buckets(self) -> list[LinkBucket]:
        """The one bucket."""
        return [self.bucket]

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        return imports_of(self.buckets)

    @property
    def aliases(self) -> list[tuple[int, str]]:
        """The accounts that it names by their aliases, with their places in ``from``."""
        return [(n, alias) for n, alias in enumerate(self.sources) if not alias.isdigit()]

    @property
    def names(self) -> tuple[str, ...]:
        """What the sources are called, as the service asks for it."""
        return tuple(
            [self.trail] if self.trail else self.source_buckets or self.distribution_ids or ()
        )

    @property
    def takes_key(self) -> bool:
        """Whether the service delivers to a bucket with a KMS key."""
        return bool(SERVICES[self.service].key)

    def delivery(self, id_of: Callable[[str], str], region_of: Callable[[str], str]) -> Delivery:
        """Return the delivery; the functions tell the id and the region of an account's alias.

        A foreign account may have no region: it is taken to be where the other side is.
        """
        known = [region_of(alias) for alias in (self.bucket.account, *dict(self.aliases).values())]
        here = next(filter(None, known), "")
        found = [
            (s, here) if s.isdigit() else (id_of(s), region_of(s) or here) for s in self.sources
        ]
        return Delivery(
            service=self.service,
            sources=tuple(
                Source(account_id=id_, regions=tuple(self.regions or (there,)))
                for id_, there in found
            ),
            names=self.names,
            prefix=f"{self.prefix.rstrip('/')}/" if self.prefix else "",
            organization_id=self.organization_id,
            write=self.write,
            hive_compatible=self.hive_compatible,
        )

    def elsewhere(self, region_of: Callable[[str], str]) -> Iterator[Problem]:
        """Yield what is wrong where the service delivers within a region only."""
        regions = self.regions or [region_of(alias) for _, alias in self.aliases]
        known = [region for region in regions if region]  # a foreign account may have none
        here = region_of(self.bucket.account)
        if here and (told := across_regions(self.service, known, here)):
            yield ("regions",) if self.regions else ("from",), told

    @rule
    def _name(self) -> Iterator[Problem]:
        name = SERVICES[self.service].name
        if name and not getattr(self, name):
            shown = json.dumps((type(self).model_fields[name].examples or [""])[0])
            yield (name,), f'is missing: {self.service} needs it: add "{name}": {shown}'

    @rule
    def _fields(self) -> Iterator[Problem]:
        service = SERVICES[self.service]
        for name in _ASKED:
            if getattr(self, name) and name not in (service.name, *service.asks):
                if name == "regions" and service.same_region:
                    continue  # has a rule of its own
                listed = ', and list the accounts in "from"' if name == "organization_id" else ""
                yield (name,), f"is not for {self.service}: leave it out{listed}"

    @rule
    def _key(self) -> Iterator[Problem]:
        if self.bucket.key not in (None, "none") and not self.takes_key:
            yield (
                ("bucket", "key"),
                f"{self.service} delivers to buckets with Amazon S3 managed keys (SSE-S3) only: "
                'leave out "key"',
            )

    @rule
    def _no_key(self) -> Iterator[Problem]:
        if SERVICES[self.service].only_with_key and self.bucket.key in (None, "none"):
            yield (
                ("bucket", "key"),
                f"is missing: {self.service} encrypts what it delivers with a KMS key: add "
                '"key": "new", or the ARN of one',
            )

    @rule
    def _folder(self) -> Iterator[Problem]:
        if self.prefix and _WITH_LOGS in self.prefix and _is_logs(self.service):
            yield (
                ("prefix",),
                f"the service itself puts {_WITH_LOGS} behind the prefix and takes none with that "
                "word: leave it out",
            )

    @rule
    def _of_another_account(self) -> Iterator[Problem]:
        if set(self.sources) == {self.bucket.account}:
            yield (
                ("from",),
                "names the bucket's own account alone: name another account, or let the service "
                "itself write the policy",
            )

    @rule
    def _one_organization(self) -> Iterator[Problem]:
        if self.organization_id and len(self.sources) > 1:
            yield ("from",), "what is of an organization is one account's: name that account alone"


def _is_logs(service: str) -> bool:
    return any(_WITH_LOGS in template.on for template in SERVICES[service].bucket)
