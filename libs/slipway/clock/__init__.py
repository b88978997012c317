"""Time as a port: wall time for stamps, monotonic time for deadlines and leases.

Engines take a :class:`Clock`; ``main`` hands them a :class:`SystemClock`, tests a :class:`ManualClock`,
which moves only when told to, so that no test ever sleeps.
"""

from slipway.clock.clock import Clock, SystemClock
from slipway.clock.manual import ManualClock

__all__ = ["Clock", "ManualClock", "SystemClock"]
