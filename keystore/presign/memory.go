package presign

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// private gives memory outside the heap that is in no core dump and in no child process, and not on a swap disk either
// as far as the system lets us lock it.
func private(bytes int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(unix.Madvise(b, unix.MADV_DONTDUMP), unix.Madvise(b, unix.MADV_WIPEONFORK)); err != nil {
		return nil, errors.Join(err, unix.Munmap(b))
	}
	_, _, _ = unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MLOCK_ONFAULT) // RLIMIT_MEMLOCK is often 8 MiB: then it is as safe from a swap disk as the private key
	return b, nil
}

func giveBack(b []byte) error { return unix.Munmap(b) }
