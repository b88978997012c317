"""The event log on Apache Kafka, or on what speaks its protocol: ``kafka://host:port[,host:port]``.

Promises
    What :meth:`publish` returned from was acknowledged by all replicas in sync. The events of a key share a
    partition and keep their order, over retries, time-outs, a killed broker and a killed publisher: what a partition
    holds is a beginning of what was published, and published again it is all there, some of it twice under its id.
    Repeats are not dropped here, as the embedded log does: a consumer's inbox does that.
    A group has a member a name (``member``; one name, unless the URL says another): who joins under it takes over
    at once, and the older one is Fenced. Members of several names share the partitions. Partitions change hands
    between polls; a member that still has records of one in its hands, because it was stopped for longer than its
    session or another took its name, is Fenced when it says anything about them, and goes on with what it holds.
    A message that carries no event of ours is a record that says so, and is set aside with its very bytes.

Fails
    Opening asks no broker. While none answers, calls raise Unavailable within ``timeout_s`` and may be tried again;
    nothing hangs longer. More than a bound of bytes that waits to be published is Exhausted.

A topic is made when it is first used: ``partitions`` of it, as many copies as there are brokers but three at most,
for events up to the log's limit. One that is there is taken as it is. Dead letters have one partition.
"""

from slipway.events.kafka.address import Address, parse
from slipway.events.kafka.log import KafkaEventLog

__all__ = ["Address", "KafkaEventLog", "parse"]
