"""The training scheduler: which workflows there are, and every run of them, carried to its end.

Owns
    runs, their steps and attempts in one database, and the steps' outputs in one artifact store. Nobody else writes
    them. Workflows come from the modules that the configuration names; a client can name none.

Promises
    A run that was acknowledged is durable and reaches one final state. A step that succeeded is never run again: its
    output is read back from the store. Each attempt is committed under a token of its own before it starts, and what
    it made counts only while that token is the step's: a late attempt changes nothing. A run's state and the event
    that tells of it are one transaction. Submitting may be repeated by ``request_id``. Runs start in the order in
    which they came; steps of a run that do not wait for one another run side by side.

    The limit: code may run twice (after a failure, or when this process died), committed results do not. A step
    with effects outside gets the same ``request_id`` on every attempt and passes it on.

Fails
    Without its database: UNAVAILABLE for every call; what a running step made is committed when it is back. Without
    the event bus: runs go on, events wait in the outbox. Killed at any line: the attempts that ran are taken over by
    new ones, as often as ``max_attempts`` allows; then the run fails and says so. Stopped by SIGTERM: running
    attempts are given back and do not count. A workflow whose code changed under a run fails that run.

Where a change goes
    What a run may do next, and what ends it: ``domain``. When it happens: ``engine``. A field of the contract:
    ``codec``. A table: ``adapters/sql`` with a new revision in ``adapters/migrations/versions``. How a step's
    function is called: ``adapters/threads``. How workflows are written: ``libs/slipway/workflow``.
"""
