package redis

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/kangma/kangma/store"
)

// Moments are plain keys that expire by themselves, beside the partitions' own:
//
//	{km:xx}o…  hash    who used which step of something: an HMAC, so that nobody without the key can write one that is
//	                   believed; t: the last step that used up those before it
//	{km:xx}c…  string  how much of a budget was spent: a number in the clear
//
// They are not counted among a partition's writes: nodes need not copy people again for them.
type moment struct {
	tag int
	key string
	at  name
}

func (db *DB) moment(kind, key string) moment {
	n := db.vault.name([]byte("moment "+kind), []byte(key))
	return moment{int(n[0]), fmt.Sprintf("%s%s%x", db.vault.tags[n[0]], kind, n[:]), n}
}

const (
	onceKind  = "o"
	countKind = "c"
)

// keepOnce keeps who used a step, unless somebody did, and says whether it is this one.
// KEYS: it. ARGV: who, life in milliseconds, step, '1' if it uses up those before it.
var keepOnce = goredis.NewScript(`
local there = redis.call('HMGET', KEYS[1], ARGV[3], 't')
if there[1] then return there[1] == ARGV[1] and 1 or 0 end
if there[2] and tonumber(ARGV[3]) <= tonumber(there[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[1])
if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 't', ARGV[3]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`)

// undoOnce removes a use if it is this one's.
// KEYS: it. ARGV: who, step.
var undoOnce = goredis.NewScript(`
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 't') == ARGV[2] then redis.call('HDEL', KEYS[1], 't') end
return redis.call('HDEL', KEYS[1], ARGV[2])
`)

// spend takes one of a budget, and gives 1, or 0 with the milliseconds until its window ends.
// KEYS: it. ARGV: the budget, the window in milliseconds (0: only look).
var spend = goredis.NewScript(`
local n = tonumber(redis.call('GET', KEYS[1]) or '0')
if n >= tonumber(ARGV[1]) then return {0, redis.call('PTTL', KEYS[1])} end
if ARGV[2] ~= '0' then
  redis.call('INCR', KEYS[1])
  if n == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
end
return {1, 0}
`)

func (db *DB) byWhom(at moment, u store.Use) []byte {
	n := db.vault.name([]byte("moment by"), at.at[:], binary.BigEndian.AppendUint64(nil, uint64(u.Step)), []byte(u.By))
	return n[:]
}

// Once is that of store.Moments.
func (db *DB) Once(ctx context.Context, u store.Use, life time.Duration) (mine bool, err error) {
	at := db.moment(onceKind, u.Key)
	c := &call{tag: at.tag, script: keepOnce, keys: []string{at.key},
		args: []any{db.byWhom(at, u), max(life, time.Millisecond).Milliseconds(), u.Step, flag(u.Through)}}
	err = db.do(ctx, 0, c)
	return c.reply == int64(1), err
}

// Undo is that of store.Moments.
func (db *DB) Undo(ctx context.Context, u store.Use) error {
	at := db.moment(onceKind, u.Key)
	return db.do(ctx, 0, &call{tag: at.tag, script: undoOnce, keys: []string{at.key}, args: []any{db.byWhom(at, u), u.Step}})
}

// Spend is that of store.Moments.
func (db *DB) Spend(ctx context.Context, key string, most int, window time.Duration) (ok bool, wait time.Duration, err error) {
	return db.budget(ctx, key, most, max(window, time.Millisecond))
}

// Left is that of store.Moments.
func (db *DB) Left(ctx context.Context, key string, most int) (ok bool, wait time.Duration, err error) {
	return db.budget(ctx, key, most, 0)
}

func (db *DB) budget(ctx context.Context, key string, most int, window time.Duration) (ok bool, wait time.Duration, err error) {
	at := db.moment(countKind, key)
	c := &call{tag: at.tag, script: spend, keys: []string{at.key}, args: []any{most, window.Milliseconds()}}
	if err := db.do(ctx, 0, c); err != nil {
		return false, 0, err
	}
	said, _ := c.reply.([]any)
	if len(said) != 2 {
		return false, 0, errDamaged
	}
	ms, _ := said[1].(int64)
	return said[0] == int64(1), time.Duration(max(0, ms)) * time.Millisecond, nil
}
