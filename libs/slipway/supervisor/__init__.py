"""Brings the embedded or the stack profile up on one machine and keeps it up: the ``slipway`` command.

It owns the processes of the five services, the private Redis and the Ray head, and in the stack profile those of
Kafka and PostgreSQL: their ports, environment, logs, order of stopping and restarts. It owns no data and no decision
of theirs; a service runs just as well under Kubernetes or by hand. Servers that the environment names, or that
``scripts/stack`` runs on the same data root, it uses and never stops.

Promises: one supervisor a data root (a lock says so); what dies is restarted with growing delays; what hangs
is killed and restarted; every child dies with the supervisor, even by ``kill -9``; a failed ``up`` leaves no
process and no state behind. Fails by saying which unit did not serve, its exit code and the end of its log.

In the stack profile each service that has tables gets a database of its own, made when it is missing, and waits for
PostgreSQL before it is started.

Rooms: ``policy`` decides, ``unit`` and ``crew`` wait, ``plan`` composes from ``fleet`` and ``options``,
``process``, ``health``, ``ports``, ``lock``, ``state``, ``logs`` touch the machine, ``cli`` speaks to people.
Other packages import :func:`discover` and :func:`discover_events`, which are quick to import; ``slipway.stack`` is
its other command.
"""

from slipway.supervisor.discover import discover, discover_events

__all__ = ["discover", "discover_events"]
