"""The links file: every mistake at once, with place and remedy, and the schema for editors."""

from __future__ import annotations

import configparser
import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from s3_cross_account.hardening import HARDENED, Hardening
from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.files import VARIABLE
from s3_links.declarations.links import schema
from s3_links.declarations.read_links import declared as declared_here
from s3_links.declarations.read_links import read_links
from tests.conftest import PROJECT
from tests.support.links import accounts, stack_json, synthesize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONSUMER = {"account": "account1", "new_role": "reader"}
BUCKET = {"account": "account2", "new_prefix": "reports-"}
LINK = {"pattern": "direct-access", "consumers": [CONSUMER], "buckets": [BUCKET]}


def declared(**link: Any) -> dict[str, Any]:
    return {"accounts": accounts(), "links": {"reports": LINK | link}}


SOURCE = {"account": "account1", "new_prefix": "reports-"}
REPLICATION = {
    "pattern": "replication",
    "source": SOURCE,
    "destination": BUCKET,
    "role_name": "replication",
}


def replicated(**link: Any) -> dict[str, Any]:
    return {"accounts": accounts(), "links": {"reports": REPLICATION | link}}


DELIVERY = {
    "pattern": "service-delivery",
    "service": "cloudtrail",
    "from": ["account1"],
    "trail": "audit",
    "bucket": BUCKET,
}


def delivered(**link: Any) -> dict[str, Any]:
    named = {key: value for key, value in (DELIVERY | link).items() if value is not None}
    return {"accounts": accounts(), "links": {"reports": named}}


