package main

import (
	"fmt"
	"io"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
)

// explain prints an assessment of a dossier so that a resident understands it.
func explain(out io.Writer, a kangma.Assessment, d *kangma.Dossier, lang string) {
	pick := func(t kangma.Text) string {
		if lang == "zh" {
			return t.Zh
		}
		return t.En
	}
	for _, p := range rules.Paragraphs(a, d, beijing) {
		fmt.Fprintln(out, pick(p.Head))
		for _, line := range p.Lines {
			fmt.Fprintln(out, "   "+pick(line))
		}
	}
}

var beijing = time.FixedZone("CST", 8*3600)
