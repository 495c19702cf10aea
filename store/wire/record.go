package wire

import (
	"github.com/kangma/kangma/store"
)

// EncodeRecord gives the wire form of a record.
func EncodeRecord(r store.Record) []byte { return encode(&r, 128+len(r.Data), record) }

// DecodeRecord reads what EncodeRecord wrote.
func DecodeRecord(b []byte) (store.Record, error) { return decode(b, record) }

func record(c *coder, r *store.Record) {
	c.text(1, &r.Kind)
	c.text(2, &r.ID)
	c.count(3, &r.Version)
	c.bytes(4, &r.Data)
	table(c, 5, &r.Index, c.word)
	c.flag(6, &r.Deleted)
}
