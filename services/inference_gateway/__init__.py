"""The inference gateway: answers applications, and logs every answer before it leaves.

Owns
    endpoints as they run now: which versions are loaded, in which worker processes, and who answers what; the
    spool of the prediction log. It owns no tables: what should run is the registry's to say.

Promises
    Every answer is in the spool on disk before it leaves, and on ``inference.predictions.v1`` once. A row whose
    ``prediction_id`` was answered before gets that answer again. A version takes traffic only after its worker
    has answered a warm-up row; the version before it serves until then. A request sees one snapshot of the
    configuration. A worker that dies costs one retry. With every other service down it serves its last snapshot.

Fails
    Without the registry: goes on, and says so in ListEndpoints. Without the event bus: answers go on, the spool
    fills; when it is full, what is not logged is counted and said. A version that can't be loaded is FAILED with
    the reason, and what served before goes on. Killed at any line: what was answered is logged, once.

Where a change goes
    What a row must be like, who answers it: ``domain``. The order of things in a request or a roll-out:
    ``engine``. Another protocol: ``api``. How models run: ``adapters/worker_*``; how the log is kept:
    ``adapters/spooled_log``.
"""
