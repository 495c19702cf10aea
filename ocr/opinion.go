package ocr

import (
	"context"

	"github.com/kangma/kangma/ocr/internal/field"
)

// engineRow is the height of the rows the text engine gets; its own models were trained near it.
const engineRow = 56

// secondOpinion asks the text engine about the rows of a value: those of a name, and those of an address where it can change
// something. An engine that fails costs nothing but its opinion.
func (d *Draft) secondOpinion(ctx context.Context, r *Reader, v *field.Value, name bool) {
	for _, row := range v.Rows {
		if !name && !v.Hears(row) {
			continue
		}
		g := row.Gray
		g = g.Resize(g.W*engineRow/g.H, engineRow)
		text, conf, err := r.o.TextEngine.ReadLine(ctx, g.Gray())
		if err != nil {
			if len(d.Warnings) == 0 || d.Warnings[len(d.Warnings)-1] != "engine_absent" {
				d.Warnings = append(d.Warnings, "engine_absent")
			}
			return
		}
		v.Opinion(r.model, row, text, conf, name)
	}
}
