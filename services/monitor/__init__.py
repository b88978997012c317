"""The monitor: what serving saw and what came of it, by window of event time.

Owns
    prediction windows: how many predictions each version of each endpoint answered, by arm and by stretch of event
    time; labels, and the predictions that they wait for; performance windows: what joined pairs of the two add up to;
    feature windows: what versions saw of their features, on the bins of their baselines; incidents; verdicts on the
    steps of rollouts. It reads the prediction log, ``inference.predictions.v1``, and ``monitor.labels.v1`` as the
    group ``monitor``, and takes labels by call; baselines come from ``registry.model-version.v1``, rollouts from
    ``registry.endpoint.v1``. It publishes ``monitor.incident.v1`` and ``monitor.verdict.v1``. Nobody else writes here.

Promises
    A prediction is counted once, however often its event is delivered: each batch of an event has an id, which commits
    with its counts. So is a label joined once to each prediction of its id, whichever of the two comes first, whether
    it comes by event or by call, and however often. The label with the latest label time holds: it takes an older one's
    place in every figure, to the last digit; another value with an equal or an older time is ignored, and counted. A
    label without its prediction waits for ``join_days``, is shown as waiting, and then as expired. Windows go by event
    time, never by arrival, so a replayed month lands where it belongs. An answer is as of what was consumed so far; an
    endpoint that nothing was consumed of has zero predictions. An event that is not sound goes to its topic's
    ``….monitor.dlq`` with the reason, and those behind it go on; operators see it there, and its bytes when they ask
    for them. What a version only scored in the shadow is in performance windows, by its route, and in no count of what
    was answered, nor in feature windows.

    A performance window is judged once, when predictions and labels of its endpoint both are ``label_maturity_s`` past
    its end in event time and the version's baseline is known, and by what is there then. Only versions that answer are
    judged, not one on trial. Harm is log loss above, or AUC below, the baseline by more than its weeks differ by anyway
    and more than a floor. Two windows in a row that show harm (one with too few rows says nothing, and breaks no row)
    open an incident of the version, and one only; it names the features that drifted in both (else in the latter) and
    matter, the gravest first, and the event time at which all it rests on was known. Important features that lose their
    values for two windows are one of data. Drift alone opens nothing. It ends after two good windows, or when its
    version answers no more.

    A step of a rollout gets one verdict, on the labelled predictions that both versions scored since it began, by a
    confidence sequence that holds however often it is looked at; no data is never a pass. Incidents and verdicts
    commit with what they rest on, and with their event.

Fails
    Without its database: UNAVAILABLE for counts, windows and labels that a call brings, and events wait in the log.
    Without the event log it does not start; while that is away, counts stand still, and UNAVAILABLE answers who asks
    for dead letters. Killed at any line: nothing is lost, nothing counted or joined twice. A second monitor takes the
    log over, and the first one ends. A changed ``window_s`` or ``performance_window_s`` holds for events to come;
    windows that were counted keep their width. Features of a version that the registry said nothing of yet wait in the
    database; once its baseline is there they are counted, and the windows that passed meanwhile are judged. They hold
    up no other version. After ``join_days`` they are given up, and the log says so; without a baseline a version is not
    judged. An endpoint without labels is not judged, for data neither. Labels of one day hang together, which the
    confidence sequence does not know: let a step last for days. After ``join_days`` a prediction has no place for a
    label or a correction any more: the one waits in vain, the other is ignored.

Where a change goes
    What makes a batch sound, which window a moment falls in, which label holds, what a figure is made of: ``domain``.
    What is harm: ``domain/harm``; when it is an incident: ``domain/incident``; when a step is passed:
    ``domain/verdict``. What happens to events, and when: ``engine``. What is read of an event or a request: ``codec``.
    Which events: ``api/consumer``, ``api/registry``. A table: ``adapters/tables`` with a new revision in
    ``adapters/migrations/versions``.
"""
