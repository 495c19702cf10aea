package embedded

import (
	"errors"
	"os"
	"time"
)

// syncFile makes what was written without any sync durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return wrap(err)
	}
	return wrap(errors.Join(f.Sync(), f.Close()))
}

// syncBeside has the disk begin with what was written to a file, every second until end is called, so that the sync at the end finds
// little to do: the system would otherwise leave a gigabyte for it. end gives the first error, which the system tells only once.
func syncBeside(path string) (end func() error) {
	stop, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				failed <- nil
				return
			case <-tick.C:
				if err := syncFile(path); err != nil {
					failed <- err
					return
				}
			}
		}
	}()
	return func() error { close(stop); return <-failed }
}
