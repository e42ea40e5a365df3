"""The pages of the reference say what the schema and the commands' help say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

import pytest
import typer

from s3_links.cli import app
from s3_links.declarations.links import schema
from tests.conftest import PROJECT
from tools.reference import ENGLISH, JAPANESE, commands, links_file

FOLDER = PROJECT / "docs" / "reference"


LANGUAGES = {"": ENGLISH, ".ja": JAPANESE}


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_the_page_of_the_links_file_is_as_the_schema_says(suffix: str) -> None:
    text = (FOLDER / f"links-file{suffix}.md").read_text()
    assert links_file(json.loads(schema()), LANGUAGES[suffix]) == text, "run `make api`"


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_the_page_of_the_commands_is_as_their_help_says(suffix: str) -> None:
    text = (FOLDER / f"commands{suffix}.md").read_text()
    assert commands(app, LANGUAGES[suffix]) == text, "run `make api`"


def test_every_description_is_in_japanese_and_nothing_else_is() -> None:
    class Asked(dict[str, str]):
        def get(self, text: str, default: Any = None) -> Any:
            self[text] = default
            return default

    asked = Asked()
    language = replace(ENGLISH, translated=asked)
    links_file(json.loads(schema()), language)
    commands(app, language)
    assert set(asked) - set(JAPANESE.translated) == set(), "add them to tools/japanese.json"
    assert set(JAPANESE.translated) - set(asked) == set(), "take them out of tools/japanese.json"


def test_every_object_of_a_links_file_is_on_the_page() -> None:
    content = json.loads(schema())
    page = links_file(content)
    for name, entry in content["$defs"].items():
        for field in entry["properties"]:
            assert f"| `{field}` |" in page, (name, field)
    assert page.count("\n## ") == len(content["$defs"]) + 1


def test_a_field_without_a_description_is_refused() -> None:
    content: dict[str, Any] = json.loads(schema())
    del content["$defs"]["Consumer"]["properties"]["new_role"]["description"]
    del content["$defs"]["LinkAccess"]["description"]
    with pytest.raises(ValueError, match="without a description") as error:
        links_file(content)
    _, names = str(error.value).split("description: ")
    assert names == "`links.NAME.access`, `links.NAME.consumers[]`: new_role"


def test_a_command_or_an_option_without_a_help_text_is_refused() -> None:
    silent = typer.Typer(add_completion=False, help="Says.")

    @silent.command()
    def told(option: Annotated[str, typer.Option()] = "") -> None:
        """Say, but not what the option is."""

    @silent.command()
    def untold(option: Annotated[str, typer.Option(help="Says.")] = "") -> None: ...

    @silent.command(hidden=True)
    def unseen() -> None: ...

    with pytest.raises(ValueError, match="without a help text") as error:
        commands(silent)
    _, names = str(error.value).split(": ")
    assert names == "s3-links untold, s3-links told option"
