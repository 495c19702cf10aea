package crashfs

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

const sector = 512

// Left says what of the things that were not synced is still there after a power cut.
type Left struct {
	None bool       // nothing
	Rnd  *rand.Rand // if not nil: each sector of each write, each truncation, each change of a name by the toss of a coin
	Torn int        // of the very last write only so many bytes, if not negative; everything else survives
}

// All leaves everything, as when a process dies and the machine does not, but then synced.
func All() Left { return Left{Torn: -1} }

// None leaves only what was synced.
func None() Left { return Left{None: true, Torn: -1} }

// Some leaves what the coin says.
func Some(rnd *rand.Rand) Left { return Left{Rnd: rnd, Torn: -1} }

// Torn leaves everything but the end of the last write, of which n bytes are left.
func Torn(n int) Left { return Left{Torn: n} }

// Unsynced is the length of the last write, if it was the last change of its file and was not synced; else 0.
func (fs *FS) Unsynced() int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.last == nil || len(fs.last.pending) == 0 {
		return 0
	}
	return len(fs.last.pending[len(fs.last.pending)-1].data)
}

// After gives the disk as it may be found when the power is back. fs itself stays as it is.
func (fs *FS) After(left Left) *FS {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	out := New()
	out.Quota = fs.Quota
	moved := map[*inode]*inode{}
	for _, path := range slices.Sorted(maps.Keys(fs.dirs)) {
		d := fs.dirs[path]
		names := d.surviving(left)
		fresh := &dir{live: map[string]*inode{}, durable: map[string]*inode{}}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			node := names[name]
			if moved[node] == nil {
				b := node.surviving(left, node == fs.last)
				moved[node] = &inode{live: b, durable: slices.Clone(b)}
			}
			fresh.live[name], fresh.durable[name] = moved[node], moved[node]
		}
		out.dirs[path] = fresh
	}
	return out
}

// Killed gives the disk as the next process finds it after kill -9: all is there, and what was not synced still is not.
func (fs *FS) Killed() *FS {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	out := New()
	out.Quota = fs.Quota
	moved := map[*inode]*inode{}
	move := func(n *inode) *inode {
		if n != nil && moved[n] == nil {
			moved[n] = &inode{live: slices.Clone(n.live), durable: slices.Clone(n.durable), pending: slices.Clone(n.pending)}
		}
		return moved[n]
	}
	for path, d := range fs.dirs {
		fresh := &dir{live: map[string]*inode{}, durable: map[string]*inode{}}
		for name, n := range d.live {
			fresh.live[name] = move(n)
		}
		for name, n := range d.durable {
			fresh.durable[name] = move(n)
		}
		for _, p := range d.pending {
			p.file = move(p.file)
			fresh.pending = append(fresh.pending, p)
		}
		out.dirs[path] = fresh
	}
	return out
}

func (l Left) keeps() bool { return !l.None && (l.Rnd == nil || l.Rnd.IntN(2) == 0) }

func (d *dir) surviving(left Left) map[string]*inode {
	names := maps.Clone(d.durable)
	for _, p := range d.pending {
		if !left.keeps() {
			continue
		}
		switch {
		case p.file == nil:
			delete(names, p.name)
		case p.to != "" && names[p.name] == p.file:
			delete(names, p.name)
			names[p.to] = p.file
		case p.to == "":
			names[p.name] = p.file
		}
	}
	return names
}

func (n *inode) surviving(left Left, last bool) []byte {
	b := slices.Clone(n.durable)
	for i, c := range n.pending {
		switch {
		case c.data == nil:
			if left.keeps() {
				b = c.apply(b)
			}
		case last && left.Torn >= 0 && i == len(n.pending)-1:
			c.data = c.data[:min(left.Torn, len(c.data))]
			b = c.apply(b)
		default:
			for off := c.off; off < c.off+int64(len(c.data)); {
				end := min(c.off+int64(len(c.data)), (off/sector+1)*sector)
				if left.keeps() {
					b = change{off: off, data: c.data[off-c.off : end-c.off]}.apply(b)
				}
				off = end
			}
		}
	}
	return b
}

// Corrupt changes the content of a file behind everybody's back, as a failing disk does.
func (fs *FS) Corrupt(name string, how func([]byte) []byte) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	d, err := fs.dir(filepath.Dir(name))
	if err != nil {
		return err
	}
	n := d.live[filepath.Base(name)]
	if n == nil {
		return &os.PathError{Op: "corrupt", Path: name, Err: os.ErrNotExist}
	}
	n.live = how(slices.Clone(n.live))
	n.durable, n.pending = slices.Clone(n.live), nil
	return nil
}

// Vanish removes a file behind everybody's back.
func (fs *FS) Vanish(name string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if d, err := fs.dir(filepath.Dir(name)); err == nil {
		delete(d.live, filepath.Base(name))
		delete(d.durable, filepath.Base(name))
	}
}