HERE = "links.reports"
CHAINED: dict[str, Any] = {"account": "account2", "name": "worker"}
FREE = {"account": "account2", "existing": "mine", "policy": "create"}
SSO_ROLE = "AWSReservedSSO_Analyst_0123456789abcdef"
ROLE_OF_2 = "arn:aws:iam::222222222222:role/web"
ORGANIZATION = "o-a1b2c3d4e5"
POD = {"cluster": "production", "namespace": "reports", "service_account": "reader"}
ISSUER = {
    "issuer": "https://app.terraform.io",
    "audience": "aws.workload.identity",
    "subject": "organization:acme:project:reports:*",
}
KEY = "arn:aws:kms:{}:{}:key/11111111-2222-3333-4444-555555555555"
MISTAKES: dict[str, tuple[Any, dict[str, str]]] = {
    "an empty file": ("", {"": "is empty"}),
    "unreadable JSON": ("{", {"": "is not JSON"}),
    "nothing declared": (
        {},
        {"accounts": "is missing", "links": "is missing"},
    ),
    "one account": (
        {"accounts": {"account1": accounts()["account1"]}, "links": {"reports": LINK}},
        {
            "accounts": "is not two accounts or more",
            f"{HERE}.buckets[0].account": '"account2" is not among',
        },
    ),
    "a misspelt pattern": (
        declared(pattern="direct-acess"),
        {f"{HERE}.pattern": ': did you mean "direct-access"?'},
    ),
    "a pattern that nobody knows": (
        declared(pattern="direct"),
        {f"{HERE}.pattern": '"direct" is not "direct-access", "assume-role", "replication" or'},
    ),
    "a misspelt key": (
        declared(consumer=[CONSUMER]),
        {f"{HERE}.consumer": "unknown key: remove it"},
    ),
    "a grant for none of two roles of the same name": (
        declared(
            consumers=[CONSUMER, CONSUMER | {"account": "account2"}],
            grants=[{"consumers": ["nobody"]}, {"access": {"level": "read-only"}}],
        ),
        {f"{HERE}.grants[0].consumers": 'there is "account1/reader", "account2/reader"'},
    ),
    "no buckets": (declared(buckets=[]), {f"{HERE}.buckets": "[] is not a list of buckets"}),
    "a misspelt action": (
        declared(access={"actions": ["s3:GetObjekt"]}),
        {f"{HERE}.access": "write 's3:GetObject'"},
    ),
    "a wildcard": (
        declared(access={"actions": ["s3:*"]}),
        {f"{HERE}.access": "is a wildcard: name each action"},
    ),
    "a level that does not exist": (
        declared(access={"level": "admin"}),
        {f"{HERE}.access.level": '"admin" is not one of list-get-put, read-only'},
    ),
    "a misspelt level": (
        declared(access={"level": "readonly"}),
        {f"{HERE}.access.level": '8 MB): did you mean "read-only"?'},
    ),
    "level and actions": (
        declared(access={"level": "read-only", "actions": ["s3:GetObject"]}),
        {f"{HERE}.access": 'give "level" or "actions", not both'},
    ),
    "a prefix without a slash": (
        declared(access={"prefixes": ["a"]}),
        {f"{HERE}.access": "must end with '/'"},
    ),
    "no role": (
        declared(consumers=[{"account": "account1"}]),
        {f"{HERE}.consumers[0]": 'give one of "new_role", "existing_role"'},
    ),
    "two kinds of bucket": (
        declared(buckets=[BUCKET | {"existing": "mine", "policy": "merge"}]),
        {f"{HERE}.buckets[0]": 'give one of "new_prefix", "new_name", "existing" and "imported"'},
    ),
    "an existing bucket without a word on its policy": (
        declared(buckets=[{"account": "account2", "existing": "mine"}]),
        {f"{HERE}.buckets[0]": "say who owns its bucket policy"},
    ),
    "the AWS managed key": (
        declared(buckets=[BUCKET | {"key": "alias/aws/s3"}]),
        {f"{HERE}.buckets[0].key": "the AWS managed key aws/s3 and aliases cannot be shared"},
    ),
    "a bucket twice": (
        declared(buckets=[BUCKET, BUCKET]),
        {HERE: 'the output "bucket_name_account2_reports-" is created by links.reports too'},
    ),
    "an account that is not there": (
        declared(buckets=[BUCKET | {"account": "acount2"}]),
        {f"{HERE}.buckets[0].account": '"acount2" is not among "accounts": account1, account2'},
    ),
    "assume-role without a role to assume": (
        declared(pattern="assume-role"),
        {f"{HERE}.assumed_role": 'the pattern "assume-role" needs a role to assume: add'},
    ),
    "a role to assume by direct access": (
        declared(assumed_role={"account": "account2", "name": "worker"}),
        {f"{HERE}.assumed_role": 'is for the pattern "assume-role": leave it out'},
    ),
    "a null among the consumers": (
        declared(consumers=[None]),
        {f"{HERE}.consumers[0]": "null is no item of a list of roles"},
    ),
    "a role's name": (
        declared(consumers=[CONSUMER | {"new_role": "${x}"}]),
        {f"{HERE}.consumers[0].new_role": '"${x}" is not a role\'s name (the name only, '},
    ),
    "a link's name": (
        {"accounts": accounts(), "links": {"L.x": LINK}},
        {"links.L.x": '"L.x" is not a link\'s name (small letters, digits, hyphens)'},
    ),
    "a role for two consumers": (
        declared(consumers=[CONSUMER, CONSUMER | {"new_role": "READER"}]),
        {HERE: "the role 'READER' in account1 is created by links.reports too"},
    ),
    "a role that is also the one to assume": (
        declared(
            pattern="assume-role",
            consumers=[{"account": "account2", "new_role": "worker"}],
            assumed_role={"account": "account2", "name": "worker"},
        ),
        {HERE: "the role 'worker' in account2 is created by links.reports too"},
    ),
    "a role of a chain that is the last of it": (
        declared(
            pattern="assume-role",
            assumed_role=CHAINED | {"through": [{"account": "account2", "name": "worker"}]},
        ),
        {HERE: "the role 'worker' in account2 is created by links.reports too"},
    ),
    "a role of a chain that is a consumer": (
        declared(
            pattern="assume-role",
            assumed_role=CHAINED | {"through": [{"account": "account1", "name": "reader"}]},
        ),
        {HERE: "the role 'reader' in account1 is created by links.reports too"},
    ),
    "a role of a chain in an account that is not there": (
        declared(
            pattern="assume-role",
            assumed_role=CHAINED | {"through": [{"account": "acount1", "name": "gateway"}]},
        ),
        {f"{HERE}.assumed_role.through[0].account": '"acount1" is not among "accounts"'},
    ),
    "a role of a chain that is told like another": (
        declared(
            pattern="assume-role",
            assumed_role=CHAINED
            | {"through": [{"account": "account1", "name": "gateway", "x": 1}]},
        ),
        {f"{HERE}.assumed_role.through[0].x": "unknown key"},
    ),
    "a role of two links": (
        {"accounts": accounts(), "links": {"reports": LINK, "second": LINK}},
        {"links.second": "the role 'reader' in account1 is created by links.reports too"},
    ),
    "a bucket policy of two links": (
        {
            "accounts": accounts(),
            "links": {
                name: LINK | {"consumers": [CONSUMER | {"new_role": name}], "buckets": [dict(FREE)]}
                for name in ("reports", "second")
            },
        },
        {
            "links.second": "the bucket policy of 'mine' in account2 is created by links.reports "
            'too: declare the bucket as "existing" without a "policy" here'
        },
    ),
    "a bucket of a whole name of two links": (
        {
            "accounts": accounts(),
            "links": {
                name: LINK
                | {
                    "consumers": [CONSUMER | {"new_role": name}],
                    "buckets": [{"account": "account2", "new_name": "mine"}],
                }
                for name in ("reports", "second")
            },
        },
        {"links.second": "the bucket 'mine' in account2 is created by links.reports too"},
    ),
    "the policy of another link's new bucket": (
        {
            "accounts": accounts(),
            "links": {
                "reports": LINK | {"buckets": [{"account": "account2", "new_name": "mine"}]},
                "second": LINK
                | {"consumers": [CONSUMER | {"new_role": "second"}], "buckets": [dict(FREE)]},
            },
        },
        {
            "links.second": "the bucket policy of 'mine' in account2 is created by links.reports "
            'too: declare the bucket as "existing" without a "policy" here'
        },
    ),
    "a key of another region": (
        declared(buckets=[BUCKET | {"key": KEY.format("us-east-1", "222222222222")}]),
        {f"{HERE}.buckets[0].key": "is in us-east-1, its bucket in ap-northeast-1"},
    ),
    "tags that AWS does not take": (
        {
            "accounts": accounts(account1={"tags": {"aws:x": "1", "a?": "2", "b": "<"}}),
            **{k: v for k, v in declared().items() if k != "accounts"},
        },
        {
            "accounts.account1.tags.aws:x": "begins with aws:",
            "accounts.account1.tags.a?": "is not",
            "accounts.account1.tags.b": "is not",
        },
    ),
    "a boundary of another account": (
        {
            "accounts": accounts(
                account1={"permissions_boundary": "arn:aws:iam::999999999999:policy/b"}
            ),
            "links": {"reports": LINK},
        },
        {"accounts.account1.permissions_boundary": "belongs to account 999999999999"},
    ),
    "an instance without the endpoint": (
        declared(
            consumers=[CONSUMER | {"instance": True}],
            access={"vpc_endpoint_ids": ["vpce-0123abcd"]},
        ),
        {f"{HERE}.access": 'an "instance" gets a network of its own'},
    ),
    "an instance and addresses": (
        declared(
            consumers=[CONSUMER | {"instance": True}], access={"source_ips": ["203.0.113.0/24"]}
        ),
        {f"{HERE}.access": 'an "instance" gets a network of its own, without an address of'},
    ),
    "a condition that is no list": (
        declared(access={"source_ips": "203.0.113.0/24"}),
        {
            f"{HERE}.access.source_ips": '"203.0.113.0/24" is not a list of ranges of public IP '
            "addresses (the request must come from one of them): write for example ["
        },
    ),
    "a range among others": (
        declared(access={"source_ips": ["203.0.113.0/24", "203.0.113.1/24", 5]}),
        {
            f"{HERE}.access.source_ips[1]": 'write "203.0.113.0/24"',
            f"{HERE}.access.source_ips[2]": "5 is no item of a range of public IP addresses",
        },
    ),
    "an endpoint and addresses": (
        declared(access={"vpc_endpoint_ids": ["vpce-0123abcd"], "source_ips": ["203.0.113.0/24"]}),
        {f"{HERE}.access": 'no request fulfils both "vpc_endpoint_ids" and "source_ips"'},
    ),
    "an operator misspelt": (
        declared(access={"conditions": {"StringEqual": {"aws:userid": "A"}}}),
        {
            f"{HERE}.access.conditions.StringEqual.aws:userid": '"StringEqual" is no condition '
            'operator: did you mean "StringEquals"?'
        },
    ),
    "conditions of another shape": (
        declared(access={"conditions": {"Bool": True, "StringLike": {"aws:userid": {"a": 1}}}}),
        {
            f"{HERE}.access.conditions.Bool": "true is no",
            f"{HERE}.access.conditions.StringLike.aws:userid": '{"a": 1} is not a value or a list',
        },
    ),
    "an operator without a key": (
        declared(access={"conditions": {"Bool": {}}}),
        {f"{HERE}.access.conditions.Bool": "has no condition key"},
    ),
    "a key that no granted action knows": (
        declared(
            access={
                "level": "read-only",
                "conditions": {"StringEquals": {"s3:x-amz-acl": "private"}},
            }
        ),
        {
            f"{HERE}.access.conditions.StringEquals.s3:x-amz-acl": "no action that is granted "
            "knows it"
        },
    ),
    "a key of STS without a role to assume": (
        declared(access={"conditions": {"StringLike": {"sts:RoleSessionName": "ci-*"}}}),
        {
            f"{HERE}.access.conditions.StringLike.sts:RoleSessionName": "only a role that is "
            'assumed can ask it: take the pattern "assume-role"'
        },
    ),
    "a key of KMS without a key": (
        declared(access={"conditions": {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}}),
        {f"{HERE}.access.conditions.StringEquals.kms:KeySpec": 'no bucket here has a "key"'},
    ),
    "s3:prefix beside the prefixes": (
        declared(access={"prefixes": ["a/"], "conditions": {"StringLike": {"s3:prefix": "a/b/*"}}}),
        {f"{HERE}.access.conditions.StringLike": 'the prefixes ask for "s3:prefix"'},
    ),
    "callers who are asked for different things": (
        declared(
            pattern="assume-role",
            assumed_role={"account": "account2", "name": "worker"},
            buckets=[{"account": "account2", "new_prefix": p} for p in ("one-", "two-")],
            grants=[
                {
                    "buckets": [name],
                    "access": {"conditions": {"StringEquals": {"aws:PrincipalTag/team": team}}},
                }
                for name, team in (("one-", "red"), ("two-", "blue"))
            ],
        ),
        {f"{HERE}.grants[1].access": "stands in its one trust policy: give each grant the same"},
    ),
    "a sign-in that a service's sessions do not have": (
        declared(access={"mfa": True}),
        {f"{HERE}.consumers[0]": '"mfa": no session that a service hands out has it'},
    ),
    "a sign-in that a permission set's sessions do not have": (
        declared(
            consumers=[{"account": "account1", "permission_set": "Analyst"}], access={"mfa": True}
        ),
        {f"{HERE}.consumers[0]": '"mfa": the sessions of a permission set do not have it'},
    ),
    "a sign-in that a service's sessions do not have, as a condition": (
        declared(access={"conditions": {"Bool": {"aws:multifactorauthpresent": True}}}),
        {f"{HERE}.consumers[0]": '"mfa": no session that a service hands out has it'},
    ),
    "a VPC and an instance": (
        declared(consumers=[CONSUMER | {"instance": True}], access={"vpc_ids": ["vpc-0123abcd"]}),
        {f"{HERE}.access": 'without the VPC of "vpc_ids"'},
    ),
    "a VPC and addresses": (
        declared(access={"vpc_ids": ["vpc-0123abcd"], "source_ips": ["203.0.113.0/24"]}),
        {f"{HERE}.access": 'no request fulfils both "vpc_ids" and "source_ips"'},
    ),
    "an old TLS": (
        declared(access={"tls_version": "1.1"}),
        {f"{HERE}.access.tls_version": '"1.1" is not "1.2" or "1.3"'},
    ),
    "a tag that is none": (
        declared(access={"prefixes": ["{principal-tag:team}/"]}),
        {f"{HERE}.access": "write {principal_tag:team} for the caller's tag"},
    ),
    "an expression in a rule": (
        replicated(rules=[{"prefix": '${file("/etc/passwd")}'}]),
        {f"{HERE}.rules[0].prefix": "is not a prefix (1,024 characters at most, no $ or %)"},
    ),
    "an expression in a prefix": (
        declared(access={"prefixes": ["%{if true}x%{endif}/"]}),
        {f"{HERE}.access": "$, % and &{ begin an expression"},
    ),
    **{
        f"a prefix of a rule that a policy takes for another: {prefix}": (
            replicated(rules=[{"prefix": prefix}]),
            {f"{HERE}.rules": f"has a prefix that cannot be used: {told}"},
        )
        for prefix, told in (
            ("s3://reports/in/", "it is an address: write what follows the bucket's name"),
            ("in*/", "* and ? stand for anything in a policy"),
            ("&{aws:username}/", "$, % and &{ begin an expression"),
            ("\u65e5/", "IAM's policies take no characters beyond U+00FF"),
        )
    },
    "an expression in the name of a tag": (
        declared(access={"conditions": {"StringEquals": {"aws:PrincipalTag/${path.cwd}": "x"}}}),
        {
            f"{HERE}.access.conditions.StringEquals.aws:PrincipalTag/${{path.cwd}}": "a tag's key "
            "has letters, digits and"
        },
    ),
    "an expression in ignored tags": (
        {
            "accounts": accounts(account1={"ignore_tags": {"keys": ['${file("/etc/passwd")}']}}),
            "links": {"reports": LINK},
        },
        {"accounts.account1.ignore_tags.keys[0]": "which begin an expression of Terraform"},
    ),
    "a tag twice, in letters of another case": (
        declared(
            access={
                "conditions": {
                    "StringEquals": {"aws:PrincipalTag/A": "x", "aws:PrincipalTag/a": "y"}
                }
            }
        ),
        {f"{HERE}.access.conditions.StringEquals.aws:PrincipalTag/a": "is given twice"},
    ),
    "a set operator on one value": (
        declared(
            access={"conditions": {"ForAllValues:StringEquals": {"aws:PrincipalTag/team": "red"}}}
        ),
        {
            f"{HERE}.access.conditions.ForAllValues:StringEquals.aws:PrincipalTag/team": "write "
            '"StringEquals", which lets nobody in without it'
        },
    ),
    "a set operator on whether a key is there": (
        declared(access={"conditions": {"ForAnyValue:Null": {"aws:SourceIdentity": "true"}}}),
        {
            f"{HERE}.access.conditions.ForAnyValue:Null.aws:SourceIdentity": '"ForAnyValue:Null" '
            "is no condition operator"
        },
    ),
    "all paths of who is in no organization": (
        declared(
            access={
                "conditions": {
                    "ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}
                }
            }
        ),
        {
            f"{HERE}.access.conditions.ForAllValues:StringLike.aws:PrincipalOrgPaths": "lets in "
            "what is in no organization at all"
        },
    ),
    "an organization that is asked for by a condition too": (
        declared(
            consumers=[{"organization_id": "o-a1b2c3d4e5"}],
            access={"conditions": {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}},
        ),
        {f"{HERE}.consumers[0]": 'leave out "aws:PrincipalOrgID" of "access"'},
    ),
    "an organization that is asked for twice": (
        declared(
            consumers=[{"organization_path": "o-a1b2c3d4e5/r-ab12/*"}],
            access={
                "conditions": {
                    "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"},
                }
            },
        ),
        {f"{HERE}.consumers[0]": 'leave out "aws:PrincipalOrgPaths" of "access"'},
    ),
    "an organization of the callers of one bucket alone": (
        declared(
            pattern="assume-role",
            assumed_role={"account": "account2", "name": "worker"},
            buckets=[{"account": "account2", "new_prefix": p} for p in ("one-", "two-")],
            grants=[
                {"buckets": ["one-"], "access": {"organization_id": "o-a1b2c3d4e5"}},
                {"buckets": ["two-"], "access": {"level": "read-only"}},
            ],
        ),
        {f"{HERE}.grants[1].access": 'give each grant the same "mfa", "organization_id"'},
    ),
    "force_destroy of an existing bucket": (
        declared(buckets=[dict(FREE) | {"force_destroy": True}]),
        {f"{HERE}.buckets[0]": "an existing bucket is never deleted"},
    ),
    "an organization id": (
        declared(access={"organization_id": "acme"}),
        {f"{HERE}.access.organization_id": '"acme" is not an organization\'s id'},
    ),
    "a hardening switch misspelt": (
        declared(hardening={"versionning": True}),
        {f"{HERE}.hardening.versionning": 'unknown key: did you mean "versioning"?'},
    ),
    "a log bucket among the hardening switches": (
        declared(hardening={"access_logging": {"bucket": "my-logs"}}),
        {f"{HERE}.hardening.access_logging": 'is the "log_bucket" of its account'},
    ),
    "a log bucket's name": (
        {"accounts": accounts(account2={"log_bucket": "Logs"}), "links": {"reports": LINK}},
        {"accounts.account2.log_bucket": '"Logs" is not a bucket\'s name'},
    ),
    "a log bucket whose policy the link would own": (
        {
            "accounts": accounts(account2={"log_bucket": "mine"}),
            "links": {"reports": LINK | {"buckets": [FREE]}},
        },
        {HERE: "bucket policy of 'mine' in account2 is created by accounts.account2.log_bucket"},
    ),
    "hardening of the wrong type": (
        declared(hardening="yes"),
        {f"{HERE}.hardening": '"yes" is not true (everything), false or single switches'},
    ),
    "a replication of one bucket to itself": (
        replicated(destination=SOURCE),
        {f"{HERE}.destination": "source and destination are the same bucket"},
    ),
    "an unversioned bucket": (
        replicated(source={"account": "account1", "existing": "mine", "policy": "create"}),
        {f"{HERE}.source": "S3 replicates versioned buckets only"},
    ),
    "the AWS managed key in a replication": (
        replicated(destination=BUCKET | {"key": "aws/s3"}),
        {f"{HERE}.destination.key": "cannot be shared with another account"},
    ),
    "an encrypted source without a key at the destination": (
        replicated(source=SOURCE | {"key": "new"}),
        {f"{HERE}.destination": "the source has a KMS key and the destination has none"},
    ),
    "an encrypted source with S3's own keys at the destination": (
        replicated(source=SOURCE | {"key": "new"}, destination=BUCKET | {"key": "none"}),
        {f"{HERE}.destination": "the source has a KMS key and the destination has none"},
    ),
    "a replication from nowhere": (
        replicated(source=None),
        {HERE: 'copies from nowhere: give a "source", or "sources"'},
    ),
    "a replication to nowhere": (
        replicated(destination=None),
        {HERE: 'copies to nowhere: give a "destination", or "destinations"'},
    ),
    "destinations of the source's own account only": (
        replicated(destination=None, destinations=[SOURCE | {"new_prefix": "copies-"}]),
        {f"{HERE}.destinations[0]": "source and destination are in the same account"},
    ),
    "a source among several destinations": (
        replicated(destinations=[SOURCE]),
        {f"{HERE}.destinations[0]": "source and destination are the same bucket"},
    ),
    "one of several destinations without a key": (
        replicated(
            source=SOURCE | {"key": "new"},
            destination=BUCKET | {"key": "new"},
            destinations=[BUCKET | {"new_prefix": "others-"}],
        ),
        {f"{HERE}.destinations[0]": "the source has a KMS key and the destination has none"},
    ),
    "two sources with one role": (
        replicated(sources=[SOURCE | {"new_prefix": "others-"}]),
        {
            f"{HERE}.sources[0]": "another bucket of account1 is copied with the role "
            "'replication': give this one a \"role_name\" of its own"
        },
    ),
    "the same bucket twice": (
        replicated(destinations=[BUCKET | {"new_prefix": "xyz-"}, BUCKET | {"new_prefix": "xyz-"}]),
        {
            HERE: 'the output "bucket_name_destination_account2_xyz-" is created by '
            "links.reports too"
        },
    ),
    "rules of a destination that contradict each other": (
        replicated(destinations=[BUCKET | {"new_prefix": "xyz-", "rules": [{}, {"prefix": "b/"}]}]),
        {f"{HERE}.destinations[0].rules": "2 rules have the priority 1"},
    ),
    "a role for a way back that there is not": (
        replicated(destination=BUCKET | {"role_name": "back"}),
        {
            f"{HERE}.destination.role_name": "nothing is copied from a destination without "
            '"both_ways": leave it out'
        },
    ),
    "rules for a way back that there is not": (
        replicated(source=SOURCE | {"rules": [{"prefix": "a/"}]}),
        {f"{HERE}.source.rules": "nothing is copied to a source without"},
    ),
    "the replication configuration of a new bucket": (
        replicated(source=SOURCE | {"replication": "merge"}),
        {f"{HERE}.source": "a new bucket has no other replication configuration"},
    ),
    "delete markers with tags": (
        replicated(rules=[{"delete_markers": True, "tags": {"a": "b"}}]),
        {f"{HERE}.rules": "delete markers together with a tag filter"},
    ),
    "two rules of one priority": (
        replicated(rules=[{"prefix": "a/"}, {"prefix": "b/"}]),
        {f"{HERE}.rules": "2 rules have the priority 1"},
    ),
    "a storage class": (
        replicated(rules=[{"storage_class": "COLD"}]),
        {f"{HERE}.rules[0].storage_class": '"COLD" is not one of STANDARD, '},
    ),
    "a misspelt key in a replication": (
        replicated(both_way=True),
        {f"{HERE}.both_way": 'unknown key: did you mean "both_ways"?'},
    ),
    "an access in a replication": (
        replicated(prefixes=["a/"]),
        {f"{HERE}.prefixes": "the access of a link's roles: S3 copies what the rules name"},
    ),
    "a service that nobody knows": (
        delivered(service="codebuild"),
        {f"{HERE}.service": '"codebuild" is not one of cloudtrail, config, vpc-flow-logs'},
    ),
    "a misspelt service": (
        delivered(service="clouttrail"),
        {f"{HERE}.service": ': did you mean "cloudtrail"?'},
    ),
    "an access in a delivery": (
        delivered(level="read-only"),
        {f"{HERE}.level": "the access of a link's roles: a service gets what its documents ask"},
    ),
    "a trail without a name": (
        delivered(trail=None),
        {f"{HERE}.trail": 'is missing: cloudtrail needs it: add "trail": "audit"'},
    ),
    "an inventory of nothing": (
        delivered(service="s3-inventory", trail=None),
        {f"{HERE}.source_buckets": 'needs it: add "source_buckets": ["my-reports"]'},
    ),
    "what another service has": (
        delivered(
            service="config", distribution_ids=["EDFDVBD6EXAMPLE"], write=True, hive_compatible=True
        ),
        {
            f"{HERE}.trail": "is not for config: leave it out",
            f"{HERE}.distribution_ids": "is not for config: leave it out",
            f"{HERE}.write": "is not for config: leave it out",
            f"{HERE}.hive_compatible": "is not for config: leave it out",
        },
    ),
    "regions of a service that has none": (
        delivered(
            service="cloudfront",
            trail=None,
            distribution_ids=["EDFDVBD6EXAMPLE"],
            regions=["us-east-1"],
        ),
        {f"{HERE}.regions": "is not for cloudfront: leave it out"},
    ),
    "a KMS key for the logs of a load balancer": (
        delivered(service="application-load-balancer", trail=None, bucket=BUCKET | {"key": "new"}),
        {f"{HERE}.bucket.key": "Amazon S3 managed keys (SSE-S3) only: leave out"},
    ),
    "a load balancer in another region than its bucket": (
        {
            "accounts": accounts(account1={"region": "eu-west-1"}),
            "links": {
                "reports": {
                    "pattern": "service-delivery",
                    "service": "network-load-balancer",
                    "from": ["account1"],
                    "bucket": BUCKET,
                }
            },
        },
        {f"{HERE}.from": "the bucket is in ap-northeast-1, the service in eu-west-1"},
    ),
    "an inventory from another region": (
        delivered(
            service="s3-inventory",
            trail=None,
            source_buckets=["my-reports"],
            regions=["us-east-1", "ap-northeast-1"],
        ),
        {f"{HERE}.regions": "the service in us-east-1; take a bucket there"},
    ),
    "a prefix with what CloudTrail puts behind it": (
        delivered(prefix="audit/AWSLogs"),
        {f"{HERE}.prefix": "the service itself puts AWSLogs behind the prefix"},
    ),
    "a prefix that is a pattern": (
        delivered(prefix="audit/*"),
        {f"{HERE}.prefix": '"audit/*" is not the beginning of the objects\' keys'},
    ),
    "a service of the bucket's own account": (
        delivered(**{"from": ["account2"]}),
        {f"{HERE}.from": "names the bucket's own account alone: name another account"},
    ),
    "a new bucket with Object Lock": (
        replicated(destination=BUCKET | {"object_lock": True}),
        {f"{HERE}.destination.object_lock": "a new bucket has no Object Lock, which has no half"},
    ),
    "locks for a bucket without": (
        replicated(
            source={
                "account": "account1",
                "existing": "locked",
                "policy": "create",
                "versioned": True,
                "object_lock": True,
            }
        ),
        {f"{HERE}.destination": "S3 replicates from a bucket with Object Lock only to one that"},
    ),
    "findings without a key": (
        delivered(service="guardduty", trail=None),
        {f"{HERE}.bucket.key": "is missing: guardduty encrypts what it delivers with a KMS key"},
    ),
    "findings for an opt-in region": (
        {
            "accounts": accounts()
            | {"account2": accounts()["account2"] | {"region": "me-south-1"}},
            "links": {
                "reports": {
                    "pattern": "service-delivery",
                    "service": "guardduty",
                    "from": ["account1"],
                    "bucket": BUCKET | {"key": "new"},
                }
            },
        },
        {f"{HERE}.from": "to no bucket in me-south-1, which is an opt-in region"},
    ),
    "a service of an account that is not declared": (
        delivered(**{"from": ["account1", "account3"]}),
        {f"{HERE}.from[1]": '"account3" is not among "accounts": account1, account2'},
    ),
    "a source that is neither an alias nor an id": (
        delivered(**{"from": ["1234"]}),
        {f"{HERE}.from[0]": '"1234" is no item of accounts (each by its alias or its id of'},
    ),
    "an organization's trail of two accounts": (
        delivered(**{"from": ["account1", "444444444444"]}, organization_id="o-a1b2c3d4e5"),
        {f"{HERE}.from": "what is of an organization is one account's"},
    ),
    "an organization's id for a service that asks for accounts": (
        delivered(service="application-load-balancer", organization_id="o-a1b2c3d4e5", trail=None),
        {
            f"{HERE}.organization_id": "is not for application-load-balancer: leave it out, and "
            'list the accounts in "from"'
        },
    ),
    "a delivery from nowhere": (
        delivered(**{"from": None}),
        {f"{HERE}.from": 'is missing: add "from": ["account1"]'},
    ),
    "a link without a pattern": (
        {"accounts": accounts(), "links": {"reports": {"buckets": []}}},
        {
            f"{HERE}.pattern": 'is missing: add "pattern": "direct-access"',
            f"{HERE}.consumers": "is missing",
            f"{HERE}.buckets": "[] is not a list of buckets",
        },
    ),
    "a role of IAM Identity Center": (
        declared(consumers=[{"account": "account1", "existing_role": SSO_ROLE}]),
        {f"{HERE}.consumers[0].existing_role": 'permission set, "permission_set": "Analyst"'},
    ),
    "a role of IAM Identity Center to take over": (
        declared(consumers=[{"account": "account1", "imported_role": SSO_ROLE}]),
        {f"{HERE}.consumers[0].imported_role": "nobody can change it in its account"},
    ),
    "a service-linked role": (
        declared(
            pattern="assume-role",
            assumed_role={"account": "account2", "name": "AWSServiceRoleForX", "imported": True},
        ),
        {f"{HERE}.assumed_role.name": "is a service-linked role"},
    ),
    "a role with its path": (
        declared(consumers=[{"account": "account1", "existing_role": "service-role/web"}]),
        {f"{HERE}.consumers[0].existing_role": "is not a role's name (without its path) or"},
    ),
    "a role of another account, by its ARN": (
        declared(consumers=[{"account": "account1", "existing_role": ROLE_OF_2}]),
        {
            f"{HERE}.consumers[0].existing_role": "belongs to account 222222222222, declared is "
            "111111111111: correct the ARN, or declare the account that it is in"
        },
    ),
    "a role of another partition, by its ARN": (
        declared(
            consumers=[
                {"account": "account1", "existing_role": "arn:aws-cn:iam::111111111111:role/web"}
            ]
        ),
        {f"{HERE}.consumers[0].existing_role": "is in the partition aws-cn, its account in aws"},
    ),
    "a role of IAM Identity Center by its ARN": (
        declared(
            consumers=[
                {
                    "account": "account1",
                    "existing_role": "arn:aws:iam::111111111111:role/aws-reserved/"
                    f"sso.amazonaws.com/{SSO_ROLE}",
                }
            ]
        ),
        {f"{HERE}.consumers[0].existing_role": '"permission_set": "Analyst"'},
    ),
    "a role by an ARN whose name is too long": (
        declared(
            consumers=[
                {
                    "account": "account1",
                    "existing_role": f"arn:aws:iam::111111111111:role/{'a' * 65}",
                }
            ]
        ),
        {f"{HERE}.consumers[0].existing_role": "has 65 characters, IAM takes 64"},
    ),
    "a path of AWS's own": (
        declared(consumers=[CONSUMER | {"path": "/aws-service-role/x/"}]),
        {f"{HERE}.consumers[0].path": 'begins with "/aws-service-role/", which AWS reserves'},
    ),
    "a path without its end": (
        declared(consumers=[CONSUMER | {"path": "/teams"}]),
        {f"{HERE}.consumers[0].path": "is not the path of a new role (begins and ends with /)"},
    ),
    "a path of a role that exists": (
        declared(consumers=[{"account": "account1", "existing_role": "web", "path": "/teams/"}]),
        {f"{HERE}.consumers[0]": '"path" is for a "new_role": give the ARN of a role that exists'},
    ),
    "a user of another account": (
        declared(
            consumers=[
                {"account": "account1", "existing_user": "arn:aws:iam::222222222222:user/backup"}
            ]
        ),
        {f"{HERE}.consumers[0].existing_user": "belongs to account 222222222222"},
    ),
    "a role's ARN for a user": (
        declared(consumers=[{"account": "account1", "existing_user": ROLE_OF_2}]),
        {f"{HERE}.consumers[0].existing_user": "is not an IAM user's name (without its path)"},
    ),
    "a user whose service is named": (
        declared(
            consumers=[
                {
                    "account": "account1",
                    "existing_user": "backup",
                    "trusted_service": "ec2.amazonaws.com",
                }
            ]
        ),
        {f"{HERE}.consumers[0]": '"trusted_service" is for a role: leave it out'},
    ),
    "a role without an account": (
        declared(consumers=[{"new_role": "reader"}]),
        {f"{HERE}.consumers[0].account": "is missing: give the alias of an account"},
    ),
    "an organization in an account": (
        declared(consumers=[{"account": "account1", "organization_id": ORGANIZATION}]),
        {f"{HERE}.consumers[0].account": "an organization is in no account of yours"},
    ),
    "an organization twice": (
        declared(
            consumers=[{"organization_id": ORGANIZATION}],
            access={"organization_id": ORGANIZATION},
        ),
        {f"{HERE}.consumers[0]": 'leave out "organization_id" of "access"'},
    ),
    "an organization in just one account": (
        declared(
            consumers=[{"organization_path": f"{ORGANIZATION}/r-ab12/*"}],
            access={"same_accounts": True},
        ),
        {f"{HERE}.consumers[0]": 'leave out "same_accounts" of "access"'},
    ),
    "a unit without its organization": (
        declared(consumers=[{"organization_path": "ou-ab12-11111111"}]),
        {f"{HERE}.consumers[0].organization_path": "is not the path of an organizational unit"},
    ),
    "a user of a whole account": (
        declared(
            consumers=[
                {"account": "account1", "existing_user": "backup"},
                {"account": "account1", "whole_account": True},
            ]
        ),
        {f"{HERE}.consumers[0]": 'is in account1, which has the access as a "whole_account"'},
    ),
    "half an account": (
        declared(consumers=[{"account": "account1", "whole_account": False}]),
        {f"{HERE}.consumers[0].whole_account": "true"},
    ),
    "a role for two": (
        declared(
            consumers=[CONSUMER | {"trusted_service": "lambda.amazonaws.com", "trusted_pod": POD}]
        ),
        {f"{HERE}.consumers[0]": 'give "trusted_service" or "trusted_pod", not both'},
    ),
    "a pod's role that exists": (
        declared(consumers=[{"account": "account1", "existing_role": "web", "trusted_pod": POD}]),
        {f"{HERE}.consumers[0]": '"trusted_pod" is for a "new_role" or "imported_role"'},
    ),
    "a pod by both ways": (
        declared(
            consumers=[
                CONSUMER | {"trusted_pod": POD | {"oidc_issuer": "https://oidc.example.com/id/A"}}
            ]
        ),
        {f"{HERE}.consumers[0].trusted_pod": 'give one of "oidc_issuer" (IAM roles for service'},
    ),
    "any pod of a namespace": (
        declared(consumers=[CONSUMER | {"trusted_pod": POD | {"service_account": "*"}}]),
        {f"{HERE}.consumers[0].trusted_pod.service_account": "is not a Kubernetes service account"},
    ),
    "a pod on an instance": (
        declared(consumers=[CONSUMER | {"trusted_pod": POD, "instance": True}]),
        {f"{HERE}.consumers[0]": '"instance" needs a "new_role" that EC2 may assume'},
    ),
    "any job of a repository": (
        declared(
            consumers=[CONSUMER | {"trusted_job": {"platform": "github", "repository": "a/b"}}]
        ),
        {f"{HERE}.consumers[0].trusted_job": 'give one of "branch", "tag" and "environment"'},
    ),
    "an environment of GitLab": (
        declared(
            consumers=[
                CONSUMER
                | {
                    "trusted_job": {
                        "platform": "gitlab",
                        "repository": "a/b",
                        "environment": "production",
                    }
                }
            ]
        ),
        {f"{HERE}.consumers[0].trusted_job": '"environment" is for GitHub'},
    ),
    "everybody of an issuer": (
        declared(consumers=[CONSUMER | {"trusted_issuer": ISSUER | {"subject": "*"}}]),
        {f"{HERE}.consumers[0].trusted_issuer.subject": "everybody whom the issuer vouches for"},
    ),
    **{
        f"a subject of others too: {subject}": (
            declared(
                consumers=[
                    CONSUMER | {"trusted_issuer": ISSUER | {"issuer": issuer, "subject": subject}}
                ]
            ),
            {f"{HERE}.consumers[0].trusted_issuer.subject": f'"{subject}" means others too'},
        )
        for issuer, subject in (
            ("https://token.actions.githubusercontent.com", "repo:*"),
            ("https://token.actions.githubusercontent.com", "repo:acme*"),
            ("https://token.actions.githubusercontent.com", "repo:*/app:ref:refs/heads/main"),
            ("https://gitlab.com", "project_path:acme*"),
            ("https://app.terraform.io", "organization:*:project:reports:workspace:a"),
        )
    },
    "an issuer that AWS knows by itself": (
        declared(
            consumers=[
                CONSUMER | {"trusted_issuer": ISSUER | {"issuer": "https://accounts.google.com"}}
            ]
        ),
        {f"{HERE}.consumers[0].trusted_issuer.issuer": "is one that AWS knows by itself"},
    ),
    "an issuer with a port": (
        declared(
            consumers=[
                CONSUMER | {"trusted_issuer": ISSUER | {"issuer": "https://oidc.example.com:8443"}}
            ]
        ),
        {f"{HERE}.consumers[0].trusted_issuer.issuer": "is not the address of an OIDC provider"},
    ),
    "a service principal of China": (
        declared(consumers=[CONSUMER | {"trusted_service": "ec2.amazonaws.com.cn"}]),
        {f"{HERE}.consumers[0].trusted_service": "is not an AWS service principal"},
    ),
    "the service of an existing role, for nothing": (
        declared(
            consumers=[
                {
                    "account": "account1",
                    "existing_role": "web",
                    "trusted_service": "lambda.amazonaws.com",
                }
            ]
        ),
        {f"{HERE}.consumers": '"trusted_service" of "web": an existing role has its own'},
    ),
    "accounts of two partitions": (
        {
            "accounts": accounts(account2={"region": "us-gov-west-1"}),
            "links": {"reports": LINK, "copies": REPLICATION},
        },
        {
            HERE: '"account1" in aws and "account2" in aws-us-gov are in two partitions of AWS',
            "links.copies": "never across those",
        },
    ),
    "a distribution in GovCloud": (
        {
            "accounts": accounts(
                account1={"region": "us-gov-west-1"}, account2={"region": "us-gov-west-1"}
            ),
            "links": {
                "reports": delivered(
                    service="cloudfront", trail=None, distribution_ids=["EDFDVBD6EXAMPLE"]
                )["links"]["reports"]
            },
        },
        {f"{HERE}.from": "cloudfront is outside of aws-us-gov: its distributions are in the"},
    ),
    "a region in China": (
        {
            "accounts": accounts(account1={"region": "cn-north-1"}),
            "links": {"reports": LINK | {"buckets": [BUCKET | {"account": "account1"}]}},
        },
        {"accounts.account1.region": '"cn-north-1" is not supported here: the partition aws-cn'},
    ),
    "the European Sovereign Cloud": (
        {
            "accounts": accounts(account1={"region": "eusc-de-east-1"}),
            "links": {"reports": LINK | {"buckets": [BUCKET | {"account": "account1"}]}},
        },
        {"accounts.account1.region": '"eusc-de-east-1" is not supported here'},
    ),
    "a role to assume and a boundary of another partition": (
        {
            "accounts": accounts(
                account1={
                    "assume_role": {"role_arn": "arn:aws-us-gov:iam::111111111111:role/deploy"},
                    "permissions_boundary": "arn:aws-cn:iam::111111111111:policy/boundary",
                }
            ),
            "links": {"reports": LINK},
        },
        {
            "accounts.account1.assume_role.role_arn": "is in the partition aws-us-gov, the account",
            "accounts.account1.permissions_boundary": "is in the partition aws-cn, the account's",
        },
    ),
    "a key of another partition": (
        declared(
            buckets=[
                BUCKET
                | {
                    "key": KEY.format("ap-northeast-1", "222222222222").replace(
                        "aws", "aws-us-gov", 1
                    )
                }
            ]
        ),
        {f"{HERE}.buckets[0].key": "is in the partition aws-us-gov, its region in aws: correct"},
    ),
    "a policy variable in a prefix": (
        declared(access={"prefixes": ["&{aws:username}/"]}),
        {f"{HERE}.access": "$, % and &{ begin an expression"},
    ),
    "a prefix that IAM does not take": (
        declared(access={"prefixes": ["報告/"]}),
        {f"{HERE}.access": "IAM's policies take no characters beyond U+00FF"},
    ),
    "a prefix longer than a key": (
        declared(access={"prefixes": ["é" * 512 + "/"]}),
        {f"{HERE}.access": "it has 1025 bytes, and S3's keys 1024 at most"},
    ),
    "a rule's prefix longer than a key": (
        replicated(rules=[{"prefix": "é" * 513}]),
        {f"{HERE}.rules": "the rule of priority 1 has a prefix of 1026 bytes"},
    ),
    "an action that is nothing like ours": (
        declared(access={"actions": ["s3:ListAllMyBuckets"]}),
        {f"{HERE}.access": "is no S3 action on a bucket or an object: remove it"},
    ),
    "a key that is nothing like ours": (
        declared(buckets=[BUCKET | {"colour": True}]),
        {f"{HERE}.buckets[0].colour": "unknown key: remove it"},
    ),
    "several at once": (
        {
            "accounts": accounts(account1={"region": "Tokyo"}),
            "links": {
                "reports": LINK | {"pattern": "x"},
                "second": LINK | {"buckets": [{"account": "account2", "new_prefix": "A"}]},
            },
        },
        {
            "accounts.account1.region": '"Tokyo" is not an AWS region',
            f"{HERE}.pattern": "is not",
            "links.second.buckets[0].new_prefix": '"A" is not a bucket\'s prefix',
            "links.second": "the role 'reader' in account1 is created by links.reports too",
        },
    ),
    "two keys of one name and what is in the last": (
        '{"accounts": {}, "accounts": {"account1": {"region": "eu-west-1"}}, "links": {}}',
        {
            "": 'the key "accounts" stands twice in one object',
            "accounts": "is not two accounts or more",
            "accounts.account1": "has no credentials",
            "links": "{} is not the links by their names",
        },
    ),
    "a link named as the reference stack": (
        {"accounts": accounts(), "links": {"s3-multi-account-deploy": LINK}},
        {"links.s3-multi-account-deploy": "is the name of a stack of this project"},
    ),
    "a link named as what JavaScript has in every object": (
        {"accounts": accounts(), "links": {"constructor": LINK}},
        {"links.constructor": "is a word of JavaScript, which cdktf is written in"},
    ),
    "a tag that AWS keeps for itself": (
        replicated(rules=[{"tags": {"AWS:share": "yes"}}]),
        {f"{HERE}.rules[0].tags.AWS:share": 'begins with "aws:", which AWS reserves'},
    ),
    "a tag that cdktf cannot write": (
        replicated(rules=[{"tags": {"a": "b", "__proto__": "c"}}]),
        {f"{HERE}.rules[0].tags.__proto__": "is a word of JavaScript"},
    ),
}

