"""What a service delivers from other accounts, and the statements that let it.

Plain values, without Node.js; :mod:`.delivery_services` has the statements as documents print them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from .delivery_services import SERVICES
from .delivery_template import BY_DEFAULT
from .policy import Statement, service
from .settings import partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .delivery_template import Template

__all__ = ["Delivery", "Source"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """An account that a service delivers from, and the regions that it does so in."""

    account_id: str
    regions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a service delivers, from where: see the fields of the same names of a links file.

    ``names`` are those of the trail, the buckets or the distributions. ``prefix`` ends with a
    slash, or there is none.
    """

    service: str
    sources: tuple[Source, ...]
    names: tuple[str, ...] = ()
    prefix: str = ""
    organization_id: str | None = None
    write: bool = False
    hive_compatible: bool = False

    def problems(self, *, region: str, encrypted: bool) -> list[str]:
        """Return why the service would deliver nothing to a bucket in this region."""
        known = SERVICES.get(self.service)
        if known is None:
            return [f"{self.service!r} is no service that is known: {', '.join(SERVICES)}"]
        found = []
        if not self.sources:
            found.append("nothing is delivered from no account")
        if known.name and not self.names:
            found.append(f"{self.service} needs {known.name}")
        if not encrypted and known.only_with_key:
            found.append(f"{self.service} encrypts what it delivers: it needs a KMS key")
        if encrypted and not known.key:
            found.append(
                f"{self.service} delivers to buckets with Amazon S3 managed keys (SSE-S3) only: "
                "leave out the KMS key"
            )
        regions = [r for source in self.sources for r in source.regions]
        if told := across_regions(self.service, regions, region):
            found.append(told)
        return found

    def on_bucket(self, arn: str, partition: str) -> list[Statement]:
        """Return the statements of the bucket policy."""
        return [
            replace(
                statement,
                resources=tuple(
                    f"{arn}/{keys}" if keys else arn for keys in self._filled(on, partition)
                ),
            )
            for statement, on in self._statements(SERVICES[self.service].bucket, partition)
        ]

    def on_key(self, arn: str, partition: str) -> list[Statement]:
        """Return the statements of the key policy, of a bucket with a KMS key."""
        templates = SERVICES[self.service].key
        return [
            replace(statement, resources=(arn,))
            for statement, _ in self._statements(templates, partition)
        ]

    def settings(self, *, bucket: str, arn: str, region: str, key: str) -> str:
        """Return what the owner of a source enters there, as names and values of the API.

        ``region`` is the bucket's; it may have no ``key``.
        """
        values = {
            "bucket": bucket,
            "bucket_arn": arn,
            "bucket_region": region,
            "folder": self.prefix.rstrip("/"),
            "prefix": self.prefix,
            "key": key,
            "name": ",".join(self.names),
        }
        return " ".join(
            f"{name}={template.format(**values)}"
            for name, template in SERVICES[self.service].settings.items()
            if all(values[word] for word in ("folder", "key") if f"{{{word}}}" in template)
        )

    def _statements(
        self, templates: Iterable[Template], partition: str
    ) -> Iterable[tuple[Statement, str]]:
        for template in templates:
            if template.when is None or getattr(self, template.when):
                conditions = tuple(
                    replace(
                        condition,
                        values=tuple(
                            filled
                            for value in condition.values
                            for filled in self._filled(value, partition)
                        ),
                    )
                    for condition in template.conditions
                )
                yield (
                    Statement(
                        sid=template.sid,
                        effect="Allow",
                        actions=template.actions,
                        principals=tuple(
                            service(name)
                            for name in self._filled(SERVICES[self.service].principal, partition)
                        ),
                        conditions=conditions,
                    ),
                    template.on,
                )

    def _filled(self, template: str, partition: str) -> Sequence[str]:
        """Return a template for each of the sources, regions and names that it tells apart."""
        common = {
            "partition": partition,
            "dns_suffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
            "prefix": self.prefix,
            "organization": self.organization_id,
            "hive": "aws-account-id=" if self.hive_compatible else "",
        }
        return list(
            dict.fromkeys(
                template.format(
                    **common,
                    account=source.account_id,
                    region=region,
                    opt_in=f".{region}" if _opt_in(region, partition) else "",
                    name=name,
                )
                for source in self.sources
                for region, name in product(source.regions, self.names or ("",))
            )
        )


def _opt_in(region: str, partition: str) -> bool:
    """Whether an account has to enable the region: some services are called by it there."""
    return partition == "aws" and region not in BY_DEFAULT


def across_regions(service: str, regions: Iterable[str], region: str) -> str | None:
    """Return why a service of these regions does not deliver to a bucket in ``region``."""
    if service == "cloudfront" and partition(region) != "aws":
        return (
            f"cloudfront is outside of {partition(region)}: its distributions are in the partition "
            f"aws, from which no policy in {region} lets anybody in; take a bucket there"
        )
    elsewhere = sorted({other for other in regions if other != region})
    if "{opt_in}" in SERVICES[service].principal and region not in BY_DEFAULT and elsewhere:
        return (
            f"{service} delivers from {' and '.join(elsewhere)} to no bucket in {region}, which is "
            "an opt-in region: take a bucket in a region that is enabled by default"
        )
    if not SERVICES[service].same_region or not elsewhere:
        return None
    return (
        f"{service} delivers within a region only: the bucket is in {region}, the service in "
        f"{' and '.join(elsewhere)}; take a bucket there"
    )
