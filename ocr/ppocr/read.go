package ppocr

import (
	"errors"
	"strings"

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
	text, conf := e.decode(out, int(shape[1]), int(shape[2]))
	return reply{Text: text, Conf: conf}, nil
}

func (e *engine) decode(prob []float32, steps, classes int) (string, []float32) {
	var b strings.Builder
	var conf []float32
	last := 0
	for t := range steps {
		row := prob[t*classes : (t+1)*classes]
		best := 0
		for c, v := range row {
			if v > row[best] {
				best = c
			}
		}
		if best != 0 && best != last {
			for range e.keys[best-1] { // one confidence a rune
				conf = append(conf, row[best])
			}
			b.WriteString(e.keys[best-1])
		}
		last = best
	}
	text := b.String()
	// the lattice of the caller knows no blanks between characters
	if strings.Contains(text, " ") {
		var kept []float32
		for i, r := range []rune(text) {
			if r != ' ' {
				kept = append(kept, conf[i])
			}
		}
		text, conf = strings.ReplaceAll(text, " ", ""), kept
	}
	return text, conf
}
