package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kangma/kangma/ocr/ppocr"
	"github.com/kangma/kangma/ocr/tess"
)

// TestMain lets the test binary be the kangma command: for the scripts, and as a child that can be killed.
func TestMain(m *testing.M) {
	tess.ChildMain()
	ppocr.ChildMain()
	if os.Getenv("GORACE") == "" { // under the race detector a process sleeps for a second before it ends, and the scripts start hundreds
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"kangma": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		e.Setenv("ROOT", root)
		e.Setenv("SHARED", shared(root))
		e.Setenv("GORACE", os.Getenv("GORACE"))
		return nil
	}, Condition: func(cond string) (bool, error) {
		_, err := os.Stat(filepath.Join(shared(root), "data", "risk-areas"))
		return cond == "shared" && err == nil, nil
	}, Cmds: map[string]func(*testscript.TestScript, bool, []string){"damage": damage}})
}

// damage changes a byte in the middle of a journal's last segment.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	segments, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.seg"))
	if err != nil || len(segments) == 0 {
		ts.Fatalf("segments: %v %v", segments, err)
	}
	last := segments[len(segments)-1]
	raw, err := os.ReadFile(last)
	ts.Check(err)
	raw[len(raw)/2] ^= 0x40
	ts.Check(os.WriteFile(last, raw, 0o600))
}

// shared is where the real lists lie beside a checkout; KANGMA_SHARED says otherwise.
func shared(root string) string {
	if dir := os.Getenv("KANGMA_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join(root, "..", "shared")
}