# Of each link what is in it, and what is said of it, whatever is wrong with the others.
ALL_AT_ONCE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "shapes": (
        LINK | {"acess": {}, "consumers": [CONSUMER | {"new_role": "a/b"}]},
        [".acess: unknown key", '.consumers[0].new_role: "a/b" is not'],
    ),
    "accounts": (
        LINK
        | {
            "consumers": [CONSUMER | {"account": "acount1", "new_role": "b", "instance": "no"}],
            "buckets": [{"account": "acount2", "existing": "mine-b"}],
        },
        [
            '.consumers[0].account: "acount1" is not among',
            '.consumers[0].instance: "no" is not true or false',
            '.buckets[0].account: "acount2" is not among',
            '.buckets[0]: with "existing", say who owns its bucket policy',
        ],
    ),
    "contradictions": (
        LINK
        | {
            "pattern": "assume-role",
            "consumers": [CONSUMER | {"new_role": "c", "instance": True}],
            "buckets": [
                BUCKET | {"force_destroy": "no"},
                BUCKET | {"key": KEY.format("us-east-1", "999999999999")},
            ],
            "access": {"vpc_endpoint_ids": ["vpce-0123abcd"]},
        },
        [
            '.assumed_role: is missing: the pattern "assume-role" needs a role',
            '.buckets[0].force_destroy: "no" is not true or false',
            ".buckets[1].key: is in us-east-1, its bucket in ap-northeast-1",
            '.access: an "instance" gets a network of its own',
            ': the output "bucket_name_account2_reports-" is created by links.contradictions too',
        ],
    ),
    "several-of-one-part": (
        LINK
        | {
            "consumers": [
                {"account": "account1", "trusted_service": "x.amazonaws.com", "instance": True}
            ],
            "buckets": [{"account": "account2", "existing": "mine-c", "key": "new"}],
            "access": {"level": "read-only", "actions": ["s3:*"]},
        },
        [
            '.consumers[0]: give one of "new_role", "existing_role", "imported_role", '
            '"instance_profile", "existing_user", "permission_set", "whole_account", '
            '"organization_id" and "organization_path"',
            '.consumers[0]: "instance" needs a "new_role" that EC2 may assume',
            '.buckets[0]: with "existing", say who owns its bucket policy: "policy": "create" '
            '(nobody yet) or "merge" (you get the statements to merge)',
            ".buckets[0]: an existing bucket has its key",
            '.access: give "level" or "actions", not both',
            ".access: 's3:*' is a wildcard",
        ],
    ),
    "claims": (
        LINK | {"consumers": [CONSUMER, {"account": 5}], "buckets": "none"},
        [
            ".consumers[1].account: 5 is not the alias of an account",
            '.consumers[1]: give one of "new_role", "existing_role"',
            '.buckets: "none" is not a list of buckets',
        ],
    ),
    "claims-the-same": (
        LINK | {"access": 1},
        [
            ".access: 1 is not an access",
            ": the role 'reader' in account1 is created by links.claims too",
        ],
    ),
    "claims-of-others": (
        LINK
        | {
            "consumers": [CONSUMER | {"new_role": "s3-links-plan"}],
            "buckets": [FREE | {"existing": "the-state"}],
            "level": 1,
        },
        [
            ".level: unknown key",
            ": the role 's3-links-plan' in account1 is created by pipeline too",
            ": the bucket policy of 'the-state' in account2 is created by state too",
        ],
    ),
    "a-replication": (
        REPLICATION
        | {
            "source": SOURCE | {"key": "new"},
            "both_ways": "no",
            "rules": [{"delete_markers": True, "tags": {"a": "b"}}],
            "hardening": {"!": True},
        },
        [
            ".hardening.!: unknown key",
            ".destination: the source has a KMS key and the destination has none",
            '.both_ways: "no" is not true or false',
            ".rules: the rule of priority 1 has delete markers together with a tag filter",
        ],
    ),
    "tags": (
        REPLICATION | {"role_name": "e", "rules": [{"tags": {"?": "!"}}]},
        [
            '.rules[0].tags.?: "?" is not a tag\'s key: write for example "share"',
            '.rules[0].tags.?: "!" is not a tag\'s value: write for example "yes"',
        ],
    ),
    "grants": (
        {
            **LINK,
            "consumers": [
                CONSUMER | {"new_role": "ga"},
                CONSUMER | {"new_role": "gb"},
                CONSUMER | {"account": "account2", "new_role": "ga"},
            ],
            "buckets": [BUCKET | {"new_prefix": "ggg-"}, BUCKET | {"new_prefix": "hhh-"}],
            "grants": [
                {"consumers": ["ga"], "buckets": ["ggg-", "reports"]},
                {"consumers": ["account2/ga"], "access": {"level": "all"}},
            ],
        },
        [
            '.grants[0].consumers: "ga" means two: write "account1/ga" or "account2/ga"',
            '.grants[0].buckets: "reports" is none of this link: there is "ggg-", "hhh-"',
            '.grants[1].access.level: "all" is not one of',
            '.consumers[1]: "gb" is in no grant: add one, or leave it out',
        ],
    ),
    "encryption-and-time": (
        {
            **LINK,
            "consumers": [CONSUMER | {"new_role": "et"}],
            "buckets": [
                BUCKET | {"new_prefix": "jjj-", "dsse": True, "keep": True, "force_destroy": True},
                {
                    "account": "account2",
                    "existing": "et-old",
                    "policy": "merge",
                    "key": "none",
                    "keep": True,
                    "logs_days": 9,
                },
                BUCKET | {"new_prefix": "kkk-", "old_versions_days": 0},
            ],
        },
        [
            '.buckets[0]: "dsse" needs a "key"',
            '.buckets[0]: give "keep" or "force_destroy", not both',
            ".buckets[1]: an existing bucket has its key",
            '.buckets[1]: an existing bucket stays in any case: leave out "keep"',
            '.buckets[1]: an existing bucket keeps its settings: leave out "logs_days"',
            ".buckets[2].old_versions_days: 0 is not a number of days, 1 or more",
        ],
    ),
    "grants-to-an-assumed-role": (
        {
            "pattern": "assume-role",
            "consumers": [CONSUMER | {"new_role": "gc", "instance": True}],
            "buckets": [BUCKET | {"new_prefix": "iii-"}],
            "grants": [{"consumers": ["gc"], "access": {"source_ips": ["203.0.113.0/24"]}}],
            "assumed_role": {"account": "account2", "name": "gd"},
        },
        [
            ".grants[0].consumers: all of them become the same role",
            '.grants[0].access: an "instance" gets a network of its own',
        ],
    ),
    "terraform-state": (
        LINK | {"pattern": 1, "consumers": [CONSUMER | {"new_role": "d"}]},
        [": is the name of a stack of this project", ".pattern: 1 is not"],
    ),
}
ACCOUNTS_AT_ONCE = [
    "accounts.account1.account_id: 1 is not an AWS account id",
    "accounts.account2: has no credentials",
    'accounts.account2: needs an "account_id" and a "profile" for "pipeline"',
    'accounts.backend: is a word that cdktf needs for "pipeline" itself',
    'accounts.backend: is the same account as "account2"',
    'pipeline: "host" is for a GitLab of your own',
    'state.account: "account3" is not among',
]


