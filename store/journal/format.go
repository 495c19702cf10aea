package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// The layout of a segment file; docs/journal.md has the table. All numbers are little-endian.
const (
	headerSize = 64
	prefixSize = 8 // length of the body, CRC32C of length and body

	atBack     = 0  // uint32, how many records of the same group commit come before this one
	atIndex    = 4  // uint32, number of the record in its segment, from 0
	atChain    = 8  // 16 bytes, SHA-256 of the previous chain and of everything behind it, cut to 128 bits
	atRecorded = 24 // int64, Unix microseconds
	atKind     = 32 // uint8
	atFlags    = 33 // uint8
	atID       = 34 // 16 bytes
	atAt       = 50 // int64, Unix microseconds
	minBody    = 58 // then the person, if flagPerson, then the data

	// MaxData is the most bytes of Event.Data: a 16 MiB record and its envelope.
	MaxData = 16<<20 + 64<<10
	maxBody = minBody + 16 + MaxData
)

const (
	flagPerson   = 1 << 0 // 16 bytes of PersonID follow the fixed part
	flagRestored = 1 << 1 // put back by Repair, not the bytes that were written first
	flagAdopted  = 1 << 2 // chain taken over by Repair, cannot be checked against the record before
	knownFlags   = flagPerson | flagRestored | flagAdopted
)

// kindLost marks a position whose event Repair was told to give up.
const kindLost = 0xff

var kinds = [...]kangma.EventKind{1: kangma.EventPerson, 2: kangma.EventEvidence, 3: kangma.EventPassage,
	4: kangma.EventRecord, 5: kangma.EventAccess, 6: kangma.EventErase}

