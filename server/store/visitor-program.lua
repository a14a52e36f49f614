#!lua
-- Set algebra on the visitors of one segment: a few instructions, all counts in one reply.
--
-- A value is {list, n} (offsets as texts, each once) or {key, bytes} (a bitmap). Leaves are read as they are when
-- their turn comes: missing, a set, or a bitmap. Small results stay lists; bitmaps meet by BITOP in temporary keys,
-- which this script deletes whatever happens. They are never replicated, never in the append-only file, and nobody
-- can see one: a script runs alone, and one that has written cannot be killed but with its server.
--
-- KEYS  leaves, then temporary keys, one for each register
-- ARGV  header as JSON, then a value for each register that is loaded
--       header: p = program, k = number of leaves, l = {register, 1 list | 2 bitmap, ...} to load,
--               e = registers to give back, b = bytes of a bitmap of this segment, d = 1 where BITOP has DIFF
--       program: {op, target, number of sources, sources..., op, ...}; a source above 0 is a leaf, below 0 a register;
--               op 1 = or, 2 = and, 3 = minus, 4 = count (target unused)
-- Reply {counts, {1 list | 2 bitmap, text, ...}}; a list is offsets with commas
redis.set_repl(redis.REPL_NONE)
local call, unpack = redis.call, unpack
local header = cjson.decode(ARGV[1])
local program, leaves = header.p, header.k
local LIST_MAX, CHUNK, SOURCES_MAX = 512, 1000, 16

local registers, used = {}, {}

local function temporary(register)
  local key = KEYS[leaves + register]
  used[key] = true
  return key
end

