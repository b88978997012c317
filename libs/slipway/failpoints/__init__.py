"""Places where a test may make a process fail, by name; off unless the configuration arms them.

The code calls :func:`hit` (or awaits :func:`hit_async`) before and after each step that makes something durable or
hands it on: a commit, a rename, a sync, a publish. Unarmed, that is one comparison. ``NAMES`` lists every name;
type checkers know them (``Name``), and a spec that names another is refused with the list.

Armed is what ``SLIPWAY_FAILPOINTS`` says, read once, and what the file that ``SLIPWAY_FAILPOINTS_FILE`` names says
now: it is looked at whenever a failpoint is reached, so that it may change while the process runs. Without that
variable no file is ever looked at. Both hold a spec::

    sql.commit.after=kill@3; events.publish.before=error*2; spool.sync.before=delay(250ms)

``name=action``, then ``@N`` (from the N-th time it is reached on) and ``*M`` (M times, then no more), apart by
semicolons or lines; ``#`` begins a comment. The actions:

* ``kill``, ``stop``: SIGKILL or SIGSTOP to its own process; once unless ``*M`` says otherwise. All others act each
  time that the place is reached unless ``*M`` bounds them.
* ``error``: the place fails as it does when what it needs is away: Unavailable, or EIO where it writes files.
  ``error(internal)`` fails as by a fault of the code, which no retry mends.
* ``disk-full``: ENOSPC where it writes files, else Exhausted.
* ``delay(250ms)``, ``delay(2s)``: later; at ``hit_async`` the event loop goes on meanwhile, at ``hit`` its thread
  stands.

What acts a bounded number of times is first counted down in the file, by an atomic rename under a lock: the process
that is started after a kill, and any other that reads the same file, finds it gone. An entry of the environment is
counted in each process anew.

:func:`arm`, :func:`disarm` and :func:`armed` are for whoever injects faults from another process, :func:`arming` for a
test in its own.
"""

from slipway.failpoints.file import arm, armed, disarm
from slipway.failpoints.names import NAMES, Name
from slipway.failpoints.spec import Action, Entry, parse
from slipway.failpoints.switch import arming, check, hit, hit_async, warn_if_armed

__all__ = [
    "NAMES",
    "Action",
    "Entry",
    "Name",
    "arm",
    "armed",
    "arming",
    "check",
    "disarm",
    "hit",
    "hit_async",
    "parse",
    "warn_if_armed",
]
