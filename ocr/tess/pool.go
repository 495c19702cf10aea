package tess

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"sync"
)

// Pool is a set of children that read lines. It satisfies ocr.LineReader and is safe for concurrent use. Children are
// started when first needed and again after one has died or was killed by a deadline.
type Pool struct {
	lang string
	exe  string
	free chan *child // nil entries are places without a running child

	mu     sync.Mutex
	closed bool
}

type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// ErrClosed is what a closed Pool answers.
var ErrClosed = errors.New("tess: the pool is closed")

// NewPool makes a pool of n children for a Tesseract language such as chi_sim. It starts one child and reads an empty
// picture with it, so that a missing engine or language shows at once.
func NewPool(ctx context.Context, n int, lang string) (*Pool, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Pool{lang: lang, exe: exe, free: make(chan *child, max(n, 1))}
	for range cap(p.free) {
		p.free <- nil
	}
	if _, _, err := p.ReadLine(ctx, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		return nil, fmt.Errorf("tess: Tesseract with %s does not run (Debian packages tesseract-ocr-chi-sim, tesseract-ocr-eng): %w", lang, errors.Join(err, p.Close()))
	}
	return p, nil
}

// ReadLine reads one line. When ctx ends first, the child is killed.
func (p *Pool) ReadLine(ctx context.Context, line *image.Gray) (string, []float32, error) {
	b := line.Bounds()
	if b.Empty() || b.Dx()*b.Dy() > largest(p.lang) {
		return "", nil, errors.New("tess: picture out of bounds")
	}
	var c *child
	var ok bool
	select {
	case c, ok = <-p.free:
		if !ok {
			return "", nil, ErrClosed
		}
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	if c == nil {
		var err error
		if c, err = p.start(); err != nil {
			p.put(nil)
			return "", nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	rp, err := c.ask(line)
	if !stop() && err == nil {
		err = ctx.Err() // it was killed, if only just after the answer
	}
	if err != nil {
		c.end()
		p.put(nil)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", nil, err
	}
	p.put(c)
	if rp.Err != "" {
		return "", nil, errors.New("tess: " + rp.Err)
	}
	return rp.Text, rp.Conf, nil
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
	cmd.Env = []string{childEnv + "=" + p.lang, "OMP_THREAD_LIMIT=1", "LC_ALL=C", "GOMAXPROCS=1", "GOTRACEBACK=none"}
	if dir := os.Getenv("TESSDATA_PREFIX"); dir != "" {
		cmd.Env = append(cmd.Env, "TESSDATA_PREFIX="+dir)
	}
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

func (c *child) ask(m *image.Gray) (rp reply, err error) {
	b := m.Bounds()
	msg := binary.BigEndian.AppendUint32(make([]byte, 0, headerSize+b.Dx()*b.Dy()), uint32(b.Dx()))
	msg = binary.BigEndian.AppendUint32(msg, uint32(b.Dy()))
	for y := b.Min.Y; y < b.Max.Y; y++ {
		o := m.PixOffset(b.Min.X, y)
		msg = append(msg, m.Pix[o:o+b.Dx()]...)
	}
	if _, err := c.in.Write(msg); err != nil {
		return rp, err
	}
	var n uint32
	if err := binary.Read(c.out, binary.BigEndian, &n); err != nil {
		return rp, err
	}
	if n > maxReply {
		return rp, errors.New("tess: reply out of bounds")
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(c.out, raw); err != nil {
		return rp, err
	}
	return rp, json.Unmarshal(raw, &rp)
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
