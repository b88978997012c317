"""Feature serving: which features exist, what they mean, and whether the online store answers.

Owns
    the feature catalogue: views, their features, entities and owners, in one database. Nobody else writes it.

Promises
    Definitions are stored all or none. The same definition again changes nothing, so a call may be repeated; another
    one raises the view's revision by one. A stored feature never changes its type, nor a view its entities: what was
    trained on a name goes on meaning the same. The catalogue is served whether the online store is up or not.
    Feast is never imported here.

Fails
    Without its database: UNAVAILABLE for every call but GetOnlineStore. Without the online store: GetOnlineStore says
    so, with the reason, within a second; every other call goes on. Killed at any line: what was acknowledged is there.

Where a change goes
    What a view must be like, and which changes are allowed: ``domain``. What a call does, in which order: ``engine``.
    A field of the contract: ``codec``. A table: ``adapters/tables`` with a new revision in
    ``adapters/migrations/versions``. Another online store: a file in ``adapters``. The definition files: ``cli``.
"""
