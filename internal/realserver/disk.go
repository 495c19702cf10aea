package realserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// SmallDisk puts a disk of its own, in memory and so many MiB large, at a folder, until the test ends. Only root may: CI must be
// root, elsewhere the test skips loudly.
func SmallDisk(tb testing.TB, dir string, mib int) {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mib)); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatalf("CI must be root and may mount: a disk of its own is needed (%v)", err)
		}
		tb.Skipf("NOT TESTED: a disk of its own needs root and the right to mount (%v)", err)
	}
	tb.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			tb.Error(err)
		}
	})
}

// Fill takes what is left of the disk under dir; the returned function gives it back.
func Fill(tb testing.TB, dir string) (free func()) {
	tb.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err == nil {
			continue
		} else if !errors.Is(err, syscall.ENOSPC) {
			tb.Fatal(err)
		}
		size /= 2
	}
	return func() {
		tb.Helper()
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			tb.Fatal(err)
		}
	}
}
