package redis

import goredis "github.com/redis/go-redis/v9"

// Replies of the scripts. Anything else is the number of writes of the partition, which only rises.
const (
	saysVanished = "V" // the partition has no epoch: it lost its data
	saysLost     = "L" // the stored version is not the one before
	saysIndexes  = "I" // the blind indexes differ from the stored ones; an array with the stored value
	saysChanged  = "C" // an index entry is not what was expected; an array with what it is
)

var scripts = []*goredis.Script{updateDossiers, restoreDossiers, claimEntries, swapEntry, putRecord, restoreRecords, keepOnce, undoOnce, spend}

// updateDossiers stores dossiers whose version is the next one, each by itself, and gives the answer to each. One call for many: what
// a call costs is more than what a person does. Neighbours of one partition share the look at its epoch and the counting.
// KEYS: of each the state, bucket, bitmap. ARGV: of each the field, value, version before (8 bytes), bucket number, "1" if the
// indexes may differ.
var updateDossiers = goredis.NewScript(`
local said, state, whole, stored = {}, nil, false, {}
local function count()
  if #stored == 0 then return end
  local n = redis.call('HINCRBY', state, 'n', #stored)
  for _, i in ipairs(stored) do said[i] = n end
  stored = {}
end
for i = 1, #KEYS / 3 do
  local bucket, at = KEYS[3 * i - 1], 5 * i - 5
  if KEYS[3 * i - 2] ~= state then
    count()
    state = KEYS[3 * i - 2]
    whole = redis.call('HEXISTS', state, 'e') == 1
  end
  if not whole then
    said[i] = 'V'
  else
    local old = redis.call('HGET', bucket, ARGV[at + 1])
    local digest, version = '\0\0\0\0', '\0\0\0\0\0\0\0\0'
    if old then digest, version = string.sub(old, 10, 13), string.sub(old, 2, 9) end
    if version ~= ARGV[at + 3] then
      said[i] = 'L'
    elseif ARGV[at + 5] ~= '1' and digest ~= string.sub(ARGV[at + 2], 10, 13) then
      said[i] = {'I', old or ''}
    else
      redis.call('HSET', bucket, ARGV[at + 1], ARGV[at + 2])
      if not old then redis.call('SETBIT', KEYS[3 * i], ARGV[at + 4], 1) end
      stored[#stored + 1] = i
      said[i] = 0
    end
  end
end
count()
return said
`)

// restoreDossiers stores dossiers of one partition during a rebuild unless later versions are there, and gives the
// numbers of those left alone (from 1). One call for many: a rebuild is bound by Redis' one thread.
// KEYS: state, bitmap, and the bucket of each. ARGV: of each the field, value, version, bucket number.
var restoreDossiers = goredis.NewScript(`
local kept = {}
for i = 1, #KEYS - 2 do
  local field, value, bucket = ARGV[4 * i - 3], ARGV[4 * i - 2], KEYS[i + 2]
  local old = redis.call('HGET', bucket, field)
  if old and string.sub(old, 2, 9) > ARGV[4 * i - 1] then
    kept[#kept + 1] = i
  else
    redis.call('HSET', bucket, field, value)
    if not old then redis.call('SETBIT', KEYS[2], ARGV[4 * i], 1) end
  end
end
redis.call('HINCRBY', KEYS[1], 'n', 1)
return kept
`)

// claimEntries writes index entries of one partition where there are none, and gives the number (from 1) and value of
// each that is there already.
// KEYS: state, and the bucket of each. ARGV: '1' during a rebuild, then of each the field and value.
var claimEntries = goredis.NewScript(`
if ARGV[1] ~= '1' and redis.call('HEXISTS', KEYS[1], 'e') == 0 then return 'V' end
local there = {}
for i = 1, #KEYS - 1 do
  if redis.call('HSETNX', KEYS[i + 1], ARGV[2 * i], ARGV[2 * i + 1]) == 0 then
    there[#there + 1] = i
    there[#there + 1] = redis.call('HGET', KEYS[i + 1], ARGV[2 * i])
  end
end
redis.call('HINCRBY', KEYS[1], 'n', 1)
return there
`)

// swapEntry replaces an index entry if it is still what the caller saw.
// KEYS: state, bucket. ARGV: field, value (” removes), expected (” for none), '1' during a rebuild.
var swapEntry = goredis.NewScript(`
if ARGV[4] ~= '1' and redis.call('HEXISTS', KEYS[1], 'e') == 0 then return 'V' end
local old = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if old ~= ARGV[3] then return {'C', old} end
if ARGV[2] == '' then redis.call('HDEL', KEYS[2], ARGV[1])
else redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
return redis.call('HINCRBY', KEYS[1], 'n', 1)
`)

// putRecord stores a record whose version is the next one, and moves its id between the indexes.
// KEYS: state, record. ARGV: value, version before, id, '2' for a tombstone that is forgotten in time, then the keys of all sets that
// list it. The sets carry the same hash tag as the record, so they are in its slot.
var putRecord = goredis.NewScript(`
if redis.call('HEXISTS', KEYS[1], 'e') == 0 then return 'V' end
local old = redis.call('HMGET', KEYS[2], 'b', 'i')
if old[1] then
  if string.sub(old[1], 2, 9) ~= ARGV[2] then return 'L' end
elseif ARGV[2] ~= '\0\0\0\0\0\0\0\0' then
  return 'L'
end
local listed = ''
local now = {}
for i = 5, #ARGV do
  now[ARGV[i]] = true
  listed = listed .. ARGV[i] .. ' '
end
for key in string.gmatch(old[2] or '', '%S+') do
  if not now[key] then redis.call('ZREM', key, ARGV[3]) end
end
for i = 5, #ARGV do redis.call('ZADD', ARGV[i], 0, ARGV[3]) end
redis.call('HSET', KEYS[2], 'b', ARGV[1], 'i', listed)
if ARGV[4] == '2' then redis.call('PEXPIRE', KEYS[2], 3600000)
elseif old[1] then redis.call('PERSIST', KEYS[2]) end
return redis.call('HINCRBY', KEYS[1], 'n', 1)
`)

// restoreRecords stores records of one partition during a rebuild unless later versions are there, as putRecord does.
// KEYS: state, and each record. ARGV: of each the value, version, id, number of sets that list it, and their keys, which carry the same
// hash tag.
var restoreRecords = goredis.NewScript(`
local at, order, lists = 1, {}, {}
local function list()
  for _, key in ipairs(order) do redis.call('ZADD', key, unpack(lists[key])) end
  order, lists = {}, {}
end
for i = 2, #KEYS do
  local value, version, id, sets = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local old = redis.call('HMGET', KEYS[i], 'b', 'i')
  if not (old[1] and string.sub(old[1], 2, 9) > version) then
    if old[1] then list() end
    local listed, now = '', {}
    for k = at + 4, at + 3 + sets do
      local key = ARGV[k]
      now[key] = true
      listed = listed .. key .. ' '
      if not lists[key] then
        lists[key] = {}
        order[#order + 1] = key
      end
      local list = lists[key]
      list[#list + 1] = 0
      list[#list + 1] = id
    end
    for key in string.gmatch(old[2] or '', '%S+') do
      if not now[key] then redis.call('ZREM', key, id) end
    end
    redis.call('HSET', KEYS[i], 'b', value, 'i', listed)
    if old[1] then redis.call('PERSIST', KEYS[i]) end
  end
  at = at + 4 + sets
end
list()
redis.call('HINCRBY', KEYS[1], 'n', 1)
return redis.status_reply('OK')
`)
