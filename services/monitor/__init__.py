"""The monitor: what serving saw and what came of it, by window of event time.

Owns
    prediction windows: how many predictions each version of each endpoint answered, by arm and by stretch of event
    time; labels, and the predictions that they wait for; performance windows: what joined pairs of the two add up to.
    It reads the prediction log, ``inference.predictions.v1``, and ``monitor.labels.v1`` as the group ``monitor``, and
    takes labels by call. Nobody else writes here.

Promises
    A prediction is counted once, however often its event is delivered: the event's id and the counts commit in one
    transaction. So is a label joined once to each prediction of its id, whichever of the two comes first, whether it
    comes by event or by call, and however often. The label with the latest label time holds: it takes an older one's
    place in every figure, to the last digit; another value with an equal or an older time is ignored, and counted. A
    label without its prediction waits for ``join_days``, is shown as waiting, and then as expired. Windows go by event
    time, never by arrival, so a replayed month lands where it belongs. An answer is as of what was consumed so far; an
    endpoint that nothing was consumed of has zero predictions. An event that is no sound batch goes to
    ``inference.predictions.v1.monitor.dlq`` or ``monitor.labels.v1.monitor.dlq`` with the reason, and those behind it
    go on; operators see it there, and its bytes when they ask for them.

Fails
    Without its database: UNAVAILABLE for counts, windows and labels that a call brings, and events wait in the log.
    Without the event log it does not start; while that is away, counts stand still, and UNAVAILABLE answers who asks
    for dead letters. Killed at any line: nothing is lost, nothing counted or joined twice. A second monitor takes the
    log over, and the first one ends. A changed ``window_s`` or ``performance_window_s`` holds for events to come;
    windows that were counted keep their width. After ``join_days`` a prediction has no place for a label or a
    correction any more: the one waits in vain, the other is ignored.

Where a change goes
    What makes a batch sound, which window a moment falls in, which label holds, what a figure is made of: ``domain``.
    What happens to events, and when: ``engine``. What is read of an event or a request: ``codec``. Which events:
    ``api/consumer``. A table: ``adapters/tables`` with a new revision in ``adapters/migrations/versions``.
"""
