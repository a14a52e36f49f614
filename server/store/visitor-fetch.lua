#!lua flags=no-writes
-- Values of keys as they lie: ARGV[1] = microseconds after which it stops; what was not read is asked for again.
-- Reply {0 = missing | 1 = list | 2 = bitmap, text, ...}; a list is members with commas. At least one key is read.
local reply, spent, budget = {}, 0, tonumber(ARGV[1])
for i = 1, #KEYS do
  local kind, code, text = redis.call('TYPE', KEYS[i])['ok'], 0, ''
  spent = spent + 1
  if kind == 'set' then
    local members = redis.call('SMEMBERS', KEYS[i])
    code, text = 1, table.concat(members, ',')
    spent = spent + 1 + 0.3 * #members
  elseif kind ~= 'none' then
    code, text = 2, redis.call('GET', KEYS[i])
    spent = spent + 1 + #text / 1500
  end
  reply[2 * i - 1], reply[2 * i] = code, text
  if spent > budget then break end
end
return reply
