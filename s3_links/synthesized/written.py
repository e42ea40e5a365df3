"""The Terraform JSON that cdktf writes: its shape, and what in it nobody evaluates here.

Terraform's JSON has other spellings, meta-arguments and kinds of blocks, by which a policy may be
there, or stay, that no reader of the values sees.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .blocks import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .blocks import Blocks

_LEVELS = {"terraform": 0, "provider": 0, "resource": 2, "data": 2, "output": 1, "variable": 1}
"""How many levels of names lead to what a section holds."""
_READ = {*_LEVELS, "//", "import"}
_UNREAD = ("connection", "count", "dynamic", "for_each", "provisioner")
_LIFECYCLE = {"prevent_destroy", "ignore_changes"}
_GRANTS_NOTHING = {"ami", "description", "max_session_duration", "path", "tags", "tags_all"}
"""What may stay as it is, whatever is declared."""
_MADE_ONCE = {
    "aws_iam_policy": "arn",
    "aws_iam_role": "arn",
    "aws_kms_key_policy": "key_id",
    "aws_cloudwatch_event_bus_policy": "event_bus_name",
    "aws_s3_access_point": "arn",
    "aws_s3_account_public_access_block": None,
    "aws_s3_bucket": "bucket",
    "aws_s3_bucket_lifecycle_configuration": "bucket",
    "aws_s3_bucket_logging": "bucket",
    "aws_s3_bucket_notification": "bucket",
    "aws_s3_bucket_ownership_controls": "bucket",
    "aws_s3_bucket_policy": "bucket",
    "aws_s3_bucket_public_access_block": "bucket",
    "aws_s3_bucket_replication_configuration": "bucket",
    "aws_s3_bucket_server_side_encryption_configuration": "bucket",
    "aws_s3_bucket_versioning": "bucket",
    "aws_sns_topic_policy": "arn",
    "aws_sqs_queue_policy": "queue_url",
}
"""By what two blocks are of the same thing: the one that is applied last would count."""
_MADE_ITSELF = {"aws_iam_policy", "aws_iam_role", "aws_s3_access_point", "aws_s3_bucket"}
"""Of these the thing itself, which need not be known before it is made."""
_ON = {
    "aws_iam_role_policy": ("role",),
    "aws_iam_role_policy_attachment": ("role", "policy_arn"),
    "aws_iam_user_policy_attachment": ("user", "policy_arn"),
    "aws_lambda_permission": ("function_name",),
}
"""On what several blocks may write."""
_MAY_HOLD = {"aws_kms_key_policy": "aws_kms_key"}
"""Which block may have such a policy among its own arguments."""
_NAMED_IN_AN_ACCOUNT = {"event_bus_name", None}
_BY_ARN_OR_NAME = {"event_bus_name", "key_id"}


def misshapen(content: Any) -> Iterator[str]:
    """Yield what is not as cdktf writes it, so that nothing here could read it."""
    if not isinstance(content, dict):
        yield "the whole file"
        return
    for section, levels in _LEVELS.items():
        yield from _misshapen(content.get(section, {}), section, levels)
    providers = content.get("provider")
    for name, blocks in providers.items() if isinstance(providers, dict) else ():
        for number, block in enumerate(blocks if isinstance(blocks, list) else [None]):
            if not isinstance(block, dict) or not isinstance(block.get("alias", ""), str):
                yield f"provider.{name}.{number}"


def _misshapen(value: Any, place: str, levels: int) -> Iterator[str]:
    if not isinstance(value, dict):
        yield place
    elif levels:
        for name, inner in value.items():
            yield from _misshapen(inner, f"{place}.{name}", levels - 1)
    elif not isinstance(value.get("provider", ""), str):
        yield f"{place}.provider"


def not_evaluated(source: Mapping[str, Any]) -> Iterator[str]:
    """Yield what says something about blocks that no reader of their values sees."""
    for section in sorted(source.keys() - _READ):
        yield f"{section}: what such blocks do is not evaluated"
    declared = {f"aws.{one.get('alias')}" for one in source.get("provider", {}).get("aws", [])}
    for section in ("resource", "data"):
        for type_, blocks in source.get(section, {}).items():
            if section == "data" and not type_.startswith("aws_"):
                yield f"data.{type_}: what it runs is not evaluated"
            for name, block in blocks.items():
                address = f"{'data.' * (section == 'data')}{type_}.{name}"
                if block.get("provider") not in declared:
                    yield f"{address}: names no provider alias that is declared"
                yield from (f"{address}: what its {a} does is not evaluated" for a in _meta(block))


def _meta(block: Mapping[str, Any]) -> Iterator[str]:
    yield from (argument for argument in _UNREAD if argument in block)
    lifecycle = block.get("lifecycle") or {}
    if not isinstance(lifecycle, dict) or lifecycle.keys() - _LIFECYCLE:
        yield "lifecycle"
        return
    ignored = lifecycle.get("ignore_changes") or []
    if not isinstance(ignored, list) or not _GRANTS_NOTHING.issuperset(map(str, ignored)):
        yield "ignore_changes"


def on_the_unknown(blocks: Blocks, address: str) -> Iterator[str]:
    """Yield the argument by which nobody can say yet whose policy or setting a block writes."""
    type_ = address.partition(".")[0]
    once = (_MADE_ONCE.get(type_),) if type_ not in _MADE_ITSELF else ()
    for argument in filter(None, (*once, *_ON.get(type_, ()))):
        value = blocks.attribute(address, argument)
        if UNKNOWN in value or "${" in value or "%{" in value:
            yield argument


def made_twice(blocks: Blocks) -> Iterator[list[str]]:
    """Yield the addresses of blocks that write the same: nobody can say which of them counts."""
    named: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for address in blocks.of("aws_iam_role_policy"):
        both = (blocks.attribute(address, argument) for argument in ("role", "name"))
        named[blocks.account(address), *both].append(address)
    yield from (addresses for addresses in named.values() if len(addresses) > 1)
    for type_, argument in _MADE_ONCE.items():
        same: dict[tuple[str, str], list[str]] = defaultdict(list)
        holding = blocks.of(_MAY_HOLD[type_]) if type_ in _MAY_HOLD else ()
        inline = [address for address in holding if blocks.declared(address).get("policy")]
        for address in (*inline, *blocks.of(type_)):
            account = blocks.account(address) if argument in _NAMED_IN_AN_ACCOUNT else ""
            of = blocks.attribute(address, argument) if argument else ""
            if argument in _BY_ARN_OR_NAME:
                of = of.rpartition("/")[2]
            same[account, of].append(address)
        yield from (addresses for addresses in same.values() if len(addresses) > 1)


def told_twice(addresses: Iterable[str]) -> str:
    """Return what is said of such blocks."""
    return f"{' and '.join(addresses)}: write the same, and one alone will count"
