"""Real Kafka, PostgreSQL and Redis on this machine without containers: ``scripts/stack``.

It owns getting the programs (:mod:`install`: Kafka's jars by Maven, the rest from Debian), a stack for the time of
one command (:mod:`run`, which ``scripts/test`` goes through), Kafka's own tools, and the command (:mod:`cli`).
Running the servers is :mod:`slipway.supervisor`'s: a stack is a fleet that has backing units and no service, so it
has a lock, a state file, logs and a supervisor of its own on a data folder of its own.

Promises: what is up answers; a failed start names the part, its exit code and the end of its log, and leaves no
process; ``down`` ends the processes of this stack alone; a killed supervisor takes its servers along. Servers that
the environment names (``SLIPWAY_KAFKA``, ``SLIPWAY_POSTGRES``, ``SLIPWAY_REDIS``) are used in place of its own, and
never stopped.
"""
