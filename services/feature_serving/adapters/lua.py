"""What Redis runs for us, many keys at a time: a command a row costs Python more than Redis."""

STAMPS = """
local found = {}
for row, key in ipairs(KEYS) do
  found[row] = redis.call('HGET', key, ARGV[1])
end
return found
"""
"""KEYS: entities. ARGV: a hash field. Gives that field of each."""

SWAP = """
local stamp, given, missing = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local at = 4 + given + missing
local done = {}
for row, key in ipairs(KEYS) do
  done[row] = 0
  if (redis.call('HGET', key, stamp) or '') == ARGV[at] then
    local written = {stamp, ARGV[at + 1]}
    for n = 1, given do
      written[2 * n + 1] = ARGV[3 + n]
      written[2 * n + 2] = ARGV[at + 1 + n]
    end
    redis.call('HSET', key, unpack(written))
    if missing > 0 then
      redis.call('HDEL', key, unpack(ARGV, 4 + given, 3 + given + missing))
    end
    done[row] = 1
  end
  at = at + 2 + given
end
return done
"""
"""KEYS: entities. ARGV: the field with the event time; how many fields are given and missing; those fields; then for
each key the event time that must be stored (empty: none), the one to store, and the given fields' values. Gives 1 for
each key that was written, else 0."""
