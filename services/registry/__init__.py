"""The registry: what exists, where it came from, and what should be served.

Owns
    models, versions with their baselines, aliases and where they have pointed, artifacts, lineage, the desired state
    of endpoints (arms, guardrails, fallback, experiment) with its last revisions, and their rollouts, in one database
    and one artifact store. Nobody else writes them.

Promises
    A version never changes. An alias and every endpoint that follows it move in one transaction, with the event
    that tells of it. Every writing call may be repeated: by name, by ``request_id`` or by an expected version.
    A watcher sees everything first and then each change, in order, and may miss none but those that a newer one
    has overtaken. An artifact is visible only when all its bytes are on disk, and is checked whenever it is read.
    A rollout passes each step once, on that step's verdict from ``monitor.verdict.v1``, and has one end: after the
    last step the alias moves to the candidate, and with it every endpoint that follows it, in the transaction that
    ends the rollout; on any other verdict, on ``inference.arm.v1`` telling that a gateway gave the candidate up, on
    a cancel or a rollback, the candidate's arm goes. Both topics are read as the group ``registry``; an event's effect
    and the memory of its id are one transaction. An event about another rollout, a step that does not run, or arms
    before the rollout began is ignored with a line in the log. Meanwhile nobody else changes the endpoint's arms or
    its alias. No data is never a pass: a step without its verdict waits, one that promotes on too few labels ends it.
    Every change of an endpoint is a revision with its cause and reason, in the transaction that makes it. A rollback
    goes to the version before the current one in the alias's history, two in a row two back; or to any revision that is
    kept, with the aliases that it followed, as a new one.

Fails
    Without its database: UNAVAILABLE for every call, and gateways go on serving their last snapshot. Without the
    event bus: calls go on, events wait in the outbox, rollouts wait at their step. Killed at any line: what was
    acknowledged is there, and a verdict that came meanwhile is acted on afterwards. An event that is junk, or a
    decision that this registry does not know, goes to ``<topic>.registry.dlq``; the rollout waits.

Where a change goes
    A rule about names, signatures, baselines, routes or a rollout's steps: ``domain``. What a call does, in which
    order: ``engine``. A field of the contract: ``codec``. A table: ``adapters/tables`` and ``adapters/rows`` with a
    new revision in ``adapters/migrations/versions``.
"""
