"""Follows the prediction log into a SQLite file: from Kafka as any of its clients does, or from the embedded log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from examples.consumers.store import Store
from slipway.events.connect import open_log

TOPIC = "inference.predictions.v1"


def follow_kafka(brokers: str, topic: str, group: str, store: Store, *, once: bool) -> None:
    """Keep what comes; ``once``: end where the log ends."""
    settings = {
        "bootstrap.servers": brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",  # a new group begins with the oldest event that is kept
        "enable.auto.commit": False,  # an offset is committed after the effect, never before
        "isolation.level": "read_committed",
        "enable.partition.eof": once,
    }
    ended: set[int] = set()
    with closing(Consumer(settings)) as consumer:
        consumer.subscribe([topic])
        while not ended or ended < {one.partition for one in consumer.assignment()}:
            if events := list(_events(consumer.consume(500, timeout=1.0), ended)):
                click.echo(f"{store.keep(events)} rows kept")
                consumer.commit(asynchronous=False)


def _events(messages: Sequence[Message], ended: set[int]) -> Iterator[tuple[str, bytes]]:
    for message in messages:
        event_id = dict(message.headers() or []).get("ce_id")
        if error := message.error():
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - public, for all its name
                raise KafkaException(error)
            ended.add(message.partition() or 0)
        elif isinstance(event_id, bytes):
            yield event_id.decode(), message.value() or b""
        else:
            click.echo(f"skipped offset {message.offset()}: no event of the platform", err=True)


async def follow_embedded(url: str, topic: str, group: str, store: Store, *, once: bool) -> None:
    """The same from the file that is the log of a platform without brokers."""
    async with open_log(url) as log, log.consumer([topic], group) as consumer:
        while (records := await consumer.poll(500, 0.0 if once else 1.0)) or not once:
            click.echo(f"{store.keep([(one.event.id, one.event.value) for one in records])} rows kept")
            await consumer.commit(records)


@click.command(epilog="Example: python -m examples.consumers.predictions --group dashboard --into predictions.db")
@click.option("--kafka", envvar="SLIPWAY_KAFKA", help="Brokers, host:port divided by commas. Default: $SLIPWAY_KAFKA.")
@click.option(
    "--log", type=click.Path(path_type=Path, exists=True), help="The embedded log: events/log.db in the data."
)
@click.option("--topic", default=TOPIC, show_default=True, help="Its name on the brokers.")
@click.option("--group", default="example", show_default=True, help="Who reads: a group goes on where it was.")
@click.option("--into", type=click.Path(path_type=Path), required=True, help="The SQLite file.")
@click.option("--once", is_flag=True, help="End where the log ends.")
def main(*, kafka: str | None, log: Path | None, topic: str, group: str, into: Path, once: bool) -> None:
    """Keep every prediction once, with its features and outputs, in the table `prediction` of a SQLite file."""
    with Store.at(into) as store:
        if log is not None:
            asyncio.run(follow_embedded(f"sqlite:///{log.resolve()}", topic, group, store, once=once))
        elif kafka:
            follow_kafka(kafka, topic, group, store, once=once)
        else:
            raise click.UsageError("name a log: --kafka host:port, or --log .slipway/events/log.db")


if __name__ == "__main__":
    main()
