"""The map of stacks: what is a node, what is an edge, and how it is drawn as Mermaid."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from s3_links.map.mermaid import MOST_CHARACTERS, MOST_EDGES, fits, mermaid
from s3_links.operations.graphs import graph
from s3_links.operations.mapped import beyond, declared, planned
from s3_links.operations.stack import OperationError, Stack
from s3_links.operations.summary import as_json, summarize
from s3_links.synthesized.blocks import aliases_of, declared_blocks
from tests.support.accesses import EC2, IDS, LISTS, NOTHING, READS, WRITES, role
from tests.support.synthesized import synthesized

if TYPE_CHECKING:
    from s3_links.map.graph import Graph


def told(drawn: Graph) -> list[tuple[str, ...]]:
    """Return each edge as its ends, its state and its labels."""
    by = {node.id: f"{node.kind} {node.name} ({node.account})" for node in drawn.nodes}
    return [(by[e.source], by[e.target], e.state, *e.labels) for e in drawn.edges]


def test_an_edge_is_labelled_by_level_and_prefix() -> None:
    drawn = graph([replace(NOTHING, stays=[READS, LISTS])])
    reader, bucket = "role reader (account1)", "bucket reports-… (account2)"
    assert told(drawn) == [(reader, bucket, "stays", "read-only in/*")]
    both = graph([replace(NOTHING, stays=[READS, LISTS, WRITES])])
    assert told(both) == [
        (reader, bucket, "stays", "read-only in/*", "ListBucket, PutObject out/*"),
    ]
    (edge,) = drawn.edges
    assert [half.account for grant in edge.grants for half in grant.halves] == ["account2"] * 2


@pytest.mark.parametrize(
    ("actions", "level"),
    [
        (["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "list-get-put"),
        (["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"], "athena-data or glue-source"),
        (
            [
                *("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
                *("s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
            ],
            "athena-results",
        ),
        (["kms:Decrypt"], "Decrypt"),
        (["s3:*"], "*"),
        (["s3:GetObjectVersionAcl", "s3:ReplicateObject", "s3:x"], "ReplicateObject +2"),
    ],
)
def test_actions_are_told_as_a_level_or_by_their_names(actions: list[str], level: str) -> None:
    drawn = graph([replace(NOTHING, stays=[replace(LISTS, actions=tuple(actions))])])
    assert drawn.edges[0].labels == (level,)


def test_accounts_are_boxes_with_their_ids_and_services_stand_where_they_work() -> None:
    drawn = graph([replace(NOTHING, stays=[EC2, LISTS])])
    assert [(a.name, a.id) for a in drawn.accounts] == list(IDS.items())
    services = [node for node in drawn.nodes if node.kind == "service"]
    assert [(node.name, node.account) for node in services] == [("ec2.amazonaws.com", "account1")]


def test_what_several_links_name_is_one_node_and_what_is_named_later_is_not() -> None:
    known = replace(LISTS, target="bucket theirs", where="arn:aws:s3:::theirs")
    stacks = [replace(NOTHING, stack=name, stays=[LISTS, known]) for name in ("a", "b")]
    names = [node.name for node in graph(stacks).nodes]
    assert names == ["reader", "reports-…", "reports-…", "theirs"]


@pytest.mark.parametrize(
    ("key", "nodes"),
    [("bucketaccount2newreports-_key_2FCDED3C", 2), ("11111111-2222-3333-4444-555555555555", 1)],
)
def test_a_key_is_one_node_once_its_id_is_known(key: str, nodes: int) -> None:
    decrypts = replace(
        LISTS, target=f"key {key}", where=f"arn:aws:kms:eu-west-1:222222222222:key/{key}"
    )
    stacks = [replace(NOTHING, stack=name, stays=[decrypts]) for name in ("a", "b")]
    assert [node.kind for node in graph(stacks).nodes].count("key") == nodes


@pytest.mark.parametrize(
    ("effect", "side", "state"),
    [
        ("Allow", "appears", "appears"),
        ("Allow", "disappears", "disappears"),
        ("Deny", "appears", "disappears"),
        ("Deny", "disappears", "appears"),
    ],
)
def test_a_refusal_moves_the_other_way(effect: str, side: str, state: str) -> None:
    drawn = graph([replace(NOTHING, **{side: [replace(LISTS, effect=effect)]})])  # type: ignore[arg-type]
    (edge,) = drawn.edges
    words = {"appears": "no longer refused: ", "disappears": "refused from now on: "}[state]
    assert (edge.state, edge.labels) == (state, (f"{words if effect == 'Deny' else ''}ListBucket",))


@pytest.mark.parametrize(
    ("half", "alone", "missing"),
    [
        ("identity policy", True, "bucket policy missing"),
        ("identity policy", False, "bucket policy not seen here"),
        ("bucket policy", True, "identity policy missing"),
    ],
)
def test_a_missing_half_is_named_and_dashed_in_red(half: str, alone: bool, missing: str) -> None:
    one = replace(LISTS, works=False, alone=alone, halves=(half,))
    text = mermaid(graph([replace(NOTHING, stays=[one])]))
    assert f'-->|"ListBucket<br/>{missing}"|' in text
    assert "linkStyle 0 stroke:#cf222e,stroke-width:2px,stroke-dasharray:6 4" in text


def test_what_cannot_be_read_is_told_beside_the_picture() -> None:
    unread = replace(LISTS, who=(), actions=("cannot be read: x",), target="(aws_iam_role.r)")
    drawn = graph([replace(NOTHING, appears=[unread], undecided=["a policy of y"])])
    assert drawn.edges == ()
    assert drawn.unread == ("reports: cannot be read: x", "reports: a policy of y")


def test_mermaid_shows_what_appears_and_what_disappears_by_sign_and_line() -> None:
    text = mermaid(
        graph([replace(NOTHING, appears=[READS, LISTS], disappears=[WRITES], stays=[EC2])])
    )
    assert (
        text
        == """flowchart LR
  subgraph a0["account1 111111111111"]
    n0(["role reader"])
    n1["ec2.amazonaws.com"]
  end
  subgraph a1["account2 222222222222"]
    n2[("bucket reports-…")]
  end
  n1 -->|"AssumeRole"| n0
  n0 -->|"+ read-only in/*"| n2
  n0 -->|"− PutObject out/*"| n2
  linkStyle 1 stroke:#1a7f37,stroke-width:2px
  linkStyle 2 stroke:#cf222e,stroke-width:2px,stroke-dasharray:6 4
