"""Access points of live accounts: of which bucket they are, and their policies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from s3_links.synthesized.policies import parsed, unknown
from s3_links.world import ACCESS_POINT, AccessPoint

from .reader import UnreadError

if TYPE_CHECKING:
    from .reader import Reader


def of_bucket(reader: Reader, account: str, bucket: str) -> list[AccessPoint]:
    """Return the access points that an account has of a bucket; none where they are not read."""
    asked = {"AccountId": account, "Bucket": bucket}
    try:
        reply = reader.ask(account, "s3control", "list_access_points", of=bucket, **asked)
    except UnreadError:
        return []
    found = (point(reader, one["AccessPointArn"]) for one in reply["AccessPointList"])
    return [one for one in found if one is not None]


def point(reader: Reader, arn: str) -> AccessPoint | None:
    """Return an access point as its account sees it; ``None``: there is none, or it is not read."""
    _, partition, _, _, account, resource = arn.split(":", 5)
    name = resource.partition("/")[2]
    ask = partial(reader.ask, account, "s3control", of=arn, AccountId=account, Name=name)
    try:
        found = ask("get_access_point", "NoSuchAccessPoint")
    except UnreadError:
        return None
    if found is None or "Bucket" not in found:  # it leads to a file system
        return None
    try:
        reply = ask("get_access_point_policy", "NoSuchAccessPointPolicy")
        policy = parsed(ACCESS_POINT, account, arn, reply["Policy"]) if reply else None
    except UnreadError as error:
        policy = unknown(ACCESS_POINT, account, arn, str(error))
    return AccessPoint(
        arn=arn,
        account=account,
        policy=policy,
        bucket=f"arn:{partition}:s3:::{found['Bucket']}",
        vpc=(found.get("VpcConfiguration") or {}).get("VpcId"),
    )
