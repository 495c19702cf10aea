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

// Pool is a set of children, started when first needed and again after one has died or was killed by a deadline. A child
// that runs already is preferred to a new one, so that one caller at a time costs the memory of one. It is safe for
// concurrent use.
type Pool struct {
	exe    string
	env    []string
	places chan struct{} // one token for every call in progress
	over   chan struct{} // closed by Close

	mu     sync.Mutex
	idle   []*child
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
	return &Pool{exe: exe, env: env, places: make(chan struct{}, max(n, 1)), over: make(chan struct{})}, nil
}

// Call sends a message to a child and gives its answer. When ctx ends first, the child is killed.
func (p *Pool) Call(ctx context.Context, msg []byte) ([]byte, error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-p.over:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := p.take()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	answer, err := c.ask(msg)
	if !stop() && err == nil {
		err = ctx.Err() // it was killed, if only just after the answer
	}
	if err != nil {
		c.end()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	p.put(c)
	return answer, nil
}

// take gives the child that was used last, or a new one.
func (p *Pool) take() (*child, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.start()
}

// put keeps a child for the next call, or ends it when the pool was closed meanwhile.
func (p *Pool) put(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.end()
		return
	}
	p.idle = append(p.idle, c)
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
	close(p.over)
	for _, c := range p.idle {
		c.end()
	}
	p.idle = nil
	return nil
}

// Pids lists the processes of the children that are idle, for measurements.
func (p *Pool) Pids() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []int
	for _, c := range p.idle {
		out = append(out, c.cmd.Process.Pid)
	}
	return out
}