def test_all_of_it_is_reported_in_one_round(tmp_path: Path) -> None:
    content = {
        "accounts": {
            "account1": accounts()["account1"] | {"account_id": 1},
            "account2": {"region": "ap-northeast-1", "account_id": "222222222222"},
            "backend": accounts()["account2"],
        },
        "pipeline": {"platform": "github", "repository": "a/b", "host": "git.example.com"},
        "state": {"backend": "s3", "account": "account3", "bucket": "the-state"},
        "links": {name: link for name, (link, _) in ALL_AT_ONCE.items()},
    }
    expected = ACCOUNTS_AT_ONCE + [
        f"links.{name}{told}" for name, (_, found) in ALL_AT_ONCE.items() for told in found
    ]
    said = problems_of(content, tmp_path).splitlines()[1:]
    problems = [re.sub(r".*links\.json(:[0-9]+)?: ", "", line) for line in said]
    assert [e for e in expected if not any(p.startswith(e) for p in problems)] == []
    assert [p for p in problems if not any(p.startswith(e) for e in expected)] == []


RESERVED_BUCKETS = {
    "192.168.5.4": "looks like an IP address",
    "xn--reports": 'begins with "xn--", which AWS reserves',
    "sthree-reports": 'begins with "sthree-", which AWS reserves',
    "amzn-s3-demo-reports": 'begins with "amzn-s3-demo-", which AWS reserves',
    "reports-s3alias": 'ends with "-s3alias", which AWS reserves for aliases of access points',
    "reports--ol-s3": 'ends with "--ol-s3", which AWS reserves for aliases of Object Lambda',
    "reports.mrap": 'ends with ".mrap", which AWS reserves for Multi-Region Access Points',
    "reports--usw2-az1--x-s3": 'ends with "--x-s3", which AWS reserves for directory buckets',
    "reports--table-s3": 'ends with "--table-s3", which AWS reserves for table buckets',
}


