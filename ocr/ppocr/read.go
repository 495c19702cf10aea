package ppocr

import (
	"cmp"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// lineHeight is the height of the reader's input, by PP-OCRv4.
const lineHeight = 48

// read names the characters of a line: CTC, best class of every step, repetitions and blanks left out.
func (e *engine) read(pix []byte, w, h int) (reply, error) {
	p := raster.NewPlane(w, h)
	for i, v := range pix {
		p.Pix[i] = float32(v) / 255
	}
	width := min(max(w*lineHeight/h, 48), 24*lineHeight)
	p = p.Resize(width, lineHeight)
	// a narrow picture is padded to the width that the model was trained with
	total := max(width, 320)
	data := make([]float32, 3*lineHeight*total)
	for c := range 3 {
		for y := range lineHeight {
			for x, v := range p.Row(y) {
				data[(c*lineHeight+y)*total+x] = (v - .5) / .5
			}
		}
	}
	out, shape, err := run(e.rec, lineHeight, total, data)
	if err != nil {
		return reply{}, err
	}
	if len(shape) != 3 || int(shape[2]) != len(e.keys)+1 {
		return reply{}, errors.New("the reader's answer does not fit its characters")
	}
	chars := e.decode(out, int(shape[1]), int(shape[2]))
	for i := range chars { // from steps to pixels of the given picture
		chars[i].X *= float32(total) / float32(shape[1]) * float32(w) / float32(width)
	}
	return reply{Chars: chars}, nil
}

// leastOther is the probability from which another character is told, and mostOthers how many of them.
const (
	leastOther = 1e-6
	mostOthers = 12
)

// decode reads the classes of all steps: the best one of each, repetitions and blanks left out. X is in steps.
func (e *engine) decode(prob []float32, steps, classes int) (out []ocr.ReadChar) {
	last := 0
	for t := range steps {
		row := prob[t*classes : (t+1)*classes]
		best := 0
		for c, v := range row {
			if v > row[best] {
				best = c
			}
		}
		switch n := len(out); {
		case best == 0 || e.keys[best-1] == " ": // the caller knows no blanks between characters
		case best != last:
			out = append(out, e.char(row, best, t))
		case n > 0 && row[best] > out[n-1].P: // the same character, clearer
			out[n-1] = e.char(row, best, t)
		}
		last = best
	}
	return out
}

// char tells of one step what is read there and what else it may be.
func (e *engine) char(row []float32, best, t int) ocr.ReadChar {
	c := ocr.ReadChar{P: row[best], X: float32(t) + .5}
	c.Rune, _ = utf8.DecodeRuneInString(e.keys[best-1])
	for k, v := range row {
		if v >= leastOther && k != 0 && k != best {
			r, _ := utf8.DecodeRuneInString(e.keys[k-1])
			c.Others = append(c.Others, ocr.Alternative{Rune: r, P: v})
		}
	}
	slices.SortFunc(c.Others, func(a, b ocr.Alternative) int { return cmp.Compare(b.P, a.P) })
	c.Others = c.Others[:min(len(c.Others), mostOthers)]
	return c
}
