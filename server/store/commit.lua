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
--       info of each beat, home and info of each other session, session index of each day, vid hash of each unknown visitor,
--       each bitmap, and, if there are event ids, today's and yesterday's set of them
-- ARGV  texts..., numbers, chunk. ARGV[1..5]: expected replication id, expected generation, a generation
--       for a new property, today's number, seconds that a session's home lives after its last touch.
--       `numbers` is little-endian; commit-request.ts draws it.
--
-- Replies  {'stale', generation, replication id}
--          {'again', base, next visitor id, generation, replication id, {event, status, ...},
--           {day of each session, '' = say everything of it, '=' = as packed}, {id of each unknown visitor, -1 = new}}
--          {'ok', base, generation, replication id, {id of each unknown visitor}}
local call, sub, match, format, unpackStruct = redis.call, string.sub, string.match, string.format, struct.unpack
local S, numbers, chunk = ARGV, ARGV[#ARGV - 1], ARGV[#ARGV]

local WINDOW, JUMP, TABS, SETBITS_PER_CALL = 1024, 10000, 32, 1000
local DUPLICATE, TOO_OLD, SEQ_JUMP, TOO_MANY_TABS = 1, 2, 3, 4

local nEvents, nBeats, nSessions, nDays, nUnknown, nBitmaps, nTypes, nNames, firstName, nEventIds, docSegment,
      eventIdTtl, at = unpackStruct('<I2I2I2I2I2I2I2I2I2I2I4I4', numbers, 1)
local BEAT = 7
local HOME = BEAT - nBeats -- of session s (which is no beat): HOME + 2 * (s - 1)
local INDEX = BEAT + nBeats + 2 * (nSessions - nBeats)
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

-- ---------------------------------------------------------------- windows of seen numbers (window.ts)
local function parseMissing(text)
  local ranges = {}
  for first, last in string.gmatch(text, '(%d+)%-?(%d*)') do
    first = tonumber(first)
    ranges[#ranges + 1] = {first, tonumber(last) or first}
  end
  return ranges
end

local function formatWindow(highest, ranges)
  local left, parts = highest - WINDOW + 1, {}
  for i = 1, #ranges do
    local first, last = ranges[i][1], ranges[i][2]
    if last >= left and last >= first then
      if first < left then first = left end
      parts[#parts + 1] = first == last and format('%d', first) or format('%d-%d', first, last)
    end
  end
  local text = format('%d', highest)
  if #parts == 0 then return text end
  return text .. ';' .. table.concat(parts, ',')
end

-- Returns the window's new text, or nil and the reason.
local function judgeSeq(window, seq, seqText)
  local highest = window and tonumber(window) or (not window and 0)
  if highest and seq == highest + 1 then return seqText end
  local missing
  if highest then
    missing = {}
  else
    local head, tail = match(window, '^(%d+);(.*)$')
    highest, missing = tonumber(head), parseMissing(tail)
  end
  if seq > highest + JUMP then return nil, SEQ_JUMP end
  if seq > highest then
    local first = seq - WINDOW + 1
    if first < highest + 1 then first = highest + 1 end
    if first < seq then missing[#missing + 1] = {first, seq - 1} end
    return formatWindow(seq, missing)
  end
  if seq <= highest - WINDOW then return nil, TOO_OLD end
  for i = 1, #missing do
    local first, last = missing[i][1], missing[i][2]
    if first <= seq and seq <= last then
      missing[i] = {first, seq - 1}
      table.insert(missing, i + 1, {seq + 1, last})
      return formatWindow(highest, missing)
    end
  end
  return nil, DUPLICATE
end

-- Times are texts of whole numbers without leading zeros.
local function isBefore(a, b)
  return #a < #b or (#a == #b and a < b)
end

-- ---------------------------------------------------------------- phase 1: read
local dirty, again = {}, false

local dayName, dayTtl, dayUsed = {}, {}, {}
for d = 1, nDays do
  local name, ttl
  name, ttl, at = unpackStruct('<I2I2', numbers, at)
  dayName[d], dayTtl[d] = S[name], S[ttl]
end

-- The heartbeats that make most of the traffic: one event of a session whose home was touched today and
-- whose tab is known. Such a home cannot have expired, so its day needs no look: two commands in all.
local beatTab, beatWindow, beatEvents, beatBeats, beatLast, beatFirst, days = {}, {}, {}, {}, {}, {}, {}
for s = 1, nBeats do
  local time, tab, event, seq
  time, tab, event, seq, at = unpackStruct('<I2I2I2I2', numbers, at)
  local key = KEYS[BEAT + s - 1]
  local info = call('HMGET', key, S[tab], 'events', 'heartbeats', 'lastSeen')
  if not info[1] or not info[2] then
    again = true
    days[s] = ''
  else
    local updated, reason = judgeSeq(info[1], tonumber(S[seq]), S[seq])
    if not updated then dirty[#dirty + 1], dirty[#dirty + 2] = event, reason end
    beatTab[s], beatWindow[s] = S[tab], updated
    beatEvents[s], beatBeats[s], beatLast[s] = int(info[2] + 1), int((info[3] or 0) + 1), S[time]
    if isBefore(S[time], info[4]) then
      beatLast[s] = info[4]
      if isBefore(S[time], call('HGET', key, 'firstSeen')) then beatFirst[s] = S[time] end
    end
  end
end

-- Moves behind the fields and tabs of a session that is not looked at any further.
local function skip(nFields, nTabs)
  at = at + 5 * nFields
  for _ = 1, nTabs do
    local count = unpackStruct('<I2', numbers, at + 2)
    at = at + 4 + 4 * count
  end
end

-- Judges the numbers of a session's tabs and adds the windows that they change to the info's HSET arguments.
-- `windows` are the tabs' windows from info, in the order of the request.
local function judgeTabs(key, isNew, windows, write, n, nTabs)
  local tabs, tabsBefore
  for t = 1, nTabs do
    local field, count
    field, count, at = unpackStruct('<I2I2', numbers, at)
    local window, changed, fresh = windows[t], false, not windows[t]
    if fresh and not tabs then
      tabs = isNew and 0 or tonumber(call('HGET', key, 'tabs') or 0)
      tabsBefore = tabs
    end
    for _ = 1, count do
      local event, seq, updated, reason
      event, seq, at = unpackStruct('<I2I2', numbers, at)
      if fresh and tabs >= TABS then
        reason = TOO_MANY_TABS
      else
        updated, reason = judgeSeq(window, tonumber(S[seq]), S[seq])
      end
      if updated then
        window, changed = updated, true
      else
        dirty[#dirty + 1], dirty[#dirty + 2] = event, reason
      end
    end
    if changed then
      if fresh then tabs = tabs + 1 end
      write[n + 1], write[n + 2], n = S[field], window, n + 2
    end
  end
  if tabs ~= tabsBefore then write[n + 1], write[n + 2] = 'tabs', int(tabs) end
end

-- The windows of several tabs; most sessions have one, and it comes with the info.
local function readWindows(key, nTabs)
  local fields, cursor = {}, at
  for t = 1, nTabs do
    local field, count = unpackStruct('<I2I2', numbers, cursor)
    fields[t], cursor = S[field], cursor + 4 + 4 * count
  end
  return call('HMGET', key, unpack(fields))
end

-- Reads a session's info. Returns its HSET arguments, its HSETNX pairs and whether it is new; nothing if it
-- is missing and the collector, believing it known, did not send all of it.
local function readInfo(key, events, views, beats, minTime, maxTime, firstViewMs, entry, lastViewMs, exit, nFields, nTabs)
  local tab = nTabs == 1 and S[unpackStruct('<I2', numbers, at + 5 * nFields)] or 'tabs'
  local info = call('HMGET', key, 'events', 'views', 'heartbeats', 'firstSeen', 'lastSeen', 'entryMs', 'exitMs', tab)
  local isNew = not info[1]
  local write, n, absent = {key, 'events', int((info[1] or 0) + events)}, 3, nil
  if views > 0 then write[n + 1], write[n + 2], n = 'views', int((info[2] or 0) + views), n + 2 end
  if beats > 0 then write[n + 1], write[n + 2], n = 'heartbeats', int((info[3] or 0) + beats), n + 2 end
  if isNew or isBefore(minTime, info[4]) then
    write[n + 1], write[n + 2], n = 'firstSeen', minTime, n + 2
  end
  if isNew or isBefore(info[5], maxTime) then
    write[n + 1], write[n + 2], n = 'lastSeen', maxTime, n + 2
  end
  if firstViewMs > 0 then
    if not info[6] or isBefore(S[firstViewMs], info[6]) then
      write[n + 1], write[n + 2], write[n + 3], write[n + 4] = 'entry', S[entry], 'entryMs', S[firstViewMs]
      n = n + 4
    end
    if not info[7] or not isBefore(S[lastViewMs], info[7]) then
      write[n + 1], write[n + 2], write[n + 3], write[n + 4] = 'exit', S[exit], 'exitMs', S[lastViewMs]
      n = n + 4
    end
  end
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
  if nTabs > 0 then judgeTabs(key, isNew, nTabs == 1 and {info[8]} or readWindows(key, nTabs), write, n, nTabs) end
  if isNew and nFields == 0 then return nil end
  return write, absent, isNew
end

local homeDay, homeTouch, infoWrite, infoAbsent, infoTtl, indexDay, escapedSession = {}, {}, {}, {}, {}, {}, {}
for s = nBeats + 1, nSessions do
  local d, session, events, views, beats, minTime, maxTime, firstViewMs, entry, lastViewMs, exit, nFields, nTabs
  d, session, events, views, beats, minTime, maxTime, firstViewMs, entry, lastViewMs, exit, nFields, nTabs, at =
    unpackStruct('<I2I2I2I2I2I2I2I2I2I2I2I2I2', numbers, at)
  local key = HOME + 2 * (s - 1)
  local home = call('HMGET', KEYS[key], 'day', 'touch')
  local isNewHome = not home[1]
  if home[1] and home[1] ~= dayName[d] then
    -- The info that the collector named is another's; there is nothing to judge the numbers by.
    again = true
    days[s] = home[1]
    skip(nFields, nTabs)
  else
    local write, absent, isNewInfo = readInfo(KEYS[key + 1], events, views, beats, S[minTime], S[maxTime],
      firstViewMs, entry, lastViewMs, exit, nFields, nTabs)
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
local nextId = tonumber(call('GET', KEYS[4]) or '0')
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
for s = nBeats + 1, nSessions do
  local d, home = indexDay[s], KEYS[HOME + 2 * (s - 1)]
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
for s = 1, nBeats do
  local key = KEYS[BEAT + s - 1]
  if beatFirst[s] then call('HSET', key, 'firstSeen', beatFirst[s]) end
  call('HSET', key, 'events', beatEvents[s], 'heartbeats', beatBeats[s], 'lastSeen', beatLast[s], beatTab[s], beatWindow[s])
end
for s = nBeats + 1, nSessions do
  local key, absent = KEYS[HOME + 2 * s - 1], infoAbsent[s]
  call('HSET', unpack(infoWrite[s]))
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
