"""Facts on the way to whoever wants them: one durable log behind a port.

Three promises hold on every adapter, and ``tests/contract/events`` checks them:

* what :meth:`Publisher.publish` returned from is durable, and readers see it at least once;
* the events of one key arrive in the order they were published;
* a group goes on, after any crash, from what it last committed; only its newest member may commit.

Engines import this package: the port, its errors, and :func:`consume`, the loop that handles, retries and
dead-letters. ``main`` opens a log with :func:`slipway.events.connect.open_log`. Adapters of a service that
have tables use :mod:`slipway.events.outbox` (state and event commit together) and
:mod:`slipway.events.inbox` (effect and event id commit together). Adapters are never imported here.
"""

from slipway.events.backoff import Backoff
from slipway.events.consume import consume, set_aside
from slipway.events.errors import EventTooLarge, Fenced, UnusableLog, ValueLost
from slipway.events.port import (
    DEFAULT_LIMIT_BYTES,
    Consumer,
    Event,
    EventLog,
    Publisher,
    Record,
    Span,
    TopicInfo,
    dead_letter_topic,
    require_within,
)

__all__ = [
    "DEFAULT_LIMIT_BYTES",
    "Backoff",
    "Consumer",
    "Event",
    "EventLog",
    "EventTooLarge",
    "Fenced",
    "Publisher",
    "Record",
    "Span",
    "TopicInfo",
    "UnusableLog",
    "ValueLost",
    "consume",
    "dead_letter_topic",
    "require_within",
    "set_aside",
]
