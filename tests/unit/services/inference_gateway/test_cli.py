from __future__ import annotations

import pytest
from click.testing import CliRunner

from services.inference_gateway.cli import main


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-f", "carrier"], "--feature: 'carrier' is not NAME=VALUE"),
        (["-f", "carrier=UA", "-f", "carrier=AA"], "--feature: 'carrier' is given twice"),
        (["-k", "flight=1", "--entity", "flight=2"], "--entity: 'flight' is given twice"),
        (["-k", "flight=1", "--event-time", "noon"], "--event-time: 'noon' is no ISO 8601 time"),
        (["-k", "flight=1", "--event-time", "2013-06-01T12:00"], "--event-time: '2013-06-01T12:00' has no zone"),
        (["-f", "carrier=UA", "--id", ""], "--id: is empty"),
        (["-f", "carrier=UA", "--address", "nowhere"], "gateway: is 'nowhere'; give host:port"),
    ],
)
def test_predict_refuses_what_has_no_one_meaning(arguments: list[str], told: str) -> None:
    ended = CliRunner().invoke(main, ["predict", "flight-delay", *arguments])
    assert ended.exit_code == 2
    assert told in ended.stderr
