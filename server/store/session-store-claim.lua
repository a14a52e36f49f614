#!lua
-- Notes departures of sessions. session-store-record.ts draws the records.
--
-- KEYS  generation, docs
-- ARGV  `claim` or `recall`, then for each session: its id, the ms at which it must have been last updated (13
--       digits; empty: whenever), and what `gone` remembers of it (18 bytes from offset 13 of its last record; or empty)
--
-- Both take over what `gone` remembers. `claim` takes the session for departed: its heartbeat gets the next number of
-- a departure, once; whoever claims the same heartbeat again is told the same number.
--
-- Replies with the record of each session, or an empty text where it was updated or is gone; or DELETING.
local call, sub, format = redis.call, string.sub, string.format
local isClaim = ARGV[1] == 'claim'
local DEPARTURES_MAX = 99999

local generation = call('GET', KEYS[1])
if generation and sub(generation, 1, 1) == '!' then return 'DELETING' end

local count, ids = (#ARGV - 1) / 3, {}
for i = 1, count do ids[i] = ARGV[3 * i - 1] end
local stored = call('HMGET', KEYS[2], unpack(ids))

local records, write, n = {}, {}, 0
for i = 1, count do
  local record, lastUpdated, gone = stored[i], ARGV[3 * i], ARGV[3 * i + 1]
  if not record or (lastUpdated ~= '' and sub(record, 1, 13) ~= lastUpdated) then
    records[i] = ''
  else
    local firstSeen, departures, claimed = sub(record, 14, 26), sub(record, 27, 31), sub(record, 32, 32)
    if gone ~= '' and sub(gone, 14) > departures then firstSeen, departures = sub(gone, 1, 13), sub(gone, 14) end
    if isClaim and claimed == '0' then
      departures, claimed = format('%05d', math.min(tonumber(departures) + 1, DEPARTURES_MAX)), '1'
    end
    records[i] = sub(record, 1, 13) .. firstSeen .. departures .. claimed .. sub(record, 33)
    if records[i] ~= record then
      write[n + 1], write[n + 2], n = ids[i], records[i], n + 2
    end
  end
end
if n > 0 then call('HSET', KEYS[2], unpack(write)) end
return records
