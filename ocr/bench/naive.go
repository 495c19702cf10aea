package bench

import (
	"bytes"
	"context"
	"image"
	"image/draw"
	"image/jpeg"
	"strings"
	"time"

	"github.com/kangma/kangma/ocr/synth"
)

// PageReader reads all the text of a picture, without white space. tess.Page is one.
type PageReader interface {
	Text(ctx context.Context, m *image.Gray) (string, error)
}

// Naive is what a general engine made of the whole photo; a value counts as read when it stands anywhere in the text.
type Naive struct {
	N, Number, Name, Address int
	Failed                   int       // of these N the engine gave up or was stopped at its limits: nothing was found
	Millis                   []float64 // wall time a photo
}

func (n *Naive) read(ctx context.Context, r PageReader, p synth.Photo) error {
	img, err := jpeg.Decode(bytes.NewReader(p.JPEG))
	if err != nil {
		return err
	}
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Bounds(), img, g.Bounds().Min, draw.Src)
	t := time.Now()
	text, err := r.Text(ctx, g)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		n.Failed++
	}
	n.add(text, p.Truth.Person, millis(time.Since(t)))
	return nil
}

func (n *Naive) add(text string, p synth.Person, ms float64) {
	n.N++
	n.Millis = append(n.Millis, ms)
	for _, c := range []struct {
		count *int
		value string
	}{{&n.Number, p.Number}, {&n.Name, p.Name}, {&n.Address, p.Address}} {
		if strings.Contains(text, c.value) {
			*c.count++
		}
	}
}
