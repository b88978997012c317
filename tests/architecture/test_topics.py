"""No topic is without a contract or without its row in the guide for those who read it."""

from __future__ import annotations

import importlib
import re

from google.protobuf.descriptor import FileDescriptor

from scripts.toolchain.topics import topics
from scripts.toolchain.tree import ROOT

TOPICS = topics(ROOT)


def test_every_event_of_the_contracts_names_its_topic() -> None:
    named = set(TOPICS.values())
    for path in ROOT.glob("protos/slipway/*/v1/events.proto"):
        area = path.parts[-3]
        module = importlib.import_module(f"slipway.gen.slipway.{area}.v1.events_pb2")
        events: FileDescriptor = module.DESCRIPTOR
        messages = events.message_types_by_name.values()
        parts = {field.message_type for message in messages for field in message.fields if field.message_type}
        assert {one.full_name for one in messages if one not in parts} <= named


def test_the_services_use_no_other_topic() -> None:
    used = {
        found
        for path in ROOT.glob("services/**/*.py")
        for found in re.findall(r'"([a-z_]+\.[a-z-]+\.v\d+)"', path.read_text())
    }
    assert used == set(TOPICS)


def test_the_guide_has_a_row_for_every_topic() -> None:
    guide = (ROOT / "docs/events.md").read_text()
    rows = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| `([^`]+)`", guide, re.MULTILINE))
    assert rows == {topic: message.replace("slipway.", "", 1) for topic, message in TOPICS.items()}
