#!lua
-- The commit script: one batch of events of one property, wholly or not at all.
--
-- Phase 1 only reads. It ends early, with nothing written, when what the collector packed does not fit what
-- is stored; the reply then says what is true and the collector packs again. It also touches every key that
-- phase 2 writes with a command of that key's type, so that a value of a wrong type is an error here, before
-- the first write. Phase 2 only writes. Redis runs a script alone and propagates its writes as one
-- MULTI/EXEC, so in memory, on replicas and in the append-only file a batch is there or is not; an AOF cut
-- in the middle by a crash loses the whole batch on loading. Windows of seen numbers come last all the same,
-- each in one command with the counts of its session: if ever a part were lost, it must be the part whose loss
-- lets a resend in again.
--
-- KEYS  generation, totals, registry, ids, docs, dir,
--       info of each session touched today, home and info of each other session, session index of each day,
--       vid hash of each unknown visitor, each bitmap, and, if there are event ids, today's and yesterday's set of them
-- ARGV  texts..., numbers, chunk. ARGV[1..5]: expected replication id, expected generation, a generation
--       for a new property, today's number, seconds that a session's home lives after its last touch.
--       `numbers` is little-endian; commit-request.ts draws it.
--
-- Replies  {'stale', generation, replication id}
--          {'again', base, next visitor id, generation, replication id, {event, status, ...},
--           {day of each session, '' = say everything of it, '=' = as packed}, {id of each unknown visitor, -1 = new}}
--          {'ok', base, generation, replication id, {id of each unknown visitor}}
local call, sub, match, format, unpackStruct, packStruct =
  redis.call, string.sub, string.match, string.format, struct.unpack, struct.pack
