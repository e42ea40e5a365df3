"""The summary as Markdown: what anybody may have named is shown, and nothing of it is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from s3_links.operations.access import Access
from s3_links.operations.markdown import as_markdown, code, fitted, text
from s3_links.operations.summary import Change, Summary

# GitHub and GitLab begin with CommonMark and tables, and pass HTML on to be cleaned.
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"<details><summary>Each resource</summary>", "</details>"}
HOSTILE = {
    "a|b": "a|b",
    "a\\|b": "a\\|b",
    "|": "|",
    "ends in \\": "ends in \\",
    "`x`": "`x`",
    "``` a `` b": "``` a `` b",
    "` |` \\`|": "` |` \\`|",
    " a ": " a ",
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "</details><script>": "</details><script>",
    "<!-- s3-links plan of . -->": "<!-- s3-links plan of . -->",
    "&lt;b&gt;": "&lt;b&gt;",
    "@org/team": "@org/team",
    "someone@example.com": "someone@example.com",
    "#1 GH-1 org/repo#1 !1 ~1": "#1 GH-1 org/repo#1 !1 ~1",
    "[x](javascript:alert(1))": "[x](javascript:alert(1))",
    "![x](https://example.com/x.png)": "![x](https://example.com/x.png)",
    "https://example.com www.example.com": "https://example.com www.example.com",
    "**bold** _it_ ~~gone~~ :tada: $x$": "**bold** _it_ ~~gone~~ :tada: $x$",
    "one\n\n# two\r\n---\ttab": "one\\n\\n# two\\r\\n---\\ttab",
    "\u202eright to left\u200b\u2028": "\\u202eright to left\\u200b\\u2028",
    "バケット…": "バケット…",
}
HARMLESS = "bucket policy"


def read(markdown: str) -> tuple[list[str], str]:
    """Return the code spans of a page, and all its other words."""
    spans: list[str] = []
    words: list[str] = []
    for token in PARSER.parse(markdown):
        if token.type == "html_block":
            assert token.content.strip() in OURS
        for child in token.children or []:
            assert child.type in ("text", "code_inline", "strong_open", "strong_close"), child
            (spans if child.type == "code_inline" else words).append(child.content)
    return spans, " ".join(words)


def change(address: str = "aws_s3_bucket.b", account: str = "account1") -> Change:
    return Change(
        account=account, address=address, action="create", imported=False, changed_outside=False
    )


ACCESS = Access(
    principal="role r (account1)",
    target="bucket b",
    actions=("s3:GetObject",),
    paths=("*",),
    conditions=(),
    halves=("bucket policy", "identity policy"),
    works=True,
)
TLS = replace(ACCESS, principal="everyone", conditions=("Bool TLS false",), effect="Deny")
NOTHING = Summary(stack="still", changes=[], appears=[], disappears=[], to_merge=[])


@pytest.mark.parametrize(("named", "seen"), HOSTILE.items())
def test_every_name_is_shown_literally(named: str, seen: str) -> None:
    access = Access(
        principal=named,
        target=named,
        actions=(named,),
        paths=(named,),
        conditions=(named,),
        halves=(named,),
        works=False,
    )
    summary = Summary(
        stack=named,
        changes=[change(named, account=named)],
        appears=[access],
        disappears=[replace(access, effect="Deny")],
        to_merge=[named],
    )
    page = as_markdown([summary])
    spans, words = read(page)
    in_tables = 2 * 7
    in_lists = 2 + 2 + 2
    assert spans == [seen] * (in_tables + in_lists)
    assert not set("@#<>[]&|`\\") & set(words)
    cells = [token.type for token in PARSER.parse(page)].count("td_open")
    assert cells == 2 * 6


@pytest.mark.parametrize(("named", "seen"), HOSTILE.items())
def test_a_name_beside_words_is_shown_literally(named: str, seen: str) -> None:
    for shown in (code(named), text(named)):
        assert read(f"- before {shown} after") == ([seen], "before   after")
    assert text(HARMLESS) == HARMLESS


def test_one_line_on_top_says_all() -> None:
    appearing = replace(NOTHING, stack="one", changes=[change(), change()], appears=[ACCESS])
    both = replace(NOTHING, stack="two", appears=[ACCESS], disappears=[ACCESS])
    gone = replace(change(), action="delete")
    leaving = replace(NOTHING, stack="three", changes=[gone], disappears=[ACCESS])
    page = as_markdown([appearing, NOTHING, both, leaving, NOTHING])
    assert page.splitlines()[0] == (
        "**3 of 5 stacks change: access appears in 2, disappears in 2; "
        "2 to create, 1 to delete; unchanged: 2**"
    )
    assert "still" not in page
    assert as_markdown([NOTHING] * 3) == "No changes. Unchanged: 3.\n\n"


def test_all_access_comes_before_all_details() -> None:
    stacks = [replace(NOTHING, stack=s, changes=[change()], appears=[ACCESS]) for s in ("a", "b")]
    page = as_markdown([*stacks, replace(stacks[0], stack="c", disappears=[ACCESS])])
    last_row = page.rindex("\n| `")
    assert last_row < page.index("## What changes") < page.index("aws_s3_bucket.b")


def test_what_everyone_may_is_told_first() -> None:
    public = replace(ACCESS, principal="everyone")
    service = replace(ACCESS, principal="ec2.amazonaws.com")
    page = as_markdown([replace(NOTHING, appears=[service, ACCESS, public])])
    assert [row.split(" | ")[1] for row in page.splitlines() if row.startswith("| `")] == [
        "everyone",
        "`role r (account1)`",
        "`ec2.amazonaws.com`",
    ]


def test_a_refusal_that_goes_is_told_as_access_that_appears() -> None:
    page = as_markdown([replace(NOTHING, disappears=[TLS])])
    assert "access appears in 1, disappears in 0" in page
    assert "**no longer refused:** `s3:GetObject`" in page
    page = as_markdown([replace(NOTHING, appears=[TLS])])
    assert "access appears in 0, disappears in 1" in page
    assert "**refused from now on:** `s3:GetObject`" in page


def test_a_half_that_somebody_else_writes_is_named_without_changes_too() -> None:
    page = as_markdown([replace(NOTHING, to_merge=["bucket_policy_to_merge_theirs"])])
    assert page.startswith("No changes.")
    assert "- `still`: `bucket_policy_to_merge_theirs`" in page


def long(rows: int, details: int) -> str:
    changes = [change(f"aws_s3_bucket.b{n}") for n in range(details)]
    appears = [replace(ACCESS, target=f"bucket b{n}") for n in range(rows)]
    return as_markdown([replace(NOTHING, changes=changes, appears=appears)])


def test_what_fits_is_not_cut() -> None:
    page = long(3, 3)
    assert fitted(page, len(page)) == page


def test_a_cut_hides_details_only() -> None:
    page = long(20, 1_000)
    cut = fitted("> A headline\n\n" + page, 10_000)
    assert len(cut.encode()) <= 10_000
    first, _, rest = cut.partition("\n\n")
    assert first == (
        "> All access is shown, but not all that changes: there is no room for more. "
        "All of it is in the artifact `plan`, in `summary.md`."
    )
    assert rest.startswith("> A headline\n\n" + page[: page.index("## What changes")])
    assert cut.endswith("`\n\n</details>\n")


def test_access_that_does_not_fit_is_counted_on_top() -> None:
    page = long(1_000, 10)
    cut = fitted(page, 10_000)
    shown = sum(row.startswith("| `") for row in cut.splitlines())
    assert 50 < shown < 1_000
    assert f"**NOT ALL ACCESS IS SHOWN: {shown} of 1000 rows**" in cut.splitlines()[0]
    assert all(row.endswith(" |") for row in cut.splitlines() if row.startswith("| "))
