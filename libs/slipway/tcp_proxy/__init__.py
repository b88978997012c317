"""A TCP proxy that makes a network bad on purpose, in user space: for tests, and for faults between real processes.

It listens on loopback and passes what it reads on to one address. What happens on the way is :class:`Conditions`,
one :class:`Link` for each direction (``up`` is from the client to the server), and may change while connections
are open:

* latency, with a seeded jitter; a chunk never overtakes another.
* loss. TCP loses no bytes, it sends them again: of a lossy link the ends see pauses, and connections that are given
  up. So ``loss`` is the share of chunks that are held up for ``retransmit_s``, and with them all behind them, and
  ``cut`` is the share of chunks at which the connection is reset.
* bandwidth, in bytes a second.
* a partition of one direction or both: nothing passes, an end's FIN or RST included, and nothing is lost: what was on
  its way arrives after :meth:`TcpProxy.heal`, as TCP's retransmissions do. Connections that are made meanwhile are
  accepted by this machine's kernel, so ``connect`` succeeds and then nothing comes: clients need a deadline.
* reset: both ends of every connection get RST.
* half-open: one end is gone (RST), the other is not told; what it sends is swallowed until it gives up.
* slow close: an end's FIN is passed on ``close_delay_s`` later.
* refusal: each new connection is reset at once.

:meth:`TcpProxy.open` runs one in this process; ``python -m slipway.tcp_proxy`` runs one as a process, steered
over its control address by :class:`Control`; :func:`spawned` is both. A seed makes the n-th chunk of a connection's
direction meet the same luck; how bytes fall into chunks is the kernel's.

It can't reorder or duplicate packets, and a broker that tells its clients another address is spoken to directly: let
Kafka advertise the proxy's. Not for production: it bounds what it holds of each connection, and nothing else.
"""

from slipway.tcp_proxy.conditions import Conditions, Counters, Direction, End, Link
from slipway.tcp_proxy.control import Control
from slipway.tcp_proxy.process import spawned
from slipway.tcp_proxy.proxy import TcpProxy

__all__ = ["Conditions", "Control", "Counters", "Direction", "End", "Link", "TcpProxy", "spawned"]
