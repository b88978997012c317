from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from slipway.errors import InvalidInput
from slipway.workflow import BadWorkflow, StepContext, step, workflow


@dataclass(frozen=True)
class Params:
    rounds: int
    rate: float = 0.1
    tags: list[str] = field(default_factory=list)
    name: str | None = None


@dataclass(frozen=True)
class Rows:
    values: tuple[int, ...]


@dataclass(frozen=True)
class Better(Rows):
    quality: float = 1.0


@step(output="rows")
def load() -> Better:
    return Better((1, 2))


@step
def train(rows: Rows, rounds: int, rate: float, context: StepContext) -> float:
    return len(rows.values) * rounds * rate


@step
def report(train: float, params: Params) -> str:
    return f"{train} {params.name}"


def test_binds_outputs_params_and_context_by_name_and_type() -> None:
    made = workflow("sums", [load, train, report], Params, description="adds")
    assert [one.name for one in made.steps] == ["load", "train", "report"]
    assert made.step("train").needs == ("load",)
    assert made.step("report").needs == ("train",)
    assert [(one.name, one.type, one.default_json) for one in made.parameters] == [
        ("rounds", "int", ""),
        ("rate", "float", "0.1"),
        ("tags", "list[str]", "[]"),
        ("name", "str | None", "null"),
    ]
    assert made.step("load").output_type == "Better"
    assert made.code_digest.startswith("sha256:")


def test_puts_steps_in_an_order_in_which_they_may_run() -> None:
    made = workflow("sums", [report, train, load], Params)
    assert [one.name for one in made.steps] == ["load", "train", "report"]


def test_a_step_stays_a_function() -> None:
    assert report(2.0, params=Params(1)) == "2.0 None"


def test_a_description_comes_from_the_first_steps_module() -> None:
    assert workflow("sums", [load]).description == ""


@step
def wrong_type(rows: str) -> int:
    return 0


@step
def unbound(rows: Rows, roundz: int = 3) -> int:
    return 0


@step
def unannotated(rows) -> int:  # type: ignore[no-untyped-def]
    return 0


@step
def mute(rows: Rows):  # type: ignore[no-untyped-def]
    return 0


@step
def starred(*rows: Rows) -> int:
    return 0


@step
def unstorable(rows: Rows) -> list[set[int]]:
    return []


@step
def egg(hen: int) -> int:
    return hen


@step
def hen(egg: int) -> int:
    return egg


@step(output="rounds")
def shadow() -> int:
    return 1


@step(name="Loud")
def loud() -> int:
    return 1


@pytest.mark.parametrize(
    ("steps", "place", "text"),
    [
        ([load, wrong_type], "step 'wrong_type', parameter 'rows'", "wants str, but step 'load' gives Better"),
        ([load, unbound], "step 'unbound', parameter 'roundz'", "bound to nothing; steps and params give rows"),
        ([load, unannotated], "step 'unannotated', parameter 'rows'", "no annotation"),
        ([load, mute], "step 'mute'", "does not say what it returns"),
        ([load, starred], "step 'starred', parameter 'rows'", "can't be bound by name"),
        ([load, unstorable], "step 'unstorable', its output[]", "set[int] can't be stored"),
        ([load, egg, hen], "step 'egg'", "egg <- hen <- egg"),
        ([load, load], "step 'load'", "twice"),
        ([shadow], "params.rounds", "both the output of step 'shadow'"),
        ([loud], "step 'Loud'", "lower-case"),
        ([], "steps", "give 1 to 64"),
        ([len], "steps", "decorate the function with @step"),
    ],
)
def test_refuses_a_graph_that_does_not_hold_together(steps: Sequence[object], place: str, text: str) -> None:
    with pytest.raises(BadWorkflow) as refused:
        workflow("sums", steps, Params)  # type: ignore[arg-type]
    assert refused.value.facts == {"workflow": "sums", "place": place}
    assert text in refused.value.message


def test_refuses_params_that_are_no_json() -> None:
    @dataclass(frozen=True)
    class Raw:
        data: bytes = b""

    for kind in (dict, Raw):
        with pytest.raises(BadWorkflow, match="params"):
            workflow("sums", [load], kind)


@pytest.mark.parametrize(
    ("given", "field", "text"),
    [
        ({}, "params.rounds", "missing"),
        ({"rounds": "3"}, "params.rounds", "give int"),
        ({"rounds": True}, "params.rounds", "give int"),
        ({"rounds": 2.5}, "params.rounds", "give int"),
        ({"rounds": 1, "rate": float("nan")}, "params.rate", "finite"),
        ({"rounds": 1, "tags": ["a", 1]}, "params.tags[1]", "give str"),
        ({"rounds": 1, "tags": "a"}, "params.tags", "give a list"),
        ({"rounds": 1, "deep": 2}, "params.deep", "Params has rounds, rate, tags, name"),
        ({"rounds": 1, "name": "x" * 70_000}, "params", "at most"),
    ],
)
def test_refuses_params_by_their_field(given: dict[str, object], field: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        workflow("sums", [load], Params).params.read(given)
    assert refused.value.violations[0].field == field
    assert text in refused.value.violations[0].description


def test_reads_whole_numbers_as_ints_and_fills_in_defaults() -> None:
    params = workflow("sums", [load], Params).params
    read = params.read({"rounds": 3.0, "rate": 1})
    assert read == Params(3, 1.0)
    assert params.write(read) == {"rounds": 3, "rate": 1.0, "tags": [], "name": None}
