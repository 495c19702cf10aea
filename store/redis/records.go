package redis

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// recordTags is how many of the hash tags hold records: enough to spread them over a cluster, few enough that a list
// need not ask everywhere.
const recordTags = 16

type recordSpot struct {
	tag   int
	key   string
	place name
}

func (db *DB) recordOf(kind, id string) recordSpot {
	n := db.vault.name([]byte("record"), []byte(kind), []byte(id))
	tag := recordTag(int(n[0]))
	return recordSpot{tag, fmt.Sprintf("%sr%x", db.vault.tags[tag], n[:]), n}
}

func recordTag(shard int) int { return shard % recordTags * (store.Partitions / recordTags) }

// kindKey names the set of all ids of a kind in one tag, indexKey that of the ids whose index has a value.
func (db *DB) kindKey(tag int, kind string) string {
	n := db.vault.name([]byte("kind"), []byte(kind))
	return fmt.Sprintf("%sk%x", db.vault.tags[tag], n[:])
}

func (db *DB) indexKey(tag int, kind, index, value string) string {
	n := db.vault.name([]byte("list"), []byte(kind), []byte(index), []byte(value))
	return fmt.Sprintf("%si%x", db.vault.tags[tag], n[:])
}

// Get returns the current version.
func (s *Records) Get(ctx context.Context, kind, id string) (store.Record, error) {
	at := s.db.recordOf(kind, id)
	c := &call{tag: at.tag, args: []any{"HGET", at.key, "b"}}
	err := s.db.doSure(ctx, 0, c)
	if kangma.CodeOf(err) == "redis_unreachable" && s.db.answers(ctx, at.tag) { // a large one takes its time, and only that is waited for
		err = s.db.doSure(ctx, 5*time.Second, c)
	}
	if err != nil {
		return store.Record{}, err
	}
	sealed, ok := c.reply.(string)
	if !ok {
		return store.Record{}, errNoRecord
	}
	r, err := s.db.openRecord(at, sealed)
	if err == nil && r.Deleted {
		err = errNoRecord
	}
	return r, err
}

var errNoRecord = kangma.E(kangma.NotFound, "record", "no such record")

func (db *DB) openRecord(at recordSpot, sealed string) (store.Record, error) {
	plain, err := db.vault.open(at.tag, documentHead, at.place, []byte(sealed))
	if err != nil {
		return store.Record{}, err
	}
	r, err := wire.DecodeRecord(plain)
	if err != nil || r.Version != binary.BigEndian.Uint64([]byte(sealed[1:9])) {
		return store.Record{}, errDamaged
	}
	return r, nil
}

// Put stores r if its version is the next one.
func (s *Records) Put(ctx context.Context, r store.Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	c, floor := s.db.putCall(r)
	if err := s.db.do(ctx, sizeTime(len(r.Data)), c); err != nil {
		return err
	}
	switch reply := c.reply.(type) {
	case int64:
		s.db.saw(c.tag, floor, reply)
		return nil
	case string:
		if reply == saysVanished {
			return errVanished
		}
	}
	return kangma.E(kangma.Conflict, "record_version", "somebody else changed the record first")
}

// sizeTime grants a large value its time on a slow line (about 5 MB/s).
func sizeTime(bytes int) time.Duration { return time.Duration(bytes) * 200 * time.Nanosecond }

func (db *DB) putCall(r store.Record) (c *call, floor int64) {
	at := db.recordOf(r.Kind, r.ID)
	sealed := db.vault.seal(at.tag, documentHeadOf(r.Version, [4]byte{}), at.place, wire.EncodeRecord(r))
	how := "0"
	if r.Deleted && slices.Contains(db.cfg.Fleeting, r.Kind) {
		how = "2"
	}
	args := []any{sealed, before(r.Version), r.ID, how}
	if !r.Deleted {
		args = append(args, db.kindKey(at.tag, r.Kind))
		for index, value := range r.Index {
			args = append(args, db.indexKey(at.tag, r.Kind, index, value))
		}
	}
	return &call{tag: at.tag, script: putRecord, keys: []string{db.stateKey(at.tag), at.key}, args: args}, db.seen[at.tag].Load()
}

