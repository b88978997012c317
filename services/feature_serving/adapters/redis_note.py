"""A note in Redis of whether what was written is still there: it goes with the values, or names another server."""

from __future__ import annotations

import uuid

from redis.asyncio import Redis

_END = """
local found = redis.call('GET', KEYS[1])
if found == ARGV[1] or found == ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[2])
  return 1
end
return 0
"""


class Note:
    """The note of one project. Raises as ``client`` does.

    It holds the server's run id when all is there, and the run id and a mark of their own while somebody writes the
    values again. A server that was restarted or took over from another may lack what was written last, so its note,
    which names the other one, does not count.
    """

    def __init__(self, client: Redis, project: str) -> None:
        self.key = f"_whole:{project}"
        self._client = client
        self._end = client.register_script(_END)

    async def whole(self) -> bool:
        """See Wholeness."""
        run_id, found = await self._read()
        return found == run_id

    async def begin(self) -> str:
        """See Wholeness."""
        run_id, found = await self._read()
        if found.startswith(f"{run_id}/"):
            # Another process is at it, or was: who ends first says it for both.
            return found
        mark = f"{run_id}/{uuid.uuid4().hex}"
        await self._client.set(self.key, mark)
        return mark

    async def end(self, mark: str) -> bool:
        """See Wholeness."""
        return bool(await self._end(keys=[self.key], args=[mark, mark.partition("/")[0]]))

    async def _read(self) -> tuple[str, str]:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.info("server")
        pipeline.get(self.key)
        facts, found = await pipeline.execute()
        return str(facts.get("run_id", "")), (found or b"").decode(errors="replace")
