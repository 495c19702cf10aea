// Package store holds the four storage contracts of Kangma and nothing else. Backends live in sub-packages, know only
// this package, and each passes the conformance suite of its contract in store/storetest.
package store

import (
	"context"
	"time"

	"github.com/kangma/kangma"
)

// Position numbers the entries of one node's journal from 1, without gaps. 0 means "before the first".
type Position uint64

// Entry is one event where the journal put it.
type Entry struct {
	Position Position
	Recorded time.Time // when it was appended (the node's clock, UTC, microseconds); its UTC date is its day
	Event    kangma.Event
}

// Journal is one node's append-only log. All methods may be called concurrently.
type Journal interface {
	// Append writes the events in order and returns the position of the last once all are durable (fsynced). After an
	// error nothing is acknowledged: some events may be found later, so the caller retries with the same event ids.
	// kangma.Unavailable: full or broken disk, read-only start.
	Append(ctx context.Context, events ...kangma.Event) (Position, error)
	// After returns up to limit entries after pos in order, never skipping or repeating, durable entries only. At the
	// end it returns none. kangma.NotFound: pos is older than what retention kept.
	After(ctx context.Context, pos Position, limit int) ([]Entry, error)
	// Release says that everything up to pos has reached all its consumers: its segments may go once retention allows.
	Release(ctx context.Context, pos Position) error
}

// Partitions is the number of partitions people are spread over, by the first byte of the PersonID.
const Partitions = 256

// PartitionOf gives the partition of a person.
func PartitionOf(id kangma.PersonID) int { return int(id[0]) }

// Mark says how far a node's journal has been applied. The zero Mark is none. Backends keep it as the Record of kind
// "applied" whose id is the node, data the decimal position; where they can, in the same transaction as the dossiers.
type Mark struct {
	Node    string
	Applied Position
}

// Dossiers keeps one dossier a person. Operations on one person are linearizable, also across processes. All methods
// may be called concurrently. Returned values are the caller's own.
type Dossiers interface {
	// Get returns the current dossier. kangma.NotFound: nobody of that id.
	Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error)
	// Lookup finds a person by a blind index. kangma.NotFound: no one.
	Lookup(ctx context.Context, index kangma.BlindIndex) (kangma.PersonID, error)
	// Update stores each dossier whose Version is one more than the stored one (absent counts as 0), durably as far as
	// the backend promises, together with its blind indexes (an index moves to its newest owner; indexes a dossier no
	// longer carries are removed), and then the mark if it is not zero. Dossiers that lost the race are left alone and
	// listed in a *Lost, in which case the mark is not written; the others are stored. An erased person (no DataKey, no
	// Evidence) is stored like any other.
	Update(ctx context.Context, mark Mark, dossiers ...kangma.Dossier) error
	// Scan returns up to limit dossiers of one partition (0 to 255) with ids after the given one, in order of id. Zero
	// starts; none at the end.
	Scan(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]kangma.Dossier, error)
}

// Many is the further power of a Dossiers to read several people at once, for batches: one exchange, or one statement, for
// all of them.
type Many interface {
	// GetMany returns the dossiers of these people, who are distinct, in their order; of nobody the zero Dossier. Some
	// thousand at once are fine.
	GetMany(ctx context.Context, people []kangma.PersonID) ([]kangma.Dossier, error)
}

// GetMany reads several people, at once where the store can.
func GetMany(ctx context.Context, s Dossiers, people []kangma.PersonID) ([]kangma.Dossier, error) {
	if m, ok := s.(Many); ok {
		return m.GetMany(ctx, people)
	}
	out := make([]kangma.Dossier, len(people))
	for i, id := range people {
		d, err := s.Get(ctx, id)
		switch {
		case err == nil:
			out[i] = d
		case kangma.KindOf(err) != kangma.NotFound:
			return nil, err
		}
	}
	return out, nil
}

// Packed is a dossier in its wire form (store/wire).
type Packed struct {
	Person  kangma.PersonID
	Version uint64
	Data    []byte
}

// PackedScanner is the further power of a Dossiers to give people as they are stored: for hashes, copies and moves, which need
// not know what is in them.
type PackedScanner interface {
	// ScanPacked is Scan in the wire form, whichever version of it each lies in. Data is the caller's own.
	ScanPacked(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]Packed, error)
}

// Lagging is the further power of a Dossiers that keeps changes in memory for a while before it stores them. It is only for
// what a journal holds already: the mark is stored after everything before it, and a replay from it brings back what
// was lost.
type Lagging interface {
	// Marked gives the mark of a node that this process has stored by now, 0 if none. lags is false where Update stores at once.
	Marked(node string) (pos Position, lags bool)
}

// Lost is the error of Update for the people whose Version was not the next one. It is a kangma.Conflict.
type Lost struct{ People []kangma.PersonID }

func (l *Lost) Error() string { return "somebody else changed the dossier first" }

// Unwrap makes errors.Is(err, kangma.Conflict) true.
func (l *Lost) Unwrap() error { return kangma.Conflict }

