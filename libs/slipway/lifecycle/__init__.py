"""Starting, watching and stopping what a process is made of.

:func:`run` starts components in the order given (dependencies first, the server last), waits for SIGTERM or
SIGINT, and stops them in the reverse order. A loop that ends by itself stops the rest and the process fails,
so that whoever supervises it sees that and starts it again. :func:`running` is the same without the waiting,
for whoever embeds a service.
"""

from slipway.lifecycle.busy_poll import BusyPoll, loop_factory
from slipway.lifecycle.cores import cores
from slipway.lifecycle.loop import Loop
from slipway.lifecycle.once import Once
from slipway.lifecycle.ports import PortTaken, require_free
from slipway.lifecycle.run import Component, run, running

__all__ = [
    "BusyPoll",
    "Component",
    "Loop",
    "Once",
    "PortTaken",
    "cores",
    "loop_factory",
    "require_free",
    "run",
    "running",
]
