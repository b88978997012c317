"""The monitor: what serving saw, counted by window of event time.

Owns
    prediction windows: how many predictions each version of each endpoint answered, by arm and by stretch of event
    time. It reads the prediction log, ``inference.predictions.v1``, as the group ``monitor``. Nobody else writes here.

Promises
    A prediction is counted once, however often its event is delivered: the event's id and the counts commit in one
    transaction. Windows go by event time, never by arrival, so a replayed month lands where it belongs. An answer is
    as of what was consumed so far; an endpoint that nothing was consumed of has zero predictions. An event that is no
    sound batch goes to ``inference.predictions.v1.monitor.dlq`` with the reason, and those behind it go on; operators
    see it there, and its bytes when they ask for them.

Fails
    Without its database: UNAVAILABLE for counts and windows, and events wait in the log. Without the event log it does
    not start; while that is away, counts stand still, and UNAVAILABLE answers who asks for dead letters. Killed at any
    line: nothing is lost, nothing counted twice. A second monitor takes the log over, and the first one ends. A changed
    ``window_s`` holds for events to come; windows that were counted keep their width.

Where a change goes
    What makes a batch sound, which window a moment falls in: ``domain``. What happens to events, and when: ``engine``.
    What is read of an event or a request: ``codec``. Which events: ``api/consumer``. A table: ``adapters/tables`` with
    a new revision in ``adapters/migrations/versions``.
"""