"""
    )


HOSTILE = [
    '"]; click n0 href "javascript:alert(1)"',
    "a\n```\n<img src=x onerror=alert(1)>",
    "%%{init: {'securityLevel': 'loose'}}%%",
    "`*bold*` #quot; &lt; $$x$$ \\n",
    "end\rsubgraph x\u2028y",
]


@pytest.mark.parametrize("named", HOSTILE)
def test_no_name_ends_its_label(named: str) -> None:
    hostile = replace(
        LISTS,
        target=f"bucket {named}",
        paths=(named,),
        principal=f"role {named} (account1)",
        who=role(named),
    )
    ids = {"account1": IDS["account1"], named: IDS["account2"]}
    text = mermaid(graph([replace(NOTHING, stack=named, stays=[hostile], accounts=ids)]))
    assert len(text.splitlines()) == 8
    labels = re.findall(r'"([^"]*)"', text)
    assert len(labels) == 5
    assert all(re.fullmatch(r"(?:[\w .,/*+…-]|#\d+;)*", label) for label in labels)


def test_a_map_that_mermaid_would_refuse_is_known() -> None:
    drawn = graph([replace(NOTHING, stays=[LISTS])])
    assert fits(mermaid(drawn), drawn)
    assert not fits("x" * (MOST_CHARACTERS + 1), drawn)
    large = replace(drawn, edges=drawn.edges * (MOST_EDGES + 1))
    assert not fits("", large)
    assert "take --output map.html" in beyond(large, "mermaid")
    assert beyond(large, "svg") == beyond(drawn, "mermaid") == ""


def test_the_map_of_a_plan_is_that_of_its_summary(tmp_path: Path) -> None:
    one = replace(NOTHING, appears=[READS], stays=[EC2], disappears=[WRITES], undecided=["x"])
    other = replace(NOTHING, stack="other", stays=[LISTS])
    file = tmp_path / "summary.json"
    file.write_text(as_json([one, other], [], None))
    assert graph(planned(file)) == graph([one, other])
    assert graph(planned(file, ["other"])) == graph([other])
    with pytest.raises(OperationError, match="there is no gone: choose from reports, other"):
        planned(file, ["gone"])


@pytest.mark.parametrize("text", ["", "[]", '{"stacks": [{"stack": "x"}]}'])
def test_a_folder_without_a_summary_is_told_so(text: str, tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(OperationError, match="holds no summary: run `s3-links plan` first"):
        planned(tmp_path / "summary.json")


def test_the_graph_in_a_page_ends_no_element() -> None:
    drawn = graph([replace(NOTHING, stays=[replace(LISTS, target="bucket </script><b>")])])
    assert "<" not in drawn.as_json()
    assert json.loads(drawn.as_json())["nodes"][1]["name"] == "</script><b>"


LINK = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "reader"}],
    "buckets": [
        {"account": "account2", "new_prefix": "reports-", "key": "new"},
        {"account": "account2", "existing": "their.bucket", "policy": "merge"},
    ],
    "access": {"level": "read-only"},
}


@pytest.mark.cost("synthesized")
def test_a_declared_link_is_drawn_with_what_is_not_seen_of_it() -> None:
    stack = Stack("link", Path("cdk.tf.json"), synthesized(LINK), digest="")
    reader = "role reader (account1)"
    drawn = graph(declared([stack]))
    assert told(drawn) == [
        ("service ec2.amazonaws.com (account1)", reader, "stays", "AssumeRole"),
        (reader, "bucket reports-… (account2)", "stays", "read-only"),
        (reader, "bucket their.bucket (account2)", "stays", "read-only"),
        (reader, "key of reports-… (account2)", "stays", "Decrypt"),
    ]
    missing = {edge.missing.what: edge.missing.known for edge in drawn.edges if edge.missing}
    assert missing == {"bucket policy": False}
    assert "their.bucket" in drawn.edges[2].target


@pytest.mark.cost("synthesized")
def test_a_plan_tells_what_stays_beside_what_appears() -> None:
    source = synthesized(LINK)
    after = declared_blocks(source)
    before = [block for block in after if not block["address"].startswith("aws_s3_bucket_policy")]
    plan = {
        "prior_state": {"values": {"root_module": {"resources": before}}},
        "planned_values": {"root_module": {"resources": after}},
    }
    summary = summarize("link", plan, source, aliases_of(source))
    assert {row.target for row in summary.appears} == {"bucket reports-…"}
    whole = declared([Stack("link", Path("cdk.tf.json"), source, digest="")])[0].stays
    assert sorted([*summary.stays, *summary.appears]) == whole
    states = {edge.target.partition(" in ")[0]: edge.state for edge in graph([summary]).edges}
    assert states["bucket reports-…"] == "appears"
    assert states["bucket their.bucket"] == "stays"


@pytest.mark.cost("synthesized")
def test_each_kind_of_consumer_is_a_node_of_its_own() -> None:
    consumers = [
        {"account": "account1", "existing_user": "backup"},
        {"account": "account1", "permission_set": "Analyst"},
        {"organization_path": "o-a1b2c3d4e5/r-ab12/*"},
    ]
    link = {
        "pattern": "direct-access",
        "consumers": consumers,
        "buckets": [{"account": "account2", "new_prefix": "reports-"}],
        "access": {"level": "read-only"},
    }
    content = synthesized(link)
    (summary,) = declared([Stack("link", Path("unused"), content=content, digest="unused")])
    assert not any(access.public for access in summary.stays)
    drawn = graph([summary])
    found = {source: labels for source, _, _, *labels in told(drawn)}
    assert found == {
        "user backup (account1)": ["read-only"],
        "other permission set Analyst (account1)": ["read-only"],
        "other everyone in o-a1b2c3d4e5/r-ab12/* ()": ["read-only"],
    }
    names = {node.id: node.name for node in drawn.nodes}
    unseen = {names[e.source]: e.missing.what for e in drawn.edges if e.missing}
    assert unseen == {"permission set Analyst": "identity policy"}


@pytest.mark.cost("synthesized")
def test_what_is_reached_through_an_access_point_alone_is_drawn_so() -> None:
    """An arrow to the bucket would be open, and a request by the bucket's name is refused."""
    link = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [
            {
                "account": "account2",
                "existing": "reports",
                "policy": "create",
                "access_points": [{"account": "account1", "name": "theirs"}],
            }
        ],
        "access": {"level": "read-only"},
    }
    stack = Stack("link", Path("unused"), content=synthesized(link), digest="")
    drawn = graph(declared([stack]))
    reader, point = "role reader (account1)", "access point theirs of bucket reports (account1)"
    assert [edge for edge in told(drawn) if edge[0] == reader] == [
        (reader, f"other {point}", "stays", "read-only")
    ]
    (edge,) = (edge for edge in drawn.edges if "access point" in edge.target)
    halves = {half.what for grant in edge.grants for half in grant.halves}
    assert halves == {"bucket policy", "identity policy"}
