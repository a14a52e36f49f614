#!lua flags=no-writes
-- Sets as they lie, for the collector to read: ARGV[1] = microseconds after which it stops; what was not read is asked
-- for again. A set of integers comes as DUMP writes it (visitor-intset.ts), a fifth of what a member at a time costs.
-- Reply {kind, text, ...}: 0 = missing, 1 = DUMP of an intset, 2 = members with commas, 3 = a bitmap, to be read by MGET.
-- At least one key is read.
local reply, spent, budget = {}, 0, tonumber(ARGV[1])
for i = 1, #KEYS do
  local kind, code, text = redis.call('TYPE', KEYS[i])['ok'], 0, ''
  spent = spent + 1
  if kind == 'set' then
    text = redis.pcall('DUMP', KEYS[i])
    local form, length = string.byte(type(text) == 'string' and text or '', 1, 2)
    -- 195: compressed. Members that lie all over a segment never are.
    if form == 11 and length ~= 195 then
      code = 1
      spent = spent + 4 + #text / 100
    else
      local members = redis.call('SMEMBERS', KEYS[i])
      code, text = 2, table.concat(members, ',')
      spent = spent + 1 + 0.3 * #members
    end
  elseif kind ~= 'none' then
    code = 3
  end
  reply[2 * i - 1], reply[2 * i] = code, text
  if spent > budget then break end
end
return reply
