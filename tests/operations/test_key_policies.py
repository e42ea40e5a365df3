"""A key policy is taken over, and given back when its link goes: in emulated accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS, REGION
from s3_links.sandbox.stand_in import make_key
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("deployed")

KEY_ID = "77777777-2222-3333-4444-555555555555"
OTHER_ID = KEY_ID.replace("7777", "8888")


def statement(account: str, *actions: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNTS[account]}:root"},
        "Action": list(actions),
        "Resource": "*",
    }


POLICY = {
    "Version": "2012-10-17",
    "Statement": [statement("account2", "kms:*"), statement("account1", "kms:Encrypt")],
}


def link(key_id: str, prefix: str, role: str) -> dict[str, Any]:
    return {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": role}],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": prefix,
                "key": f"arn:aws:kms:{REGION}:{ACCOUNTS['account2']}:key/{key_id}",
                "imported_key_policy": POLICY,
            }
        ],
    }


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "no longer declared"])
def test_a_key_gets_back_what_its_policy_was(
    terraform: Terraform,
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
    declared: bool,
) -> None:
    kms = root(emulator.endpoint, "account2").client("kms")
    key_id, prefix = (KEY_ID, "taken-") if declared else (OTHER_ID, "gone-")
    make_key(kms, key_id, json.dumps(POLICY))

    def there() -> dict[str, Any]:
        text = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
        found: dict[str, Any] = json.loads(text)
        return found

    place = Workplace(tmp_path_factory.mktemp("taken"), terraform.environment)
    of_key = {"accounts": accounts(), "links": {"key": link(key_id, prefix, f"{prefix}reader")}}
    place.declare(of_key)
    planned = place.operations_here("plan")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert f"the key policy of {of_key['links']['key']['buckets'][0]['key']} is as declared" in (
        planned.stdout + planned.stderr
    )
    rows = (line for line in planned.stdout.splitlines() if line.startswith("|"))
    gains = [row for row in rows if "kms:" in row]
    assert gains != []
    assert all(f"{prefix}reader" in row for row in gains)  # whoever had access keeps it
    assert "disappears in 0" in planned.stdout
    applied = place.operations_here("apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert f"role/{prefix}reader" in json.dumps(there())
    assert len(there()["Statement"]) == 3
    again = place.operations_here("plan")
    assert "No changes" in again.stdout, again.stdout + again.stderr

    written = there()
    drifted = written | {"Statement": [*written["Statement"], statement("account1", "kms:Sign")]}
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(drifted))
    stopped = place.operations_here("plan")
    assert stopped.returncode == 1
    assert "was changed since it was copied, and would be written over" in stopped.stderr
    if not declared:
        place.declare({"accounts": accounts(), "links": {"other": link(KEY_ID, "other-", "other")}})
    refused = place.operations_here("destroy", "key", "--yes")
    assert refused.returncode == 1
    assert "was changed since" in refused.stderr
    assert there() == drifted
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(written))

    destroyed = place.operations_here("destroy", "key", "--yes")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert [s["Action"] for s in there()["Statement"]] == ["kms:*", "kms:Encrypt"]
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"
    s3 = root(emulator.endpoint, "account2").s3
    assert not [b for b in s3.list_buckets()["Buckets"] if b["Name"].startswith(prefix)]
