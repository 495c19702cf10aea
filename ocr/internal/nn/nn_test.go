package nn_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/kangma/kangma/ocr/internal/nn"
)

func TestANetIsReadAsItWasSaved(t *testing.T) {
	n := nn.New(12, 7, 3, 5)
	var b bytes.Buffer
	if err := n.Save(&b); err != nil {
		t.Fatal(err)
	}
	back, err := nn.Load(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range n.W1 {
		if math.Abs(float64(w-back.W1[i])) > .02 {
			t.Fatalf("weight %d: %v, was %v", i, back.W1[i], w)
		}
	}
	if _, err := nn.Load(bytes.NewReader(b.Bytes()[:b.Len()-1])); err == nil {
		t.Error("a net cut short was read")
	}
}

func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	if err := nn.New(6, 5, 3, 1).Save(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{255, 255, 255, 255, 1, 0, 0, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := nn.Load(bytes.NewReader(raw))
		if err != nil {
			return
		}
		s := n.NewScratch()
		n.Forward(make([]float32, n.In), s)
		if len(s.Logp) != n.Out {
			t.Error("a net with other answers than it says")
		}
	})
}
