package ocr

import (
	"context"
	"slices"

	"github.com/kangma/kangma/ocr/internal/field"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// engineRow is the height of the rows the text engine gets; its own models were trained near it. A name of which it counts
// other characters than we do it gets once more, smaller: Tesseract often sees nothing in a short row.
const (
	engineRow = 56
	smallRow  = 40
)

// secondOpinion asks the text engine about the rows of a value: those of a name, and those of an address where it can change
// something. An engine that fails costs nothing but its opinion.
func (d *Draft) secondOpinion(ctx context.Context, r *Reader, v *field.Value, name bool) {
	if e, ok := r.o.TextEngine.(CharReader); ok {
		d.hearRows(ctx, r, e, v, name)
		return
	}
	for _, row := range v.Rows {
		if !name && !v.Hears(row) {
			continue
		}
		for _, height := range [...]int{engineRow, smallRow} {
			text, conf, err := r.o.TextEngine.ReadLine(ctx, sized(row.Gray, height).Gray())
			if err != nil {
				d.engineAbsent()
				return
			}
			if v.Opinion(r.model, row, text, conf, name) || !name {
				break
			}
		}
	}
}

func sized(g *raster.Plane, height int) *raster.Plane { return g.Resize(g.W*height/g.H, height) }

// engineAbsent says once that the text engine failed.
func (d *Draft) engineAbsent() {
	if !slices.Contains(d.Warnings, "engine_absent") {
		d.Warnings = append(d.Warnings, "engine_absent")
	}
}

// hearRows asks a reader that tells more about every row of a value.
func (d *Draft) hearRows(ctx context.Context, r *Reader, e CharReader, v *field.Value, name bool) {
	for i, row := range v.Rows {
		h, err := hear(ctx, e, row)
		if err != nil {
			d.engineAbsent()
			return
		}
		if name {
			v.Heed(r.model, row, h)
		} else {
			v.HeedAddress(r.model, i, h)
		}
	}
}

// hearNation asks a reader that tells more about the row of sex and nation, where the nation is doubtful.
func (d *Draft) hearNation(ctx context.Context, r *Reader, c *field.Card) {
	e, ok := r.o.TextEngine.(CharReader)
	if !ok || c.SexRow.Gray == nil || c.Nation.Confidence >= sure {
		return
	}
	h, err := hear(ctx, e, c.SexRow)
	if err != nil {
		d.engineAbsent()
		return
	}
	c.HeedNation(h)
}

// hear asks a reader of rows about one, and places what it says in the region.
func hear(ctx context.Context, e CharReader, row field.Row) (*field.Hearing, error) {
	g, x := row.Gray, row.X0
	if row.Wide != nil {
		g, x = row.Wide, row.WideX
	}
	sent := sized(g, engineRow)
	chars, err := e.ReadChars(ctx, sent.Gray())
	if err != nil {
		return nil, err
	}
	h := &field.Hearing{Knows: e.Knows}
	for _, c := range chars {
		s := field.Heard{R: c.Rune, P: c.P, X: float32(x) + c.X*float32(g.W)/float32(sent.W)}
		for _, a := range c.Others {
			s.Others = append(s.Others, glyph.Answer{R: a.Rune, Dist: a.P})
		}
		h.Chars = append(h.Chars, s)
	}
	return h, nil
}
