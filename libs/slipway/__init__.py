"""Slipway: the foundations that its services and clients stand on.

Each package here is one noun, and says in its own docstring what it promises:

* ``clock``, ``errors``, ``config``: time as a port, one error type, typed configuration.
* ``observe``, ``lifecycle``, ``rpc``, ``cli``: what every process and command shares.
* ``naming``, ``paging``: names held to an allow-list, and pages by key.
* ``sql``, ``events``, ``artifacts``, ``spool``: what outlives a process; ``sqlite`` is what the first two share,
  ``durable`` what the last two do.
* ``failpoints``, ``tcp_proxy``: faults on purpose, within a process and between two of them; off unless asked for.
* ``workflow``: how a data scientist writes a typed workflow.
* ``client``: the public Python client, sync and async.
* ``supervisor``: ``slipway up``, the embedded profile on one machine.
* ``feast_definitions``: compiles a Feast repository into the feature catalogue, as a process of its own.
* ``gen``: generated code; nothing is written there by hand.

Nothing in ``slipway`` imports ``services``.
"""
