package journal

import (
	"io"
	"os"
)

// FS is all the journal asks of a disk. Names are paths as package path/filepath makes them. Implementations may be
// called concurrently.
type FS interface {
	// OpenFile opens a file as os.OpenFile does; only O_RDONLY, O_RDWR, O_CREATE and O_TRUNC are used.
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	// List gives the names (without directory) of the files and directories in dir, in any order.
	List(dir string) ([]string, error)
	// MkdirAll makes dir and its parents with permissions perm.
	MkdirAll(dir string, perm os.FileMode) error
	// Rename replaces to by from; it is durable after SyncDir.
	Rename(from, to string) error
	// Remove deletes a file; it is durable after SyncDir.
	Remove(name string) error
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
	// Free gives the bytes that may still be written on the disk of dir.
	Free(dir string) (uint64, error)
	// Lock takes the exclusive lock of a file, creating it; ErrLocked if somebody else has it. Closing gives it back.
	Lock(name string) (io.Closer, error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Sync makes everything written to the file, and its size, durable (fdatasync).
	Sync() error
	Size() (int64, error)
}