// Record is a small versioned document: gate, organisation, account, venue, case, vehicle entry, rule set, area list.
type Record struct {
	Kind    string            `cbor:"1,keyasint"` // lower-case letters, digits and '-'
	ID      string            `cbor:"2,keyasint"` // up to 200 bytes, any UTF-8
	Version uint64            `cbor:"3,keyasint"`
	Data    []byte            `cbor:"4,keyasint,omitempty"` // up to 16 MiB; what is in it is the kind's affair
	Index   map[string]string `cbor:"5,keyasint,omitempty"` // declared indexes: name to value, e.g. owner, status
	Deleted bool              `cbor:"6,keyasint,omitempty"` // tombstone: Get says NotFound, the version goes on rising
}

// Records keeps small documents. Operations on one record are linearizable. All methods may be called concurrently.
type Records interface {
	// Get returns the current version. kangma.NotFound: none, or deleted; the returned Record then carries the version.
	Get(ctx context.Context, kind, id string) (Record, error)
	// Put stores r if r.Version is one more than the stored version (absent counts as 0); else kangma.Conflict.
	Put(ctx context.Context, r Record) error
	// List returns up to Limit records of a kind in order of id (by bytes), tombstones left out, and the cursor to go
	// on with ("" at the end).
	List(ctx context.Context, q RecordQuery) (records []Record, next string, err error)
}

// RecordQuery selects records of one kind, all of them or those whose index has a value.
type RecordQuery struct {
	Kind  string
	Index string // "" for all
	Value string
	After string // cursor
	Limit int    // 1 to 1000
}

// Batch is one deterministic range of one node's journal: the passages found in (From, To]. Rows may lie in several
// days (Passage.At, UTC): a gate that was offline uploads late. A backend that partitions by that day splits the batch
// itself, one insert for each day in order, and is Loaded only after the last.
type Batch struct {
	Node string
	From Position // exclusive: everything up to From was loaded before
	To   Position // inclusive
	Rows []Row    // in order of Position; may be empty
}

// Row is one passage with where the journal had it.
type Row struct {
	Position Position
	Passage  kangma.Passage
}

// Warehouse holds passages for analytics. It is derived: it may be dropped and is filled again from the journals. It
// never blocks a gate. All methods may be called concurrently, Load for one node by one caller at a time.
type Warehouse interface {
	// Load stores the batch. A passage counts once by its ID, whichever batch, cut, node or retry brings it again, also
	// days later (its day is the UTC date of Passage.At, which a retry repeats); the first one loaded stays. On return
	// the rows are visible to Query. An error means "unknown": the caller loads the same batch again.
	Load(ctx context.Context, b Batch) error
	// Loaded returns up to where the node's journal is loaded.
	Loaded(ctx context.Context, node string) (Position, error)
	// Query answers a typed question. kangma.Invalid: not a question; kangma.TooLarge: would scan more than allowed.
	Query(ctx context.Context, q Query) (Result, error)
	// Passages returns single passages, newest first (ties: larger id first): a person's own record, a gate's last
	// minutes, a tracing case. Where both are given, those of these people at these gates.
	Passages(ctx context.Context, q PassageQuery) ([]kangma.Passage, error)
}

// Dropper is the further power of a Warehouse to forget by day (retention).
type Dropper interface {
	// Drop forgets every passage whose day (UTC date of Passage.At) is before the given UTC midnight, and Load ignores
	// such rows from then on.
	Drop(ctx context.Context, before time.Time) error
}

// Dumper is the further power of a Records to give everything it holds, for snapshots.
type Dumper interface {
	// Dump calls f with every record of every kind, tombstones too, in no order. One that is changed meanwhile may come
	// in any of its versions, or twice; one that is made meanwhile may not come. f's slice is its own.
	Dump(ctx context.Context, f func([]Record) error) error
}

// PackedRecord is a record in its wire form (store/wire), of which there is one only.
type PackedRecord struct {
	Kind, ID string
	Version  uint64
	Deleted  bool
	Data     []byte // of the whole record, not only its Data
}

// PackedDumper is the further power of a Dumper to give records as they are stored: for hashes, which need not know what is in them.
type PackedDumper interface {
	// DumpPacked is Dump in the wire form. f's slice is its own.
	DumpPacked(ctx context.Context, f func([]PackedRecord) error) error
}

// Loader fills a store that is being made again, with dossiers and records of any version; what is there in a later
// version stays. Its methods may be called concurrently for different people and records.
type Loader interface {
	Dossiers(ctx context.Context, dossiers ...kangma.Dossier) error
	Records(ctx context.Context, records ...Record) error
}

// PackedLoader is the further power of a Loader to take dossiers and records of the present wire form as they are.
type PackedLoader interface {
	// Packed stores as Dossiers does; indexes are the blind indexes of each.
	Packed(ctx context.Context, people []Packed, indexes [][]kangma.BlindIndex) error
	// PackedRecords stores as Records does; data is the wire form of each, the caller's until it returns.
	PackedRecords(ctx context.Context, records []Record, data [][]byte) error
}

// Archive is the further power of a Warehouse to give back what it was loaded with, as far as Drop left it: for exports,
// and for the repair of a journal.
type Archive interface {
	// Nodes gives the nodes whose journals were loaded, and up to where.
	Nodes(ctx context.Context) (map[string]Position, error)
	// Rows gives the rows of one node with positions in [from, to], in order of position.
	Rows(ctx context.Context, node string, from, to Position) ([]Row, error)
	// All calls f with every passage once, some thousand of one node at a time, in no order. Position is 0 and node ""
	// where the warehouse does not know them. f's slice is its own.
	All(ctx context.Context, f func(node string, rows []Row) error) error
}
