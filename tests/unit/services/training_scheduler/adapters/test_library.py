from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.training_scheduler.adapters.library import load
from services.training_scheduler.cli import main
from slipway.config import ConfigError
from slipway.errors import InvalidInput


def write(folder: Path, module: str, code: str) -> None:
    (folder / f"{module}.py").write_text(code, encoding="utf-8")


def sayer(name: str) -> str:
    return (
        f'"""Says {name}."""\nfrom dataclasses import dataclass\nfrom slipway.workflow import step, workflow\n\n'
        "@dataclass\nclass Params:\n    word: str = 'x'\n\n\n@step\ndef say(word: str) -> str:\n    return word\n\n\n"
        f"saying = workflow({name!r}, [say], Params)\n"
    )


def test_takes_every_workflow_of_the_named_modules(tmp_path: Path) -> None:
    write(tmp_path, "library_one", sayer("one"))
    write(tmp_path, "library_two", sayer("two") + "also = workflow('also', [say], Params)\n")
    library = load(["library_two", "library_one"], [tmp_path])
    assert [one.name for one in library.all()] == ["also", "one", "two"]
    spec = library.get("one")
    assert spec is not None
    assert (spec.description, spec.steps[0].output_type) == ("Says one.", "str")
    assert library.get("three") is None
    assert library.complete("one", {}) == {"word": "x"}
    with pytest.raises(InvalidInput, match=r"params\.word"):
        library.complete("one", {"word": 1})


@pytest.mark.parametrize(
    ("module", "code", "text"),
    [
        ("library_absent", None, "can't be imported: ModuleNotFoundError"),
        ("library_syntax", "def", "can't be imported: SyntaxError"),
        ("library_raises", "raise RuntimeError('no luck')", "can't be imported: RuntimeError: no luck"),
        ("library_empty", "x = 1", "holds no workflow"),
        ("library_unbound", sayer("bad").replace("word: str)", "wort: str)"), "'say', parameter 'wort': is bound to"),
        ("../escape", None, "can't be imported"),
        ("", None, "can't be imported"),
    ],
)
def test_says_which_module_can_not_be_used_and_why(tmp_path: Path, module: str, code: str | None, text: str) -> None:
    if code is not None:
        write(tmp_path, module, code)
    write(tmp_path, "library_fine", sayer("fine"))
    with pytest.raises(ConfigError) as refused:
        load(["library_fine", module], [tmp_path])
    assert refused.value.violations[0].field == "workflow_modules[1]"
    assert text in refused.value.message


def test_two_modules_can_not_have_one_name(tmp_path: Path) -> None:
    write(tmp_path, "library_here", sayer("same"))
    write(tmp_path, "library_there", sayer("same"))
    with pytest.raises(ConfigError, match="'same', and so has library_here"):
        load(["library_here", "library_there"], [tmp_path])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"workflow_path\[1\].*is not a folder"):
        load([], [tmp_path, tmp_path / "none"])


def test_check_config_imports_the_workflows(tmp_path: Path) -> None:
    write(tmp_path, "library_checked", sayer("checked"))
    file = tmp_path / "training.toml"
    folders = json.dumps([str(tmp_path)])
    file.write_text(f'workflow_modules = ["library_checked"]\nworkflow_path = {folders}\n', encoding="utf-8")
    told = CliRunner().invoke(main, ["check-config", "--config", str(file), "--json"])
    assert json.loads(told.stdout)["workflows"] == ["checked"]
    file.write_text(f'workflow_modules = ["library_nowhere"]\nworkflow_path = {folders}\n', encoding="utf-8")
    told = CliRunner().invoke(main, ["check-config", "--config", str(file)])
    assert (told.exit_code, "workflow_modules[0]: library_nowhere" in told.stderr) == (2, True)