local S, numbers, chunk = ARGV, ARGV[#ARGV - 1], ARGV[#ARGV]

local WINDOW, JUMP, TABS, SETBITS_PER_CALL = 1024, 10000, 32, 1000
local DUPLICATE, TOO_OLD, SEQ_JUMP, TOO_MANY_TABS = 1, 2, 3, 4

-- nLight counts the beats too.
local nEvents, nBeats, nLight, nSessions, nDays, nUnknown, nBitmaps, nTypes, nNames, firstName, nEventIds, docSegment,
      eventIdTtl, at = unpackStruct('<I2I2I2I2I2I2I2I2I2I2I2I4I4', numbers, 1)
local BEAT = 7
local HOME = BEAT + nLight
local INDEX = HOME + 2 * (nSessions - nLight)
local VID = INDEX + nDays
local BITMAP = VID + nUnknown
local EVENT_IDS = BITMAP + nBitmaps

-- Redis prints a Lua number in an argument as a floating-point one, which takes it three times as long.
local function int(n) return format('%d', n) end

-- Is this the data that the collector's caches speak of?
local replication = match(call('INFO', 'replication'), 'master_replid:(%x+)') or ''
local generation = call('GET', KEYS[1]) or ''
if sub(generation, 1, 1) == '!' then
  -- delete-property.ts is at work: what were written now would be taken away in part.
  return redis.error_reply('DELETING the property is being deleted')
end
if (S[1] ~= '' and S[1] ~= replication) or (S[2] ~= '' and S[2] ~= generation) then
  return {'stale', generation, replication}
end

-- ---------------------------------------------------------------- a tab of a session (tab-state.ts)
-- One field of the session's info: its window of seen numbers and its counts, packed.
local STATE = '<I4I4I4I4dd'
local STATE_BYTES = 32

local function parseMissing(text)
  local ranges = {}
  for first, last in string.gmatch(text, '(%d+)%-?(%d*)') do
    first = tonumber(first)
    ranges[#ranges + 1] = {first, tonumber(last) or first}
  end
  return ranges
end

local function formatMissing(highest, ranges)
  local left, parts = highest - WINDOW + 1, {}
  for i = 1, #ranges do
    local first, last = ranges[i][1], ranges[i][2]
    if last >= left and last >= first then
      if first < left then first = left end
      parts[#parts + 1] = first == last and format('%d', first) or format('%d-%d', first, last)
    end
  end
  return table.concat(parts, ',')
end

-- Returns the window's new highest number and missing ones, or nil and the reason.
local function judgeSeq(highest, missing, seq)
  if seq == highest + 1 and missing == '' then return seq, '' end
  if seq > highest + JUMP then return nil, SEQ_JUMP end
  if seq > highest then
    local ranges = parseMissing(missing)
    local first = seq - WINDOW + 1
    if first < highest + 1 then first = highest + 1 end
    if first < seq then ranges[#ranges + 1] = {first, seq - 1} end
    return seq, formatMissing(seq, ranges)
  end
  if seq <= highest - WINDOW then return nil, TOO_OLD end
  local ranges = parseMissing(missing)
  for i = 1, #ranges do
    local first, last = ranges[i][1], ranges[i][2]
    if first <= seq and seq <= last then
      ranges[i] = {first, seq - 1}
      table.insert(ranges, i + 1, {seq + 1, last})
      return highest, formatMissing(highest, ranges)
    end
  end
  return nil, DUPLICATE
end

-- ---------------------------------------------------------------- phase 1: read
local dirty, again, days = {}, false, {}

local dayName, dayTtl, dayUsed = {}, {}, {}
for d = 1, nDays do
  local name, ttl
  name, ttl, at = unpackStruct('<I2I2', numbers, at)
  dayName[d], dayTtl[d] = S[name], S[ttl]
end

-- The heartbeats that make most of the traffic: one numbered event of a session whose home was touched today and
-- whose tab is known. Such a home cannot have expired, so its day needs no look: two commands in all.
local beatTab, beatState = {}, {}
for s = 1, nBeats do
  local tab, event, seq, time
  tab, event, seq, time, at = unpackStruct('<I2I2I4d', numbers, at)
  tab = S[tab]
  local state = call('HGET', KEYS[BEAT + s - 1], tab)
  if not state then
    again = true
    days[s] = ''
  else
    local highest, events, views, beats, first, last = unpackStruct(STATE, state, 1)
    local missing = #state > STATE_BYTES and sub(state, STATE_BYTES + 1) or ''
    local updated, rest = judgeSeq(highest, missing, seq)
    if not updated then
      dirty[#dirty + 1], dirty[#dirty + 2] = event, rest
    else
      if time > last then last = time elseif time < first then first = time end
      state = packStruct(STATE, updated, events + 1, views, beats + 1, first, last)
      if rest ~= '' then state = state .. rest end
      beatTab[s], beatState[s] = tab, state
    end
  end
end

-- Judges the numbers of a session's tabs and adds the states that they change to the info's HSET arguments.
-- `info` holds three other fields, then the tabs' states in the order of the request.
local function judgeTabs(info, write, n, nTabs)
  local tabs = tonumber(info[1] or 0)
  local tabsBefore = tabs
  for t = 1, nTabs do
    local field, events, views, beats, first, last, count
    field, events, views, beats, first, last, count, at = unpackStruct('<I2I2I2I2ddI2', numbers, at)
    local highest, missing, fresh = 0, '', not info[3 + t]
    if not fresh then
      local state, e, v, b, f, l = info[3 + t]
      highest, e, v, b, f, l = unpackStruct(STATE, state, 1)
      missing, events, views, beats = sub(state, STATE_BYTES + 1), events + e, views + v, beats + b
      if f < first then first = f end
      if l > last then last = l end
    end
    local full = fresh and tabs >= TABS and count > 0
    for _ = 1, count do
      local event, seq, updated, rest
      event, seq, at = unpackStruct('<I2I4', numbers, at)
      if full then
        rest = TOO_MANY_TABS
      else
        updated, rest = judgeSeq(highest, missing, seq)
      end
      if updated then
        highest, missing = updated, rest
      else
        dirty[#dirty + 1], dirty[#dirty + 2] = event, rest
      end
    end
    if fresh then tabs = tabs + 1 end
    write[n + 1], write[n + 2], n =
      S[field], packStruct(STATE, highest, events, views, beats, first, last) .. missing, n + 2
  end
  if tabs ~= tabsBefore then write[n + 1], write[n + 2] = 'tabs', int(tabs) end
end

-- Reads a session's info. Returns its HSET arguments, its HSETNX pairs and whether it is new; nothing if it
-- is missing and the collector, believing it known, did not send all of it. Entry and exit: time, then path.
local function readInfo(key, nFields, nTabs, hasView)
  local firstMs, entry, lastMs, exit
  if hasView == 1 then firstMs, entry, lastMs, exit, at = unpackStruct('<dI2dI2', numbers, at) end
  local fieldsAt, names = at, {'tabs', 'entry', 'exit'}
  at = at + 5 * nFields
  local tabsAt = at
  for t = 1, nTabs do
    local name, count = unpackStruct('<I2', numbers, at), unpackStruct('<I2', numbers, at + 24)
    names[3 + t], at = S[name], at + 26 + 6 * count
  end
  local afterTabs = at
  local info = call('HMGET', key, unpack(names))
  local isNew = not info[1]
  local write, n, absent = {key}, 1, nil
  if hasView == 1 then
    if not info[2] or firstMs < unpackStruct('<d', info[2], 1) then
      write[n + 1], write[n + 2], n = 'entry', packStruct('<d', firstMs) .. S[entry], n + 2
    end
    if not info[3] or lastMs >= unpackStruct('<d', info[3], 1) then
      write[n + 1], write[n + 2], n = 'exit', packStruct('<d', lastMs) .. S[exit], n + 2
    end
  end
  at = fieldsAt
  for _ = 1, nFields do
    local name, value, mode
    name, value, mode, at = unpackStruct('<I2I2I1', numbers, at)
    if isNew or mode == 1 then
      write[n + 1], write[n + 2], n = S[name], S[value], n + 2
    else
      absent = absent or {}
      absent[#absent + 1], absent[#absent + 2] = S[name], S[value]
    end
  end
  at = tabsAt
  judgeTabs(info, write, n, nTabs)
  at = afterTabs
  if isNew and nFields == 0 then return nil end
  return write, absent, isNew
end

-- Other sessions that were touched today: their homes need no look either.
local infoWrite, infoAbsent = {}, {}
for s = nBeats + 1, nLight do
  local nFields, nTabs, hasView
  nFields, nTabs, hasView, at = unpackStruct('<I2I2I1', numbers, at)
  local write, absent, isNew = readInfo(KEYS[BEAT + s - 1], nFields, nTabs, hasView)
  if not write or isNew then
    again = true
    days[s] = ''
  end
  infoWrite[s], infoAbsent[s] = write, absent
end

local homeDay, homeTouch, infoTtl, indexDay, escapedSession = {}, {}, {}, {}, {}
for s = nLight + 1, nSessions do
  local d, session, nFields, nTabs, hasView
  d, session, nFields, nTabs, hasView, at = unpackStruct('<I2I2I2I2I1', numbers, at)
  local key = HOME + 2 * (s - nLight - 1)
  local home = call('HMGET', KEYS[key], 'day', 'touch')
  local isNewHome = not home[1]
  local dirtyBefore = #dirty
  local write, absent, isNewInfo = readInfo(KEYS[key + 1], nFields, nTabs, hasView)
  if home[1] and home[1] ~= dayName[d] then
    -- The info that the collector named is another's; its numbers judge nothing.
    for i = #dirty, dirtyBefore + 1, -1 do dirty[i] = nil end
    again = true
    days[s] = home[1]
  else
    if not write then
      again = true
      days[s] = ''
    end
    infoWrite[s], infoAbsent[s] = write, absent
    if isNewHome then homeDay[s] = dayName[d] end
    homeTouch[s] = home[2] ~= S[4]
    if isNewInfo and dayTtl[d] ~= '0' then infoTtl[s] = dayTtl[d] end
    if isNewHome and isNewInfo then
      indexDay[s], escapedSession[s] = d, S[session]
      if not dayUsed[d] then dayUsed[d] = call('LLEN', KEYS[INDEX + d - 1]) end
    end
  end
end

-- Events without a number, with an id: seen today or yesterday?
local eventIds = {}
for e = 1, nEventIds do
  local event
  event, at = unpackStruct('<I2', numbers, at)
  local id = sub(numbers, at, at + 15)
  at = at + 16
  eventIds[e] = id
  if call('SISMEMBER', KEYS[EVENT_IDS], id) == 1 or call('SISMEMBER', KEYS[EVENT_IDS + 1], id) == 1 then
    dirty[#dirty + 1], dirty[#dirty + 2] = event, DUPLICATE
  end
end

-- Visitors that the collector does not know: found, or given the next ids.
local nextId = nUnknown > 0 and tonumber(call('GET', KEYS[4]) or '0') or -1
local firstNewId, found, ids, field, newVisitor = nextId, {}, {}, {}, {}
for u = 1, nUnknown do
  local segment, length
  segment, length, at = unpackStruct('<I2I2', numbers, at)
  field[u] = sub(numbers, at, at + length - 1)
  at = at + length
  local id = tonumber(call('HGET', KEYS[VID + u - 1], field[u]) or '-1')
  found[u] = id
  if id < 0 then
    id, nextId = nextId, nextId + 1
    newVisitor[#newVisitor + 1] = u
  end
  ids[u] = id
  if math.floor(id / 1048576) ~= segment then again = true end
end

local kind = {}
for b = 1, nBitmaps do
  local t = call('TYPE', KEYS[BITMAP + b - 1])['ok']
  if t ~= 'none' and t ~= 'set' and t ~= 'string' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[BITMAP + b - 1] .. ' holds a ' .. t .. ', needs a set or a bitmap')
  end
  kind[b] = t
end

local base = tonumber(call('HGET', KEYS[2], 'ordinals') or '0')
local inSegment = base % 65536
if math.floor(base / 65536) ~= docSegment or inSegment + nEvents > 65536 then again = true end

if again or #dirty > 0 then
  for s = 1, nSessions do days[s] = days[s] or '=' end
  return {'again', base, firstNewId, generation, replication, dirty, days, found}
end

call('HLEN', KEYS[5])
call('STRLEN', KEYS[6])
if nNames > 0 then call('SCARD', KEYS[3]) end

-- ---------------------------------------------------------------- phase 2: write
-- A string's length is a power of two, so that the bitmaps of a segment seldom differ in length. SET of the
-- padded value and not SETBIT of the last bit: growing in place doubles what Redis allocates.
local function pad(key, highest, exists)
  local need = 64
  while need * 8 <= highest do need = need * 2 end
  if not exists then
    call('SETBIT', key, need * 8 - 1, 0)
  elseif call('STRLEN', key) < need then
    local value = call('GET', key)
    call('SET', key, value .. string.rep('\0', need - #value), 'KEEPTTL')
  end
end

local function setBits(key, offsets, highest, exists)
  pad(key, highest, exists)
  if #offsets == 1 then return call('SETBIT', key, offsets[1], '1') end
  for from = 1, #offsets, SETBITS_PER_CALL do
    local args, n = {}, 0
    for i = from, math.min(from + SETBITS_PER_CALL - 1, #offsets) do
      args[n + 1], args[n + 2], args[n + 3], args[n + 4] = 'SET', 'u1', offsets[i], '1'
      n = n + 4
    end
    call('BITFIELD', key, unpack(args))
  end
end

local function becomeBitmap(key, size, offsets, highest)
  if size > 0 then
    local members = call('SMEMBERS', key)
    for i = 1, #members do
      offsets[#offsets + 1] = members[i]
      highest = math.max(highest, tonumber(members[i]))
    end
    call('DEL', key)
  end
  setBits(key, offsets, highest, false)
end

local offsetText, offset = {}, {}
for u = 1, nUnknown do
  offset[u] = ids[u] % 1048576
  offsetText[u] = format('%d', offset[u])
end
for b = 1, nBitmaps do
  local key, ttl, limit, nKnown, first, highest, nNew = KEYS[BITMAP + b - 1]
  ttl, limit, nKnown, first, highest, nNew, at = unpackStruct('<I4I2I2I2I4I2', numbers, at)
  local offsets = {}
  for i = 1, nKnown do offsets[i] = S[first + i - 1] end
  for i = nKnown + 1, nKnown + nNew do
    local u
    u, at = unpackStruct('<I2', numbers, at)
    offsets[i] = offsetText[u]
    if offset[u] > highest then highest = offset[u] end
  end
  if kind[b] == 'string' then
    setBits(key, offsets, highest, true)
  else
    local size = kind[b] == 'set' and call('SCARD', key) or 0
    local isNew = size == 0
    if size + #offsets <= limit then
      call('SADD', key, unpack(offsets))
    else
      becomeBitmap(key, size, offsets, highest)
      isNew = true
    end
    if isNew and ttl > 0 then call('EXPIRE', key, int(ttl)) end
  end
end

for i = 1, #newVisitor do
  local u = newVisitor[i]
  call('HSET', KEYS[VID + u - 1], field[u], int(ids[u]))
end
if #newVisitor > 0 then call('SET', KEYS[4], format('%d', nextId)) end

call('HSET', KEYS[5], int(inSegment), chunk)
call('APPEND', KEYS[6], struct.pack('>I2I2', inSegment, nEvents))
call('HINCRBY', KEYS[2], 'ordinals', int(nEvents))
for _ = 1, nTypes do
  local name, n
  name, n, at = unpackStruct('<I2I2', numbers, at)
  call('HINCRBY', KEYS[2], S[name], int(n))
end
if nNames > 0 then call('SADD', KEYS[3], unpack(S, firstName, firstName + nNames - 1)) end
if generation == '' then
  generation = S[3]
  call('SET', KEYS[1], generation)
end

if nEventIds > 0 then
  call('SADD', KEYS[EVENT_IDS], unpack(eventIds))
  if call('TTL', KEYS[EVENT_IDS]) < 0 then call('EXPIRE', KEYS[EVENT_IDS], eventIdTtl) end
end
for s = nLight + 1, nSessions do
  local d, home = indexDay[s], KEYS[HOME + 2 * (s - nLight - 1)]
  if d then
    local index = KEYS[INDEX + d - 1]
    call('LPUSH', index, escapedSession[s])
    if dayUsed[d] == 0 and dayTtl[d] ~= '0' then call('EXPIRE', index, dayTtl[d]) end
    dayUsed[d] = 1
  end
  if homeDay[s] then
    call('HSET', home, 'day', homeDay[s], 'touch', S[4])
  elseif homeTouch[s] then
    call('HSET', home, 'touch', S[4])
  end
  if homeTouch[s] then call('EXPIRE', home, S[5]) end
end
for s = 1, nBeats do call('HSET', KEYS[BEAT + s - 1], beatTab[s], beatState[s]) end
for s = nBeats + 1, nSessions do
  local write, absent = infoWrite[s], infoAbsent[s]
  local key = write[1]
  call('HSET', unpack(write))
  if absent then
    for i = 1, #absent, 2 do call('HSETNX', key, absent[i], absent[i + 1]) end
  end
  if infoTtl[s] then
    call('EXPIRE', key, infoTtl[s])
  elseif homeTouch[s] then
    -- What holds the windows lives as long as the home does.
    call('EXPIRE', key, S[5], 'GT')
  end
end

return {'ok', base, generation, replication, ids}
