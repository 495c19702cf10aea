package bench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/bench"
	"github.com/kangma/kangma/ocr/synth"
)

func TestASmallRunOfPlatesAndZonesCountsEverything(t *testing.T) {
	r, err := ocr.New(ocr.Options{Parallel: 2, Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for kind, rows := range map[string]int{"plate": 1, "mrz": 1} {
		done := 0
		c := bench.Documents{Reader: r, Kind: kind, Seed: 905, N: 1, Others: 1, Levels: []synth.Level{4}, Workers: 1, Done: func() { done++ }}
		rep, err := bench.RunDocuments(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		n, exact, lines, others := 0, 0, 0, 0
		for _, cell := range rep.Cells {
			n, exact, lines, others = n+cell.N, exact+cell.Exact, lines+cell.Lines, others+cell.Others
			if cell.WrongSure+cell.OthersSure+cell.ProvinceWrongSure > 0 {
				t.Errorf("%s: something wrong is sure: %+v", kind, rep.Misses)
			}
			if len(cell.CPU) != cell.N {
				t.Errorf("%s: %d times of %d", kind, len(cell.CPU), cell.N)
			}
		}
		if n != 1 || others != 1 || done != c.Total() || exact+len(rep.Misses) != 1 {
			t.Errorf("%s: %d of %d exact, %d others, %d told, misses %+v", kind, exact, n, others, done, rep.Misses)
		}
		if (lines > 0) != (kind == "mrz") {
			t.Errorf("%s: %d lines", kind, lines)
		}
		var b strings.Builder
		if err := rep.Print(&b); err != nil || strings.Count(b.String(), "\n| L4") < rows {
			t.Errorf("%v\n%s", err, b.String())
		}
	}
}
