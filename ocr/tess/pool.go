package tess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"

	"github.com/kangma/kangma/ocr/internal/sandbox"
)

// Pool is a set of children that read lines. It satisfies ocr.LineReader and is safe for concurrent use. Children are
// started when first needed and again after one has died or was killed by a deadline.
type Pool struct {
	lang     string
	children *sandbox.Pool
}

// ErrClosed is what a closed Pool answers.
var ErrClosed = sandbox.ErrClosed

// NewPool makes a pool of n children for a Tesseract language such as chi_sim. It starts one child and reads an empty
// picture with it, so that a missing engine or language shows at once.
func NewPool(ctx context.Context, n int, lang string) (*Pool, error) {
	env := []string{childEnv + "=" + lang, "OMP_THREAD_LIMIT=1", "LC_ALL=C", "GOMAXPROCS=1", "GOTRACEBACK=none"}
	if dir := os.Getenv("TESSDATA_PREFIX"); dir != "" {
		env = append(env, "TESSDATA_PREFIX="+dir)
	}
	c, err := sandbox.NewPool(n, env...)
	if err != nil {
		return nil, err
	}
	p := &Pool{lang, c}
	if _, _, err := p.ReadLine(ctx, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		return nil, fmt.Errorf("tess: Tesseract with %s does not run (Debian packages tesseract-ocr-chi-sim, tesseract-ocr-eng): %w", lang, errors.Join(err, p.Close()))
	}
	return p, nil
}

// ReadLine reads one line. When ctx ends first, the child is killed.
func (p *Pool) ReadLine(ctx context.Context, line *image.Gray) (string, []float32, error) {
	if b := line.Bounds(); b.Empty() || b.Dx()*b.Dy() > largest(p.lang) {
		return "", nil, errors.New("tess: picture out of bounds")
	}
	raw, err := p.children.Call(ctx, request(line))
	if err != nil {
		return "", nil, err
	}
	var rp reply
	if err := json.Unmarshal(raw, &rp); err != nil {
		return "", nil, err
	}
	if rp.Err != "" {
		return "", nil, errors.New("tess: " + rp.Err)
	}
	return rp.Text, rp.Conf, nil
}

// Close ends all children. Calls in progress end their own.
func (p *Pool) Close() error { return p.children.Close() }

// Pids lists the idle children's processes, to measure their memory.
func (p *Pool) Pids() []int { return p.children.Pids() }
