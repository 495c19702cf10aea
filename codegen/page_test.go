package codegen_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		if _, err := dec.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in %.300s", err, svg)
		}
	}
}

func TestAPaperPageIsPrintedWithoutColour(t *testing.T) {
	d := newDesk(t, shenzhen)
	c := paper()
	c.MaskedName, c.IDTail = "张*<三", "123X"
	text := d.issue(t, c).Text
	for _, sheet := range []codegen.Sheet{codegen.SheetA4, codegen.SheetLabel} {
		svg, err := codegen.PaperPage(text, sheet, time.FixedZone("CST", 8*3600))
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, svg)
		s := string(svg)
		for _, want := range []string{"纸质健康码", "张*&lt;三", "123X", "2023-05-04 16:30", "mm"} {
			if !strings.Contains(s, want) {
				t.Errorf("sheet %d lacks %q", sheet, want)
			}
		}
		for _, ink := range []string{"#006b3c", "#8a5a00", "#b00020"} {
			if strings.Contains(s, ink) {
				t.Errorf("sheet %d has the ink %s", sheet, ink)
			}
		}
	}
	if _, err := codegen.PaperPage(d.issue(t, dynamic()).Text, codegen.SheetA4, time.UTC); kangma.KindOf(err) != kangma.Invalid {
		t.Errorf("a dynamic code was printed: %v", err)
	}
}

func TestAnSVGNamesItsColourThreeTimes(t *testing.T) {
	d := newDesk(t, shenzhen)
	for colour, want := range map[kangma.Colour][]string{
		kangma.Green:  {"#006b3c", "绿码 GREEN", "<circle"},
		kangma.Yellow: {"#8a5a00", "黄码 YELLOW", "M3.5 1.2"},
		kangma.Red:    {"#b00020", "红码 RED", "M2.2 1.4"},
	} {
		c := dynamic()
		c.Colour = colour
		code := d.issue(t, c)
		look := codegen.LookOf(code.Claims)
		look.Label = "<10:32 & more>"
		svg, err := codegen.SVG(code.Text, look)
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, svg)
		for _, w := range append(want, "&lt;10:32 &amp; more&gt;") {
			if !strings.Contains(string(svg), w) {
				t.Errorf("%v lacks %q", colour, w)
			}
		}
		out, err := codegen.Terminal(code.Text, look)
		if err != nil || !strings.Contains(out, want[1]) {
			t.Errorf("terminal: %v, lacks %q", err, want[1])
		}
	}
}
