package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
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
	cpu := uint64(60)
	if os.Getenv(childEnv) == "impatient" {
		cpu = 1
	}
	if err := sandbox.Confine(sandbox.Limits{Memory: 256 << 20, CPU: cpu}); err != nil {
		os.Exit(3)
	}
	_ = sandbox.Serve(os.Stdin, os.Stdout, func(msg []byte) []byte {
		switch string(msg) {
		case "hang":
			time.Sleep(time.Hour) // an empty select would be found out as a deadlock and end the child by itself
		case "spin":
			for i := uint64(1); i != 0; i += 2 { // odd for ever
				spun = i
			}
		case "eat":
			var all [][]byte
			for {
				b := make([]byte, 16<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				all = append(all, b)
			}
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

var spun uint64 // keeps the loop from being optimised away

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
	t.Run("one caller at a time costs one child", func(t *testing.T) {
		if n := len(p.Pids()); n != 1 {
			t.Errorf("%d children run", n)
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

func TestALimitEndsTheChildAndTheNextPhotoIsRead(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for what, child := range map[string]string{"spin": "impatient", "eat": "1"} { // processor time, memory
		p, err := sandbox.NewPool(1, childEnv+"="+child, "GOTRACEBACK=none")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Call(ctx, []byte(what)); err == nil || ctx.Err() != nil {
			t.Errorf("%s: the child lives and says %q (%v)", what, got, ctx.Err())
		}
		if got, err := p.Call(ctx, []byte("next")); err != nil || string(got) != "echo next" {
			t.Errorf("after %s: %q %v", what, got, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBombsWhileScansRun sends what kills, fills or hangs a child between good pictures: every good one is answered.
func TestBombsWhileScansRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := sandbox.NewPool(3, childEnv+"=1", "GOTRACEBACK=none")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	var wg sync.WaitGroup
	for _, bomb := range []string{"die", "hang", "eat"} {
		wg.Go(func() {
			for range 2 {
				short, cancel := context.WithCancel(ctx)
				if bomb == "hang" {
					time.AfterFunc(20*time.Millisecond, cancel)
				}
				if _, err := p.Call(short, []byte(bomb)); err == nil {
					t.Errorf("%s was answered", bomb)
				}
				cancel()
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			for range 5 {
				if got, err := p.Call(ctx, []byte("scan")); err != nil || string(got) != "echo scan" {
					t.Errorf("a scan beside bombs: %q %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzServe(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02hi\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		answered := 0
		err := sandbox.Serve(bytes.NewReader(in), &out, func(msg []byte) []byte { answered += 4 + len(msg); return msg })
		if out.Len() != answered || answered > len(in) {
			t.Errorf("%d bytes in, %d answered, %d out", len(in), answered, out.Len())
		}
		if err == nil && answered != len(in) {
			t.Error("a broken message was passed over")
		}
	})
}
