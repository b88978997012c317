"""Feature serving: which features exist, what they mean, and their values online.

Owns
    the feature catalogue: views, their features, entities and owners, and feature services, in one database. Nobody
    else writes it. The values online, in Redis in Feast's own layout (project ``slipway``), where Feast's clients may
    read and write too. How far each view's rows have come: its watermark. What the events of windowed views have left
    behind: a partial result an entity, hop and column, in the same database; there too the newest row of each entity
    that came by PushRows, which no log has.
    Training sets: their spines, their bytes by digest, and what each was made from.

Promises
    Definitions are stored all or none. The same definition again changes nothing, so a call may be repeated; another
    one raises the revision by one. A stored feature never changes its type, nor a view its entities: what was
    trained on a name goes on meaning the same; nor does a feature go that a feature service names. The catalogue is
    served whether the online store is up or not.
    A row is written whole or not at all, and never over a newer one by event time; at the same event time the later
    row wins: a correction. So rows may be pushed and published again. A watermark rises after its rows are there.
    An answer says of each value whether it is there and when it was true. Ages are measured from the moment asked
    about. What is missing, null or older than its view's max_age is never told as a value, but where the feature's
    definition names a fallback for it, as that, and marked. It hides no fault. Nothing expires by itself.
    The rows of a windowed view are events. Each counts once for each id of its CloudEvent, and of PushRows once a call:
    the same rows again are the same call. Its values are those of the contract's window, made by one algebra
    (``domain/windows``), and written when event time passes a multiple of the hop, for the entities whose values may
    have changed; after a long jump those of the last multiple alone. Until the next one they are true: the event time
    that is answered is the view's last boundary, unless the row is newer, and ages are measured from it. Events that
    come after the watermark has passed them are counted as late, and in the values made from then on. What no window
    can reach again is forgotten, so a feature with a longer window than the view had before fills up from then on.
    A stored feature never changes what it is made of, nor a view its hop.
    A training set that was accepted is made, in the order of asking, and never changes: features as they were known at
    each row's moment, by the definitions and the sources' bytes of the moment when it was asked for. The same inputs
    give the same bytes. A value in it is what a read would have answered then; fallbacks among them are counted. It
    is joined by a process of its own, which dies with this one.
    Feast is never imported here.

Reads
    ``features.rows.v1`` as the group ``feature_serving``. An event that can't be applied (no rows, unknown view or
    feature, wrong type, no entity, a number that can't be summed) goes to ``features.rows.v1.feature_serving.dlq`` with
    the reason.

Fails
    Without its database: UNAVAILABLE for every call but GetOnlineStore; reads of what was read a moment ago go on for
    a second.
    Without the online store: GetOnlineStore says so, with the reason, within a second; reads and pushes are
    UNAVAILABLE, ingestion waits, the catalogue goes on. A store that lost its values, was restarted or took over from
    another is noticed within a second, and they are written again: those of windowed views at their last boundary,
    from the database, every row that the event log still holds, and the newest that came by PushRows, which the
    database keeps. Until then, and of entities that no window reaches any more, the answer is NOT_FOUND; ingestion
    waits for the rebuild.
    A store that comes back with older values is believed for that second. Watermarks are kept apart from it and stay.
    Killed at any line: what was acknowledged is there, what was being applied from the log is applied again, and the
    training set that was being made is made anew. A type that another writer stored is UNREADABLE.
    A training set that can't be made (the spine lacks a column, a source is gone, changed or of another type, memory)
    is FAILED and says why; asked for again, another is made. While the disk is full or away it waits.

Where a change goes
    What a view or a feature service must be like, and which changes are allowed: ``domain/rules``,
    ``domain/service``. Feast's keys and bytes: ``domain/layout``, ``domain/wire``. Which row takes effect:
    ``domain/rows``. What an answer says: ``domain/reading``, ``domain/answer``; what stands where there is no
    value: ``domain/fallback``. What a call does, in which order: ``engine``; what is written again after a loss:
    ``engine/rebuilding``. A field of the contract: ``codec``. What windows make of events: ``domain/windows``,
    ``domain/tiles``; when: ``engine/windowing``. A table: ``adapters/tables`` with a new revision in
    ``adapters/migrations/versions``. Another online store: a file in ``adapters``. The definition files: ``cli``;
    what is taken from a Feast repository: ``slipway.feast_definitions``, a process of its own. How rows of the past
    become a training set: ``adapters/join``.
"""
