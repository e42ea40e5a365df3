"""The emulator's process: MiniStack, with corrections, most for requests across accounts.

Run as ``python -m s3_links.sandbox.emulator_process``. It ends when its standard input does, and
so never outlives whoever started it, however that ended.

The corrections replace functions of one exact version. Where that version or the source of a
function that they build on differs, the process stops at once and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import hashlib
import importlib
import importlib.metadata
import inspect
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from typing import Any

VERSION = "1.5.33"
ENCRYPTED = "SANDBOX_ENCRYPTED"
"""The variable that has every request count as one over TLS."""
SECRET = "SANDBOX_SECRET"
"""The variable with the secret that begins the path of every request."""
KEY_ID = "SandboxKeyId"
"""The tag that gives a new key its id."""
SERVICES = "s3,sts,iam,kms,ec2,sqs,sns,events"
"""What is served; the emulator has services that run programs."""
# The start of the SHA-256 of the source of every function that is wrapped or relied on below.
SOURCES = {
    "core.iam_evaluator.evaluate_resource_policy": "e49ce7161ad63e35",
    "core.iam_evaluator._resolve_condition_key": "15e26964cd38f32c",
    "core.iam_evaluator.evaluate_trust_policy": "4b50aa29ad29fe20",
    "core.iam_evaluator.caller_arn": "8dc478d34f4697cf",
    "services.s3._foreign_bucket_allows": "7865eb38b093e5a8",
    "services.s3._bucket_owner_account": "4352c25646a80a31",
    "services.s3._ensure_bucket": "6d3c30f64f2a81d3",
    "services.s3._read_body": "596e56d63502e15f",
    "services.s3._in_account": "48f6799e81a65acd",
    "services.s3._maybe_replicate": "cb2dd6521e3d196d",
    "services.s3._maybe_replicate_delete_marker": "019420d946a9c2e1",
    "services.s3._replication_rule_tags": "890832919502d621",
    "services.kms._create_key": "b2509f44b316e4ea",
    "app.app": "ab1297bd6cd59811",
    "core.iam_evaluator._role_name_from_assumed_arn": "7efb2dd6ac2e1e04",
    "services.ec2._run_instances": "9f180eb007cbcfd0",
    "services.ec2._terminate_instances": "2cd7b7d0c4d10340",
    "services.ec2._parse_member_list": "827648db3c953d6c",
    "services.ec2._parse_ip_permissions": "7c2dbe7668aff42a",
    "services.ec2._instance_xml": "23da5ccb4eb6595c",
    "services.ec2._p": "ecc7f23304704b5a",
    "core.iam_actions.extract_resource_arn": "82f51700695c62fd",
    "core.iam_actions.request_tag_context": "d46adb816e024778",
    "core.iam_actions._query_param": "c540737dbd125bab",
    "core.iam_evaluator.combine_resource_policy": "3972f81213f8b84b",
    "core.iam_actions.s3_access_point_resources": "6dbdba7080fd1d51",
    "services.s3.access_point_for_alias": "cac85714ea81d01e",
    "services.s3.resolve_access_point_alias": "ddfa5c1b220847e1",
    "services.s3.create_access_point": "5b3aa847b435cf2e",
    "services.s3.bucket_region": "27516e1df8bbfcca",
    "services.s3._apply_bucket_scope": "df846d5b4247f4ee",
    "services.s3.handle_access_point_control": "9cd3a67c89566bd5",
    "services.s3._policy_is_public": "7615c2ab984e5a76",
    "services.s3._s3control_response": "e6675ffd1541ced8",
}
# Seconds between a reply's head and the request that asked for it; see _delay_replies.
_HEAD_DELAY = 0.003


def check_sources() -> None:
    """Stop, naming every difference, unless the emulator is the one that the corrections fit."""
    try:
        installed = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        installed = "none"
    if installed != VERSION:
        sys.exit(
            f"the emulator must be ministack {VERSION}, found {installed}: run `make install`, or "
            f"`pip install ministack=={VERSION}` into an environment of its own: it pins botocore"
        )
    changed = [name for name, expected in SOURCES.items() if _hash(name) != expected]
    if changed:
        sys.exit(
            f"ministack {VERSION} differs from the one that the corrections in {__file__} were "
            f"made for, in {', '.join(changed)}: compare them and renew SOURCES"
        )


def _hash(name: str) -> str:
    module, _, function = name.rpartition(".")
    source = inspect.getsource(getattr(importlib.import_module(f"ministack.{module}"), function))
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def correct() -> None:
    """Apply every correction."""
    from ministack.core import iam_evaluator
    from ministack.services import s3

    _judge_the_caller_not_its_account(iam_evaluator)
    _find_copy_sources_in_their_own_account(s3)
    _resolve_keys_across_accounts(iam_evaluator, s3)
    _reach_access_points_across_accounts(iam_evaluator, s3)
    _say_whether_access_points_are_public(s3)
    _replicate_to_each_destination(s3)
    _delay_replies()
    _launch_as_requested()
    _ignore_the_ports_of_every_protocol()
    _delete_the_volumes_of_terminated_instances()
    _know_what_iam_requests_name()
    _make_keys_of_a_given_id()
    _let_services_say_for_whom(iam_evaluator)
    if os.environ.get(ENCRYPTED) == "true":
        _count_requests_as_encrypted()
    _let_in_who_knows_the_secret()


def _judge_the_caller_not_its_account(iam_evaluator: Any) -> None:
    # A request to another account's bucket is judged as the caller's account root, so that a
    # bucket policy which names a role would never grant anything.
    original = iam_evaluator.evaluate_resource_policy

    @functools.wraps(original)
    def evaluate(doc: Any, ctx: Any, *args: Any, **kwargs: Any) -> Any:
        caller = iam_evaluator.caller_arn()
        if ctx.principal_type == "Root" and f"::{ctx.principal_account}:" in caller:
            ctx = replace(ctx, principal_arn=caller)
        return original(doc, ctx, *args, **kwargs)

    iam_evaluator.evaluate_resource_policy = evaluate


def _find_copy_sources_in_their_own_account(s3: Any) -> None:
    # A copy between accounts looks for its source among the destination account's buckets.
    for name in ("_ensure_bucket", "_read_body"):
        original = getattr(s3, name)

        @functools.wraps(original)
        def in_owners_account(bucket: str, *args: Any, _original: Any = original) -> Any:
            with s3._in_account(s3._bucket_owner_account(bucket) or s3.get_account_id()):
                return _original(bucket, *args)

        setattr(s3, name, in_owners_account)


def _reach_access_points_across_accounts(iam_evaluator: Any, s3: Any) -> None:
    # An access point may be of another account's bucket, and asked from any account: both have to
    # let it, and the bucket's policy knows which access point it comes through. The emulator has
    # them within one account.
    create, region = s3.create_access_point, s3.bucket_region
    resolve, evaluate = s3.resolve_access_point_alias, iam_evaluator.evaluate_resource_policy
    came_through: contextvars.ContextVar[tuple[str, dict[str, str]] | None]
    came_through = contextvars.ContextVar("came_through", default=None)

    @functools.wraps(region)
    def region_of(bucket: str) -> Any:
        with s3._in_account(s3._bucket_owner_account(bucket) or s3.get_account_id()):
            return region(bucket)

    @functools.wraps(create)
    def create_for(name: str, bucket: str, *args: Any, **kwargs: Any) -> Any:
        record = create(name, bucket, *args, **kwargs)
        record["BucketAccountId"] = s3._bucket_owner_account(bucket)
        return record

    @functools.wraps(s3.access_point_for_alias)
    def for_alias(alias: str) -> Any:
        if (found := resolve(alias)) is None:
            return None
        account, region, record = found
        arn = s3.access_point_arn(record["Name"], account, region)
        keys = {
            "s3:DataAccessPointArn": arn,
            "s3:DataAccessPointAccount": account,
            "s3:AccessPointNetworkOrigin": record["NetworkOrigin"],
        }
        came_through.set((record["Bucket"], {key.lower(): keys[key] for key in keys}))
        return arn, record["Bucket"], keys

    @functools.wraps(resolve)
    def of_whoever_asks(alias: str) -> Any:
        found = resolve(alias)
        return found and (s3.get_account_id(), *found[1:])

    @functools.wraps(evaluate)
    def knowing(doc: Any, ctx: Any, *args: Any, **kwargs: Any) -> Any:
        bucket, keys = came_through.get() or ("", {})
        if ctx.resource_arn.removeprefix("arn:aws:s3:::").partition("/")[0] == bucket:
            ctx = replace(ctx, service_context={**ctx.service_context, **keys})
        return evaluate(doc, ctx, *args, **kwargs)

    s3.bucket_region, s3.create_access_point = region_of, create_for
    s3.access_point_for_alias, s3.resolve_access_point_alias = for_alias, of_whoever_asks
    iam_evaluator.evaluate_resource_policy = knowing


def _say_whether_access_points_are_public(s3: Any) -> None:
    # The provider asks it beside the policy, and takes it that there is none without an answer.
    original = s3.handle_access_point_control

    @functools.wraps(original)
    def handle(method: str, path: str, *args: Any) -> Any:
        name, sub, *_ = s3.access_point_control_route(path) or ("", "")
        policy = (s3._access_points.get(name) or {}).get("Policy")
        if (method, sub) != ("GET", "policyStatus") or not policy:
            return original(method, path, *args)
        reply = s3.Element("GetAccessPointPolicyStatusResult", xmlns=s3.S3CONTROL_NS)
        status = s3.SubElement(s3.SubElement(reply, "PolicyStatus"), "IsPublic")
        status.text = str(s3._policy_is_public(policy)).lower()
        return s3._s3control_response(reply)

    s3.handle_access_point_control = handle


def _replicate_to_each_destination(s3: Any) -> None:
    # S3 asks the rules for each destination by themselves, the highest priority first; the emulator
    # takes the first rule of all that fits. See "Replication configuration file elements". A delete
    # marker has no tags, so that no rule with tags fits it.
    for name in ("_maybe_replicate", "_maybe_replicate_delete_marker"):
        original = getattr(s3, name)

        @functools.wraps(original)
        def to_each(
            bucket: str,
            *args: Any,
            _original: Any = original,
            _marker: bool = name.endswith("delete_marker"),
            **kwargs: Any,
        ) -> Any:
            whole = s3._bucket_replication.get(bucket)
            if not whole:
                return _original(bucket, *args, **kwargs)
            rules: dict[str, list[Any]] = {}
            for rule in sorted(whole["Rules"], key=lambda r: -int(r.get("Priority") or 0)):
                if not (_marker and s3._replication_rule_tags(rule)):
                    rules.setdefault(rule["Destination"]["Bucket"], []).append(rule)
            try:
                for of_one in rules.values():
                    s3._bucket_replication[bucket] = {**whole, "Rules": of_one}
                    _original(bucket, *args, **kwargs)
            finally:
                s3._bucket_replication[bucket] = whole

        setattr(s3, name, to_each)


def _resolve_keys_across_accounts(iam_evaluator: Any, s3: Any) -> None:
    # For a role's session aws:PrincipalArn is the role's ARN; the resource's account is the
    # bucket owner's. The emulator takes the session's ARN and the caller's account.
    from ministack.services import iam

    original = iam_evaluator._resolve_condition_key

    @functools.wraps(original)
    def resolve(key: str, ctx: Any) -> Any:
        lowered = key.lower()
        if lowered == "aws:principalarn" and ":assumed-role/" in ctx.principal_arn:
            name = iam_evaluator._role_name_from_assumed_arn(ctx.principal_arn)
            role = iam._roles.get_scoped(ctx.principal_account, None, name)
            return role["Arn"] if role else ctx.principal_arn
        bucket = ctx.resource_arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        if lowered in ("aws:resourceaccount", "s3:resourceaccount"):
            return s3._bucket_owner_account(bucket) or original(key, ctx)
        return original(key, ctx)

    iam_evaluator._resolve_condition_key = resolve


def _let_services_say_for_whom(iam_evaluator: Any) -> None:
    # An account's root stands for the services that act for it, and says so as they would: of
    # which account they are asked, and of which resource.
    original = iam_evaluator.evaluate_trust_policy

    @functools.wraps(original)
    def evaluate(document: Any, caller: str, ctx: Any = None) -> Any:
        if ctx is None or ctx.principal_type != "Root":
            return original(document, caller, ctx)
        document = json.loads(document) if isinstance(document, str) else document
        statements = document.get("Statement", [])
        statements = [statements] if isinstance(statements, dict) else statements
        refusing = [s for s in statements if s.get("Effect") == "Deny"]
        told = {**ctx.service_context, "aws:sourceaccount": ctx.principal_account}
        for statement in statements:
            principal = statement.get("Principal", {})
            named = principal.get("Service", "") if isinstance(principal, dict) else ""
            service = str(named).partition(".")[0].removesuffix("-tasks")
            kind = "stateMachine:" if service == "states" else ""
            arn = f"arn:aws:{service}:{ctx.region}:{ctx.principal_account}:{kind}sandbox"
            one = {**document, "Statement": [statement, *refusing]}
            if original(one, caller, replace(ctx, service_context={**told, "aws:sourcearn": arn})):
                return True
        return False

    iam_evaluator.evaluate_trust_policy = evaluate


def _delay_replies() -> None:
    # A reply's head and body race on the connection; clients that lose it repeat the request and
    # are told EntityAlreadyExists.
    from ministack import app as emulator

    original = emulator.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def delayed(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(_HEAD_DELAY)
            await send(message)

        await original(scope, receive, delayed)

    emulator.app = app


def _know_what_iam_requests_name() -> None:
    # A new policy and an instance profile are judged as if the request named no resource or only
    # a role, and conditions on the policy to attach or on the boundary find nothing.
    from ministack.core import iam_actions

    resource_arn, context = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    @functools.wraps(resource_arn)
    def extract_resource_arn(service: str, *args: Any) -> Any:
        *_, parameters, _region, account = args
        if service == "iam":
            for parameter, kind in (
                ("InstanceProfileName", "instance-profile"),
                ("PolicyName", "policy"),
            ):
                name = iam_actions._query_param(parameters, parameter)
                inline = kind == "policy" and "RoleName" in parameters
                if name and not inline:
                    return f"arn:aws:iam::{account}:{kind}/{name}"
        return resource_arn(service, *args)

    @functools.wraps(context)
    def request_tag_context(service: str, action: str, body: bytes, parameters: Any) -> Any:
        found = context(service, action, body, parameters)
        keys = {"PolicyArn": "iam:PolicyARN", "PermissionsBoundary": "iam:PermissionsBoundary"}
        for parameter, key in keys.items() if service == "iam" else ():
            if value := iam_actions._query_param(parameters, parameter):
                found[key] = value
        return found

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.request_tag_context = request_tag_context


def _make_keys_of_a_given_id() -> None:
    # A key that exists by the declaration has an id already.
    from ministack.services import kms

    original = kms._create_key

    @functools.wraps(original)
    def create(data: Any) -> Any:
        given = next((t["TagValue"] for t in data.get("Tags", []) if t["TagKey"] == KEY_ID), None)
        if given is None:
            return original(data)
        new_uuid, kms.new_uuid = kms.new_uuid, lambda: given
        try:
            return original({**data, "Tags": []})
        finally:
            kms.new_uuid = new_uuid

    kms._create_key = create


def _count_requests_as_encrypted() -> None:
    # As behind a proxy that ends TLS: for roles on buckets that refuse anything else. A client may
    # say by the same header that it does without.
    from ministack import app as emulator

    original = emulator.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            # The first of a name counts.
            headers = [*scope["headers"], (b"x-forwarded-proto", b"https")]
            scope = {**scope, "headers": headers}
        await original(scope, receive, send)

    emulator.app = app


def _launch_as_requested() -> None:
    # With a public address asked for, subnet and security groups stand under the network
    # interface, which the emulator does not read. Nor does it what hardening asks for. Each plan
    # would replace the instance.
    from ministack.services import ec2

    original, shown = ec2._ACTION_MAP["RunInstances"], ec2._instance_xml

    @functools.wraps(original)
    def run_instances(parameters: dict[str, Any]) -> Any:
        prefix = "NetworkInterface.1."
        on_interface = {
            name.removeprefix(prefix): value
            for name, value in parameters.items()
            if name.startswith((f"{prefix}SubnetId", f"{prefix}SecurityGroupId."))
        }
        before = set(ec2._instances)
        reply = original(parameters | on_interface)
        for id_ in set(ec2._instances) - before:
            instance = ec2._instances[id_]
            instance["EbsOptimized"] = ec2._p(parameters, "EbsOptimized") == "true"
            instance["HttpTokens"] = ec2._p(parameters, "MetadataOptions.HttpTokens")
            (root,) = instance["BlockDeviceMappings"]
            encrypted = ec2._p(parameters, "BlockDeviceMapping.1.Ebs.Encrypted") == "true"
            ec2._volumes[root["Ebs"]["VolumeId"]]["Encrypted"] = encrypted
        return reply

    def instance_xml(instance: dict[str, Any]) -> str:
        more = f"<ebsOptimized>{str(instance.get('EbsOptimized', False)).lower()}</ebsOptimized>"
        if tokens := instance.get("HttpTokens"):
            more += (
                f"<metadataOptions><httpTokens>{tokens}</httpTokens>"
                "<httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>disabled</httpProtocolIpv6>"
                "</metadataOptions>"
            )
        return f"{shown(instance).removesuffix('</item>')}{more}</item>"

    ec2._ACTION_MAP["RunInstances"] = run_instances
    ec2._instance_xml = instance_xml


def _ignore_the_ports_of_every_protocol() -> None:
    # The rule that lets everything out has none where the emulator made it, and port 0 where
    # Terraform revokes it: it would stay.
    from ministack.services import ec2

    original = ec2._parse_ip_permissions

    @functools.wraps(original)
    def parse_ip_permissions(parameters: dict[str, Any], prefix: str) -> Any:
        rules = original(parameters, prefix)
        for rule in rules:
            if rule["IpProtocol"] == "-1":
                rule.pop("FromPort", None)
                rule.pop("ToPort", None)
        return rules

    ec2._parse_ip_permissions = parse_ip_permissions


def _delete_the_volumes_of_terminated_instances() -> None:
    # Root volumes are deleted on termination; the emulator keeps them for ever.
    from ministack.services import ec2

    original = ec2._ACTION_MAP["TerminateInstances"]

    @functools.wraps(original)
    def terminate_instances(parameters: dict[str, Any]) -> Any:
        reply = original(parameters)
        for id_ in ec2._parse_member_list(parameters, "InstanceId"):
            instance = ec2._instances.get(id_) or {}
            for mapping in instance.get("BlockDeviceMappings", []):
                ec2._volumes.pop(mapping.get("Ebs", {}).get("VolumeId"), None)
        return reply

    ec2._ACTION_MAP["TerminateInstances"] = terminate_instances


def _let_in_who_knows_the_secret() -> None:
    # The emulator answers everybody, checks no signature and tells browsers to show its answers
    # to any page.
    from ministack import app as emulator

    from .guard import Guard

    host = f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"
    emulator.app = Guard(emulator.app, host=host, secret=os.environ.pop(SECRET))


def _end_with_standard_input() -> None:
    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve until standard input ends."""
    check_sources()
    correct()
    _end_with_standard_input()
    from ministack.app import main as serve

    sys.argv = sys.argv[:1]
    serve()


if __name__ == "__main__":
    main()
