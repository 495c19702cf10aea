package bench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/bench"
	"github.com/kangma/kangma/ocr/synth"
)

func TestASmallRunCountsEverything(t *testing.T) {
	r, err := ocr.New(ocr.Options{Parallel: 2, Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	c := bench.Config{Reader: r, Seed: 900, N: 3, Forged: 2, Others: 2, Levels: []synth.Level{1, 4}, Workers: 1, Done: func() { done++ }}
	rep, err := bench.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if done != c.Total() || done != 14 {
		t.Errorf("%d photos told, want 14", done)
	}
	for _, cell := range rep.Cells {
		if cell.N != 3 || cell.Forged != 2 || cell.Others != 2 || len(cell.Millis) != 3 {
			t.Errorf("level %d: %+v", cell.Level, cell)
		}
		if cell.Wrong+cell.ForgedAccepted+cell.OthersAccepted != 0 {
			t.Errorf("level %d: something wrong was accepted", cell.Level)
		}
		if cell.Right < 2 {
			t.Errorf("level %d: %d of 3 numbers", cell.Level, cell.Right)
		}
	}
	var b strings.Builder
	if err := rep.Print(&b); err != nil || strings.Count(b.String(), "\n| L") != 2 {
		t.Errorf("%v\n%s", err, b.String())
	}
}
