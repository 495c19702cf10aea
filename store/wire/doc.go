// Package wire holds the one byte form of what Kangma stores and ships: Dossier, Evidence, Passage, Record, Access and
// Event. Every journal, store and backup holds exactly these bytes. It is pure and knows no store.
//
// A Dossier, of which there is one a person in memory and on disk, has a packed form of its own (version 2, below). All
// else is one version byte, 1, followed by one item of deterministic CBOR (RFC 8949 section 4.2.1: shortest heads, no
// indefinite lengths, keys ascending), so that equal values have equal bytes and hashes of bytes mean something:
//
//   - A struct is a map from the integer keys of its cbor tags. A field that is zero, or an empty list, is left out.
//   - A time is the number of whole seconds since the time before it in the same document (the first counts from
//     1970-01-01T00:00:00Z), or an array of that number and 1 to 999,999 microseconds. Finer parts are cut off, the
//     zone becomes UTC, years outside 1 to 9999 are moved to the nearest inside.
//   - A text is the number of a word in the list of words.go, or -1-n for the n-th text (of 2 bytes or more, at most
//     64 of them) that stood in the same document before, or else itself. Bytes that are no UTF-8 become U+FFFD.
//   - A map from text is an array of its keys and values in turn, keys ascending by bytes.
//   - Ids and indexes are byte strings of 16, numbers are CBOR integers, colours and decisions their Go numbers.
//
// A packed dossier has neither keys nor types: masks say what is there, and what comes next follows from them
// (packdossier.go, packevidence.go, packpayloads.go). It is smaller by a third, and reading it takes less time.
//
//   - Numbers have seven bits a byte, the lowest first; those of either sign are zigzagged before.
//   - Times are differences to one common time: those of a piece of evidence to when it was observed, that one to the
//     evidence before, the first to the registration. Divisions are differences to the division before.
//   - Of an event id of version 7 the time is a difference too, and ten bytes follow; others are whole.
//   - A text is a word, a reference to an earlier one, or a literal, of which only what differs from the literal before of its
//     class (sources, batches, laboratories, others) is written: batches of a feed have long names that begin alike.
//   - Dossiers of version 1, in CBOR, are read for ever. They get the packed form when the person next changes, or all at
//     once by kangma rebuild.
//
// Decoding is strict: what would not be encoded to the same bytes again is refused, bounds are checked before memory
// is taken, and the values returned share no memory with the input. Errors are kangma.Error of kind Internal (stored
// bytes are our own), codes "wire_damaged" and "wire_version", and say nothing of the content.
package wire

import "github.com/kangma/kangma"

// Version is the first byte of everything this package encodes but dossiers.
const Version = 1

// MaxBytes bounds what is decoded: a Record's Data may have 16 MiB.
const MaxBytes = 16<<20 + 64<<10

var (
	errDamaged = kangma.E(kangma.Internal, "wire_damaged", "stored bytes are not what this program writes")
	errVersion = kangma.E(kangma.Internal, "wire_version", "stored bytes are of a version this program does not know")
)
