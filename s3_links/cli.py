"""The command ``s3-links``: what its commands do is in :mod:`s3_links.operations`.

Nothing heavy is imported before a command needs it: ``s3-links app`` runs at each synthesis.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .declarations.files import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from s3_links.operations.stack import Stack
    from s3_links.operations.summary import Summary

ERROR, REFUSED = 1, 2
"""Exit codes: something is wrong; a gate refuses. 0 is all well."""

app = typer.Typer(
    name="s3-links",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Give workloads in one AWS account access to S3 buckets in another: both halves of "
    "every permission, from one declaration.",
    epilog="Exit codes: 0 all well, 1 an error, 2 refused, 3 (explain) cannot be decided.",
)
state_app = typer.Typer(no_args_is_help=True, help="Move a state, or remove the lock on one.")
app.add_typer(state_app, name="state")


def main() -> None:
    """Run a command, and exit with its code: also a wrong command line is an error, so 1."""
    try:
        code = app(prog_name="s3-links", standalone_mode=False)
    except typer.Abort:
        code = ERROR
    except Exception as error:
        show = getattr(error, "show", None)  # what Typer raises for a wrong command line
        if show is None:
            raise
        show()
        code = ERROR
    sys.exit(code or 0)


def _command(
    name: str | None = None, group: typer.Typer = app
) -> Callable[[Callable[..., int | None]], Any]:
    """Make a function a command whose errors are told in plain lines."""

    def decorate(function: Callable[..., int | None]) -> Any:
        @group.command(name)
        @functools.wraps(function)
        def command(*arguments: Any, **options: Any) -> int | None:
            from .declarations.errors import ConfigurationError
            from .failures import told
            from .operations.interruption import Interrupted, catch
            from .operations.stack import OperationError

            catch()
            try:
                return function(*arguments, **options)
            except (ConfigurationError, OperationError) as error:
                typer.echo(error, err=True)
            except Interrupted as error:
                typer.echo(error, err=True)
                return error.code
            except OSError as error:
                if (lines := told(error)) is None:
                    raise
                typer.echo(lines, err=True)
            return ERROR

        return command

    return decorate


def _completed() -> list[str]:
    """Complete names from what was synthesized last."""
    from .operations.stack import OperationError, declared

    try:
        return list(declared())
    except OperationError:
        return []


def _gates(names: list[str] | None) -> list[str]:
    from .operations.summary import GATES

    if unknown := [name for name in names or () if name not in GATES]:
        raise typer.BadParameter(
            f"there is no {', '.join(unknown)}: choose from {', '.join(GATES)}"
        )
    return names or []


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="LINK",
        help="Names of links, or of the stacks beside them; without any: every link.",
        autocompletion=_completed,
    ),
]
Name = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="LINK", help="Its name, where there are several.", autocompletion=_completed
    ),
]
Gates = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GATE",
        callback=_gates,
        help="Exit with 2 if: anything changes, something is deleted or replaced (destroys), "
        "access appears, everyone gets access (public). Can be repeated.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("s3-links"))
        raise typer.Exit


@app.callback()
def options(
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", envvar=VARIABLE, help="The links file, if not links.json."),
    ] = None,
    version: Annotated[  # noqa: ARG001 (its callback does it)
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """Take what holds for every command."""
    if file is not None:  # in the environment, for the app that cdktf starts
        os.environ[VARIABLE] = str(file)


@app.command(name="app", hidden=True)
def cdktf_app() -> None:
    """Synthesize every link: what cdktf.json names as the app."""
    from .app import main

    main()


@_command()
def init(
    account: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ALIAS=ID:REGION[:PROFILE]",
            help="Twice: the role's account, then the bucket's. The profile is the alias unless "
            "given.",
        ),
    ] = None,
    role: Annotated[str, typer.Option(metavar="NAME", help="The new role to give access.")] = "",
    service: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The AWS service that works as it, such as lambda or ecs-tasks; ec2 unless given.",
        ),
    ] = "",
    existing_role: Annotated[
        str, typer.Option(metavar="NAME", help="A role that exists instead, or its ARN.")
    ] = "",
    bucket_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="What a new bucket's name begins with.")
    ] = "",
    bucket: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="A bucket that exists instead: you get the statements for its policy.",
        ),
    ] = "",
    level: Annotated[
        str, typer.Option(metavar="LEVEL", help="What is granted.", show_default=True)
    ] = "read-only",
    link: Annotated[str, typer.Option(metavar="NAME", help="The link's name.")] = "reports",
    pipeline: Annotated[
        Literal["github", "gitlab"] | None,
        typer.Option(help="Write its workflow as well; then these two are needed."),
    ] = None,
    repository: Annotated[
        str, typer.Option(metavar="OWNER/NAME", help="The repository of the pipeline.")
    ] = "",
    state_bucket: Annotated[
        str, typer.Option(metavar="NAME", help="The bucket to create for the state.")
    ] = "",
) -> None:
    """Begin a folder: write links.json and what it needs.

    Asks for what is not given, where a terminal is. Nothing that exists is overwritten.
    """
    from .operations import beginning

    asked = _Asked()
    accounts = list(account or ())
    for whose in ("role", "bucket")[len(accounts) :]:
        accounts.append(asked(f"The {whose}'s account, ALIAS=ID:REGION[:PROFILE]", "--account"))
    if not existing_role:
        role = role or asked("The name of the new role", _ROLE)
    if not bucket:
        bucket_prefix = bucket_prefix or asked("What the new bucket's name begins with", _BUCKET)
    if pipeline:
        repository = repository or asked("The repository, OWNER/NAME", "--repository")
        state_bucket = state_bucket or asked("The bucket to create for the state", "--state-bucket")
    asked.stop()
    content = beginning.declaration(
        accounts,
        link=link,
        consumer=beginning.consumer(role, existing_role, service),
        bucket={"existing": bucket, "policy": "merge"} if bucket else {"new_prefix": bucket_prefix},
        level=level,
        pipeline=beginning.Pipeline(pipeline, repository, state_bucket) if pipeline else None,
    )
    typer.echo(f"Written: {', '.join(map(str, beginning.begin(content)))}")


_ROLE = "--role (or --existing-role)"
_BUCKET = "--bucket-prefix (or --bucket)"


class _Asked:
    """Asks for what no option gave; without a terminal, remembers which options are missing."""

    def __init__(self) -> None:
        self._missing: list[str] = []

    def __call__(self, question: str, option: str) -> str:
        if sys.stdin.isatty():
            return str(typer.prompt(question))
        self._missing.append(option)
        return ""

    def stop(self) -> None:
        """Raise an error with all that is missing."""
        from .operations.stack import OperationError

        if self._missing:
            raise OperationError(f"give {', '.join(dict.fromkeys(self._missing))} as well")


@_command()
def synth(links: Names = None) -> None:
    """Write the Terraform JSON of each link below cdktf.out/stacks."""
    for stack in _stacks(links):
        typer.echo(f"{stack.name}: {os.path.relpath(stack.file)}")


@_command()
def check(links: Names = None, as_json: AsJson = False) -> int:
    """Show the account of each alias, and what exists."""
    from .operations import check

    stacks = _stacks(links)
    if not as_json:
        check.check(stacks)
        return 0
    found = check.look(stacks)
    typer.echo(found.as_json(), nl=False)
    return ERROR if found.problems else 0


@_command("try")
def try_(
    links: Names = None,
    halves: Annotated[
        bool, typer.Option("--halves", help="Remove each half by itself, and show what is left.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Then give a shell in which the AWS CLI acts as each role."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Deploy into emulated accounts, and show who reaches what.

    Needs no AWS account. What is to exist already is stood in for, and nothing is left behind.
    """
    from .sandbox import trying

    options = {"halves": halves, "keep": keep, "as_json": as_json}
    if not links and trying.has_reference():
        return 0 if trying.try_reference(**options) else REFUSED
    return 0 if trying.try_links(links or [], **options) else REFUSED


