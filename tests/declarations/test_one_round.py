"""Parts that can be read are held against each other, whatever is wrong beside them or in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.read_links import read_links

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = """
accounts:
  account1: {region: ap-northeast-1, profile: account1, account_id: "111111111111"}
  account2: {region: ap-northeast-1, profile: account2, account_id: "222222222222"}
"""
READER = "{account: account1, new_role: reader}"
REPORTS = "{account: account2, new_prefix: reports-}"
GOOD = f"""
links:
  good:
    pattern: direct-access
    consumers: [{READER}]
    buckets: [{REPORTS}]
"""

# Files of a folder. What is said of a line stands above it.
FOLDERS: dict[str, dict[str, str]] = {
    "a misshapen link, two that contradict each other, and what only the whole shows": {
        "a": f"""{ACCOUNTS}
# ! pipeline: needs a "state" in S3 or HCP Terraform
# ! pipeline: "host" is for a GitLab of your own: leave it out
pipeline:
  platform: github
  repository: my-organization/links
  # ! pipeline.branch: 5 is not the branch
  branch: 5
  host: git.example.com
state:
  backend: local
  # ! state.path: unknown key
  path: here
""",
        "b": """
links:
  misshapen:
    pattern: direct-access
    consumers:
      - account: account1
        new_role: reader
        # ! links.misshapen.consumers[0].instance: "no" is not true or false
        instance: "no"
    buckets:
      # ! links.misshapen.buckets[0].account: "acount2" is not among "accounts"
      - account: acount2
        new_prefix: reports-
    # ! links.misshapen.acess: unknown key
    acess: {}
""",
        "c": """
links:
  first:
    pattern: direct-access
    consumers: [{account: account1, new_role: other}]
    buckets: [{account: account2, existing: mine, policy: create}]
  # ! links.second: the role 'READER' in account1 is created by links.misshapen too
  # ! links.second: the bucket policy of 'mine' in account2 is created by links.first too
  second:
    pattern: direct-access
    consumers: [{account: account1, new_role: READER}]
    buckets: [{account: account2, existing: mine, policy: create}]
""",
    },
    "a part that is misshapen and contradicts itself": {
        "a": f"""{ACCOUNTS}
links:
  reports:
    pattern: direct-access
    consumers: [{READER}]
    buckets:
      # ! links.reports.buckets[0]: with "existing", say who owns its bucket policy
      # ! links.reports.buckets[0]: an existing bucket is never deleted
      - account: account2
        existing: mine
        force_destroy: true
        # ! links.reports.buckets[0].key: 5 is not "new", "none" or the ARN
        key: 5
""",
    },
    "a link that contradicts itself beside a misshapen part": {
        "a": f"""{ACCOUNTS}
links:
  reports:
    # ! links.reports.pattern: "direct" is not "direct-access", "assume-role", "replication" or
    pattern: direct
    consumers:
      - account: account1
        new_role: reader
        instance: true
      # ! links.reports.consumers[1]: null is no item of a list of roles
      - null
    buckets: [{REPORTS}]
    # ! links.reports.access: an "instance" gets a network of its own
    access:
      vpc_endpoint_ids: [vpce-0123abcd]
      # ! links.reports.access.level: "admin" is not one of
      level: admin
""",
    },
    "a replication that contradicts itself beside misshapen parts": {
        "a": f"""{ACCOUNTS}
links:
  copies:
    pattern: replication
    source: {{account: account1, new_prefix: originals-, key: new}}
    # ! links.copies.destination: the source has a KMS key and the destination has none
    destination:
      account: account2
      new_prefix: copies-
      # ! links.copies.destination.versioned: "yes" is not true or false
      versioned: "yes"
    role_name: replication
    # ! links.copies.rules: 2 rules have the priority 1
    rules:
      - prefix: a/
      - prefix: b/
      # ! links.copies.rules[2].priority: 0 is not a number from 1
      - priority: 0
  # ! links.more: the role 'replication' in account1 is created by links.copies too
  more:
    pattern: replication
    source: {{account: account1, new_prefix: others-}}
    destination: {{account: account2, new_prefix: reports-}}
    role_name: replication
    # ! links.more.both_ways: 1 is not true or false
    both_ways: 1
""",
    },
    "a state and a pipeline that are misshapen and own what a link claims": {
        "a": f"""{ACCOUNTS}
state:
  backend: s3
  # ! state.account: "account3" is not among "accounts": account1, account2
  account: account3
  bucket: the-state
  # ! state.prefix: "no slash" is not a prefix
  prefix: no slash
# ! pipeline.repository: is missing
pipeline:
  # ! pipeline.platform: "svn" is not "github" or "gitlab"
  platform: svn
