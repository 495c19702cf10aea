package bench_test

import (
	"context"
	"image"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/bench"
	"github.com/kangma/kangma/ocr/synth"
)

// anywhere is a page reader that sees nothing, and gives up at the second page.
type anywhere struct{ pages int }

func (a *anywhere) Text(context.Context, *image.Gray) (string, error) {
	if a.pages++; a.pages == 2 {
		return "", io.EOF
	}
	return "", nil
}

func TestASmallRunCountsEverything(t *testing.T) {
	r, err := ocr.New(ocr.Options{Parallel: 2, Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	c := bench.Config{Reader: r, Seed: 900, N: 3, Forged: 1, Others: 1, Numbers: 2, Naive: &anywhere{}, NaiveN: 2, Levels: []synth.Level{4}, Workers: 1, Done: func() { done++ }}
	rep, err := bench.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if done != c.Total() || done != 7 {
		t.Errorf("%d photos told, want 7", done)
	}
	for _, cell := range rep.Cells {
		if cell.N != 3 || cell.Forged != 1 || cell.Others != 1 || cell.Naive.N != 2 || cell.Naive.Failed != 1 || len(cell.Millis) != 3 {
			t.Errorf("level %d: %+v", cell.Level, cell)
		}
		if cell.Wrong+cell.ForgedAccepted+cell.OthersAccepted != 0 {
			t.Errorf("level %d: something wrong was accepted", cell.Level)
		}
		if cell.Numbers != 2 || cell.NumbersRight+cell.NumbersWrong < 1 || cell.NumbersWrong != 0 {
			t.Errorf("level %d: of %d further numbers %d right, %d wrong", cell.Level, cell.Numbers, cell.NumbersRight, cell.NumbersWrong)
		}
		if cell.Right < 2 {
			t.Errorf("level %d: %d of 3 numbers", cell.Level, cell.Right)
		}
	}
	var b strings.Builder
	if err := rep.Print(&b); err != nil || strings.Count(b.String(), "\n| L") != 5*1 {
		t.Errorf("%v\n%s", err, b.String())
	}
}