@_command()
def explain(
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="A role's or user's name or ARN, or the session's of `aws sts "
            "get-caller-identity`.",
        ),
    ] = "",
    where: Annotated[
        str,
        typer.Argument(
            metavar="WHERE",
            help="s3://BUCKET/KEY, a bucket's name or declared prefix, or an ARN.",
        ),
    ] = "",
    action: Annotated[
        list[str] | None,
        typer.Option(metavar="ACTION", help="What is asked for. Can be repeated."),
    ] = None,
    pasted: Annotated[
        str, typer.Option("--from", metavar="MESSAGE", help="An error message, as it came.")
    ] = "",
    context: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="What is known of the request, such as aws:SourceIp=203.0.113.7. Can be repeated.",
        ),
    ] = None,
    endpoint: Annotated[
        str, typer.Option(metavar="ID", help="The VPC endpoint that the request goes through.")
    ] = "",
    as_json: AsJson = False,
) -> int:
    """Say why access is refused, or that it is not.

    Reads what is really there in both accounts, and changes nothing. Exits with 0 if it is allowed,
    2 if it is refused, 3 if that cannot be decided.
    """
    from .operations.explain.explain import explain
    from .operations.explain.pasted import read
    from .operations.explain.question import Question, read_context

    question = Question(
        who=who,
        where=where,
        actions=action or (),
        pasted=read(pasted) if pasted else None,
        context=read_context(context or ()),
        endpoint=endpoint or None,
    )
    stacks = _stacks(None)
    with _working("Reading"):
        answer, labels = explain(stacks, question)
    typer.echo(answer.as_json() if as_json else "\n".join(answer.lines(labels)), nl=not as_json)
    return answer.exit_code


