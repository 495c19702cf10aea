package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/synth"
)

// TestTrainingTwiceGivesTheSameBytes trains small nets twice from the same seed: samples are drawn and summed in the same
// order however the goroutines run, so the weights are the same to the last bit.
func TestTrainingTwiceGivesTheSameBytes(t *testing.T) {
	fs, err := faces(map[string]float64{"ocr-b": 9, "dejavu-mono": .9})
	if err != nil {
		t.Fatal(err)
	}
	spec := lineSpec{alphabet: "0123456789X", fonts: fs, minPitch: .85, maxPitch: 1.35, minCap: 9, maxCap: 44, maxBlur: .22}
	line := func(seed uint64) []nn.Sample { return manySamples(spec, 8, seed) }
	han := func(seed uint64) []nn.Sample {
		s, err := hanSamples(seed, 8)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plates := func(seed uint64) []nn.Sample {
		return plateSamples(seed, 1, drawing{synth.KnownFaces, 3, false}, placesAnd(1))
	}
	letters := func(seed uint64) []nn.Sample {
		return plateSamples(seed, 1, drawing{synth.TaughtFaces, 3, true}, (*seenLine).letters)
	}
	for name, draw := range map[string]func(uint64) []nn.Sample{"lines": line, "han": han, "plates": plates, "letters": letters} {
		t.Run(name, func(t *testing.T) {
			a, b := train(t, draw, 5), train(t, draw, 5)
			if !bytes.Equal(a, b) {
				t.Error("the same seed gave other weights")
			}
			if name == "lines" && bytes.Equal(a, train(t, draw, 6)) {
				t.Error("another seed gave the same weights: nothing was learnt")
			}
		})
	}
}

func train(t *testing.T, draw func(uint64) []nn.Sample, seed uint64) []byte {
	t.Helper()
	samples := draw(seed)
	classes := 0
	for _, s := range samples {
		classes = max(classes, s.Class+1)
	}
	file := filepath.Join(t.TempDir(), "net.bin")
	if err := trainNet(nn.New(len(samples[0].X), 12, classes, seed), samples, samples[:1], 2, seed, file); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTheWindowsOfALineHaveTheNetsSize(t *testing.T) {
	fs, err := faces(map[string]float64{"ocr-b": 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range manySamples(lineSpec{alphabet: "0123456789X", fonts: fs, minPitch: 1, maxPitch: 1, minCap: 20, maxCap: 21, maxBlur: .1}, 8, 1) {
		if len(s.X) != grid.WinW*grid.WinH || s.Class < 0 || s.Class > 11 {
			t.Fatalf("%d inputs, class %d", len(s.X), s.Class)
		}
	}
}
