#!lua
-- Applies heartbeats and deletions to a session store, all of them or none. session-store-record.ts draws the records.
--
-- Reads first, then writes: each of the two hashes is read and written with one command, however many sessions
-- there are, because a command costs Redis more than a session in it.
--
-- KEYS  generation, names of session stores, seen, docs, then `gone` of each deletion
-- ARGV  the store's name, 1 if it exists unasked, received ms (13 digits), seconds that `gone` lives,
--       then for each operation its session and either a heartbeat (from offset 32 of its record), or `-` to delete
--       the session, or `-` and 13 digits to delete it if it was last updated then
--
-- Replies with one letter for each operation: c created, u updated, s stale (a newer heartbeat is there),
--         d deleted, m missing (nothing to delete), k kept (updated at another time); or DELETING, or NOSTORE.
local call, sub, byte, format = redis.call, string.sub, string.byte, string.format
local received, goneSeconds = ARGV[3], ARGV[4]
local UNNUMBERED, DASH = '0000000000', 45
-- Of one clock, or of two that agree: a beat within the same ms gets a later time. Clocks that don't are believed.
local CLOCKS_AGREE_MS = 1000

local generation = call('GET', KEYS[1])
if generation and sub(generation, 1, 1) == '!' then return 'DELETING' end
if ARGV[2] ~= '1' and call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 'NOSTORE' end
-- A value of a wrong type is an error here, before the first write.
call('ZCARD', KEYS[3])

local count, ids = (#ARGV - 4) / 2, {}
for i = 1, count do ids[i] = ARGV[3 + 2 * i] end
local stored = call('HMGET', KEYS[4], unpack(ids))

local function isStale(old, new)
  local oldTime, newTime, oldSeq, newSeq = sub(old, 33, 45), sub(new, 1, 13), sub(old, 46, 55), sub(new, 14, 23)
  if oldTime < newTime and oldSeq < newSeq then return false end
  if oldSeq ~= UNNUMBERED and newSeq ~= UNNUMBERED then
    local tabEnd = 26 + tonumber(sub(new, 24, 26))
    if sub(old, 56, 32 + tabEnd) == sub(new, 24, tabEnd) then return newSeq <= oldSeq end
  end
  return newTime < oldTime
end

local function updatedAt(last)
  if last < received or tonumber(last) - tonumber(received) >= CLOCKS_AGREE_MS then return received end
  return format('%013d', tonumber(last) + 1)
end

-- What is to be written: `docs` and `seen` in pairs, `place` the pair of a session, false if it was deleted last.
local docs, seen, n, place, outcome = {}, {}, 0, {}, {}
local ended, gone, deletions = {}, {}, 0

local function put(id, at, updated, record)
  if not at then
    at, n = n + 1, n + 2
    place[id], docs[at], seen[at + 1] = at, id, id
  end
  docs[at + 1], seen[at] = record, updated
end

for i = 1, count do
  local id, sent = ids[i], ARGV[4 + 2 * i]
  local at = place[id]
  local old = stored[i]
  if at ~= nil then old = at and docs[at + 1] end
  if byte(sent) == DASH then
    deletions = deletions + 1
    if not old then
      outcome[i] = 'm'
    elseif sent ~= '-' and sub(sent, 2) ~= sub(old, 1, 13) then
      outcome[i] = 'k'
    else
      outcome[i], place[id], ended[id] = 'd', false, true
      if sub(old, 27, 31) ~= '00000' then
        gone[#gone + 1], gone[#gone + 2] = KEYS[4 + deletions], sub(old, 14, 31)
      end
    end
  elseif not old then
    outcome[i] = 'c'
    put(id, at, received, received .. received .. '000000' .. sent)
  elseif isStale(old, sent) then
    outcome[i] = 's'
  else
    local updated = updatedAt(sub(old, 1, 13))
    outcome[i] = 'u'
    put(id, at, updated, updated .. sub(old, 14, 31) .. '0' .. sent)
  end
end

if n > 0 then
  call('HSET', KEYS[4], unpack(docs))
  call('ZADD', KEYS[3], unpack(seen))
end
-- A session may have been deleted and come back, or the other way round: what it did last counts.
local absent = {}
for id in pairs(ended) do
  if place[id] == false then absent[#absent + 1] = id end
end
if #absent > 0 then
  call('HDEL', KEYS[4], unpack(absent))
  call('ZREM', KEYS[3], unpack(absent))
end
for i = 1, #gone, 2 do call('SET', gone[i], gone[i + 1], 'EX', goneSeconds) end
return table.concat(outcome)
