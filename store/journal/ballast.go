package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const ballastName = "ballast"

// loadBallast puts the ballast in place where there is room for it. It is written, not only sized, because a hole in a
// file takes no space.
func (j *Journal) loadBallast() error {
	if j.opt.BallastBytes <= 0 {
		return nil
	}
	fs, name := j.opt.FS, filepath.Join(j.dir, ballastName)
	f, err := fs.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("ballast: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("ballast: %w", err)
	}
	free, err := fs.Free(j.dir)
	if err != nil {
		return fmt.Errorf("ballast: %w", err)
	}
	// Only where at least as much stays free: the journal itself comes first.
	if need := j.opt.BallastBytes - size; need > 0 && free < uint64(need)*2 {
		return errors.Join(fs.Remove(name), fs.SyncDir(j.dir))
	}
	for zeros := make([]byte, 1<<20); size < j.opt.BallastBytes; {
		n := min(int64(len(zeros)), j.opt.BallastBytes-size)
		if _, err := f.WriteAt(zeros[:n], size); err != nil {
			return errors.Join(fmt.Errorf("ballast: %w", err), fs.Remove(name))
		}
		size += n
	}
	if err := errors.Join(f.Sync(), fs.SyncDir(j.dir)); err != nil {
		return fmt.Errorf("ballast: %w", err)
	}
	j.mu.Lock()
	j.stats.Ballast = true
	j.mu.Unlock()
	return nil
}

// freeBallast gives up the ballast file, if there is one, so that the node can go on for a while on a full disk and
// people have time to act on the alarm. It says whether there was one.
func (j *Journal) freeBallast() bool {
	j.mu.Lock()
	has := j.stats.Ballast
	j.stats.Ballast = false
	j.mu.Unlock()
	if !has {
		return false
	}
	if err := j.opt.FS.Remove(filepath.Join(j.dir, ballastName)); err != nil {
		j.note(fmt.Errorf("ballast: %w", err))
		return false
	}
	go j.alarm("ballast-freed", fmt.Sprintf("the journal's disk is full; %d bytes of ballast were freed, make room now", j.opt.BallastBytes))
	return true
}

// reloadBallast puts the ballast back once there is room again.
func (j *Journal) reloadBallast() error {
	j.mu.Lock()
	missing := j.opt.BallastBytes > 0 && !j.stats.Ballast && !j.readOnly && !j.stats.Broken
	j.mu.Unlock()
	if !missing {
		return nil
	}
	if free, err := j.opt.FS.Free(j.dir); err != nil || free < uint64(j.opt.BallastBytes)*4 {
		return err
	}
	return j.loadBallast()
}
