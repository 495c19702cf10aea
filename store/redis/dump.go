package redis

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

var (
	_ store.Dumper = (*Records)(nil)
	_ store.Loader = (*Loader)(nil)
)

// Dump calls f with every record of every kind, tombstones too. It asks server after server for its keys, so it is
// slower than a list and takes the servers little time at once.
func (s *Records) Dump(ctx context.Context, f func([]store.Record) error) error {
	for shard := range recordTags {
		tag := recordTag(shard)
		if err := s.db.present(ctx, tag); err != nil {
			return err
		}
	}
	tags := map[string]int{}
	for shard := range recordTags {
		tag := recordTag(shard)
		tags[s.db.vault.tags[tag]+"r"] = tag
	}
	return s.db.eachServer(ctx, func(tag int) error { return s.db.dumpServer(ctx, tag, tags, f) })
}

// dumpServer walks the keys of the server that holds a tag; prefixes tells the tag of a record's key by its beginning.
func (db *DB) dumpServer(ctx context.Context, tag int, prefixes map[string]int, f func([]store.Record) error) error {
	seen := map[string]bool{} // SCAN may give a key twice
	pattern := "{" + db.cfg.Prefix + ":*}r*"
	for at := "0"; ; {
		scan := &call{tag: tag, args: []any{"SCAN", at, "MATCH", pattern, "COUNT", 2000}}
		if err := db.do(ctx, 2*time.Second, scan); err != nil {
			return err
		}
		reply, _ := scan.reply.([]any)
		if len(reply) != 2 {
			return kangma.E(kangma.Internal, "redis", "the state store answered strangely").Because(fmt.Errorf("SCAN"))
		}
		keys, _ := reply[1].([]any)
		var fresh []recordSpot
		for _, k := range keys {
			key, _ := k.(string)
			spot, ok := spotOfKey(key, prefixes)
			if ok && !seen[key] {
				seen[key] = true
				fresh = append(fresh, spot)
			}
		}
		if err := db.dumpSpots(ctx, fresh, f); err != nil {
			return err
		}
		if at, _ = reply[0].(string); at == "0" {
			return nil
		}
	}
}

// spotOfKey reads the place of a record from its key.
func spotOfKey(key string, prefixes map[string]int) (spot recordSpot, ok bool) {
	at := strings.IndexByte(key, '}')
	if at < 0 || len(key) != at+2+2*len(name{}) {
		return spot, false
	}
	tag, known := prefixes[key[:at+2]]
	raw, err := hex.DecodeString(key[at+2:])
	if !known || err != nil {
		return spot, false
	}
	return recordSpot{tag: tag, key: key, place: name(raw)}, true
}

func (db *DB) dumpSpots(ctx context.Context, spots []recordSpot, f func([]store.Record) error) error {
	if len(spots) == 0 {
		return nil
	}
	calls := make([]*call, len(spots))
	for i, s := range spots {
		calls[i] = &call{tag: s.tag, args: []any{"HGET", s.key, "b"}}
	}
	if err := db.do(ctx, 30*time.Second, calls...); err != nil {
		return err
	}
	page := make([]store.Record, 0, len(spots))
	for i, c := range calls {
		sealed, ok := c.reply.(string)
		if !ok {
			continue // gone since
		}
		r, err := db.openRecord(spots[i], sealed)
		if err != nil {
			return err
		}
		page = append(page, r)
	}
	return f(page)
}