@pytest.mark.parametrize("name", RESERVED_BUCKETS)
def test_a_bucket_has_no_name_that_aws_reserves(name: str, tmp_path: Path) -> None:
    content = declared(buckets=[FREE | {"existing": name}])
    content["links"]["taken-over"] = LINK | {
        "consumers": [CONSUMER | {"new_role": "another"}],
        "buckets": [{"account": "account2", "imported": name, "policy": "import"}],
    }
    content["state"] = {"backend": "s3", "account": "account1", "bucket": name.replace(".", "-")}
    problems = problems_of(content, tmp_path)
    said = RESERVED_BUCKETS[name]
    assert f'{HERE}.buckets[0].existing: "{name}" {said}' in problems
    assert f'links.taken-over.buckets[0].imported: "{name}" {said}' in problems
    assert ("." in name) or f'state.bucket: "{name}" {said}' in problems


@pytest.mark.parametrize("prefix", ["xn--a", "sthree-a", "amzn-s3-demo-"])
def test_nor_does_one_begin_so(prefix: str, tmp_path: Path) -> None:
    problems = problems_of(declared(buckets=[BUCKET | {"new_prefix": prefix}]), tmp_path)
    assert f'{HERE}.buckets[0].new_prefix: "{prefix}" begins with' in problems


