package presign

import (
	"bytes"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"filippo.io/nistec"
)

func TestAPairIsANonceAndItsInverse(t *testing.T) {
	n := new(big.Int).SetBytes(orderRaw[:])
	for _, count := range []int{1, 2, inNeed, batch} {
		pairs := make([]pair, count)
		draw(pairs)
		for i := range pairs {
			k := new(big.Int).ModInverse(new(big.Int).SetBytes(pairs[i][32:]), n)
			point, err := nistec.NewP256Point().ScalarBaseMult(k.FillBytes(make([]byte, 32)))
			if err != nil {
				t.Fatal(err)
			}
			x, err := point.BytesX()
			if err != nil {
				t.Fatal(err)
			}
			r := new(big.Int).SetBytes(x)
			if r.Mod(r, n); !bytes.Equal(r.FillBytes(make([]byte, 32)), pairs[i][:32]) {
				t.Fatalf("pair %d of %d: r is not that of k", i, count)
			}
		}
	}
}

func TestATakenPairIsErased(t *testing.T) {
	s, err := New(640)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Draw()
	for left := 9; left >= 0; left-- {
		want := pair(s.memory[64*left:])
		var got pair
		if !s.take(&got) || got != want || got == (pair{}) {
			t.Fatalf("with %d left: not the last one", left)
		}
		if !bytes.Equal(s.memory[64*left:], make([]byte, 640-64*left)) {
			t.Fatalf("with %d left: it is still there", left)
		}
	}
}

func TestAJumpOfTheClockForgetsTheStock(t *testing.T) {
	for name, tc := range map[string]struct {
		jump time.Duration
		kept bool
	}{
		"the machine was asleep for a minute":      {time.Minute, false},
		"it went on from a snapshot of a week ago": {-7 * 24 * time.Hour, false},
		"the clock was slewed by a millisecond":    {time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(640)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.Draw()
			s.clocks = func() (wall, steady time.Duration) { return time.Hour + tc.jump, time.Hour }
			before := pair(s.memory)
			var got pair
			if !s.take(&got) {
				t.Fatal("nothing to sign with")
			}
			if st := s.Stats(); (st.Forgotten == 0) != tc.kept {
				t.Errorf("%+v", st)
			}
			if kept := bytes.Equal(s.memory[:64], before[:]); kept != tc.kept {
				t.Errorf("the first pair is still there: %v", kept)
			}
		})
	}
}

func TestTheStockIsInNoCoreDumpAndNoChild(t *testing.T) {
	s, err := New(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("\n%x-", uintptr(unsafe.Pointer(unsafe.SliceData(s.memory))))
	_, mapping, found := strings.Cut("\n"+string(smaps), at)
	_, flags, _ := strings.Cut(mapping, "VmFlags:")
	flags, _, _ = strings.Cut(flags, "\n")
	if words := strings.Fields(flags); !found || !slices.Contains(words, "dd") || !slices.Contains(words, "wf") {
		t.Errorf("the flags of its memory: %q", flags)
	}
}

func TestWhatAChildInheritsIsNotTakenForANonce(t *testing.T) {
	s, err := New(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.pairs = len(s.memory) / 64 // all zero, as MADV_WIPEONFORK leaves it
	var got pair
	if !s.take(&got) || got == (pair{}) || s.Stats().Missed != 1 {
		t.Error("zeros were taken for a nonce")
	}
}
