"""Kafka's own command-line tools, from the jars that a stack runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from slipway.config import data_root
from slipway.errors import NotFound
from slipway.supervisor import status
from slipway.supervisor.kafka import find_jars, find_java
from slipway.supervisor.variables import VARIABLES

TOOLS = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "configs": "kafka.admin.ConfigCommand",
}
"""Name, as in Kafka's own ``bin`` without the ending, to main class."""

_SERVER = "--bootstrap-server"


def command(tool: str, arguments: Sequence[str], stack: Path) -> list[str]:
    """The words that run ``tool``, on the brokers of this machine unless the arguments name others.

    Those are $SLIPWAY_KAFKA's, else those of the stack on ``stack``, else those of the platform on the data root.
    Raises NotFound when there are none, NotInstalled when Kafka is not here.
    """
    java = [find_java(), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    server = [] if any(one.startswith(_SERVER) for one in arguments) else [_SERVER, _brokers(stack)]
    return [*java, "-cp", f"{find_jars()}/*", TOOLS[tool], *server, *arguments]


def _brokers(stack: Path) -> str:
    variable = VARIABLES["kafka"]
    if named := os.environ.get(variable):
        return named
    for root in (stack, data_root()):
        state = status.current(root)
        if state.supervisor and variable in state.servers:
            return state.servers[variable]
    raise NotFound(f"no Kafka runs on {stack}; start one with scripts/stack up, or name one with {variable}")
