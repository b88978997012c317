"""The training scheduler: which workflows there are, and every run of them, carried to its end.

Owns
    runs, their steps and attempts, and triggers, in one database; the steps' outputs in one artifact store; what
    each attempt printed and logged, in ``logs/<run>/<step>.<attempt>.log``. Nobody else writes them. Workflows come
    from the modules that the configuration names; a client can name none.

Promises
    A run that was acknowledged is durable and reaches one final state. A step that succeeded is never run again: its
    output is read back from the store. Each attempt is committed under a token of its own before it starts, and what
    it made counts only while that token is the step's: a late attempt changes nothing. A run's state and the event
    that tells of it are one transaction. Submitting may be repeated by ``request_id``. Runs start in the order in
    which they came; steps of a run that do not wait for one another run side by side.

    On Ray (``executor``), an attempt has a detached actor, which outlives this process, and which has no other attempt
    meanwhile. The head notes it as ``<run>.<step>.<attempt>``: the next process finds it by that and takes its result.
    The actor is ended once the result is committed or not wanted; one whose attempt succeeded may first take others of
    the same code, if they come within seconds. Ray's workers must see the same folders as this process: on one
    machine, or on a shared disk. Otherwise an attempt is a thread of this process and ends with it.

    An incident that opens (``monitor.incident.v1``, group ``training_scheduler``) starts at most one run for each
    trigger of its endpoint, however often it is told. That it was seen, the run, and what the trigger remembers are
    one transaction. Within a trigger's cool-down (event time), and while the run that it started goes on, an incident
    is passed over for good, and the log says so. An event that is none goes to
    ``monitor.incident.v1.training_scheduler.dlq``.

    The limit: code may run twice (after a failure, or when its process died), committed results do not. A step
    with effects outside gets the same ``request_id`` on every attempt and passes it on. Logs are kept as long as
    their files are, and on threads lines of a thread that a step starts are the service's.

Fails
    Without its database: UNAVAILABLE for every call; what a running step made is committed when it is back. Without
    the event bus: runs go on, events wait in the outbox, incidents wait in the log. Without Ray: everything answers,
    steps wait. Ray's head killed: attempts that ran there fail, and are tried again when it is back. Killed at any
    line: attempts on Ray go on; those of threads are taken over by new ones, as often as ``max_attempts`` allows;
    then the run fails and says so. Stopped by SIGTERM: running attempts are given back and do not count; on Ray they
    go on. A workflow whose code changed under a run fails that run.

Where a change goes
    What a run may do next, what ends it, what an incident may start: ``domain``. When it happens: ``engine``. A field
    of the contract: ``codec``. A table: ``adapters/sql`` with a new revision in ``adapters/migrations/versions``. How
    a step's function is called: ``adapters/attempt``; where: ``adapters/threads`` and ``adapters/ray_steps``, whose
    driver (``adapters/ray_main``, ``adapters/ray_seats``) is the one process of ours that imports Ray beside the
    actors themselves (``adapters/ray_actor``). How workflows are written: ``libs/slipway/workflow``.
"""
