// Package journal is one node's append-only log of events: the only place of Kangma where an acknowledged event must
// survive kill -9, a power cut at any instruction and a full disk. Everything else is derived from it and can be rebuilt.
//
// It holds segments, one per UTC day of recording and size, of records with length, CRC32C and a hash chain; group-commit
// fsync; recovery of a torn tail; quarantine and repair of a damaged middle; retention by whole segments. docs/journal.md
// gives the format byte by byte. It refuses to know what is inside an event, to drop anything that was acknowledged, and
// to touch the disk other than through FS, so that a test can cut the power at any operation.
package journal
