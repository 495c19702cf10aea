package realserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ReadyWithin bounds how long a server may take to answer after it was started. It is generous because test machines
// are shared; nothing is asserted about the time.
const ReadyWithin = 60 * time.Second

// Process is one server process. Its methods may be called from one goroutine at a time.
type Process struct {
	tb   testing.TB
	name string // for messages
	path string
	args []string
	log  string // file that gets stdout and stderr
	ping func() error

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the child was reaped
}

// find gives the path of a server binary. Where CI is set a missing one fails the test, elsewhere it skips loudly.
func find(tb testing.TB, binary, debianPackage string) string {
	tb.Helper()
	path, err := exec.LookPath(binary)
	if err == nil {
		return path
	}
	if path = filepath.Join("/usr/sbin", binary); isFile(path) { // sbin is not on every PATH
		return path
	}
	missing(tb, binary, debianPackage)
	return ""
}

// missing ends a test that lacks something of a Debian package.
func missing(tb testing.TB, what, debianPackage string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("CI must have %s: apt-get install %s", what, debianPackage)
	}
	tb.Skipf("NOT TESTED: %s is not installed; apt-get install %s", what, debianPackage)
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

// start runs the child and waits until it answers. The child is killed when the test ends.
func (p *Process) start() {
	p.tb.Helper()
	p.tb.Cleanup(func() {
		p.Kill()
		if p.tb.Failed() {
			p.tb.Logf("last words of %s:\n%s", p.name, p.Log())
		}
	})
	if err := p.Start(); err != nil {
		p.tb.Fatal(err)
	}
}

// Start starts the process again after Kill or Stop, on the same ports and folder, and waits until it answers. It gives
// an error when the server refuses to start, for example on damaged data.
func (p *Process) Start() error {
	if err := p.spawn(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return p.awaitReady()
}

func (p *Process) spawn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return errors.New("is running")
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, filepath.Dir(p.log)
	// A group of its own, so that helpers the server forks (Redis' AOF rewrite) die with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	done := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		// Pdeathsig fires when the *thread* that forked ends, so that thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() // the exit status of a killed server says nothing
		}
		close(done)
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd, p.done = cmd, done
	return nil
}

func (p *Process) awaitReady() error {
	var last error
	for end := time.Now().Add(ReadyWithin); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if last = p.ping(); last == nil {
			return nil
		}
		select {
		case <-p.done:
			p.Kill()
			return fmt.Errorf("%s ended at its start:\n%s", p.name, p.Log())
		default:
		}
	}
	p.Kill()
	return fmt.Errorf("%s does not answer: %w\n%s", p.name, last, p.Log())
}

// Running reports whether the process is there (frozen counts).
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Kill ends the process and its group by SIGKILL and waits until it is gone. It may be called again.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks the process to end (SIGTERM), waits up to 20 s, then kills it.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

func (p *Process) end(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	p.signal(sig)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.signal(syscall.SIGKILL)
		<-p.done
	}
	p.cmd = nil
}

// Freeze stops the process by SIGSTOP: its connections stay open and nothing answers. Thaw lets it go on.
func (p *Process) Freeze() { p.lockedSignal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (p *Process) Thaw() { p.lockedSignal(syscall.SIGCONT) }

func (p *Process) lockedSignal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		p.signal(sig)
	}
}

// signal reaches the whole group of a child that was not reaped yet: a reaped one's number may belong to somebody else.
func (p *Process) signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		syscall.Kill(-p.cmd.Process.Pid, sig)
	}
}

// Log gives the last 4 KiB that the server wrote to its log.
func (p *Process) Log() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(b) > 4096 {
		b = b[len(b)-4096:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	return strings.TrimSpace(string(b))
}

// CPU gives the processor time the process has used, which does not depend on who else is busy on the machine.
func (p *Process) CPU() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var ticks time.Duration // of 10 ms, on every Linux Go runs on
	for _, f := range fields[11:13] {
		var n time.Duration
		fmt.Sscan(f, &n)
		ticks += n
	}
	return ticks * 10 * time.Millisecond
}
