package field

import (
	"strings"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// willing is how much farther a character may look, for full confidence of the other reader, and still be taken from it.
const willing = 0.28

// Opinion weighs another reader's text of one row against ours, character by character where the counts agree: its
// character is taken when it looks nearly as good to us. What both read alike becomes surer; what they disagree about,
// less sure. It reports whether the counts agreed.
func (v *Value) Opinion(m *glyph.Model, row Row, text string, conf []float32, name bool) bool {
	other := []rune(strings.Join(strings.Fields(text), ""))
	if len(other) != row.To-row.From || len(conf) != len(other) || row.To > len(v.Chars) {
		return false
	}
	for i, r := range other {
		c := &v.Chars[row.From+i]
		own := c.Answers[0]
		if r == own.R {
			c.Agreed = 1
			continue
		}
		d, ok := m.DistTo(c.V, r)
		if c.Narrow {
			d, ok = c.distTo(r)
		}
		if ok && c.Narrow == isNarrow(r) && d-own.Dist < willing*conf[i] {
			c.Answers = append([]glyph.Answer{{R: r, Dist: d}}, c.Answers...)
		}
		c.Agreed = -1
	}
	if name {
		v.settle(m)
		return true
	}
	v.Text = (&Line{Chars: v.Chars}).Text()
	v.Confidence = confidence(v.Chars)
	return true
}

func isNarrow(r rune) bool { return strings.ContainsRune(glyph.Extra, r) }
