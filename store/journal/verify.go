package journal

import (
	"encoding/hex"
	"errors"
	"os"
	"slices"

	"github.com/kangma/kangma/store"
)

// Report is what Verify found.
type Report struct {
	Journal  string // hexadecimal id
	First    store.Position
	Last     store.Position
	Head     string // hexadecimal chain of the last record; who keeps it elsewhere can prove that nothing before was changed
	Released store.Position
	Segments []string
	Recovery
	Damage []Damage
}

// Sound says that nothing is damaged.
func (r Report) Sound() bool { return len(r.Damage) == 0 }

// Verify checks every record of the journal in dir without changing anything: length, CRC32C, hash chain, place, time,
// and that nothing the checkpoint knows of is missing. It may run beside a node that is writing. kangma.NotFound: there
// is no journal.
func Verify(dir string, opt Options) (Report, error) {
	opt.ReadOnly = true
	for try := 0; ; try++ {
		r, err := verify(dir, opt)
		// Beside a running node, retention may remove a segment between two looks at the directory. Look again.
		if try < 3 && (errors.Is(err, os.ErrNotExist) || err == nil && slices.ContainsFunc(r.Damage, moving)) {
			continue
		}
		return r, err
	}
}

func moving(d Damage) bool { return d.Reason == "missing" }

func verify(dir string, opt Options) (Report, error) {
	j := &Journal{dir: dir, opt: opt.withDefaults()}
	if err := j.open(); err != nil {
		return Report{}, err
	}
	s := j.Stats()
	r := Report{Journal: hex.EncodeToString(j.id[:]), First: s.First, Last: s.Last, Head: hex.EncodeToString(j.w.chain[:]),
		Released: s.Released, Recovery: s.Recovery, Damage: s.Damage}
	for _, g := range j.segments {
		r.Segments = append(r.Segments, g.name)
	}
	return r, nil
}

// Head gives the last position and its chain, which commits to every record before.
func (j *Journal) Head() (store.Position, [16]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.durable, j.head
}
