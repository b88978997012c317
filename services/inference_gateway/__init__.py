"""The inference gateway: answers applications, and logs every answer before it leaves.

Owns
    endpoints as they run now: which versions are loaded, in which worker processes, and who answers what; the
    spool of the prediction log; which arms it took to zero by itself; its tenants' tokens and limits, which are
    configuration, and their counts since it started. It owns no tables: what should run is the registry's to say.

Promises
    Every answer is in the spool on disk before it leaves, and on ``inference.predictions.v1`` once. A row whose
    ``prediction_id`` was answered before gets that answer again, ages and all. A version takes traffic only after
    its worker has answered warm-up rows, of late traffic if any; the version before it serves until then. A request
    sees one snapshot of the configuration. Requests that wait for a version are run and logged together, in a wave
    of one such snapshot; what is wrong with one fails it alone. What can't be answered before its deadline is
    refused at once. A worker that dies costs one retry, on another worker of the version's pool where there is one;
    a version that kills too many gets no more, says why, and comes back when its endpoint changes or an operator
    loads it. With every other service down it serves its last snapshot.
    What a signature names as features and a caller left out is read from feature_serving, in one call for the batch
    and all of its versions, at the rows' event times. A shadow arm scores what other arms answered, under the same
    ids, behind the answers: no caller waits for it or fails by it.
    The same keys take the same arm on every gateway while the weights stand; when they change, a row goes only to an
    arm that grew more than its own. What the arms of an experiment answer is logged with its name.
    An arm of which too many batches fail, whose rows take longer than its endpoint allows, or whose version can't be
    loaded, is taken to zero here, at once, and that is told on ``inference.arm.v1`` at least once; it stays so, over
    restarts, until the registry changes the endpoint. The last arm with weight stays, and so does one that does no
    worse than the others.
    A request on ``inference.requests.v1`` is answered on ``inference.responses.v1``, those of a key in their order, by
    its predictions or by the error that Predict would refuse it with; delivered again it is the same predictions, and
    the same response by its event id. Its offset is committed after its response. Junk goes to
    ``inference.requests.v1.inference_gateway.dlq``.
    The Open Inference Protocol is Triton's superset of it, over gRPC and REST: a stream answers as answers are ready,
    and one bad request on it is told and costs the others nothing. What the repository calls load and unload is what
    the registry wants: a caller may have a version tried again, or the memory back of one that takes no traffic, and
    brings neither models nor configuration. Statistics are since the start. Shared memory, and settings of traces
    and the log, are UNIMPLEMENTED, with the reason.
    A caller's trace goes on through its wave and batch, and into feature_serving; without an exporter no span is made.
    Where a caller asks why, every answer says what each column did to it, by the version's own baseline; that runs in
    slices, beside the predictions, and is not logged. A version without a baseline refuses before it answers.
    GetStatistics counts since the start what every arm answered and every version ran, and tells what waits now.
    Where tenants are configured, only they are answered, each within its quota and its fair share of queues and of
    what is answered at once; one that floods is refused, at once and with the time to come back, and the others are
    not. Health and metadata are open to all. Nothing that was accepted is pushed out.

    A number that a column's type can't hold, or that its version's baseline calls not valid, reaches no model.

Fails
    Without the registry: goes on, and says so in ListEndpoints. Without the event bus: answers go on, requests by
    events wait there, the spool fills; when it is full, what is not logged is counted and said. A version that can't
    be loaded is FAILED with the reason, and what served before goes on. Killed at any line: what was answered is
    logged, once; scores of shadows that still waited are lost, and so are those for which there was no room, counted
    and said.
    Without feature_serving, or a feature's value: the answer is made with null and says ``degraded``, or it is
    UNAVAILABLE (the service is away) or INVALID_ARGUMENT (there is no value) when a column must not be null. A feature
    whose definition names a fallback is that instead, ``degraded`` and logged by column; while the service is away,
    the one that it told last, since this process started.
    An endpoint's default answer stands in for an arm that fails and, where it says so, while nothing is loaded or
    features that must not be null can't be read: these say ``degraded`` beside ``fallback``, and are logged so.
    A worker that leaks is replaced before it is missed. Over the budget of memory, versions without traffic make place
    for one that loads; one that still has none is FAILED with the figures.

Where a change goes
    What a row must be like, who answers it, when an arm goes to zero: ``domain``. The order of things in a request
    or a roll-out: ``engine``. Another protocol: ``api``; what comes by events: ``api/consumer``. How models run:
    ``adapters/worker_*``; how the log is kept: ``adapters/spooled_log``; how features are asked for:
    ``adapters/feature_service``.
"""
