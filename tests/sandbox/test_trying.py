"""``s3-links try``: the declared links in emulated accounts, and who reaches what there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from rich.console import Console

from s3_links.operations.order import in_order
from s3_links.operations.stack import OperationError, Stack
from s3_links.sandbox import installation, trying
from s3_links.sandbox.access import VERBS, Cell
from s3_links.sandbox.halves import Half
from s3_links.sandbox.promises import Answers
from tests.conftest import PROJECT
from tests.support.links import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Terraform

BUCKET = {"account": "account2", "new_prefix": "reports-"}
ACCOUNTS = accounts() | {"partner": {"account_id": "444444444444", "foreign": True}}
LINKS: dict[str, Any] = {
    "direct": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "reader"},
            {"account": "account1", "existing_role": "caller"},  # which the next link makes
        ],
        "buckets": [
            BUCKET | {"key": "new"},
            {"account": "account2", "existing": "old-reports", "policy": "merge"},
        ],
        "access": {"level": "read-only", "prefixes": ["out/"], "tls_only": True},
    },
    "assumed": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "caller"}],
        "buckets": [BUCKET, {"account": "account1", "new_prefix": "own-"}],
        "assumed_role": {"account": "account2", "name": "worker", "external_id": "link-7f3a"},
    },
    "granted": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "etl"},
            {"account": "account1", "new_role": "looker"},
        ],
        "buckets": [BUCKET, {"account": "account2", "new_prefix": "other-"}],
        "grants": [
            {"consumers": ["etl"], "access": {"level": "read-only", "prefixes": ["in/"]}},
            {
                "consumers": ["etl"],
                "buckets": ["reports-"],
                "access": {"level": "write-only", "prefixes": ["out/"]},
            },
            {"consumers": ["looker"], "buckets": ["other-"], "access": {"level": "read-only"}},
        ],
    },
    "chained": {
        "pattern": "assume-role",
        "consumers": [
            {
                "account": "account1",
                "new_role": "cluster",
                "trusted_service": "redshift.amazonaws.com",
            },
        ],
        "buckets": [{"account": "account2", "new_prefix": "lake-"}],
        "access": {"level": "glue-target"},
        "assumed_role": {
            "account": "account1",
            "name": "loader",
            "through": [{"account": "account2", "name": "gateway"}],
        },
    },
    "organization": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "member"}],
        "buckets": [BUCKET],
        "access": {"level": "read-only", "organization_id": "o-a1b2c3d4e5"},
    },
    "kinds": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "existing_user": "arn:aws:iam::111111111111:user/x/backup"},
            {"account": "account1", "existing_role": "arn:aws:iam::111111111111:role/x/web"},
            {"account": "account1", "permission_set": "Analyst"},
            {
                "account": "account1",
                "new_role": "pod",
                "path": "/pods/",
                "trusted_pod": {
                    "oidc_issuer": "https://oidc.eks.ap-northeast-1.amazonaws.com/id/0123ABCD",
                    "namespace": "reports",
                    "service_account": "reader",
                },
            },
        ],
        "buckets": [BUCKET],
        "access": {"level": "read-only"},
    },
    "many": {
        "pattern": "assume-role",
        "consumers": [
            {"account": "account1", "whole_account": True},
            {"organization_id": "o-a1b2c3d4e5"},
        ],
        "buckets": [BUCKET],
        "access": {"level": "read-only"},
        "assumed_role": {"account": "account2", "name": "for-many"},
    },
    "workloads": {
        "pattern": "assume-role",
        "consumers": [
            {
                "account": "account1",
                "new_role": "tagged-pod",
                "trusted_pod": {
                    "cluster": "production",
                    "namespace": "reports",
                    "service_account": "reader",
                },
            },
            {
                "account": "account1",
                "new_role": "workspace",
                "trusted_issuer": {
                    "issuer": "https://app.terraform.io",
                    "audience": "aws.workload.identity",
                    "subject": "organization:acme:project:reports:*",
                },
            },
        ],
        "buckets": [BUCKET],
        "access": {"level": "read-only"},
        "assumed_role": {"account": "account2", "name": "for-workloads"},
    },
    "their-role": {
        "pattern": "direct-access",
        "consumers": [{"account": "partner", "existing_role": "etl"}],
        "buckets": [BUCKET],
        "access": {"level": "read-only"},
    },
    "their-assumed-role": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "guest"}],
        "buckets": [{"account": "partner", "existing": "theirs", "policy": "merge"}, BUCKET],
        "assumed_role": {"account": "partner", "name": "for-us", "external_id": "link-7f3a"},
    },
    "copied": {
        "pattern": "replication",
        "source": {"account": "account1", "new_prefix": "from-"},
        "destination": {"account": "account2", "new_prefix": "to-"},
        "role_name": "copier",
        "rules": [{"prefix": "a/", "tags": {"share": "yes"}}],
    },
    "trails": {
        "pattern": "service-delivery",
        "service": "cloudtrail",
        "from": ["account1"],
        "trail": "audit",
        "bucket": {"account": "account2", "new_prefix": "trails-", "key": "new"},
    },
    "logs": {
        "pattern": "service-delivery",
        "service": "vpc-flow-logs",
        "from": ["account1"],
        "bucket": {"account": "account2", "existing": "old-logs", "policy": "merge"},
    },
}


@contextlib.contextmanager
def command(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``try`` in a folder with the links; nothing is left in that for temporary files."""
    declared = {"accounts": ACCOUNTS, "links": LINKS}
    (folder / "links.json").write_text(json.dumps(declared))
    # Terraform's plugins listen on sockets below it, whose paths must be short.
    with tempfile.TemporaryDirectory() as temporary:
        with _started(folder, temporary, *arguments) as process:
            try:
                yield process
            finally:
                process.kill()
        assert list(Path(temporary).iterdir()) == []