func kindByte(k kangma.EventKind) byte {
	for i, known := range kinds {
		if known == k && k != "" {
			return byte(i)
		}
	}
	return 0
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type chain [16]byte

// next links a body to the chain before it. It leaves its own result in the body's chain field, which lies before the
// bytes it covers, so that nothing has to be copied.
func (c chain) next(body []byte) chain {
	copy(body[atChain:], c[:])
	sum := sha256.Sum256(body[atChain:])
	copy(body[atChain:], sum[:16])
	return chain(sum[:16])
}

var segmentMagic = []byte("KMJSEG1\n")

// header is what a segment file begins with.
type header struct {
	Journal  [16]byte       // the same in every segment of one journal
	First    store.Position // of the first record the segment may hold
	Recorded int64          // latest Recorded before the segment, Unix microseconds
	Day      uint32         // days since 1970-01-01, of every record in it
	Prev     chain          // chain of the last record before the segment
}

func (h header) encode() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, segmentMagic...)
	b = append(b, h.Journal[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.First))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Recorded))
	b = binary.LittleEndian.AppendUint32(b, h.Day)
	b = append(b, h.Prev[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeHeader(b []byte) (h header, ok bool) {
	if len(b) != headerSize || !bytes.HasPrefix(b, segmentMagic) ||
		binary.LittleEndian.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return header{}, false
	}
	copy(h.Journal[:], b[8:])
	h.First = store.Position(binary.LittleEndian.Uint64(b[24:]))
	h.Recorded = int64(binary.LittleEndian.Uint64(b[32:]))
	h.Day = binary.LittleEndian.Uint32(b[40:])
	copy(h.Prev[:], b[44:])
	return h, true
}

const microsPerDay = 24 * 60 * 60 * 1_000_000

// dayOf gives the UTC day of a time in Unix microseconds, counted from 1970-01-01. Times before that are day 0.
func dayOf(micros int64) uint32 { return uint32(max(micros, 0) / microsPerDay) }

// segmentName sorts as the first position does: 16 hexadecimal digits, the day, ".seg".
func segmentName(first store.Position, day uint32) string {
	return fmt.Sprintf("%016x-%s.seg", uint64(first), time.Unix(int64(day)*86400, 0).UTC().Format("20060102"))
}

func parseSegmentName(name string) (first store.Position, day uint32, ok bool) {
	if len(name) != len("0123456789abcdef-20060102.seg") {
		return 0, 0, false
	}
	n, err := strconv.ParseUint(name[:16], 16, 64)
	if err != nil {
		return 0, 0, false
	}
	t, err := time.Parse("20060102", name[17:25])
	if err != nil || t.Unix() < 0 {
		return 0, 0, false
	}
	first, day = store.Position(n), uint32(t.Unix()/86400)
	return first, day, n > 0 && segmentName(first, day) == name
}

// appendRecord adds the record of e to b with everything that the event decides; seal fills in the rest.
func appendRecord(b []byte, e kangma.Event) []byte {
	size := minBody + len(e.Data)
	flags := byte(0)
	if !e.Person.IsZero() {
		flags, size = flagPerson, size+16
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = append(b, make([]byte, 4+atKind)...)
	b = append(b, kindByte(e.Kind), flags)
	b = append(b, e.ID[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	if flags == flagPerson {
		b = append(b, e.Person[:]...)
	}
	return append(b, e.Data...)
}

// seal gives the record r (prefix and body) its place; it returns the chain after it.
func seal(r []byte, prev chain, back, index uint32, recorded int64) chain {
	body := r[prefixSize:]
	binary.LittleEndian.PutUint32(body[atBack:], back)
	binary.LittleEndian.PutUint32(body[atIndex:], index)
	binary.LittleEndian.PutUint64(body[atRecorded:], uint64(recorded))
	c := prev.next(body)
	stamp(r)
	return c
}

// stamp writes the CRC of a finished record.
func stamp(r []byte) {
	binary.LittleEndian.PutUint32(r[4:], checksum(r))
}

func checksum(r []byte) uint32 {
	return crc32.Update(crc32.Checksum(r[:4], castagnoli), castagnoli, r[prefixSize:])
}

// frame reads the length at the start of b. size is that of the whole record; ok says that it is possible at all.
func frame(b []byte) (size int, ok bool) {
	n := binary.LittleEndian.Uint32(b)
	return prefixSize + int(n), n >= minBody && n <= maxBody
}

// record is a view of a sealed record.
type record []byte

func (r record) body() []byte    { return r[prefixSize:] }
func (r record) chain() chain    { return chain(r.body()[atChain:]) }
func (r record) back() uint32    { return binary.LittleEndian.Uint32(r.body()[atBack:]) }
func (r record) index() uint32   { return binary.LittleEndian.Uint32(r.body()[atIndex:]) }
func (r record) recorded() int64 { return int64(binary.LittleEndian.Uint64(r.body()[atRecorded:])) }
func (r record) kind() byte      { return r.body()[atKind] }
func (r record) flags() byte     { return r.body()[atFlags] }

// wellFormed checks everything that needs no neighbour: CRC, kind, flags, lengths, day.
func (r record) wellFormed(day uint32) bool {
	f := r.flags()
	if f&^knownFlags != 0 || f&flagPerson != 0 && len(r.body()) < minBody+16 || r.back() > r.index() {
		return false
	}
	k := r.kind()
	if (k == 0 || int(k) >= len(kinds)) && k != kindLost || dayOf(r.recorded()) != day {
		return false
	}
	return binary.LittleEndian.Uint32(r[4:]) == checksum(r)
}

// event decodes a well-formed record. Data is a part of r.
func (r record) event() kangma.Event {
	b := r.body()
	if r.kind() == kindLost {
		return kangma.Event{Kind: kangma.EventLost}
	}
	e := kangma.Event{ID: kangma.EventID(b[atID:]), Kind: kinds[r.kind()],
		At: time.UnixMicro(int64(binary.LittleEndian.Uint64(b[atAt:]))).UTC()}
	rest := b[minBody:]
	if r.flags()&flagPerson != 0 {
		e.Person, rest = kangma.PersonID(rest), rest[16:]
	}
	if len(rest) > 0 {
		e.Data = rest[:len(rest):len(rest)]
	}
	return e
}
