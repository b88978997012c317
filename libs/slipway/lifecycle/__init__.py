"""Starting, watching and stopping what a process is made of.

:func:`run` starts components in the order given (dependencies first, the server last), waits for SIGTERM or
SIGINT, and stops them in the reverse order. A component that ends by itself with an error stops the rest and
the process fails, so that whoever supervises it sees that and starts it again.
"""

from slipway.lifecycle.run import Component, Loop, run

__all__ = ["Component", "Loop", "run"]
