// Command train makes the weights that package ocr carries, from rendered text and fixed seeds:
//
//	go run ./ocr/train digits    the digits of an ID card number (OCR-B and look-alikes)
//	go run ./ocr/train mrz       the letters, digits and fillers of machine readable zones
//	go run ./ocr/train plates    the characters of licence plates
//	go run ./ocr/train letters   the letters and digits of licence plates once more, as a second opinion
//	go run ./ocr/train han       the Chinese characters of licence plates once more, as a second opinion
//	go run ./ocr/train hanzi     the table of 8,105 standard characters, from the Unicode Han database
//	go run ./ocr/train glyphs    the Chinese characters of names and addresses
//	go run ./ocr/train narrow    the digits and letters between them
//
// The weights are written beside the readers that embed them. The same seed and the same fonts give the same weights.
package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/nn"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: train digits|mrz|plates|letters|han|hanzi|glyphs|narrow")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(what string) error {
	switch what {
	case "hanzi":
		return makeHanzi()
	case "glyphs":
		return trainGlyphs()
	case "narrow":
		return trainNarrow()
	case "digits":
		return trainDigits()
	case "mrz":
		return trainMRZ()
	case "han":
		return trainHan()
	case "letters":
		return trainLetters()
	case "plates":
		return trainPlates()
	}
	return fmt.Errorf("nothing is called %q", what)
}

func faces(names map[string]float64) ([]weighted, error) {
	var out []weighted
	for _, n := range []string{"ocr-b", "dejavu-mono", "dejavu-monob", "dejavu", "dejavu-bold", "sans", "sans-bold", "liberation-mono", "liberation-monob", "nimbus-mono"} {
		if names[n] == 0 {
			continue
		}
		f, err := fonts.Get(n)
		if err != nil {
			return nil, err
		}
		out = append(out, weighted{f, names[n]})
	}
	return out, nil
}

func trainDigits() error {
	fs, err := faces(map[string]float64{"ocr-b": 9, "dejavu-mono": .6, "sans": .7, "sans-bold": .7, "dejavu": .4})
	if err != nil {
		return err
	}
	spec := lineSpec{alphabet: "0123456789X", fonts: fs, minPitch: .85, maxPitch: 1.35, minCap: 9, maxCap: 44, maxBlur: .22,
		clutter: fonts.Available("sans", "serif", "sans-bold")}
	return trainLine(spec, 128, 16000, 11, 20261121, "ocr/internal/idnumber/digits.bin")
}

func trainMRZ() error {
	// specimens are often drawn in typewriter faces; zones of real documents are OCR-B
	fs, err := faces(map[string]float64{"ocr-b": 9, "dejavu-mono": .9, "dejavu-monob": .5, "liberation-mono": 1, "liberation-monob": .6, "nimbus-mono": .9})
	if err != nil {
		return err
	}
	spec := lineSpec{alphabet: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<", fonts: fs, minPitch: .82, maxPitch: 1.2, minCap: 9, maxCap: 40, maxBlur: .18, filler: '<'}
	return trainLine(spec, 176, 15000, 9, 20261125, "ocr/internal/mrz/mrz.bin")
}

// trainLine makes samples from n lines, trains for some epochs with a falling rate, checks on fresh lines and saves.
func trainLine(spec lineSpec, hidden, lines, epochs int, seed uint64, file string) error {
	samples := manySamples(spec, lines, seed)
	check := manySamples(spec, 800, seed+1)
	return trainNet(nn.New(grid.WinW*grid.WinH, hidden, len(spec.alphabet)+1, seed), samples, check, epochs, seed, file)
}

// trainNet trains for some epochs with a falling rate, tells how well it does on what it has not seen, and saves the net.
func trainNet(net *nn.Net, samples, check []nn.Sample, epochs int, seed uint64, file string) error {
	tr := nn.NewTrainer(net, 2)
	rng := rand.New(rand.NewPCG(seed, 3))
	fmt.Printf("%d samples, %d to check\n", len(samples), len(check))
	rate := 0.0015
	for e := range epochs {
		rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		loss, right := tr.Epoch(samples, 128, rate)
		fmt.Printf("epoch %2d  loss %.4f  right %.4f  check %.4f\n", e+1, loss, right, score(net, check))
		rate *= 0.72
	}
	return saveNet(net, file)
}

func saveNet(net *nn.Net, file string) error {
	var buf bytes.Buffer
	if err := net.Save(&buf); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	fmt.Println("writing", file, buf.Len(), "bytes")
	return os.WriteFile(file, buf.Bytes(), 0o644)
}

func score(net *nn.Net, check []nn.Sample) float64 {
	s := net.NewScratch()
	hits := 0
	for _, c := range check {
		net.Forward(c.X, s)
		if nn.Best(s.Logp) == c.Class {
			hits++
		}
	}
	return float64(hits) / float64(len(check))
}

// manySamples draws lines in parallel; line i depends on seed and i only.
func manySamples(spec lineSpec, lines int, seed uint64) []nn.Sample {
	for _, w := range spec.fonts {
		capRatio(w.font)
	}
	parts := make([][]nn.Sample, lines)
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := k; i < lines; i += 2 {
				rng := rand.New(rand.NewPCG(seed, uint64(i)+1000))
				if rng.Float64() < .12 {
					parts[i] = spec.clutterSamples(rng)
				} else {
					parts[i] = spec.lineSamples(rng)
				}
			}
		})
	}
	wg.Wait()
	var out []nn.Sample
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
