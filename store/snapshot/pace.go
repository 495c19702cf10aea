package snapshot

import (
	"context"
	"io"
)

// yielding asks before each piece that is read whether somebody is more urgent.
type yielding struct {
	ctx   context.Context
	r     io.Reader
	yield func(context.Context) error // nil: nobody is
}

func (y yielding) Read(p []byte) (int, error) {
	if y.yield != nil {
		if err := y.yield(y.ctx); err != nil {
			return 0, err
		}
	}
	return y.r.Read(p)
}

// syncing brings what is written to the disk as it goes. Hundreds of megabytes brought there at once, at the end, would hold up
// every fsync of the journal on the same disk.
type syncing struct {
	w    io.Writer
	sync func() error
	open int // bytes since the last time
}

const syncEvery = 8 << 20

func (s *syncing) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if s.open += n; err != nil || s.open < syncEvery {
		return n, err
	}
	s.open = 0
	return n, s.sync()
}
