from __future__ import annotations

from pathlib import Path

from scripts.chaos.journal import Asked, Journal, Round

ASKED = Asked([("registry", "kill")], seed=3, rounds=2, minutes=None, profile="embedded")
ROUND = Round(0, 80.0, "kill -9 registry", 1.5)


def test_a_run_is_found_again_as_it_was_left(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    assert journal.asked() is None
    journal.ask(ASKED)
    journal.add_round("registry", "kill", ROUND)
    journal.add_row({"service": "registry", "fault": "pause", "lost": 0})
    again = Journal(tmp_path / "run")
    assert again.asked() == ASKED
    assert again.rounds("registry", "kill") == [ROUND]
    assert again.row("registry", "kill") is None
    assert again.row("registry", "pause") == {"service": "registry", "fault": "pause", "lost": 0}


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.ask(ASKED)
    (tmp_path / "journal.jsonl").open("a").write('{"service": "registry", "fa')
    assert Journal(tmp_path).rounds("registry", "kill") == []


def test_a_cell_whose_data_is_gone_begins_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add_round("registry", "disk-full", ROUND)
    journal.begin_anew("registry", "disk-full")
    assert journal.rounds("registry", "disk-full") == []
