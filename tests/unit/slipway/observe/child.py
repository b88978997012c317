"""A process that observes itself, for providers are set once a process: child.py VERB ADDRESS [SETTING=VALUE …]"""

from __future__ import annotations

import logging
import sys
import urllib.request

from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context

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


def sampled() -> None:
    """Print how many of a thousand traces are recorded that begin here, that a caller wants, and that one does not."""
    tracer = trace.get_tracer("test")
    for flags in ("", "01", "00"):
        sent = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-{flags}"} if flags else {}
        parent = propagate.extract(sent, Context())
        print(sum(tracer.start_span("work", context=parent).is_recording() for _ in range(1000)))


try:
    settings = ObserveSettings(metrics_listen=sys.argv[2], **dict(one.split("=") for one in sys.argv[3:]))
    with observe.start(settings, "test-service"):
        {"lines": lines, "counts": counts, "sampled": sampled}[sys.argv[1]]()
except SlipwayError as error:
    sys.exit(f"{error.reason}: {error.message}")
