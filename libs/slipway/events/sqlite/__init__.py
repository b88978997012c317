"""The embedded event log: one SQLite file that several processes share, in place of a broker.

A topic is one partition; its offsets have no gaps and appear in the order of commits, for every publishing
transaction holds the write lock from its start. A publish has returned when it is on the disk. A repeated
(topic, event id) is dropped for as long as the first is retained. A group is one member at a time: who joins
last fences those before (a broker would share partitions instead). Readers notice a commit of another
process within a few milliseconds, by what the file system says of the file, and within 50 ms at any rate, by a counter
that is cheap to look at.

The file is made on first use and needs no migrate command: its layout is versioned in the file, and a newer
one is refused. What is older than its address says is let go (:class:`Retention`); anything else is
:meth:`SqliteEventLog.trim`.
"""

from slipway.events.sqlite.address import Address
from slipway.events.sqlite.log import SqliteEventLog
from slipway.events.sqlite.retention import Retention

__all__ = ["Address", "Retention", "SqliteEventLog"]
