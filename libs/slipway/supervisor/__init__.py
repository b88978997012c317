"""Brings the embedded profile up on one machine and keeps it up: the ``slipway`` command.

It owns the processes of the five services, the private Redis and the Ray head: their ports, environment,
logs, order of stopping and restarts. It owns no data and no decision of theirs; a service runs just as well
under Kubernetes or by hand.

Promises: one supervisor a data root (a lock says so); what dies is restarted with growing delays; what hangs
is killed and restarted; every child dies with the supervisor, even by ``kill -9``; a failed ``up`` leaves no
process and no state behind. Fails by saying which unit did not serve, its exit code and the end of its log.

Rooms: ``policy`` decides, ``unit`` and ``crew`` wait, ``plan`` composes from ``fleet`` and ``options``,
``process``, ``health``, ``ports``, ``lock``, ``state``, ``logs`` touch the machine, ``cli`` speaks to people.
Other packages import :func:`discover` alone, which is quick to import.
"""

from slipway.supervisor.discover import discover

__all__ = ["discover"]
