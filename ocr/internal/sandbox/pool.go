package sandbox

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
)

// ErrClosed is what a closed Pool answers.
var ErrClosed = errors.New("sandbox: the pool is closed")

// Pool is a set of children, started when first needed and again after one has died or was killed by a deadline. It is safe
// for concurrent use.
type Pool struct {
	exe  string
	env  []string
	free chan *child // nil entries are places without a running child

	mu     sync.Mutex
	closed bool
}

type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// NewPool makes a pool of n children that have exactly the environment env. None is started yet.
func NewPool(n int, env ...string) (*Pool, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Pool{exe: exe, env: env, free: make(chan *child, max(n, 1))}
	for range cap(p.free) {
		p.free <- nil
	}
	return p, nil
}

// Call sends a message to a child and gives its answer. When ctx ends first, the child is killed.
func (p *Pool) Call(ctx context.Context, msg []byte) ([]byte, error) {
	var c *child
	var ok bool
	select {
	case c, ok = <-p.free:
		if !ok {
			return nil, ErrClosed
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c == nil {
		var err error
		if c, err = p.start(); err != nil {
			p.put(nil)
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	answer, err := c.ask(msg)
	if !stop() && err == nil {
		err = ctx.Err() // it was killed, if only just after the answer
	}
	if err != nil {
		c.end()
		p.put(nil)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	p.put(c)
	return answer, nil
}

// put returns a place to the pool, or ends the child when the pool was closed meanwhile.
func (p *Pool) put(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		if c != nil {
			c.end()
		}
		return
	}
	p.free <- c
}

func (p *Pool) start() (*child, error) {
	cmd := exec.Command(p.exe)
	cmd.Env = p.env
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{cmd, in, bufio.NewReader(out)}, nil
}

func (c *child) ask(msg []byte) ([]byte, error) {
	if err := send(c.in, msg); err != nil {
		return nil, err
	}
	return receive(c.out)
}

// end closes a child's input, which makes it leave, and kills it if it does not.
func (c *child) end() {
	_ = c.in.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// Close ends all children. Calls in progress end their own.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	close(p.free)
	for c := range p.free {
		if c != nil {
			c.end()
		}
	}
	return nil
}

// Pids lists the processes of the children that are idle, for measurements.
func (p *Pool) Pids() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []int
	for range len(p.free) {
		c := <-p.free
		if c != nil {
			out = append(out, c.cmd.Process.Pid)
		}
		p.free <- c
	}
	return out
}
