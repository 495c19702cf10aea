// Package crashfs is a disk in memory for tests of package journal. It keeps what was synced apart from what was only
// written, can be cut off from power before any operation, and then shows what may be left: nothing, all or any part of
// what was not synced, sector by sector and name by name, or a last write torn at any byte.
//
// Directories themselves are durable as soon as they are made; the names in them are not.
package crashfs

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/kangma/kangma/store/journal"
)

// ErrCut is what every operation returns once the power is gone.
var ErrCut = errors.New("crashfs: the power is off")

// FS implements journal.FS.
type FS struct {
	// Fault, if not nil, is asked before each changing operation and may refuse it; of a refused write the first half
	// arrives. The operation is one of create, write, truncate, sync, rename, remove, syncdir.
	Fault func(op, name string) error
	// Quota is how many bytes all files together may have; 0: any. A write over it writes what fits and says ENOSPC.
	Quota int64

	mu    sync.Mutex
	dirs  map[string]*dir
	locks map[string]bool
	ops   int
	cutAt int
	dead  bool
	last  *inode // written to last
}

type dir struct {
	live, durable map[string]*inode
	pending       []naming
}

// naming is a change of a directory that SyncDir has not made durable.
type naming struct {
	name string
	to   string // "" unless a rename
	file *inode // nil: removed
}

type inode struct {
	live, durable []byte
	pending       []change
}

// change is a write, or a truncation where data is nil, that Sync has not made durable.
type change struct {
	off  int64
	data []byte
}

// New gives an empty disk.
func New() *FS { return &FS{dirs: map[string]*dir{}, locks: map[string]bool{}, cutAt: -1} }

// CutAfter cuts the power once n more changing operations were done.
func (fs *FS) CutAfter(n int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.cutAt = fs.ops + n
}

// Ops is the number of changing operations done.
func (fs *FS) Ops() int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.ops
}

// begin counts a changing operation, or refuses it. fs.mu is held.
func (fs *FS) begin(op, name string) error {
	if fs.dead || fs.ops == fs.cutAt {
		fs.dead = true
		return ErrCut
	}
	if fs.Fault != nil {
		if err := fs.Fault(op, filepath.Base(name)); err != nil {
			return err
		}
	}
	fs.ops++
	return nil
}

func (fs *FS) dir(name string) (*dir, error) {
	d := fs.dirs[filepath.Clean(name)]
	if d == nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	}
	return d, nil
}

// OpenFile implements journal.FS.
func (fs *FS) OpenFile(name string, flag int, _ os.FileMode) (journal.File, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.dead {
		return nil, ErrCut
	}
	d, err := fs.dir(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	base := filepath.Base(name)
	node := d.live[base]
	switch {
	case node == nil && flag&os.O_CREATE == 0:
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	case node == nil:
		if err := fs.begin("create", name); err != nil {
			return nil, err
		}
		node = &inode{}
		d.live[base] = node
		d.pending = append(d.pending, naming{name: base, file: node})
	case flag&os.O_TRUNC != 0:
		if err := fs.begin("truncate", name); err != nil {
			return nil, err
		}
		node.change(change{off: 0})
	}
	return &file{fs: fs, node: node, name: name}, nil
}

// List implements journal.FS.
func (fs *FS) List(name string) ([]string, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.dead {
		return nil, ErrCut
	}
	d, err := fs.dir(name)
	if err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(d.live)), nil
}

// MkdirAll implements journal.FS.
func (fs *FS) MkdirAll(name string, _ os.FileMode) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for n := filepath.Clean(name); fs.dirs[n] == nil; n = filepath.Dir(n) {
		fs.dirs[n] = &dir{live: map[string]*inode{}, durable: map[string]*inode{}}
	}
	return nil
}

