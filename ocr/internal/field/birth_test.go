package field

import (
	"testing"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// row makes a line of clear narrow characters of em 32, each at its column.
func row(text string, columns ...float32) *Line {
	l := &Line{Em: 32}
	for i, r := range text {
		l.Chars = append(l.Chars, Char{X0: columns[i], X1: columns[i] + 14, Narrow: true, Answers: []glyph.Answer{{R: r, Dist: .9}, {R: '#', Dist: 4}}})
	}
	return l
}

func TestAPrintedDateIsReadWhateverStandsFarBehindIt(t *testing.T) {
	date := []float32{170, 188, 206, 224, 290, 366}
	for name, c := range map[string]struct {
		l    *Line
		want string
	}{
		"alone":                          {row("198323", date...), "1983-02-03"},
		"the portrait's edges behind it": {row("19832311", append(date, 608, 727)...), "1983-02-03"},
		"a digit too many in the date":   {row("1983234", append(date, 430)...), ""},
		"no such month":                  {row("1983932", 170, 188, 206, 224, 290, 308, 366), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := printedDate(c.l); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheBirthRowIsFoundWhateverTheEdgesOfThePortraitReadAs(t *testing.T) {
	clean := row("1997426", 170, 188, 206, 224, 290, 366, 384)
	edges := row("19974261111", 170, 188, 206, 224, 290, 366, 384, 440, 460, 480, 500)
	address := row("12345", 170, 188, 206, 224, 290)
	for name, lines := range map[string][]Line{"alone": {*address, *clean}, "with edges": {*address, *edges}} {
		if got := birthRow(lines, "19970426"); got != 1 {
			t.Errorf("%s: row %d", name, got)
		}
	}
	if got := birthRow([]Line{*address}, "19970426"); got != -1 {
		t.Errorf("an address is row %d", got)
	}
}
