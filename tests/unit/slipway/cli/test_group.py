from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from slipway.cli import Group, emit, emit_one, json_option
from slipway.errors import Exhausted, FieldViolation, InvalidInput, Kind, SlipwayError, invalid_field

ERRORS: dict[str, SlipwayError] = {
    "field": invalid_field("name", "is empty; give one"),
    "fields": InvalidInput("two are wrong", violations=[FieldViolation("a", "x"), FieldViolation("b", "y")]),
    "later": Exhausted("full", retry_after_s=2.0, facts={"limit": "1"}),
}
ERRORS |= {kind.value: SlipwayError.rebuild(kind, "R", "told") for kind in Kind}

ROW = {
    "name": "m",
    "latest_version": 3,
    "create_time": datetime(2013, 1, 1, tzinfo=UTC),
    "auc": 0.123456789,
    "of": None,
}


@pytest.fixture
def tool() -> Group:
    tool = Group(name="tool")

    @tool.group("nested", cls=Group)
    def nested() -> None:
        """Hold a verb."""

    @nested.command("fail")
    @click.argument("which")
    @click.option("--number", type=int)
    @json_option
    def fail(which: str, number: int | None, as_json: bool) -> None:
        raise ERRORS[which]

    tool.add_command(fail)

    @tool.command("show")
    @click.option("--one", is_flag=True)
    @click.option("--none", is_flag=True)
    @json_option
    def show(one: bool, none: bool, as_json: bool) -> None:
        if one:
            emit_one(ROW, as_json=as_json)
        else:
            emit([] if none else [ROW, ROW | {"name": "n", "of": {"x": [1]}}], as_json=as_json)

    return tool


def invoke(tool: Group, *arguments: str) -> Result:
    return CliRunner().invoke(tool, list(arguments))


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ("invalid_argument", 2),
        ("out_of_range", 2),
        ("not_found", 3),
        ("unavailable", 4),
        ("deadline_exceeded", 4),
        ("internal", 1),
        ("failed_precondition", 1),
        ("aborted", 1),
        ("already_exists", 1),
        ("data_loss", 1),
    ],
)
def test_each_kind_has_its_exit_code(tool: Group, which: str, code: int) -> None:
    for arguments in (["fail", which], ["fail", which, "--json"], ["nested", "fail", which]):
        ended = invoke(tool, *arguments)
        assert (ended.exit_code, ended.stdout) == (code, "")


def test_an_error_for_people_names_field_and_delay_once(tool: Group) -> None:
    assert invoke(tool, "fail", "field").stderr == "error: name: is empty; give one\n"
    assert invoke(tool, "fail", "fields").stderr == "error: two are wrong\n  a: x\n  b: y\n"
    assert invoke(tool, "fail", "later").stderr == "error: full\n  try again in 2 s\n"


@pytest.mark.parametrize("before", [["fail"], ["nested", "fail"]])
def test_an_error_for_programs_is_json(tool: Group, before: list[str]) -> None:
    told = json.loads(invoke(tool, *before, "field", "--json").stderr)["error"]
    assert told == {
        "kind": "invalid_argument",
        "reason": "INVALID_FIELD",
        "message": "name: is empty; give one",
        "violations": [{"field": "name", "description": "is empty; give one"}],
        "facts": {},
    }


@pytest.mark.parametrize(
    ("arguments", "field"),
    [(["fail", "field", "--number", "x"], "--number"), (["fail"], "which"), (["fail", "field", "--nope"], None)],
)
def test_a_wrong_command_line_is_json_too_where_it_is_asked_for(
    tool: Group, arguments: list[str], field: str | None
) -> None:
    plain = invoke(tool, *arguments)
    assert (plain.exit_code, "Usage:" in plain.stderr) == (2, True)
    ended = invoke(tool, *arguments, "--json")
    told: Any = json.loads(ended.stderr)["error"]
    assert (ended.exit_code, told["kind"]) == (2, "invalid_argument")
    assert [one["field"] for one in told["violations"]] == ([field] if field else [])


def test_rows_are_a_table_or_a_list(tool: Group) -> None:
    table = invoke(tool, "show").stdout.splitlines()
    assert table[0].split() == ["name", "latest", "version", "create", "time", "auc", "of"]
    assert table[1].split() == ["m", "3", "2013-01-01", "00:00:00Z", "0.123457", "-"]
    rows = json.loads(invoke(tool, "show", "--json").stdout)
    assert rows[0] == {**ROW, "create_time": "2013-01-01T00:00:00+00:00"}
    assert rows[1]["of"] == {"x": [1]}


def test_nothing_is_said_or_an_empty_list(tool: Group) -> None:
    assert invoke(tool, "show", "--none").stdout == "nothing yet\n"
    assert json.loads(invoke(tool, "show", "--none", "--json").stdout) == []


def test_one_thing_is_a_line_a_fact_or_an_object(tool: Group) -> None:
    lines = invoke(tool, "show", "--one").stdout.splitlines()
    assert lines[1].split() == ["latest", "version", "3"]
    assert json.loads(invoke(tool, "show", "--one", "--json").stdout)["latest_version"] == 3


def test_help_answers_both_ways(tool: Group) -> None:
    assert invoke(tool, "-h").stdout == invoke(tool, "--help").stdout


def test_a_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "m", "figures": {"b": 0.25, "a": True}, "many": ["x", "y"], "deep": [{"k": 1}], "reason": ""}
    emit([row, row | {"name": "n"}], as_json=False)
    head, first, _ = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "figures", "many", "deep"]
    assert first.split(maxsplit=1) == ["m", 'a yes, b 0.25  x, y  [{"k": 1}]']
    emit([row], as_json=True)
    assert json.loads(capsys.readouterr().out) == [row]


def test_verbs_are_listed_with_their_whole_first_sentence() -> None:
    tool = Group(name="tool")
    told = "Say in one sentence that is longer than a line of the terminal what comes of it, to its very end"
    tool.add_command(click.Command("verb", help=f"{told}. More."))
    tool.add_command(click.Command("secret", help="Hidden.", hidden=True))
    shown = invoke(tool, "--help").stdout
    assert told in " ".join(shown.split())
    assert "secret" not in shown


def test_what_is_too_wide_for_the_terminal_is_shown_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    row = {f"column_{number}": "x" * 12 for number in range(4)} | {"empty": ""}
    emit([row, row], as_json=False)
    told = capsys.readouterr().out.splitlines()
    record = [f"column {number}  {'x' * 12}" for number in range(4)]
    assert told == [*record, "", *record]
    assert "empty" not in "".join(told)