// List returns up to Limit records of a kind in order of id. Each of the tags gives its share in order; they are merged.
func (s *Records) List(ctx context.Context, q store.RecordQuery) ([]store.Record, string, error) {
	if err := q.Validate(); err != nil {
		return nil, "", err
	}
	after, err := readCursor(q.After)
	if err != nil {
		return nil, "", err
	}
	ids, err := s.db.ids(ctx, q, after)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(ids) > q.Limit {
		ids = ids[:q.Limit]
		next = cursor(ids[q.Limit-1])
	}
	calls := make([]*call, len(ids))
	spots := make([]recordSpot, len(ids))
	for i, id := range ids {
		spots[i] = s.db.recordOf(q.Kind, id)
		calls[i] = &call{tag: spots[i].tag, args: []any{"HGET", spots[i].key, "b"}}
	}
	if err := s.db.do(ctx, 30*time.Second, calls...); err != nil {
		return nil, "", err
	}
	out := make([]store.Record, 0, len(ids))
	for i, c := range calls {
		sealed, ok := c.reply.(string)
		if !ok {
			continue // gone since
		}
		r, err := s.db.openRecord(spots[i], sealed)
		if err != nil {
			return nil, "", err
		}
		if value, has := r.Index[q.Index]; r.Deleted || q.Index != "" && (!has || value != q.Value) {
			continue // changed since
		}
		out = append(out, r)
	}
	return out, next, nil
}

// ids gives the next ids, one more than the limit when there are more.
func (db *DB) ids(ctx context.Context, q store.RecordQuery, after string) ([]string, error) {
	var calls, present []*call
	for shard := range recordTags {
		tag := recordTag(shard)
		key := db.kindKey(tag, q.Kind)
		if q.Index != "" {
			key = db.indexKey(tag, q.Kind, q.Index, q.Value)
		}
		from := "-"
		if after != "" {
			from = "(" + after
		}
		calls = append(calls, &call{tag: tag, args: []any{"ZRANGEBYLEX", key, from, "+", "LIMIT", 0, q.Limit + 1}})
		present = append(present, &call{tag: tag, args: []any{"HEXISTS", db.stateKey(tag), "e"}})
	}
	if err := db.do(ctx, 5*time.Second, append(calls, present...)...); err != nil {
		return nil, err
	}
	for _, c := range present {
		if c.reply != int64(1) {
			return nil, errVanished
		}
	}
	var ids []string
	for _, c := range calls {
		list, _ := c.reply.([]any)
		for _, id := range list {
			text, _ := id.(string)
			ids = append(ids, text)
		}
	}
	slices.SortFunc(ids, strings.Compare)
	return ids[:min(len(ids), q.Limit+1)], nil
}

func cursor(id string) string { return "r" + base64.RawURLEncoding.EncodeToString([]byte(id)) }

func readCursor(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(s, "r"))
	if err != nil || s[0] != 'r' || len(id) == 0 || len(id) > store.MaxRecordID || !utf8.Valid(id) {
		return "", kangma.E(kangma.Invalid, "cursor", "this is not a cursor of a list")
	}
	return string(id), nil
}

// mark writes how far a node's journal is applied. Only the node itself writes its mark, so a conflict means that this
// process did not know the version yet.
func (db *DB) mark(ctx context.Context, m store.Mark) error {
	records := db.Records()
	version, _ := db.marks.Load(m.Node)
	known, _ := version.(uint64)
	for range 10 {
		err := records.Put(ctx, store.Record{Kind: "applied", ID: m.Node, Version: known + 1, Data: strconv.AppendUint(nil, uint64(m.Applied), 10)})
		if err == nil {
			db.marks.Store(m.Node, known+1)
			return nil
		}
		if kangma.KindOf(err) != kangma.Conflict {
			return err
		}
		r, err := records.Get(ctx, "applied", m.Node)
		if err != nil && kangma.KindOf(err) != kangma.NotFound {
			return err
		}
		known = r.Version
	}
	return kangma.E(kangma.Conflict, "mark", "two processes write the mark of one node")
}
