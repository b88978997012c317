"""The registry: what exists, where it came from, and what should be served.

Owns
    models, versions, aliases, artifacts, lineage, and the desired state of endpoints, in one database and one
    artifact store. Nobody else writes them.

Promises
    A version never changes. An alias and every endpoint that follows it move in one transaction, with the event
    that tells of it. Every writing call may be repeated: by name, by ``request_id`` or by an expected version.
    A watcher sees everything first and then each change, in order, and may miss none but those that a newer one
    has overtaken. An artifact is visible only when all its bytes are on disk, and is checked whenever it is read.

Fails
    Without its database: UNAVAILABLE for every call, and gateways go on serving their last snapshot. Without the
    event bus: calls go on, events wait in the outbox. Killed at any line: what was acknowledged is there.

Where a change goes
    A rule about names, signatures or routes: ``domain``. What a call does, in which order: ``engine``. A field of
    the contract: ``codec``. A table: ``adapters/sql`` with a new revision in ``adapters/migrations/versions``.
"""
