package cputime_test

import (
	"testing"

	"github.com/kangma/kangma/internal/cputime"
)

func TestWorkIsCounted(t *testing.T) {
	before := cputime.Process()
	for n := uint64(1); cputime.Process() == before; n++ {
		if n == 1<<34 {
			t.Fatal("the process has worked for minutes and used no time")
		}
	}
	if cputime.Process() <= before {
		t.Error("processor time went back")
	}
}