@pytest.mark.parametrize("prefix", ["192.168.5.4", "reports-s3alias", "xn-a", "reports--x-s3"])
def test_what_only_a_whole_name_shows_is_no_matter_in_a_prefix(prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text(json.dumps(declared(buckets=[BUCKET | {"new_prefix": prefix}])))
    assert read_links(file)


ROLE_PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "consumers[0].new_role": lambda n: declared(consumers=[CONSUMER | {"new_role": n}]),
    **{
        f"consumers[0].{kind}": lambda n, kind=kind: declared(  # type: ignore[misc]
            consumers=[{"account": "account1", kind: n}]
        )
        for kind in ("new_role", "imported_role", "instance_profile")
    },
    "assumed_role.name": lambda n: declared(
        pattern="assume-role", assumed_role={"account": "account2", "name": n}
    ),
    "role_name": lambda n: replicated(role_name=n),
}


@pytest.mark.parametrize("place", ROLE_PLACES)
@pytest.mark.parametrize("name", ["team/web", "arn:aws:iam::111111111111:role/web"])
def test_a_path_or_an_arn_is_no_name(place: str, name: str, tmp_path: Path) -> None:
    problems = problems_of(ROLE_PLACES[place](name), tmp_path)
    assert f'{HERE}.{place}: "{name}" is not' in problems
    assert "(the name only, without path or ARN)" in problems


def problems_of(content: Any, folder: Path) -> str:
    file = folder / "links.json"
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError) as raised:
        read_links(file)
    return str(raised.value)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_is_reported_with_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    content, expected = MISTAKES[mistake]
    file = tmp_path / "links.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ConfigurationError) as raised:
        read_links(file)
    lines = str(raised.value).splitlines()[1:]
    problems = [re.sub(r"(links\.json):[0-9]+: ", r"\1: ", line) for line in lines]
    assert len(problems) == len(expected), problems
    for place, said in expected.items():
        prefix = f"  {file}: {place}: " if place else f"  {file}: "
        assert any(p.startswith(prefix) and said in p for p in problems), (place, problems)


TOO_MUCH = {
    "a bucket policy": (
        declared(
            consumers=[CONSUMER | {"new_role": f"reader-{n:03}"} for n in range(480)],
        ),
        "reports/bucket.account2.new.reports-/bucket/policy-document: the bucket policy may get",
        "AWS takes 20480",
    ),
    "a trust policy": (
        declared(
            pattern="assume-role",
            consumers=[CONSUMER | {"new_role": f"reader-{n:02}"} for n in range(50)],
            assumed_role={"account": "account2", "name": "worker"},
        ),
        "reports/access/trust: the trust policy may get",
        "AWS takes 2048",
    ),
    "too many managed policies": (
        declared(buckets=[BUCKET | {"new_prefix": f"bucket-{n:03}-"} for n in range(170)]),
        "reports/role.account1.new.reader/role: the role needs",
        "AWS attaches 10",
    ),
    "a policy to attach": (
        declared(
            consumers=[{"account": "account1", "whole_account": True}],
            buckets=[BUCKET | {"new_prefix": f"bucket-{n:03}-"} for n in range(40)],
        ),
        "reports/role.account1.account.whole-account/account/identity-policy: the managed policy",
        "AWS takes 6144",
    ),
}


@pytest.mark.cost("planned")
@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_aws_would_not_take_is_refused_with_the_numbers(what: str, tmp_path: Path) -> None:
    content, place, limit = TOO_MUCH[what]
    result = synthesize(tmp_path, content)
    assert result.returncode == 1
    assert f"  {place}" in result.stderr
    assert limit in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("cdktf.out/stacks/*"))


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize("survive", [False, True])
def test_three_hundred_roles_share_a_statement_on_a_bucket(tmp_path: Path, survive: bool) -> None:
    roles = [CONSUMER | {"new_role": f"reader-{n:03}"} for n in range(300)]
    content = declared(consumers=roles, survive_role_recreation=survive)
    result = synthesize(tmp_path, content)
    assert result.returncode == 0, result.stderr
    documents = stack_json(tmp_path, "reports")["data"]["aws_iam_policy_document"]
    statements = [s for document in documents.values() for s in document["statement"]]
    (shared,) = (s for s in statements if (s.get("sid") or "").startswith("Allow Account1"))
    (principal,) = shared["principals"]
    (named,) = [c["values"] for c in shared.get("condition", [])] or [principal["identifiers"]]
    assert len(set(named)) == 300


