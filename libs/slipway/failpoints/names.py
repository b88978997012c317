"""Every failpoint, declared once; a test holds this list to the places in the code."""

from __future__ import annotations

from typing import Literal, get_args

Name = Literal[
    # A writing transaction of slipway.sql: open and about to commit; committed and about to say so.
    "sql.commit.before",
    "sql.commit.after",
    # All missing revisions of a schema, which commit together.
    "sql.migrate.before",
    "sql.migrate.after",
    # The relay: before it publishes; published and not yet removed; removed, and the next not looked for.
    "outbox.publish.before",
    "outbox.publish.after",
    "outbox.remove.before",
    "outbox.remove.after",
    # Within the transaction of an effect.
    "inbox.claim.before",
    "inbox.claim.after",
    # A consumer's effect, the commit of its offset, and the copy that it sets aside.
    "events.handle.before",
    "events.handle.after",
    "events.commit.before",
    "events.commit.after",
    "events.dead_letter.before",
    "events.dead_letter.after",
    # What is published without an outbox: the prediction log, and arms taken to zero.
    "events.publish.before",
    "events.publish.after",
    # The spool: a piece written before its frame; written and not yet counted; synced; a new segment; the reader's
    # place; a torn tail cut.
    "spool.ahead.before",
    "spool.ahead.after",
    "spool.append.before",
    "spool.append.after",
    "spool.sync.before",
    "spool.sync.after",
    "spool.rotate.before",
    "spool.rotate.after",
    "spool.checkpoint.before",
    "spool.checkpoint.after",
    "spool.cut.before",
    "spool.cut.after",
    "spool.drop.before",
    "spool.drop.after",
    # A file replaced: staged and synced; renamed, the folder not yet synced.
    "durable.rename.before",
    "durable.rename.after",
    # An artifact's file made to appear under its digest.
    "artifacts.rename.before",
    "artifacts.rename.after",
    # A transaction of the embedded event log, whether it publishes or keeps an offset.
    "log.commit.before",
    "log.commit.after",
    # A file with values, linked beside it; linked, its name not yet durable. And let go, with no record left.
    "values.link.before",
    "values.link.after",
    "values.unlink.before",
    "values.unlink.after",
    # feature_serving: rows into the online store; before, they are compared with what is there.
    "online.write.before",
    "online.write.after",
    # inference_gateway: the last desired state, and the arms taken to zero, each in its file.
    "snapshot.store.before",
    "snapshot.store.after",
    "disabled.store.before",
    "disabled.store.after",
    # training_scheduler: an attempt on record before it is handed to whoever runs it; its outcome there and not yet on
    # record; on record, and what ran it not yet let go.
    "attempt.begin.before",
    "attempt.begin.after",
    "attempt.end.before",
    "attempt.end.after",
    # The commands: an artifact downloaded, the supervisor's state, and what its backing services are entered with.
    "download.rename.before",
    "download.rename.after",
    "supervisor.state.before",
    "supervisor.state.after",
    "supervisor.secret.before",
    "supervisor.secret.after",
]

NAMES: tuple[Name, ...] = get_args(Name)

# What keeps a file fails as its disk does, and each service says that in its own words.
_ON_DISK = ("spool.", "durable.", "artifacts.", "snapshot.", "disabled.", "download.", "supervisor.", "values.")


def on_disk(name: str) -> bool:
    """Whether the place fails with the disk's errors."""
    return name.startswith(_ON_DISK)
