package load

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/kangma/kangma"
)

// spareFiles is what the process needs besides its connections.
const spareFiles = 64

// checkFiles raises the limit of open files to what is allowed and wants room for n connections.
func checkFiles(n int) error {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return err
	}
	if need := uint64(n) + spareFiles; need > lim.Cur {
		if need > lim.Max {
			return kangma.E(kangma.Invalid, "connections", fmt.Sprintf("%d connections need more open files than this process may have (%d); use fewer, or raise the limit (ulimit -n)", n, lim.Max))
		}
		lim.Cur = lim.Max
		return unix.Setrlimit(unix.RLIMIT_NOFILE, &lim)
	}
	return nil
}