def _started(folder: Path, temporary: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "s3_links", "try", *arguments],
        cwd=folder,
        env=os.environ | {"TMPDIR": temporary},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def tried(
    terraform: Terraform,  # noqa: ARG001 (skips where it cannot be had)
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What ``try`` finds of the links, each half removed too."""
    folder = tmp_path_factory.mktemp("try")
    with command(folder, "--halves", "--json") as process:
        said, failed = process.communicate()
    assert process.returncode == 0, failed
    assert [path.name for path in folder.iterdir()] == ["links.json"]
    found: dict[str, Any] = json.loads(said)
    return found


def let_in(tried: dict[str, Any], link: str, who: str, target: str) -> set[str]:
    return {
        cell["what"]
        for cell in tried[link]["cells"]
        if (cell["principal"], cell["target"]) == (who, target) and cell["found"]
    }


@pytest.mark.parametrize(
    ("link", "who", "target", "verbs"),
    [
        ("direct", "reader", "reports-", {"list", "get"}),
        ("direct", "reader", "old-reports", {"list", "get"}),
        ("direct", "caller", "reports-", {"list", "get"}),
        ("assumed", "worker, by caller", "reports-", {"list", "get", "put", "multipart"}),
        ("assumed", "worker, by caller", "own-", {"list", "get", "put", "multipart"}),
        ("assumed", "caller", "worker", {"assume"}),
        ("chained", "loader, by cluster", "lake-", {"list", "put", "multipart", "delete"}),
        ("chained", "cluster, not assuming", "lake-", set()),
        ("chained", "cluster", "loader", {"assume"}),
        ("chained", "cluster, not through gateway", "loader", set()),
        ("chained", "another role (account2)", "loader", set()),
        ("chained", "another role (account1)", "gateway", set()),
        ("copied", "copier", "to-", {"arrives"}),
        ("granted", "etl, in in/", "reports-", {"list", "get"}),
        ("granted", "etl, in out/", "reports-", {"put", "multipart"}),
        ("granted", "etl, outside these", "reports-", set()),
        ("granted", "etl", "other-", {"list", "get"}),
        ("granted", "etl, outside in/", "other-", set()),
        ("granted", "looker", "reports-", set()),
        ("granted", "looker", "other-", {"list", "get"}),
        ("direct", "reader, outside out/", "reports-", set()),
        ("direct", "reader, no TLS", "reports-", set()),
        ("direct", "another role (account1)", "reports-", set()),
        ("direct", "root user (account1)", "old-reports", set()),
        ("assumed", "caller, not assuming", "reports-", set()),
        ("assumed", "caller, no external id", "worker", set()),
        ("assumed", "another role (account1)", "worker", set()),
        ("organization", "another role (account1)", "reports-", set()),
        ("trails", "another role (account1)", "trails-", set()),
        ("trails", "root user (account1)", "trails-", set()),
        ("logs", "another role (account1)", "old-logs", set()),
        ("kinds", "backup", "reports-", {"list", "get"}),
        ("kinds", "web", "reports-", {"list", "get"}),
        ("kinds", "Analyst", "reports-", {"list", "get"}),
        ("kinds", "pod", "reports-", {"list", "get"}),
        ("kinds", "another user (account1)", "reports-", set()),
        ("kinds", "permission set Analyst_Other", "reports-", set()),
        ("kinds", "another service account", "pod", set()),
        ("their-role", "etl", "reports-", {"list", "get"}),
        ("their-role", "another role (partner)", "reports-", set()),
        (
            "their-assumed-role",
            "for-us, by guest",
            "theirs",
            {"list", "get", "put", "multipart"},
        ),
        (
            "their-assumed-role",
            "for-us, by guest",
            "reports-",
            {"list", "get", "put", "multipart"},
        ),
        ("their-assumed-role", "guest, no external id", "for-us", set()),
        ("many", "for-many, by whole-account", "reports-", {"list", "get"}),
        ("workloads", "for-workloads, by tagged-pod", "reports-", {"list", "get"}),
        ("workloads", "for-workloads, by workspace", "reports-", {"list", "get"}),
        ("many", "whole-account, not assuming", "reports-", set()),
        ("many", "a role of another account", "for-many", set()),
        ("workloads", "another service account", "tagged-pod", set()),
        ("workloads", "another subject", "workspace", set()),
    ],
)
def test_who_reaches_what(
    link: str, who: str, target: str, verbs: set[str], tried: dict[str, Any]
) -> None:
    assert who in {cell["principal"] for cell in tried[link]["cells"]}
    assert let_in(tried, link, who, target) == verbs


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("direct", "reader may kms:Decrypt on the key of reports- only if kms:Encryption"),
        ("organization", "member may s3:GetObject on reports- only if aws:PrincipalOrgID is o-a1"),
        (
            "trails",
            "cloudtrail.amazonaws.com may s3:PutObject on trails-/AWSLogs/111111111111/* only if "
            "aws:SourceArn is arn:aws:cloudtrail:ap-northeast-1:111111111111:trail/audit",
        ),
        ("trails", "cloudtrail.amazonaws.com may kms:Decrypt on the key of trails- only if aws:So"),
        ("logs", "delivery.logs.amazonaws.com may s3:ListBucket on old-logs only if aws:Source"),
        ("many", "o-a1b2c3d4e5 may sts:AssumeRole on for-many only if aws:PrincipalOrgID is o-a1"),
    ],
)
def test_what_the_emulator_cannot_judge_is_told_by_the_documents(
    link: str, text: str, tried: dict[str, Any]
) -> None:
    assert any(told.startswith(text) for told in tried[link]["by_documents"])


def test_without_any_half_nothing_is_left(tried: dict[str, Any]) -> None:
    halves = {name: {h["what"] for h in found["halves"]} for name, found in tried.items()}
    assert halves == {
        "direct": {
            "the bucket policy of reports-",
            "the bucket policy of old-reports",
            "the identity policies of reader",
            "the identity policies of caller",
        },
        "assumed": {
            "the bucket policy of own-",
            "the identity policies of worker",
            "the identity policies of caller",
            "the trust policy of worker",
        },
        "chained": {
            "the bucket policy of lake-",
            "the identity policies of cluster",
            "the identity policies of gateway",
            "the identity policies of loader",
            "the trust policy of gateway",
            "the trust policy of loader",
        },
        "granted": {
            "the bucket policy of reports-",
            "the bucket policy of other-",
            "the identity policies of etl",
            "the identity policies of looker",
        },
        "organization": set(),
        "kinds": {
            "the bucket policy of reports-",
            *(f"the identity policies of {who}" for who in ("backup", "web", "Analyst", "pod")),
        },
        "many": {
            "the identity policies of for-many",
            "the identity policies of whole-account",
            "the trust policy of for-many",
        },
        "workloads": {
            *(
                f"the identity policies of {who}"
                for who in ("for-workloads", "tagged-pod", "workspace")
            ),
            "the trust policy of for-workloads",
        },
        "their-role": {"the bucket policy of reports-", "the identity policies of etl"},
        "their-assumed-role": {
            "the bucket policy of reports-",
            "the identity policies of for-us",
            "the trust policy of for-us",
            "the identity policies of guest",
        },
        "copied": {"the bucket policy of to-"},
        "trails": set(),
        "logs": set(),
    }
    assert not [h for found in tried.values() for h in found["halves"] if h["left"]]


@pytest.mark.usefixtures("terraform")
def test_the_roles_can_be_used_while_it_is_kept(tmp_path: Path) -> None:
    with command(tmp_path, "assumed", "--keep") as process:
        assert process.stdout
        said = ""
        while "export AWS_SHARED" not in said:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            said += line
        exported = dict(re.findall(r"^export (\w+)=(\S+)$", said, flags=re.M))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in exported.items():
                patch.setenv(name, value)
            worker = boto3.Session(profile_name="worker")
            arn = worker.client("sts").get_caller_identity()["Arn"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert arn.startswith("arn:aws:sts::222222222222:assumed-role/worker/")
    assert process.returncode == 0


def test_a_link_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OperationError, match=r"no links file here to try"):
        trying.chosen([])
    (tmp_path / "links.json").write_text(json.dumps({"accounts": ACCOUNTS, "links": LINKS}))
    with pytest.raises(OperationError, match=r"no link nothing: choose from direct, assumed"):
        trying.chosen(["nothing"])
    assert list(trying.chosen(["copied"])) == ["copied"]
    assert list(trying.chosen([])) == list(LINKS)


def test_without_a_link_the_reference_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def deploy(**options: Any) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr(trying, "deploy_reference", deploy)
    monkeypatch.chdir(tmp_path)
    assert not trying.has_reference()
    (tmp_path / "main.py").symlink_to(PROJECT / "main.py")
    assert trying.has_reference()
    assert trying.try_reference(halves=False, keep=True, as_json=False)
    assert asked == [{"keep": True}]
    with pytest.raises(OperationError, match="make test"):
        trying.try_reference(halves=True, keep=False, as_json=False)
    (tmp_path / "links.json").write_text("{}")
    assert not trying.has_reference()


def stack(name: str, *, makes: str = "", looks_up: str = "") -> Stack:
    def role(name: str) -> dict[str, Any]:
        return {"aws_iam_role": {name: {"name": name, "provider": "aws.a"}}} if name else {}

    content = {"resource": role(makes), "data": role(looks_up)}
    return Stack(name, Path(name), content, "")


def test_a_link_comes_after_the_one_that_makes_its_role() -> None:
    stacks = [stack("second", looks_up="r"), stack("first", makes="r"), stack("alone")]
    ordered = [found.name for found in in_order(stacks)]
    assert ordered.index("first") < ordered.index("second")
    assert len(ordered) == 3


def test_links_that_need_each_other_are_named() -> None:
    stacks = [stack("a", makes="r", looks_up="s"), stack("b", makes="s", looks_up="r")]
    with pytest.raises(OperationError, match=r"neither can be deployed first"):
        in_order(stacks)


def cells(found: bool) -> list[Cell]:
    return [
        Cell("a-role-of-thirty-two-characters", verb, "reports-", True, found) for verb in VERBS
    ]


def test_what_is_not_as_declared_is_said() -> None:
    half = Half("the bucket policy of reports-", "account2", ("get",))
    tried = trying.Tried(Answers(cells(found=False)[:1], wrong=["a key"]), (half,))
    assert tried.problems() == [
        "a-role-of-thirty-two-characters, list, reports-: refused",
        "a key",
        "without the bucket policy of reports-: get",
    ]


def test_where_one_half_is_enough_the_other_may_go() -> None:
    half = Half("the bucket policy of reports-", "account2", ("get",), enough=True)
    assert trying.Tried(Answers(), (half,)).problems() == []


def test_the_table_fits_80_columns() -> None:
    shown = Console(width=80, file=io.StringIO())
    shown.print(trying._table("reports-", cells(found=True)))
    assert isinstance(shown.file, io.StringIO)
    lines = shown.file.getvalue().splitlines()
    assert len(lines) == 2  # nothing is folded
    assert lines[1].count("✓") == len(VERBS)


def test_half_an_installation_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(_: str) -> str:
        return "0"

    def run(arguments: list[str]) -> None:
        if "pip" in arguments:
            raise installation.InstallationError("no network")
        Path(arguments[-1], "bin").mkdir()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("importlib.metadata.version", version)
    monkeypatch.setattr(installation, "_run", run)
    with pytest.raises(installation.InstallationError, match="no network"):
        installation.command()
    assert list((tmp_path / "s3-links").iterdir()) == []