// Rename implements journal.FS. Both names lie in one directory, or the move is two changes of two directories.
func (fs *FS) Rename(from, to string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	a, err := fs.dir(filepath.Dir(from))
	if err != nil {
		return err
	}
	b, err := fs.dir(filepath.Dir(to))
	if err != nil {
		return err
	}
	node := a.live[filepath.Base(from)]
	if node == nil {
		return &os.PathError{Op: "rename", Path: from, Err: os.ErrNotExist}
	}
	if err := fs.begin("rename", to); err != nil {
		return err
	}
	delete(a.live, filepath.Base(from))
	b.live[filepath.Base(to)] = node
	if a == b {
		a.pending = append(a.pending, naming{name: filepath.Base(from), to: filepath.Base(to), file: node})
		return nil
	}
	a.pending = append(a.pending, naming{name: filepath.Base(from)})
	b.pending = append(b.pending, naming{name: filepath.Base(to), file: node})
	return nil
}

// Remove implements journal.FS.
func (fs *FS) Remove(name string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	d, err := fs.dir(filepath.Dir(name))
	if err != nil {
		return err
	}
	base := filepath.Base(name)
	if d.live[base] == nil {
		return &os.PathError{Op: "remove", Path: name, Err: os.ErrNotExist}
	}
	if err := fs.begin("remove", name); err != nil {
		return err
	}
	delete(d.live, base)
	d.pending = append(d.pending, naming{name: base})
	return nil
}

// SyncDir implements journal.FS.
func (fs *FS) SyncDir(name string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	d, err := fs.dir(name)
	if err != nil {
		return err
	}
	if err := fs.begin("syncdir", name); err != nil {
		return err
	}
	d.durable, d.pending = maps.Clone(d.live), nil
	return nil
}

// Free implements journal.FS.
func (fs *FS) Free(string) (uint64, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.Quota == 0 {
		return 1 << 50, nil
	}
	return uint64(max(0, fs.Quota-fs.used())), nil
}

func (fs *FS) used() (n int64) {
	for _, d := range fs.dirs {
		for _, f := range d.live {
			n += int64(len(f.live))
		}
	}
	return n
}

// Lock implements journal.FS.
func (fs *FS) Lock(name string) (io.Closer, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.dead {
		return nil, ErrCut
	}
	if fs.locks[name] {
		return nil, journal.ErrLocked
	}
	fs.locks[name] = true
	return unlock{fs, name}, nil
}

type unlock struct {
	fs   *FS
	name string
}

func (u unlock) Close() error {
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	delete(u.fs.locks, u.name)
	return nil
}

type file struct {
	fs   *FS
	node *inode
	name string
}

// ReadAt sees what was written, synced or not.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.dead {
		return 0, ErrCut
	}
	if off >= int64(len(f.node.live)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.live[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("write", f.name); err != nil {
		if !f.fs.dead { // a disk that fails may have written a part
			f.node.change(change{off: off, data: slices.Clone(p[:len(p)/2])})
			f.fs.last = f.node
		}
		return 0, err
	}
	n := len(p)
	if grow := off + int64(n) - int64(len(f.node.live)); f.fs.Quota > 0 && grow > 0 {
		n -= int(min(int64(n), max(0, f.fs.used()+grow-f.fs.Quota)))
	}
	f.node.change(change{off: off, data: slices.Clone(p[:n])})
	f.fs.last = f.node
	if n < len(p) {
		return n, &os.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	return n, nil
}

func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("truncate", f.name); err != nil {
		return err
	}
	f.node.change(change{off: size})
	return nil
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("sync", f.name); err != nil {
		return err
	}
	f.node.durable, f.node.pending = slices.Clone(f.node.live), nil
	return nil
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return int64(len(f.node.live)), nil
}

func (f *file) Close() error { return nil }

func (n *inode) change(c change) {
	if c.data == nil && c.off == int64(len(n.live)) {
		return
	}
	n.live = c.apply(n.live)
	n.pending = append(n.pending, c)
}

// apply gives b after the change.
func (c change) apply(b []byte) []byte {
	end := c.off + int64(len(c.data))
	if c.data == nil && end < int64(len(b)) {
		return b[:end:end]
	}
	if end > int64(len(b)) {
		b = append(b[:len(b):len(b)], make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.off:end], c.data)
	return b
}