@_command()
def prove(links: Names = None, as_json: AsJson = False) -> int:
    """Prove, without AWS, that each link lets what it declares.

    And nobody else: exits with 2 where that cannot be proved, and names the statement.
    """
    from .declarations import read_links
    from .operations import prove

    found = prove.proofs(_stacks(links), read_links.declared(), named=bool(links))
    typer.echo(prove.as_json(found) if as_json else prove.as_text(found))
    return 0 if all(proof.proved for proof in found) else REFUSED


@_command("who-can")
def who_can(
    bucket: Annotated[
        str, typer.Argument(metavar="BUCKET[/KEY]", help="Its declared name or prefix.")
    ],
    action: Annotated[
        list[str] | None,
        typer.Option(metavar="ACTION", help="Only this action. Can be repeated."),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Of everybody in the accounts themselves, which are only read."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say who can reach a bucket, by what is declared."""
    from .declarations import read_links
    from .operations import who_can, who_can_live
    from .operations.stack import OperationError

    links = read_links.declared()
    if links is None:
        raise OperationError("there is no links file here, which would declare buckets")
    stacks = _stacks(None)
    if live:
        answer = who_can_live.who_can_live(stacks, bucket, action or ())
    else:
        answer = who_can.who_can(stacks, links, bucket, action or ())
    if as_json:
        typer.echo(answer.as_json(), nl=False)
        return
    _table(("Who", "may", "only if", "by"), list(answer.cells()), f"Nobody: {answer.asked}")
    for note in answer.notes:
        typer.echo(f"note: {note}")


@_command()
def plan(
    links: Names = None,
    refuse: Gates = None,
    as_json: AsJson = False,
    summary_only: Annotated[
        bool, typer.Option("--summary-only", help="Leave no plans to apply.")
    ] = False,
    note: Annotated[str, typer.Option(help="A line above the summary.")] = "",
    skip_synth: Annotated[
        bool, typer.Option("--skip-synth", help="Take what is synthesized as it is.")
    ] = False,
) -> int:
    """Plan, and say which access appears and disappears.

    The folder plans then holds what apply takes, and the summary.
    """
    stacks = _synthesized(links) if skip_synth else _stacks(links)
    return _planned(stacks, refuse or [], as_json=as_json, summary_only=summary_only, note=note)


@_command()
def drift(links: Names = None, as_json: AsJson = False) -> int:
    """Plan, and exit with 2 when anything has changed."""
    return _planned(_stacks(links), ["changes"], as_json=as_json)


def _planned(
    stacks: Sequence[Stack], gates: Sequence[str], *, as_json: bool, **options: Any
) -> int:
    from .operations import plan
    from .operations.check import check

    check(stacks, quiet=as_json)
    with _working("Planning") as status:
        summaries = plan.plan(stacks, gates, progress=status.update, **options)
    _show((plan.PLANS / f"summary.{'json' if as_json else 'md'}").read_text(encoding="utf-8"))
    return _refused(summaries, gates)


def _refused(summaries: Sequence[Summary], gates: Sequence[str]) -> int:
    from .operations.summary import GATES

    refused = [f"{s.stack}: {GATES[gate]}" for s in summaries for gate in s.refused(gates)]
    if refused:
        typer.echo("\n  ".join(["Refused:", *refused]), err=True)
    return REFUSED if refused else 0


@_command()
def apply(links: Names = None) -> None:
    """Apply exactly the plans that passed their gates."""
    from .operations import apply
    from .operations.check import check

    _synthesize()
    stacks = apply.applicable(links or ())
    check(stacks)
    with _working("Applying") as status:
        names = apply.apply(stacks, status.update)
    typer.echo(f"Applied: {', '.join(names)}")


@_command()
def deploy(links: Name = None, yes: Yes = False) -> None:
    """Plan a link, show what changes, ask, and apply it.

    Of several, each comes after those that make the roles and buckets that it names.
    """
    from .operations.order import in_order

    for stack in in_order(_stacks(links)) if links else [_one(links)]:
        _deploy(stack, yes=yes)


def _deploy(stack: Stack, *, yes: bool) -> None:
    from .operations import apply, plan
    from .operations.check import check
    from .operations.stack import OperationError
    from .operations.state import outputs

    check([stack])
    with _working("Planning"):
        (summary,) = plan.plan([stack])
    shown = (plan.PLANS / "summary.json").read_bytes()
    _show((plan.PLANS / "summary.md").read_text(encoding="utf-8"))
    _ask("deploy", yes=yes)
    if (plan.PLANS / "summary.json").read_bytes() != shown:
        raise OperationError(f"{summary.stack}: was planned anew meanwhile: run this again")
    with _working("Applying"):
        apply.apply([stack])
    for name, value in outputs(stack).items():
        typer.echo(f"{name} = {value}")


@_command()
def diff(links: Names = None) -> None:
    """Show what would change, in Terraform's own words."""
    from .operations.check import check
    from .operations.terraform import initialize, terraform

    stacks = _stacks(links)
    check(stacks)
    for stack in stacks:
        with _working(f"Planning {stack.name}"):
            initialize(stack)
            said = terraform(stack, "plan", "-lock=false")
        typer.echo(f"{stack.name}:\n{said}")


@_command()
def destroy(link: Name = None, yes: Yes = False) -> None:
    """Destroy one link, also one that is no longer declared."""
    from .operations import destroy
    from .operations.check import check
    from .operations.stack import declared
    from .operations.undeclared import undeclared

    def agreed(show: Callable[[str], None]) -> Callable[[str], None]:
        def ask(text: str) -> None:
            show(text)
            _ask("destroy", yes=yes)

        return ask

    _synthesize()
    gone = undeclared(declared().values())
    if link and len(link) == 1 and link[0] in gone:
        destroy.destroy_undeclared(gone[link[0]], agreed(typer.echo))
        return
    stack = _only(_synthesized(link))
    check([stack])
    destroy.destroy(stack, agreed(_show))


@_command()
def handover(
    links: Names = None,
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Write the files below it.")
    ] = Path("handover"),
    deployed: Annotated[
        bool,
        typer.Option(
            "--deployed", help="With the names that the deployed links have got: none to fill in."
        ),
    ] = False,
) -> None:
    """Write what the owners of foreign accounts have to write.

    For each link and account: policies as JSON, the same as Terraform, and what to do with them.
    """
    from .operations import handover

    for found in handover.of_stacks(_stacks(links), named=bool(links), deployed=deployed):
        files = handover.save(found, to)
        names = ", ".join(found.fill_in)
        typer.echo(f"{found.link}, for {found.alias} ({found.account}): {files[0].parent}")
        typer.echo(f"  {', '.join(file.name for file in files)}")
        if names:
            typer.echo(f"  to fill in, or with --deployed once it is deployed: {names}")


@_command()
def credentials(
    role: Annotated[Literal["plan", "deploy"], typer.Option(help="Which of the two roles.")],
) -> None:
    """In a pipeline: write the profiles of its role.

    Each account's profile gets a session of the role in that account.
    """
    from .declarations.pipeline import STACK
    from .operations import oidc

    (stack,) = _stacks([STACK])
    for profile, arn in oidc.write_credentials(stack, role).items():
        typer.echo(f"{profile}: {arn}")


@_command()
def report() -> None:
    """In a pipeline: show its reviewers the summary."""
    from .operations.report import report

    typer.echo(f"The summary is in {' and '.join(report()) or 'plans/summary.md'}")


@_command()
def schema() -> None:
    """Print the JSON schema of a links file."""
    from .declarations.links import schema

    typer.echo(schema(), nl=False)


@_command()
def summarize(
    plan: Annotated[Path, typer.Argument(help="A plan as `terraform show -json` prints it.")],
    stack: Annotated[Path, typer.Option(help="The synthesized cdk.tf.json.")],
    refuse: Gates = None,
    organization: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Whose accounts are no outsiders for --refuse public, if not those of the "
            "organizations that the stack's own policies ask for. Can be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say which access a plan made elsewhere lets in."""
    from .operations.elsewhere import summarized
    from .operations.markdown import as_markdown
    from .operations.summary import as_json as told

    gates = refuse or []
    summary = summarized(plan, stack, organization or ())
    _show(told([summary], gates, None) if as_json else as_markdown([summary]))
    return _refused([summary], gates)


@_command("map")
def map_(
    links: Names = None,
    plans: Annotated[
        bool,
        typer.Option(
            "--plan", help="Of the plans in the folder plans: what appears and what disappears."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write it there; .html, .svg or .mmd says the format.",
        ),
    ] = None,
    format_: Annotated[
        Literal["mermaid", "svg", "html"] | None, typer.Option("--format", help="What to draw.")
    ] = None,
) -> None:
    """Draw who reaches what: as Mermaid, SVG, or a page of its own."""
    from .operations import mapped
    from .operations.graphs import graph
    from .operations.plan import PLANS

    if plans:
        summaries = mapped.planned(PLANS / "summary.json", links or ())
    else:
        summaries = mapped.declared(_stacks(links))
    found, form = graph(summaries), format_ or mapped.format_of(output)
    if beyond := mapped.beyond(found, form):
        typer.echo(beyond, err=True)
    drawn = mapped.draw(found, form)
    if output is None:
        typer.echo(drawn, nl=False)
    else:
        mapped.save(output, drawn)
        typer.echo(f"Written: {output}")


@_command(group=state_app)
def move(links: Names) -> None:
    """Move a state to where it is declared now.

    It comes from where the last run of this folder kept it.
    """
    from .operations import state

    for stack in _stacks(links):
        typer.echo(f"{stack.name}: the state is moved from {state.move(stack)}")


@_command(group=state_app)
def unlock(
    link: Annotated[str, typer.Argument(help="The link's name.", autocompletion=_completed)],
    lock: Annotated[str, typer.Option("--id", help="The lock's id, as `check` shows it.")],
) -> None:
    """Remove the lock that a killed run left."""
    from .operations import state

    (stack,) = _stacks([link])
    state.unlock(stack, lock)
    typer.echo(f"{link}: unlocked")


def _synthesize() -> None:
    from .operations import environment, synthesis
    from .operations.stack import OperationError

    if changed := environment.problems():
        raise OperationError("\n".join(changed))
    with _working("Synthesizing"):
        synthesis.synthesize()


def _stacks(names: Sequence[str] | None) -> list[Stack]:
    """Synthesize, and return the stacks with these names."""
    _synthesize()
    return _synthesized(names)


def _synthesized(names: Sequence[str] | None) -> list[Stack]:
    from .operations.stack import synthesized

    return synthesized(names or ())


def _one(names: Sequence[str] | None) -> Stack:
    return _only(_stacks(names))


def _only(stacks: Sequence[Stack]) -> Stack:
    from .operations.stack import OperationError

    if len(stacks) > 1:
        raise OperationError(f"name one stack: there are {', '.join(s.name for s in stacks)}")
    return stacks[0]


def _ask(verb: str, *, yes: bool) -> None:
    """Raise an error unless somebody agrees; nobody is asked where there is no terminal."""
    from .operations.stack import OperationError

    if yes:
        return
    if not sys.stdin.isatty():
        raise OperationError(
            f"Nothing was {verb}ed. Nobody can be asked here: with --yes you agree beforehand."
        )
    if typer.prompt(f"{verb.capitalize()} this? Only yes is taken") != "yes":
        raise OperationError(f"Nothing was {verb}ed.")


def _working(what: str) -> Any:
    """Show on a terminal that something goes on."""
    from rich.console import Console

    return Console(stderr=True).status(f"{what} ...")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print a table, as wide as the terminal or 80 columns; or that there is nothing."""
    from rich.console import Console
    from rich.text import Text

    from .operations.terminal import table

    if rows:
        Console().print(table(headings, [list(map(Text, row)) for row in rows]))
    else:
        typer.echo(empty)


def _show(text: str) -> None:
    """Print Markdown, set on a terminal, or JSON."""
    if sys.stdout.isatty() and not text.startswith("{"):
        from .operations.terminal import show

        show(text)
    else:
        typer.echo(text, nl=False)
