"""Log records as JSON lines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from opentelemetry import trace

# What every LogRecord has; the rest of its attributes came by ``extra`` and are the line's facts.
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the ``extra`` facts, trace and exception."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line of ``record``; facts that JSON can't hold are written as text."""
        facts = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        # The facts come first, so that none of them takes the place of what every line has.
        line: dict[str, object] = facts | {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = format(span.trace_id, "032x")
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        # Escaped, so that a terminal's encoding or half a surrogate pair can't lose the line.
        return json.dumps(line, default=str)
