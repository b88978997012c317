"""A process that observes itself, because providers are set once a process. Run: child.py VERB ADDRESS"""

from __future__ import annotations

import logging
import sys
import urllib.request

from opentelemetry import metrics, trace

from slipway import observe
from slipway.errors import SlipwayError
from slipway.observe import ObserveSettings


def lines() -> None:
    log = logging.getLogger("test")
    log.debug("too quiet")
    log.info("outside")
    with trace.get_tracer("test").start_as_current_span("work") as span:
        log.info("inside %s", "a call", extra={"rows": 3, "level": "mine", "odd": object, "half": "\ud800"})
        try:
            raise ValueError("bad")
        except ValueError:
            log.exception("failed")
        print(format(span.get_span_context().trace_id, "032x"))


def counts() -> None:
    metrics.get_meter("test").create_counter("test.rows").add(7, {"kind": "good"})
    with urllib.request.urlopen(f"http://{sys.argv[2]}/metrics") as answer:
        print(answer.read().decode())


try:
    with observe.start(ObserveSettings(metrics_listen=sys.argv[2]), "test-service"):
        {"lines": lines, "counts": counts}[sys.argv[1]]()
except SlipwayError as error:
    sys.exit(f"{error.reason}: {error.message}")
