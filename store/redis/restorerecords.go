package redis

import (
	"context"
	"encoding/binary"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Records stores records of any version unless later ones are there. It is fastest with a thousand at once.
func (l *Loader) Records(ctx context.Context, records ...store.Record) error {
	data := make([][]byte, len(records))
	for i, r := range records {
		data[i] = wire.EncodeRecord(r)
	}
	return l.PackedRecords(ctx, records, data)
}

// PackedRecords is Records for those whose wire form the caller has. Those of one partition that come together travel in one call.
func (l *Loader) PackedRecords(ctx context.Context, records []store.Record, data [][]byte) error {
	filling := map[int]*recordBatch{}
	var calls []*call
	size := 0
	for i, r := range records {
		if err := r.Validate(); err != nil {
			return err
		}
		at := l.db.recordOf(r.Kind, r.ID)
		b := filling[at.tag]
		if b == nil || b.call.people == swapPeople || b.bytes >= swapBytes {
			b = &recordBatch{call: &call{tag: at.tag, script: restoreRecords, keys: []string{l.db.stateKey(at.tag)}}}
			filling[at.tag], calls = b, append(calls, b.call)
		}
		b.add(l.db, at, r, data[i])
		size += len(data[i])
	}
	return l.db.do(ctx, rebuildTime+sizeTime(size), calls...)
}

// recordBatch is a call of restoreRecords that is being filled.
type recordBatch struct {
	call  *call
	bytes int
}

func (b *recordBatch) add(db *DB, at recordSpot, r store.Record, data []byte) {
	sealed := db.vault.seal(at.tag, documentHeadOf(r.Version, [4]byte{}), at.place, data)
	var sets []any
	if !r.Deleted {
		sets = append(sets, db.kindKey(at.tag, r.Kind))
		for index, value := range r.Index {
			sets = append(sets, db.indexKey(at.tag, r.Kind, index, value))
		}
	}
	c := b.call
	c.keys = append(c.keys, at.key)
	c.args = append(append(c.args, sealed, binary.BigEndian.AppendUint64(nil, r.Version), r.ID, len(sets)), sets...)
	c.people, b.bytes = c.people+1, b.bytes+len(sealed)
}
