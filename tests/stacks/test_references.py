"""What is told of a stack without Node.js is what Node.js tells."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cdktf import App, TerraformOutput, TerraformStack
from constructs import Construct

from s3_cross_account import bindings
from s3_cross_account.references import block_type, encoded, known_beforehand, logical_id
from s3_links.declarations.read_links import read_links
from s3_links.stacks import base
from s3_links.stacks.declared import declared_stack
from tools.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

    from tools.examples import Example

pytestmark = pytest.mark.cost("synthesized")

BLOCKS = {
    name: found
    for name in bindings.__all__
    if hasattr(found := getattr(bindings, name), "TF_RESOURCE_TYPE") and name != "AwsProvider"
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_has_the_type_that_its_binding_says(name: str) -> None:
    said: str = BLOCKS[name].TF_RESOURCE_TYPE
    assert block_type(BLOCKS[name]) == (f"data.{said}" if name.startswith("Data") else said)


def test_what_is_no_block_of_aws_has_none() -> None:
    assert block_type(Construct) is None
    assert block_type(App) is None
    assert block_type(bindings.AwsProvider) is None


@pytest.mark.parametrize(
    "path",
    [
        ("name",),
        ("a name that.loses/letters",),
        ("role", "Resource"),
        ("Default", "role"),
        ("a", "Default", "Resource"),
        ("bucket.reports-", "bucket", "policy-document", "Resource"),
        ("ends-with-role", "role", "le", "role"),
        ("with/slash", "and space"),
        ("long" * 50, "longer" * 50),
    ],
)
def test_a_block_has_the_name_that_cdktf_gives_it(path: tuple[str, ...]) -> None:
    scope: Construct = TerraformStack(App(), "stack")
    stack = scope
    for part in path[:-1]:
        scope = Construct(scope, part)
    block = bindings.Vpc(scope, path[-1])
    assert isinstance(stack, TerraformStack)
    assert logical_id(path) == stack.get_logical_id(block)


def test_another_stack_is_asked_in_nodejs() -> None:
    app = App()
    ours, theirs = TerraformStack(app, "ours"), TerraformStack(app, "theirs")
    known_beforehand(ours)
    assert bindings.Vpc(ours, "vpc").id == "${aws_vpc.vpc.id}"
    assert bindings.Vpc(theirs, "vpc").id.startswith("${TfToken[")


def test_what_is_encoded_has_its_references_either_way() -> None:
    app = App()
    ours, theirs = TerraformStack(app, "ours"), TerraformStack(app, "theirs")
    known_beforehand(ours)
    for stack in (ours, theirs):
        bucket = bindings.S3Bucket(stack, "b")
        TerraformOutput(stack, "o", value=encoded(stack, {"name": [bucket.bucket]}))
    told, asked = (stack.to_terraform()["output"]["o"]["value"] for stack in (ours, theirs))
    assert told == '${jsonencode({"name": ["${aws_s3_bucket.b.bucket}"]})}'
    assert asked == '${jsonencode({"name" = [aws_s3_bucket.b.bucket]})}'


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.folder.name)
def test_each_example_has_the_same_json_when_nodejs_is_asked(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = written(example.folder)
    monkeypatch.setattr(base, "known_beforehand", lambda _: None)
    assert written(example.folder) == told


def written(folder: Path) -> str:
    links = read_links(folder / "links.json")
    app = App()
    content: list[Any] = [
        declared_stack(
            app, name, link=link, accounts=links.accounts, state=links.state
        ).to_terraform()
        for name, link in links.links.items()
    ]
    # Within a function, the two have their own ways to refer.
    return re.sub(r'\\"\$\{([a-z0-9_]+\.[\w-]+\.[a-z_]+)\}\\"', r"\1", json.dumps(content)).replace(
        '\\" = ', '\\": '
    )
