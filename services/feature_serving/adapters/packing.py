"""Commands for Redis, packed in C: a write has thousands of arguments, and the driver packs them one by one."""

from __future__ import annotations

from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection


def pack_in_c(client: Redis) -> Redis:
    """The client, whose new connections pack so."""
    pool = client.connection_pool
    plain: type[AbstractConnection] = pool.connection_class

    class Packing(plain):  # type: ignore[misc,valid-type]
        def pack_command(self, *args: Any) -> list[bytes]:
            # A command of two words, such as SCRIPT LOAD, is two arguments to the server.
            name, *rest = args
            words = name.split() if isinstance(name, str | bytes) else [name]
            return [hiredis.pack_command((*words, *rest))]

    pool.connection_class = Packing
    return client
