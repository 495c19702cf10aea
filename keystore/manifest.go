package keystore

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// manifest lists what the store has. It holds no secrets, but lies beside them with the same mode.
type manifest struct {
	Secrets []string `json:"secrets"`
	Keys    []record `json:"keys"`
}

// change runs f with the newest list, alone among all processes, and writes the list back when it changed.
func (s *Store) change(f func() error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lock, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return errDisk.Because(err)
	}
	defer lock.Close() // closing releases the lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return errDisk.Because(err)
	}
	before, err := s.readManifest()
	if err != nil {
		return err
	}
	// Also after a failure: what was drawn before it must stay on the list.
	err = errors.Join(f(), s.writeManifest(before))
	if info, statErr := os.Stat(s.manifestPath()); statErr == nil {
		s.read = info
	}
	return err
}

// Stale reports whether another process has changed the list since this Store last read it; Maintain takes the change up.
// It costs one look at the file's times, so it may be asked every few seconds.
func (s *Store) Stale() bool {
	info, err := os.Stat(s.manifestPath())
	s.mu.Lock()
	defer s.mu.Unlock()
	return err != nil || !os.SameFile(info, s.read) || !info.ModTime().Equal(s.read.ModTime())
}

func (s *Store) manifestPath() string { return filepath.Join(s.dir, "keys.json") }

func (s *Store) readManifest() ([]byte, error) {
	b, err := os.ReadFile(s.manifestPath())
	if errors.Is(err, fs.ErrNotExist) {
		s.list = manifest{}
		return nil, nil
	}
	if err != nil {
		return nil, errDisk.Because(err)
	}
	if err := checkMode(s.manifestPath(), false); err != nil {
		return nil, err
	}
	var list manifest
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, errMissing(s.manifestPath())
	}
	s.list = list
	return b, nil
}

func (s *Store) writeManifest(before []byte) error {
	after, err := json.MarshalIndent(s.list, "", "  ")
	if err != nil {
		return errDisk.Because(err)
	}
	after = append(after, '\n')
	if bytes.Equal(before, after) {
		return nil
	}
	return replace(s.manifestPath(), after)
}
