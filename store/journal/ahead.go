package journal

import "fmt"

// An fsync after a write that made the file longer has to record the new size, and on a journalling file system that waits for
// whatever else is being recorded there: snapshots, databases, other programs. So zeros are written ahead of the records, a piece at a
// time; records written over them are on the disk with one flush. Zeros behind the last record of the last segment mean nothing: recovery
// takes them for what they are and cuts them off, as does the end of a segment, and of the process.

// aheadSpare is how many such pieces the disk must have room for.
const aheadSpare = 64

// writeAhead sees to it that the file is longer than need, if that can be had. Whatever fails here fails no commit.
func (j *Journal) writeAhead(need int64) {
	w := &j.w
	if need <= w.size {
		return
	}
	ahead := j.opt.AheadBytes
	w.size = need
	if ahead <= 0 {
		return
	}
	if free, err := j.opt.FS.Free(j.dir); err != nil || free < uint64(ahead)*aheadSpare {
		return
	}
	if w.zeros == nil {
		w.zeros = make([]byte, ahead)
	}
	w.size = need + ahead // also when not all of it was written: it is cut off with the rest
	_, _ = w.file.WriteAt(w.zeros, need)
}

// cut takes off what lies behind the records and makes that durable.
func (w *writer) cut() error {
	if err := w.file.Truncate(w.seg.end); err != nil {
		return fmt.Errorf("cut %s: %w", w.seg.name, err)
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", w.seg.name, err)
	}
	w.size = w.seg.end
	return nil
}

// onlyZeros reports whether the file holds nothing else from off on.
func (s *scanner) onlyZeros(off int64) (bool, error) {
	const step = 4 << 10
	for off < s.w.size {
		b, err := s.w.at(off, int(min(step, s.w.size-off)))
		if err != nil {
			return false, err
		}
		for _, c := range b {
			if c != 0 {
				return false, nil
			}
		}
		off += int64(len(b))
	}
	return true, nil
}
