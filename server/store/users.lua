#!lua
-- What one event says of a user, merged into the user's record. Running it again changes nothing, and events may
-- come in any order: every fact is the earliest, the latest, or the one with the latest time, so the end is the same.
--
-- KEYS  generation, record, visitors of the user, users of the visitor
-- ARGV  what kinds of facts there are: any of `t` (the visitor is the user), `l` (a login), `o` (a logout), `r` (a
--       record is meant; without it KEYS[2] and KEYS[3] are not touched), `g` (only fills gaps: the event was counted
--       before, at a time that nobody knows any more);
--       event time, signup time or '', visitor, user, seconds that a visitor's users are kept, visitors per user,
--       users per visitor, members per record, bytes per record, then name and JSON value of each member of the data
--
-- A record is a hash: signup, firstLogin, lastLogin, lastLogout, updated (epoch ms), bytes (of all members), full,
-- and `d:NAME` = time, space, JSON value for each member; a value of `null` is a member that was taken away.
local call = redis.call
local kinds, time, signup, visitor, user, keptSeconds = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local visitorsMax, usersMax, membersMax, bytesMax = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local FIRST_MEMBER = 11

-- Without a generation there is no property: it was deleted after the event had been stored, and the event with it.
local generation = call('GET', KEYS[1])
if not generation or string.sub(generation, 1, 1) == '!' then
  return redis.error_reply('DELETING the property is being deleted')
end

local function is(kind) return string.find(kinds, kind, 1, true) ~= nil end
local onlyGaps = is('g')
local record, visitors, users = KEYS[2], KEYS[3], KEYS[4]

local function earliest(field, value)
  local known = call('HGET', record, field)
  if not known or (not onlyGaps and tonumber(value) < tonumber(known)) then call('HSET', record, field, value) end
end

local function latest(field, value)
  local known = call('HGET', record, field)
  if not known or (not onlyGaps and tonumber(value) > tonumber(known)) then call('HSET', record, field, value) end
end

-- At equal times the greater text stays, whichever came first.
local function isNewer(value, known)
  local knownTime, knownValue = string.match(known, '^(%d+) (.*)$')
  if tonumber(time) ~= tonumber(knownTime) then return tonumber(time) > tonumber(knownTime) end
  return value > knownValue
end

local function merge()
  local bytes = tonumber(call('HGET', record, 'bytes') or '0')
  local count
  for i = FIRST_MEMBER, #ARGV, 2 do
    local field, value = 'd:' .. ARGV[i], ARGV[i + 1]
    local known = call('HGET', record, field)
    if not known or (not onlyGaps and isNewer(value, known)) then
      local text = time .. ' ' .. value
      local added = known and #text - #known or #field + #text
      count = count or tonumber(call('HGET', record, 'members') or '0')
      if bytes + added > bytesMax or (not known and count >= membersMax) then
        call('HSET', record, 'full', '1')
      else
        call('HSET', record, field, text)
        bytes = bytes + added
        if not known then count = count + 1 end
      end
    end
  end
  if count then call('HSET', record, 'bytes', string.format('%d', bytes), 'members', string.format('%d', count)) end
end

local function keepLatest(key, most)
  if call('ZCARD', key) > most then call('ZREMRANGEBYRANK', key, 0, -(most + 1)) end
end

if is('r') then
  latest('updated', time)
  if signup ~= '' then
    -- Dates that are given don't depend on the time of the event: the earliest is right also when it only fills gaps.
    local known = call('HGET', record, 'signup')
    if not known or (tonumber(signup) < tonumber(known) and not (onlyGaps and signup == time)) then
      call('HSET', record, 'signup', signup)
    end
  end
  if is('l') then
    earliest('firstLogin', time)
    latest('lastLogin', time)
  end
  if is('o') then latest('lastLogout', time) end
  merge()
end

local how = onlyGaps and 'NX' or 'GT'
if is('t') then
  call('ZADD', visitors, how, time, visitor)
  keepLatest(visitors, visitorsMax)
  call('ZADD', users, how, time, 'u:' .. user)
end
if is('o') then call('ZADD', users, how, time, 'out') end
if is('t') or is('o') then
  -- The mark of the last logout is not one of the users.
  keepLatest(users, usersMax + 1)
  call('EXPIRE', users, keptSeconds)
end
return redis.status_reply('OK')
