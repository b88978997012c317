"""Faults on demand: a load, faults injected into it, and a check that every promise was kept.

``scripts/faults`` runs cells. A cell is one service's load and one fault on one platform: the units of
:mod:`slipway.supervisor`, which restarts what is killed. A round is one injection into the running load. What
clients asked for and were told goes to a history, an append-only file; when the load has ended, it is checked
against a model: no acknowledged write lost, no effect twice, one terminal state.

Rooms: ``models`` decide (pure functions from a history and what was found to findings), ``loads`` ask the
services and observe them, ``faults`` disturb, ``rounds`` and ``runner`` wait, ``platform`` starts and stops
processes, ``history`` and ``journal`` are files, ``report`` and ``cli`` speak to people.

To add a load, write ``loads/<service>.py`` with a class that satisfies :class:`scripts.chaos.load.Load`, and
its model in ``models/<service>.py``; name it in ``catalogue.LOADS``. ``loads/registry.py`` is the worked example:

* ``needs`` says which services and backing processes the platform runs, and their configuration;
* ``prepare`` makes what the clients need; it is called again when a run is resumed, so it must be repeatable;
* ``clients`` gives the concurrent callers; :meth:`Client.step` is called without a pause. A step makes its calls
  through ``scene.history.attempt``, which notes the invocation before and the answer after the call and gives None
  for an answer that is not known. Names of what a client writes start with ``scene.history.session``, so that a
  resumed run never meets its own ambiguous past;
* ``observe`` runs after the last fault has healed and the last call ended: it waits until what is under way has
  arrived, and reads the final state, topics included (:func:`scripts.chaos.topics.read_all`);
* ``check`` gives the findings: a pure function of the operations, the marks of faults, and what was observed.

To add a fault, write a class that satisfies :class:`scripts.chaos.fault.Fault` in ``faults/<kind>.py`` and name it
in ``catalogue.FAULTS``. ``unsuited`` says why it can't be had here, in words that go into the report; ``around``
holds what it needs while the platform lives (a proxy, a mount); ``adapt`` changes a unit before it starts (its
environment, its command); ``inject`` disturbs once, and returns when it has healed, with the moment it began.
"""
