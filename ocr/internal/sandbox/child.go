// Package sandbox runs an engine written in C or C++ in child processes: this same binary, started again with an environment
// variable set. A child has limits on memory and processor time, gains no privileges and writes no files. A picture that
// breaks the engine breaks a child, never the server.
package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Limits of a child.
type Limits struct {
	Memory uint64 // bytes of address space beyond what the Go runtime has reserved at start
	CPU    uint64 // seconds of processor time of its whole life; a new child is started afterwards
}

// maxMessage bounds a message in either direction.
const maxMessage = 16 << 20

// errMessage is a message out of bounds.
var errMessage = errors.New("sandbox: message out of bounds")

// Confine sets the limits of this process. It is called before the engine is loaded.
func Confine(l Limits) error {
	// the Go runtime reserves a gigabyte or more of addresses at start without using them; the limit counts from there
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	var mapped uint64
	if _, err := fmt.Sscan(string(b), &mapped); err != nil {
		return err
	}
	mapped *= uint64(os.Getpagesize())
	set := func(what int, n uint64) error { return unix.Setrlimit(what, &unix.Rlimit{Cur: n, Max: n}) }
	return errors.Join(
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0),
		set(unix.RLIMIT_AS, mapped+l.Memory), set(unix.RLIMIT_CPU, l.CPU), set(unix.RLIMIT_FSIZE, 0), set(unix.RLIMIT_CORE, 0))
}

// Serve answers messages from in on out until in ends: each is a length of four bytes, big-endian, and that many bytes.
func Serve(in io.Reader, out io.Writer, answer func(request []byte) []byte) error {
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	for {
		msg, err := receive(r)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := send(w, answer(msg)); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

func receive(r io.Reader) ([]byte, error) {
	var n uint32
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	if n > maxMessage {
		return nil, errMessage
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

func send(w io.Writer, b []byte) error {
	if len(b) > maxMessage {
		return errMessage
	}
	if err := binary.Write(w, binary.BigEndian, uint32(len(b))); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}
