package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Backup copies everything that is durable now into the directory to, which must hold no journal, while writers go on. It
// returns the last position in the copy. The copy is a journal that Open opens and that Repair takes as a source (see
// FromBackup); retention waits until Backup is done. kangma.Conflict: there is a journal in to. A copy that was cut short
// has no checkpoint, so Open will not take it for whole.
func (j *Journal) Backup(ctx context.Context, to string) (store.Position, error) {
	fs := j.opt.FS
	if err := fs.MkdirAll(to, 0o700); err != nil {
		return 0, fmt.Errorf("make %s: %w", to, err)
	}
	names, err := fs.List(to)
	if err != nil {
		return 0, fmt.Errorf("list %s: %w", to, err)
	}
	for _, n := range names {
		if _, _, ok := parseSegmentName(n); ok || n == checkpointName {
			return 0, kangma.E(kangma.Conflict, "backup_exists", "there is a journal in the target directory; give an empty one")
		}
	}
	j.ckptMu.Lock() // keeps retention away
	defer j.ckptMu.Unlock()
	j.mu.Lock()
	ends := make([]int64, len(j.segments))
	for i, s := range j.segments {
		ends[i] = s.end
	}
	segments := j.segments
	c := checkpoint{Journal: j.id, Durable: j.durable, Released: j.released, Oldest: j.oldest}
	j.mu.Unlock()
	for i, s := range segments {
		if err := ctx.Err(); err != nil {
			return 0, errGiveUp.Because(err)
		}
		if err := copyFile(fs, filepath.Join(j.dir, s.name), filepath.Join(to, s.name), ends[i]); err != nil {
			return 0, fmt.Errorf("copy %s: %w", s.name, err)
		}
	}
	if err := fs.SyncDir(to); err != nil {
		return 0, fmt.Errorf("sync %s: %w", to, err)
	}
	return c.Durable, createCheckpoint(fs, to, c)
}

// copyFile copies the first size bytes and makes them durable.
func copyFile(fs FS, from, to string, size int64) (err error) {
	in, err := fs.OpenFile(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := fs.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	buf := make([]byte, windowSize)
	for off := int64(0); off < size; {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if n == 0 {
			return fmt.Errorf("ends at byte %d: %w", off, errors.Join(err, io.ErrUnexpectedEOF))
		}
		if _, err := out.WriteAt(buf[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
	return out.Sync()
}

// FromBackup opens a copy made by Backup as a source for Repair. close it afterwards.
func FromBackup(dir string, opt Options) (source Source, close func() error, err error) {
	opt.ReadOnly = true
	j, err := Open(dir, opt)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, from, to store.Position) (out []store.Entry, err error) {
		for pos := max(from, j.First()) - 1; pos < to; {
			got, err := j.After(ctx, pos, int(min(to-pos, 10_000)))
			if kangma.CodeOf(err) == errDamaged.Code {
				pos++ // the backup has a hole of its own; perhaps it has what lies behind
				continue
			}
			if err != nil || len(got) == 0 {
				return out, err
			}
			for _, e := range got {
				if pos = e.Position; pos <= to {
					out = append(out, e)
				}
			}
		}
		return out, nil
	}, j.Close, nil
}
