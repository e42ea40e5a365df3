"""An account of the library: a provider of its own, or one that an application has already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cdktf import App, TerraformStack

from s3_cross_account.account import Account
from s3_cross_account.bindings import AwsProvider
from s3_cross_account.bucket import Bucket
from s3_cross_account.settings import AccountSettings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

SETTINGS = AccountSettings(region="eu-west-1", profile="home")


@pytest.mark.parametrize(("alias", "reference"), [("theirs", "aws.theirs"), (None, "aws")])
def test_it_takes_a_provider_that_exists(alias: str | None, reference: str, tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stack = TerraformStack(app, "stack")
    provider = AwsProvider(
        stack, "aws", region="cn-north-1", allowed_account_ids=["111111111111"], alias=alias
    )
    account = Account(stack, "home", alias="home", provider=provider)
    assert (account.account_id, account.partition) == ("111111111111", "aws-cn")
    Bucket(stack, "bucket", account=account, prefix="reports-")
    app.synth()
    text = (tmp_path / "stacks" / "stack" / "cdk.tf.json").read_text()
    content: dict[str, Any] = json.loads(text)
    assert len(content["provider"]["aws"]) == 1
    (bucket,) = content["resource"]["aws_s3_bucket"].values()
    assert bucket["provider"] == reference


@pytest.mark.parametrize(
    ("regions", "settings", "told"),
    [
        ([], None, "home: give settings, a provider, or account_id and region, one of them"),
        (
            ["eu-west-1"],
            SETTINGS,
            "home: give settings, a provider, or account_id and region, one of them",
        ),
        ([None], None, "home: the provider has no region: give it one"),
    ],
)
def test_it_refuses_what_does_not_say_one_account(
    regions: list[str | None], settings: AccountSettings | None, told: str, tmp_path: Path
) -> None:
    stack = TerraformStack(App(outdir=str(tmp_path)), "stack")
    provider = next((AwsProvider(stack, "aws", region=region) for region in regions), None)
    with pytest.raises(ValueError, match=told):
        Account(stack, "home", alias="home", settings=settings, provider=provider)


def test_a_foreign_account_has_no_provider(tmp_path: Path) -> None:
    stack = TerraformStack(App(outdir=str(tmp_path)), "stack")
    with pytest.raises(ValueError, match="one of them"):
        Account(stack, "nowhere", alias="nowhere", account_id="444444444444")
    partner = Account(
        stack, "partner", alias="partner", account_id="444444444444", region="eu-west-1"
    )
    assert (partner.foreign, partner.account_id, partner.partition) == (True, "444444444444", "aws")
    with pytest.raises(ValueError, match="partner is foreign: nothing can be created"):
        _ = partner.provider