@pytest.mark.cost("synthesized")
def test_a_hundred_roles_assume_one_where_the_quota_was_raised(tmp_path: Path) -> None:
    content = declared(
        pattern="assume-role",
        consumers=[CONSUMER | {"new_role": f"analytics-nightly-report-{n:02}"} for n in range(100)],
        assumed_role={"account": "account2", "name": "worker"},
    )
    refused = synthesize(tmp_path, content)
    assert "AWS takes 2048" in refused.stderr
    content["accounts"]["account2"]["trust_policy_quota"] = 8192
    taken = synthesize(tmp_path, content)
    assert taken.returncode == 0, taken.stderr


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize(
    ("service", "through", "told"),
    [
        ("redshift.amazonaws.com", ["account1", "account2"], 4),
        ("redshift.ap-northeast-1.amazonaws.com", [], 2),
        ("rds.amazonaws.com", ["account2"], 3),
        ("rds.amazonaws.com", [], 0),
    ],
)
def test_a_chain_of_roles_is_told_as_copy_takes_it(
    service: str, through: list[str], told: int, tmp_path: Path
) -> None:
    passed = [{"account": alias, "name": f"passed-{n}"} for n, alias in enumerate(through)]
    content = declared(
        pattern="assume-role",
        consumers=[CONSUMER | {"trusted_service": service}],
        assumed_role=CHAINED | {"through": passed},
    )
    result = synthesize(tmp_path, content)
    assert result.returncode == 0, result.stderr
    stack = stack_json(tmp_path, "reports")
    assert ("iam_role_account1_reader" in stack["output"]) is bool(told)
    if told:
        arns = stack["output"]["iam_role_account1_reader"]["value"].split(",")
        roles = {
            f"${{aws_iam_role.{n}.arn}}": r for n, r in stack["resource"]["aws_iam_role"].items()
        }
        names = ["reader", *(hop["name"] for hop in passed), "worker"]
        assert [roles[arn]["name"] for arn in arns] == names


@pytest.mark.cost("synthesized")
def test_an_instance_takes_on_a_chain_of_roles_one_after_the_other(tmp_path: Path) -> None:
    through = [{"account": "account1", "name": "first"}, {"account": "account2", "name": "second"}]
    content = declared(pattern="assume-role", assumed_role=CHAINED | {"through": through})
    assert synthesize(tmp_path, content).returncode == 0
    config = configparser.ConfigParser()
    config.read_string(stack_json(tmp_path, "reports")["output"]["aws_config"]["value"])
    assert {name: dict(profile).get("source_profile") for name, profile in config.items()} == {
        "DEFAULT": None,
        "profile first": None,
        "profile second": "first",
        "profile account2": "second",
    }
    assert config["profile first"]["credential_source"] == "Ec2InstanceMetadata"


@pytest.mark.cost("synthesized")
def test_a_long_identity_policy_is_split(tmp_path: Path) -> None:
    buckets = [BUCKET | {"new_prefix": f"bucket-{n:02}-"} for n in range(40)]
    result = synthesize(tmp_path, declared(buckets=buckets))
    assert result.returncode == 0, result.stderr
    policies = stack_json(tmp_path, "reports")["resource"]["aws_iam_policy"].values()
    names = sorted(policy["name"] for policy in policies)
    assert names == ["reader-account2", "reader-account2-2", "reader-account2-3"]


@pytest.mark.cost("synthesized")
def test_each_link_has_its_own_stack_and_state(tmp_path: Path) -> None:
    content = declared()
    content["links"]["second"] = LINK | {"consumers": [CONSUMER | {"new_role": "other"}]}
    result = synthesize(tmp_path, content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    paths = {
        name: stack_json(tmp_path, name)["terraform"]["backend"]["local"]["path"]
        for name in ("reports", "second")
    }
    assert paths == {
        "reports": "../../../terraform.reports.tfstate",
        "second": "../../../terraform.second.tfstate",
    }


@pytest.mark.cost("synthesized")
def test_names_that_aws_would_not_take_are_refused(tmp_path: Path) -> None:
    content = replicated(role_name="r" * 62, both_ways=True)
    result = synthesize(tmp_path, content)
    assert result.returncode == 1
    assert "has 67 characters, AWS takes 64: choose a shorter one" in result.stderr


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize(
    "link",
    [
        {"consumers": [CONSUMER, CONSUMER | {"account": "account2"}]},
        {"buckets": [BUCKET, BUCKET | {"account": "account1"}]},
        {"consumers": [CONSUMER, CONSUMER | {"new_role": "reader-trust"}]},
        {"buckets": [BUCKET | {"key": "new"}, BUCKET | {"new_prefix": "reports-key-"}]},
        {"consumers": [CONSUMER | {"instance": True}, CONSUMER | {"new_role": "reader-network"}]},
        {"buckets": [BUCKET, {"account": "account2", "existing": "reports", "policy": "merge"}]},
    ],
)
def test_names_that_are_alike_are_kept_apart(link: dict[str, Any], tmp_path: Path) -> None:
    result = synthesize(tmp_path, declared(**link))
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("lamda.amazonaws.com", 'Did you mean "lambda.amazonaws.com"?'),
        ("states.eu-west-1.amazonaws.com", "it is taken to need sts:AssumeRole and no more"),
    ],
)
def test_a_service_that_is_not_known_is_taken_and_said(
    service: str, said: str, tmp_path: Path
) -> None:
    content = declared(consumers=[CONSUMER | {"trusted_service": service}])
    result = synthesize(tmp_path, content)
    assert result.returncode == 0
    place = (
        f'links.json:1: links.reports.consumers[0].trusted_service: "{service}" is not known here'
    )
    assert result.stderr.startswith(place)
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    # The cdktf command shows nothing of what main.py prints, and its own warnings.
    manifest = json.loads((tmp_path / "cdktf.out" / "manifest.json").read_text())
    (warning,) = manifest["stacks"]["reports"]["annotations"]
    assert warning["message"] in result.stderr
    assert "stacktrace" not in warning


@pytest.mark.cost("synthesized")
def test_a_function_gets_no_instances_profile(tmp_path: Path) -> None:
    content = declared(
        pattern="assume-role",
        consumers=[CONSUMER | {"trusted_service": "lambda.amazonaws.com"}],
        assumed_role={"account": "account2", "name": "worker"},
    )
    assert synthesize(tmp_path, content).returncode == 0
    assert "aws_config" not in stack_json(tmp_path, "reports")["output"]


def test_each_hardening_switch_can_be_declared(tmp_path: Path) -> None:
    """The links file has the library's own switches."""
    every = dict.fromkeys(Hardening.model_fields, True)
    (tmp_path / "links.json").write_text(json.dumps(declared(hardening=every)))
    link = read_links(tmp_path / "links.json").links["reports"]
    assert link.switches == link.hardening == HARDENED


def test_the_schema_is_the_models() -> None:
    assert (PROJECT / "links.schema.json").read_text() == schema(), "run `make schema`"


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each property that a user may write: its model, its name and its schema."""
    top = json.loads(schema())
    for model, part in {"Links": top, **top["$defs"]}.items():
        for name, property_ in part.get("properties", {}).items():
            yield model, name, property_


def test_a_reader_of_the_schema_is_told_what_each_property_is_for() -> None:
    told = {(model, name): p.get("description", "") for model, name, p in properties()}
    assert len(told) > 80
    # What the value is, then what it is for: more than its type and its name.
    short = {key: text for key, text in told.items() if len(text) < 40 or " " not in text}
    assert short == {}
    names = defaultdict[str, set[str]](set)
    for (_, name), text in told.items():
        names[text].add(name)
    assert [shared for shared in names.values() if len(shared) > 1] == []


def test_a_links_file_may_name_its_schema(tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text(json.dumps({"$schema": "./links.schema.json"} | declared()))
    assert list(read_links(file).links) == ["reports"]


IN_YAML = """\
# Who reads what.
accounts:
  account1: {region: ap-northeast-1, profile: account1, account_id: "111111111111"}
  account2: {region: ap-northeast-1, profile: account2, account_id: "222222222222"}
links:
  reports:
    pattern: direct-access  # no role to assume
    consumers:
      - account: account1
        new_role: reader
    buckets:
      - account: account2
        new_prefix: reports-