local function listOf(list) return {list = list, n = #list} end

local function value(source)
  if source < 0 then return registers[-source] end
  local key = KEYS[source]
  local kind = call('TYPE', key)['ok']
  if kind == 'none' then return listOf({}) end
  if kind == 'set' then return listOf(call('SMEMBERS', key)) end
  return {key = key, bytes = call('STRLEN', key)}
end

local function setMembers(key, list, bit)
  for from = 1, #list, CHUNK do
    local args, n = {}, 0
    for i = from, math.min(from + CHUNK - 1, #list) do
      args[n + 1], args[n + 2], args[n + 3], args[n + 4] = 'SET', 'u1', list[i], bit
      n = n + 4
    end
    call('BITFIELD', key, unpack(args))
  end
end

-- The members whose bit in the bitmap is as wanted.
local function filter(list, key, wanted)
  local kept = {}
  for from = 1, #list, CHUNK do
    local args, n = {}, 0
    for i = from, math.min(from + CHUNK - 1, #list) do
      args[n + 1], args[n + 2], args[n + 3] = 'GET', 'u1', list[i]
      n = n + 3
    end
    local bits = call('BITFIELD_RO', key, unpack(args))
    for i = 1, #bits do
      if bits[i] == wanted then kept[#kept + 1] = list[from + i - 1] end
    end
  end
  return kept
end

local function compare(a, b, wanted)
  local isIn, kept = {}, {}
  for i = 1, #b do isIn[b[i]] = true end
  for i = 1, #a do
    if (isIn[a[i]] or false) == wanted then kept[#kept + 1] = a[i] end
  end
  return kept
end

-- BITOP has a fast path for as many bytes as all sources have, and a slow one for the rest: so the shorter come
-- first, and what they give is lengthened before the longer ones join it.
local function merge(op, target, maps)
  table.sort(maps, function(a, b) return a.bytes < b.bytes end)
  local bytes, i = 0, 1
  while i <= #maps do
    local size, sources = maps[i].bytes, {}
    if bytes > 0 then
      if bytes < size then call('SETBIT', target, size * 8 - 1, 0) end
      sources[1] = target
    end
    while i <= #maps and maps[i].bytes == size and #sources < SOURCES_MAX do
      sources[#sources + 1] = maps[i].key
      i = i + 1
    end
    call('BITOP', op, target, unpack(sources))
    bytes = size
  end
  return {key = target, bytes = bytes}
end

local function union(target, values)
  local maps, list, seen = {}, nil, nil
  for i = 1, #values do
    local v = values[i]
    if v.key then
      maps[#maps + 1] = v
    elseif v.n > 0 then
      if not list then
        list = v.list
      else
        if not seen then
          local copy = {}
          seen = {}
          for j = 1, #list do
            copy[j], seen[list[j]] = list[j], true
          end
          list = copy
        end
        for j = 1, v.n do
          local member = v.list[j]
          if not seen[member] then
            seen[member] = true
            list[#list + 1] = member
          end
        end
      end
    end
  end
  if #maps == 0 then
    if not list or #list <= LIST_MAX then return listOf(list or {}) end
  elseif #maps == 1 and not list then
    return maps[1]
  end
  local key = temporary(target)
  if #maps > 0 then merge('OR', key, maps) end
  if list then
    if #maps == 0 then call('DEL', key) end
    if call('STRLEN', key) < header.b then call('SETBIT', key, header.b * 8 - 1, 0) end
    setMembers(key, list, '1')
  end
  return {key = key, bytes = call('STRLEN', key)}
end

local function intersect(target, values)
  local maps, list = {}, nil
  for i = 1, #values do
    local v = values[i]
    if v.key then
      maps[#maps + 1] = v
    else
      list = list and compare(list, v.list, true) or v.list
    end
  end
  if not list then return #maps == 1 and maps[1] or merge('AND', temporary(target), maps) end
  for i = 1, #maps do
    if #list == 0 then break end
    list = filter(list, maps[i].key, 1)
  end
  return listOf(list)
end

local function subtract(target, a, b)
  if not a.key then return listOf(b.key and filter(a.list, b.key, 0) or compare(a.list, b.list, false)) end
  if not b.key and b.n == 0 then return a end
  local key = temporary(target)
  if not b.key then
    call('BITOP', 'OR', key, a.key)
    -- A bit beyond the end is none; setting it would only make the bitmap longer.
    local within = {}
    for i = 1, b.n do
      if tonumber(b.list[i]) < a.bytes * 8 then within[#within + 1] = b.list[i] end
    end
    setMembers(key, within, '0')
    return {key = key, bytes = a.bytes}
  end
  if header.d == 1 then
    call('BITOP', 'DIFF', key, a.key, b.key)
  elseif b.bytes >= a.bytes then
    call('BITOP', 'NOT', key, b.key)
    call('BITOP', 'AND', key, a.key, key)
  else
    merge('AND', key, {a, b})
    call('BITOP', 'XOR', key, a.key, key)
  end
  return {key = key, bytes = math.max(a.bytes, b.bytes)}
end

-- What all but the last have, and the last has not. Of bitmaps of one length: the last one is turned inside out and meets
-- the others. What differs goes step by step.
local function meetAndSubtract(target, values)
  local n = #values
  local b = values[n]
  if n == 2 then return subtract(target, values[1], b) end
  local isPlain = b.key ~= nil
  for i = 1, n - 1 do isPlain = isPlain and values[i].bytes == b.bytes end
  if isPlain and header.d == 0 then
    local key, names = temporary(target), {}
    call('BITOP', 'NOT', key, b.key)
    for i = 1, n - 1 do names[i] = values[i].key end
    names[n] = key
    call('BITOP', 'AND', key, unpack(names))
    return {key = key, bytes = b.bytes}
  end
  local v = subtract(target, values[1], b)
  for i = 2, n - 1 do
    local other = values[i]
    if v.key and other.key then
      local key = temporary(target)
      v = {bytes = call('BITOP', 'AND', key, v.key, other.key), key = key}
    else
      v = intersect(target, {v, other})
    end
  end
  return v
end

local function count(source)
  local key = source > 0 and KEYS[source] or registers[-source].key
  if not key then return registers[-source].n end
  if source > 0 then
    local kind = call('TYPE', key)['ok']
    if kind == 'none' then return 0 end
    if kind == 'set' then return call('SCARD', key) end
  end
  return call('BITCOUNT', key)
end

local function load()
  for i = 1, #header.l, 2 do
    local register, text = header.l[i], ARGV[1 + (i + 1) / 2]
    if header.l[i + 1] == 1 then
      local list = {}
      for member in string.gmatch(text, '%d+') do list[#list + 1] = member end
      registers[register] = listOf(list)
    else
      local key = temporary(register)
      call('SET', key, text)
      registers[register] = {key = key, bytes = #text}
    end
  end
end

local function run()
  load()
  local counts, at = {}, 1
  while at <= #program do
    local op, target, n = program[at], program[at + 1], program[at + 2]
    if op == 4 then
      counts[#counts + 1] = count(program[at + 3])
    else
      local values = {}
      for i = 1, n do values[i] = value(program[at + 2 + i]) end
      if op == 1 then registers[target] = union(target, values)
      elseif op == 2 then registers[target] = intersect(target, values)
      else registers[target] = meetAndSubtract(target, values) end
    end
    at = at + 3 + n
  end
  local given = {}
  for i = 1, #header.e do
    local v = registers[header.e[i]]
    given[2 * i - 1] = v.key and 2 or 1
    given[2 * i] = v.key and call('GET', v.key) or table.concat(v.list, ',')
  end
  return {counts, given}
end

local ok, reply = pcall(run)
local names = {}
for key in pairs(used) do names[#names + 1] = key end
if #names > 0 then call('DEL', unpack(names)) end
if ok or type(reply) == 'table' then return reply end
return redis.error_reply('visitor-program: ' .. tostring(reply))
