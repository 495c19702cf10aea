package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWhatIsWrittenGoesToTheDiskInPieces(t *testing.T) {
	var out bytes.Buffer
	var at []int
	s := syncing{w: &out, sync: func() error { at = append(at, out.Len()); return nil }}
	for range 5 {
		if n, err := s.Write(make([]byte, syncEvery/2)); err != nil || n != syncEvery/2 {
			t.Fatal(n, err)
		}
	}
	if len(at) != 2 || at[0] != syncEvery || at[1] != 2*syncEvery {
		t.Errorf("brought to the disk at %d", at)
	}
	s.open, s.sync = syncEvery, func() error { return io.ErrShortWrite }
	if _, err := s.Write([]byte{1}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a disk that fails: %v", err)
	}
}

func TestReadingBackAsksWhoIsMoreUrgent(t *testing.T) {
	gone := errors.New("gone")
	asked := 0
	r := yielding{t.Context(), strings.NewReader("abc"), func(context.Context) error {
		if asked++; asked > 1 {
			return gone
		}
		return nil
	}}
	if n, err := r.Read(make([]byte, 2)); n != 2 || err != nil {
		t.Error(n, err)
	}
	if n, err := r.Read(make([]byte, 2)); n != 0 || !errors.Is(err, gone) {
		t.Error(n, err)
	}
}