"""
LAST = IN_YAML.count("\n") + 1


def said_of(content: str, folder: Path, name: str = "links.yaml") -> list[str]:
    file = folder / name
    file.write_text(content)
    with pytest.raises(ConfigurationError) as raised:
        read_links(file)
    return [problem.removeprefix(f"{file.parent}/") for problem in raised.value.problems]


@pytest.mark.parametrize("name", ["links.yaml", "links.yml"])
def test_yaml_declares_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(IN_YAML)
    (tmp_path / "links.json").write_text(json.dumps(declared()))
    assert read_links(tmp_path / name) == read_links(tmp_path / "links.json")


@pytest.mark.parametrize("name", ["links.json", "links.yaml"])
@pytest.mark.parametrize("indent", [2, "\t"])
def test_a_problem_is_told_with_its_line(name: str, indent: int | str, tmp_path: Path) -> None:
    content = json.dumps(declared(buckets=[BUCKET | {"key": "aws/s3"}], level=1), indent=indent)
    lines = content.splitlines()
    key, level = (1 + next(n for n, t in enumerate(lines) if w in t) for w in ('"key"', '"level"'))
    assert [problem.split(" ")[:2] for problem in said_of(content, tmp_path, name)] == [
        [f"{name}:{key}:", f"{HERE}.buckets[0].key:"],
        [f"{name}:{level}:", f"{HERE}.level:"],
    ]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_yaml_has_the_same_errors(mistake: str, tmp_path: Path) -> None:
    content, _ = MISTAKES[mistake]
    if isinstance(content, dict):
        expected = said_of(json.dumps(content), tmp_path, "links.json")
        said = said_of(json.dumps(content), tmp_path)
        assert said == [problem.replace("links.json", "links.yaml") for problem in expected]


TRAPS = {
    "links: {a: [}": "links.yaml:1: is not YAML: ",
    "# nothing": "links.yaml: is empty: write it",
    "- a": "links.yaml: write keys and their values",
    "state:\n\tbackend: local": "links.yaml:2: has a tab where YAML takes spaces only",
    f"{IN_YAML}---\na: 1": f"links.yaml:{LAST}: begins another document: keep one, without ---",
    f"{IN_YAML}links: *nobody": f"links.yaml:{LAST}: is not YAML: found undefined alias 'nobody'",
    "a: &x 1\nb: &x 2": "links.yaml: two anchors have one name",
    "a: &a [*a]": "links.yaml:1: a[0]: the anchor 'a' holds itself: write it out",
    "a: &a [1,1,1,1,1,1,1,1,1,1]"
    + "".join(
        f"\n{y}: &{y} [{','.join([f'*{x}'] * 10)}]" for x, y in zip("abcde", "bcdef", strict=True)
    ): ("links.yaml: has more than 100000 values"),
    "[" * 5000: "links.yaml: is n",
    f"{IN_YAML}1: x": "links.yaml: line 14: the key 1 is not text: quote it",
    f"{IN_YAML}? [a]\n: x": "links.yaml: line 14: a key is a list or an object: write text",
    f"{IN_YAML}<<: {{}}": "links.yaml: line 14: << does not merge here: write the keys out",
    f"{IN_YAML}links: {{}}": 'links.yaml: the key "links" stands twice, in lines 5 and 14',
    IN_YAML.replace("reader", "!!python/name:os.system x"): (
        f"links.yaml:10: {HERE}.consumers[0].new_role: the tag !!python/name:os.system is not known"
    ),
    IN_YAML.replace('"111111111111"', "012345678901"): (
        "links.yaml:3: accounts.account1.account_id: YAML takes 012345678901 for a number: quote it"
    ),
    IN_YAML.replace('"111111111111"', "111111111111"): (
        "links.yaml:3: accounts.account1.account_id: YAML takes 111111111111 for a number: quote it"
    ),
    IN_YAML.replace("reader", "2026-11-25"): (
        f"links.yaml:10: {HERE}.consumers[0].new_role: YAML takes 2026-11-25 for a date: quote it"
    ),
    IN_YAML.replace("reader", "0o14"): (
        f"links.yaml:10: {HERE}.consumers[0].new_role: YAML takes 0o14 for a number: quote it"
    ),
    f"%YAML 1.1\n---\n{IN_YAML.replace('reader', 'no')}": (
        f"links.yaml:12: {HERE}.consumers[0].new_role: YAML takes no for true or false: quote it"
    ),
}


@pytest.mark.parametrize("content", TRAPS, ids=range(len(TRAPS)))
def test_yamls_traps_are_told(content: str, tmp_path: Path) -> None:
    assert any(problem.startswith(TRAPS[content]) for problem in said_of(content, tmp_path))


def test_no_is_text(tmp_path: Path) -> None:
    (tmp_path / "links.yaml").write_text(IN_YAML.replace("reader", "no"))
    link = read_links(tmp_path / "links.yaml").links["reports"]
    assert link.consumers[0].new_role == "no"  # type: ignore[union-attr]


def folder_of(folder: Path, **files: dict[str, Any]) -> Path:
    (folder / "links").mkdir()
    for name, content in files.items():
        (folder / "links" / f"{name}.yaml").write_text(json.dumps(content, indent=1))
    (folder / "links" / "README.md").touch()
    return folder / "links"


def test_each_team_has_a_file(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        accounts={"$schema": "../a", "accounts": accounts(), "state": {"backend": "local"}},
        one={"$schema": "../a", "links": {"reports": LINK}},
        two={"links": {"copies": REPLICATION}},
    )
    assert list(read_links(folder).links) == ["reports", "copies"]


def test_what_two_files_declare_is_told_with_both(tmp_path: Path) -> None:
    whole = declared() | {"state": {"backend": "local"}}
    folder = folder_of(tmp_path, one=whole, two=whole)
    with pytest.raises(ConfigurationError) as raised:
        read_links(folder)
    places = ["accounts.account1", "accounts.account2", "links.reports", "state"]
    for place, problem in zip(places, raised.value.problems, strict=True):
        pattern = (
            rf"{folder}/one\.yaml:(\d+): {place}: is declared twice, in {folder}/one\.yaml:\1 "
        )
        assert re.match(rf"{pattern}and {folder}/two\.yaml:\1: remove one", problem), problem


def test_a_problem_in_a_folder_is_told_with_its_file(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, a={"accounts": accounts()}, b={"links": {"reports": LINK | {"pattern": "x"}}}
    )
    with pytest.raises(ConfigurationError, match=rf"{folder}/b\.yaml:4: {HERE}\.pattern: "):
        read_links(folder)


@pytest.mark.parametrize("name", ["team.YAML", "team.json.txt", "team.jsonc"])
def test_a_slip_in_a_folder_is_not_left_out(name: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, one=declared())
    (folder / name).touch()
    with pytest.raises(ConfigurationError, match=rf"{name}: its name ends in none of \.json, "):
        read_links(folder)


def test_a_folder_in_a_folder_is_not_left_out(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, one=declared())
    (folder / "team-a" / "deeper").mkdir(parents=True)
    assert read_links(folder).links  # of other purposes
    (folder / "team-a" / "deeper" / "more.json").touch()
    with pytest.raises(ConfigurationError, match=r"team-a: is a folder, and only .* itself is rea"):
        read_links(folder)


def test_a_folder_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no file in it: write one"):
        read_links(folder_of(tmp_path))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def test_the_links_are_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert declared_here() is None
    folder_of(here, one=declared())
    assert declared_here() is not None
    (here / "links.json").write_text(json.dumps(declared()))
    with pytest.raises(ConfigurationError, match=r"links\.json and links are both there: keep one"):
        declared_here()
    monkeypatch.setenv(VARIABLE, "links")
    assert declared_here() is not None
    monkeypatch.setenv(VARIABLE, "staging.yaml")
    with pytest.raises(ConfigurationError, match=r"staging\.yaml: does not exist, and S3_"):
        declared_here()
    (here / "staging.yaml").write_text(IN_YAML)
    assert declared_here() is not None


def test_two_files_of_links_are_one_too_many(here: Path) -> None:
    for name in ("links.json", "links.yaml"):
        (here / name).touch()
    with pytest.raises(ConfigurationError, match=r"links\.json and links\.yaml are both there"):
        declared_here()


BY_THE_SCHEMA = {
    "no role": declared(consumers=[{"account": "account1"}]),
    "two roles": declared(consumers=[CONSUMER | {"existing_role": "web"}]),
    "an instance of an existing role": declared(
        consumers=[{"account": "account1", "existing_role": "web", "instance": True}]
    ),
    "an instance of another service": declared(
        consumers=[CONSUMER | {"instance": True, "trusted_service": "lambda.amazonaws.com"}]
    ),
    "no bucket": declared(buckets=[{"account": "account2"}]),
    "two buckets": declared(buckets=[FREE | {"new_prefix": "reports-"}]),
    "a new bucket with a policy": declared(buckets=[BUCKET | {"policy": "merge"}]),
    "a new bucket of a whole name with a policy": declared(
        buckets=[{"account": "account2", "new_name": "mine", "policy": "merge"}]
    ),
    "an existing bucket to import": declared(buckets=[FREE | {"policy": "import"}]),
    "an existing bucket with a new key": declared(buckets=[FREE | {"key": "new"}]),
    "an existing bucket to delete": declared(buckets=[FREE | {"force_destroy": True}]),
    "an imported bucket to merge": declared(
        buckets=[{"account": "account2", "imported": "mine", "policy": "merge"}]
    ),
    "level and actions": declared(access={"level": "read-only", "actions": ["s3:GetObject"]}),
    "an endpoint and addresses": declared(
        access={"vpc_endpoint_ids": ["vpce-0123abcd"], "source_ips": ["203.0.113.0/24"]}
    ),
    "no role to assume": declared(pattern="assume-role"),
    "a role to assume by direct access": declared(
        assumed_role={"account": "account2", "name": "worker"}
    ),
    "an end that is new and existing": replicated(source=SOURCE | FREE),
    "no source": replicated(source=None),
    "no destination": replicated(destination=None, destinations=[]),
    "a new end with a replication configuration": replicated(
        source=SOURCE | {"replication": "import"}
    ),
}
ALL_RIGHT = [
    declared(),
    replicated(),
    replicated(source=None, sources=[SOURCE], destinations=[BUCKET | {"new_prefix": "xyz-"}]),
    replicated(
        source=FREE | {"account": "account1", "versioned": True, "replication": "merge"},
        destination=None,
        destinations=[BUCKET | {"rules": [{"metrics": True}]}],
    ),
    declared(
        consumers=[CONSUMER | {"existing_role": None, "instance": True}],
        access={"level": "read-only", "actions": None},
    ),
    declared(buckets=[BUCKET | {"key": "new", "policy": None}, FREE]),
    declared(
        pattern="assume-role",
        assumed_role={"account": "account2", "name": "worker"},
        access={"vpc_endpoint_ids": [], "source_ips": ["203.0.113.0/24"]},
    ),
    declared(
        pattern="assume-role",
        assumed_role=CHAINED | {"through": [{"account": "account1", "name": "gateway"}]},
        access={"level": "athena-data"},
    ),
]


@pytest.mark.parametrize("refused", BY_THE_SCHEMA)
def test_an_editor_refuses_what_is_refused_here(refused: str, tmp_path: Path) -> None:
    content = BY_THE_SCHEMA[refused]
    assert problems_of(content, tmp_path)
    assert not Draft202012Validator(json.loads(schema())).is_valid(content)


@pytest.mark.parametrize("content", ALL_RIGHT, ids=range(len(ALL_RIGHT)))
def test_and_takes_what_is_taken(content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "links.json").write_text(json.dumps(content))
    assert read_links(tmp_path / "links.json")
    Draft202012Validator(json.loads(schema())).validate(content)
