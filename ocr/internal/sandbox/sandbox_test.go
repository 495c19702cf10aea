package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kangma/kangma/ocr/internal/sandbox"
)

const childEnv = "KANGMA_SANDBOX_TEST"

// the child answers what it is asked; it hangs, dies or asks for too much when told to
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := sandbox.Confine(sandbox.Limits{Memory: 256 << 20, CPU: 60}); err != nil {
		os.Exit(3)
	}
	_ = sandbox.Serve(os.Stdin, os.Stdout, func(msg []byte) []byte {
		switch string(msg) {
		case "hang":
			time.Sleep(time.Hour) // an empty select would be found out as a deadlock and end the child by itself
		case "die":
			os.Exit(9)
		case "map":
			if _, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON); err != nil {
				return []byte("refused")
			}
			return []byte("mapped")
		case "write":
			if err := os.WriteFile(os.TempDir()+"/kangma-sandbox-test", []byte("x"), 0o600); err != nil {
				return []byte("refused")
			}
			return []byte("written")
		}
		return append([]byte("echo "), msg...)
	})
	os.Exit(0)
}

func TestPool(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := sandbox.NewPool(2, childEnv+"=1")
	if err != nil {
		t.Fatal(err)
	}
	answers := func(msg, want string) {
		t.Helper()
		if got, err := p.Call(ctx, []byte(msg)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v, want %q", msg, got, err, want)
		}
	}
	t.Run("a child answers again and again", func(t *testing.T) {
		for range 3 {
			answers("hello", "echo hello")
		}
	})
	t.Run("a child cannot map more memory than it is given", func(t *testing.T) { answers("map", "refused") })
	t.Run("a child that dies is replaced", func(t *testing.T) {
		if _, err := p.Call(ctx, []byte("die")); err == nil {
			t.Error("a dead child answered")
		}
		answers("again", "echo again")
	})
	t.Run("a child that hangs is killed when the caller's time is over, and replaced", func(t *testing.T) {
		short, cancel := context.WithCancel(ctx)
		time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := p.Call(short, []byte("hang")); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		answers("again", "echo again")
	})
	t.Run("a message out of bounds is refused", func(t *testing.T) {
		if _, err := p.Call(ctx, bytes.Repeat([]byte("x"), 17<<20)); err == nil {
			t.Error("it was sent")
		}
		answers("again", "echo again")
	})
	t.Run("a closed pool says so", func(t *testing.T) {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Call(ctx, []byte("hello")); !errors.Is(err, sandbox.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestAChildWritesNoFile(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := sandbox.NewPool(1, childEnv+"=1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	// the limit on a file's size ends the child by a signal, or the write fails; either way nothing is written
	if got, err := p.Call(ctx, []byte("write")); err == nil && string(got) != "refused" {
		t.Errorf("%s", got)
	}
	if st, err := os.Stat(os.TempDir() + "/kangma-sandbox-test"); err == nil {
		_ = os.Remove(os.TempDir() + "/kangma-sandbox-test")
		if st.Size() > 0 {
			t.Error("a child wrote a file")
		}
	}
}
