"""Kafka's errors in our own terms. Its text stays in the chained cause, for logs alone."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from slipway.errors import Exhausted, Kind, SlipwayError, Unavailable
from slipway.events.errors import UnusableLog


class BrokersAway(Unavailable):
    """No broker answers, or not in time; what was asked may or may not have been done."""

    reason = "BROKERS_AWAY"


class PublishQueueFull(Exhausted):
    """More waits to be published than the queue to the brokers holds."""

    reason = "PUBLISH_QUEUE_FULL"


class LogFailure(SlipwayError):
    """The brokers refused a request: a fault of ours, not of the caller's."""

    kind = Kind.INTERNAL
    reason = "LOG_FAILURE"


LOST = frozenset(
    {
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001 - the driver's name for its own error
    }
)
"""What the brokers answer a member that does not hold its partitions any more."""

GONE = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_TOPIC_ID,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)
"""What they answer about a topic that is not there."""

_REFUSED = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError._SSL,  # noqa: SLF001
    }
)
_FULL = frozenset(
    {
        KafkaError.POLICY_VIOLATION,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
        KafkaError._QUEUE_FULL,  # noqa: SLF001
    }
)
_OURS = frozenset(
    {
        KafkaError.INVALID_CONFIG,
        KafkaError.INVALID_GROUP_ID,
        KafkaError.INVALID_PARTITIONS,
        KafkaError.INVALID_SESSION_TIMEOUT,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError._INVALID_ARG,  # noqa: SLF001
    }
)


def code_of(error: BaseException) -> KafkaError:
    """The driver's error in one of its exceptions."""
    found = error.args[0] if error.args else None
    return found if isinstance(found, KafkaError) else KafkaError(KafkaError.UNKNOWN)


def translate(error: KafkaException | KafkaError) -> SlipwayError:
    """The error to raise in place of the driver's; that of a member that lost its partitions is not among them."""
    found = error if isinstance(error, KafkaError) else code_of(error)
    code, name = found.code(), found.name()
    if code in _REFUSED:
        return UnusableLog(f"Kafka refuses us ({name}); see to its access lists and its version")
    if code in _FULL:
        return PublishQueueFull(f"Kafka takes no more for now ({name}); try again later", retry_after_s=1.0)
    if code in _OURS:
        return LogFailure(f"Kafka refused a request ({name}); the service's log says which")
    if code == KafkaError.INVALID_REPLICATION_FACTOR:
        return BrokersAway(
            "Kafka has fewer brokers at present than a new topic is to have copies; see to its brokers, or give the "
            "URL of the log replication=1",
            retry_after_s=0.5,
        )
    return BrokersAway(f"Kafka does not answer ({name}); see to its brokers", retry_after_s=0.5)


def ends(error: KafkaError) -> bool:
    """Whether the driver's member of a group is of no use any more."""
    return error.fatal() or error.code() in {KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL}  # noqa: SLF001
