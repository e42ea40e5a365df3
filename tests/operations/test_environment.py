"""Variables that change what a plan means are refused; the others are let through."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from s3_links.operations.environment import endpoints, problems
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = [
    ("TF_WORKSPACE", "staging", "TF_WORKSPACE=staging: selects another state than the declared"),
    ("TF_DATA_DIR", "/tmp/data", "TF_DATA_DIR=/tmp/data: moves what Terraform remembers of a"),
    *(
        (name, argument, f"{name}: {argument} may change what is planned or applied: unset it")
        for name in ("TF_CLI_ARGS", "TF_CLI_ARGS_plan")
        for argument in (
            "-refresh-only",
            "--refresh-only",
            "-destroy",
            "-target=aws_s3_bucket.b",
            "-target aws_s3_bucket.b",
            "-replace=aws_s3_bucket.b",
            "-refresh=false",
            "-state=other.tfstate",
            "-state-out=other.tfstate",
            "-var=account1=other",
            "-var-file=other.tfvars",
            "-lock=false",
            "-out=elsewhere",
            "-generate-config-out=more.tf",
            "-allow-deferral",
            "'-destroy'",
            "other.tfplan",
        )
    ),
    ("TF_CLI_ARGS_apply", "-auto-approve", "TF_CLI_ARGS_apply: -auto-approve may change"),
    ("TF_CLI_ARGS_init", "-backend-config=key=x", "TF_CLI_ARGS_init: -backend-config=key=x may"),
    ("TF_CLI_ARGS_init", "-upgrade", "TF_CLI_ARGS_init: -upgrade may change"),
    ("TF_CLI_ARGS_state_pull", "x", "TF_CLI_ARGS_state_pull: x may change"),
]


@pytest.mark.parametrize(("name", "value", "problem"), REFUSED)
def test_what_changes_a_plan_is_refused(name: str, value: str, problem: str) -> None:
    (found,) = problems({name: value})
    assert found.startswith(problem)
    assert found.endswith(": unset it")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_WORKSPACE", ""),
        ("TF_DATA_DIR", ""),
        ("TF_CLI_ARGS", ""),
        ("TF_CLI_ARGS", "-no-color"),
        ("TF_CLI_ARGS", "-no-color -compact-warnings"),
        ("TF_CLI_ARGS_plan", "--no-color -parallelism=2 -lock-timeout=5m -input=false"),
        ("TF_CLI_ARGS_apply", "-parallelism=2"),
        ("TF_CLI_ARGS_init", "-plugin-dir=/opt/providers"),
        ("TF_VAR_account1", "team-a"),
        ("TF_LOG", "debug"),
        ("TF_CLI_CONFIG_FILE", "terraform.tfrc"),
    ],
)
def test_what_changes_no_plan_is_let_through(name: str, value: str) -> None:
    assert problems({name: value}) == []


def test_only_what_is_wrong_is_named() -> None:
    variables = {"TF_CLI_ARGS_plan": "-no-color -destroy -target=a", "TF_WORKSPACE": "x"}
    assert problems(variables)[1:] == [
        "TF_CLI_ARGS_plan: -destroy -target=a may change what is planned or applied: unset it"
    ]


def test_an_endpoint_is_told() -> None:
    assert endpoints(
        {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_ENDPOINT_URL": "", "AWS_PROFILE": "x"}
    ) == ["AWS_ENDPOINT_URL_S3: requests go to 127.0.0.1:1, not to AWS"]


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    "operation",
    [
        ["check"],
        ["plan"],
        ["apply"],
        ["state", "move", "x"],
        ["state", "unlock", "x", "--id=x"],
        ["credentials", "--role=plan"],
    ],
    ids=lambda words: words[0],
)
def test_every_operation_refuses_them_first(operation: list[str], tmp_path: Path) -> None:
    variables = {"TF_WORKSPACE": "x", "PYTHONPATH": f"{PROJECT}:{PROJECT / 'constructs'}"}
    result = subprocess.run(
        [sys.executable, "-m", "s3_links", *operation],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("TF_WORKSPACE=x: selects another state")
    assert list(tmp_path.iterdir()) == []