""",
        "b": f"""
links:
  # ! links.reports: the role 's3-links-deploy' in account1 is created by pipeline too
  # ! links.reports: the bucket policy of 'the-state' in account2 is created by state too
  reports:
    pattern: direct-access
    consumers: [{{account: account1, new_role: s3-links-deploy}}]
    buckets: [{{account: account2, existing: the-state, policy: create}}]
  # ! links.their-role: the role 's3-links-plan' is the pipeline's
  their-role:
    pattern: direct-access
    consumers: [{{account: account1, existing_role: s3-links-plan}}]
    buckets: [{REPORTS}]
""",
    },
    "accounts that are misshapen and contradict each other": {
        "a": f"""
accounts:
  account1:
    region: ap-northeast-1
    profile: account1
    account_id: "222222222222"
    # ! accounts.account1.colour: unknown key
    colour: blue
  # ! accounts.account2: is the same account as "account1"
  account2:
    # ! accounts.account2.region: "Tokyo" is not an AWS region
    region: Tokyo
    profile: account2
    account_id: "222222222222"
    # ! accounts.account2.permissions_boundary: belongs to account 999999999999
    permissions_boundary: arn:aws:iam::999999999999:policy/boundary
  # ! accounts.account3: has no credentials
  account3:
    region: us-gov-west-1
    # ! accounts.account3.log_bucket: "Logs" is not a bucket's name
    log_bucket: Logs
{GOOD}
  # ! links.across: "account1" in aws and "account3" in aws-us-gov are in two partitions
  across:
    pattern: direct-access
    consumers: [{{account: account1, new_role: other}}]
    buckets: [{{account: account3, new_prefix: reports-}}]
    # ! links.across.hardening: 5 is not true (everything), false or single switches
    hardening: 5
""",
    },
    "replications that claim the same": {
        "a": f"""{ACCOUNTS}
state: {{backend: s3, account: account1, bucket: logs-and-states}}
links:
  one:
    pattern: replication
    source: {{account: account1, existing: ours, policy: merge, versioned: true}}
    destination: {{account: account2, existing: theirs, policy: merge, versioned: true}}
    role_name: one
    both_ways: true
    batch_role: true
  # ! links.two: the role 'one-batch' in account1 is created by links.one too
  # ! links.two: the replication configuration of 'ours' in account1 is created by links.one too
  two:
    pattern: replication
    source: {{account: account1, existing: ours, policy: merge, versioned: true}}
    destination: {{account: account2, new_prefix: copies-}}
    role_name: one-batch
  # ! links.three: the role 'one-back' in account2 is created by links.one too
  # ! links.three: the replication configuration of 'theirs' in account2 is created by links.one
  three:
    pattern: replication
    source: {{account: account2, existing: theirs, policy: merge, versioned: true}}
    destination: {{account: account1, new_prefix: copies-}}
    role_name: one-back
""",
    },
    "an account that is no account is still known by its alias": {
        "a": f"""
accounts:
  account1: {{region: ap-northeast-1, profile: account1}}
  # ! accounts.account2: "222222222222" is not
  account2: "222222222222"
{GOOD}
""",
    },
}


def expected(name: str, text: str) -> list[str]:
    """Return what the comments of a file say, with the lines that they stand above."""
    found, waiting = [], list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if (comment := line.strip()).startswith("# ! "):
            waiting.append(comment.removeprefix("# ! "))
        else:
            found += [f"{name}.yaml:{number}: {told}" for told in waiting]
            waiting = []
    assert not waiting
    return found


@pytest.mark.parametrize("mistakes", FOLDERS)
def test_all_of_it_is_told_with_file_and_line(mistakes: str, tmp_path: Path) -> None:
    files = FOLDERS[mistakes]
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_links(tmp_path)
    said = [problem.removeprefix(f"{tmp_path}/") for problem in raised.value.problems]
    awaited = [line for name, text in files.items() for line in expected(name, text)]
    assert [e for e in awaited if not any(s.startswith(e) for s in said)] == []
    assert [s for s in said if not any(s.startswith(e) for e in awaited)] == []


def test_what_no_link_claims_may_be_of_two(tmp_path: Path) -> None:
    """One bucket may hold the state and the access logs: its owner writes its policy."""
    accounts = ACCOUNTS.replace("profile: account1,", "profile: account1, log_bucket: shared,")
    state = "state: {backend: s3, account: account1, bucket: shared}"
    (tmp_path / "links.yaml").write_text(f"{accounts}{state}{GOOD}")
    assert read_links(tmp_path / "links.yaml").accounts["account1"].log_bucket == "shared"
