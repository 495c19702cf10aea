package ocr

import (
	"context"
	"fmt"
	"github.com/kangma/kangma/ocr/internal/idnumber"
	"github.com/kangma/kangma/ocr/synth"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestNum(t *testing.T) {
	n := 20
	if v := os.Getenv("N"); v != "" {
		n, _ = strconv.Atoi(v)
	}
	seed := uint64(1000)
	if v := os.Getenv("SEED"); v != "" {
		k, _ := strconv.Atoi(v)
		seed = uint64(k)
	}
	forged := os.Getenv("FORGED") != ""
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for l := 0; l < 6; l++ {
		if v := os.Getenv("L"); v != "" && v != strconv.Itoa(l) {
			continue
		}
		ok, wrong, unread, none, cs := 0, 0, 0, 0, 0
		var el, gen time.Duration
		for i := 0; i < n; i++ {
			g0 := time.Now()
			p, err := synth.IDCard(seed+uint64(i), synth.Level(l), synth.Options{Varied: i%2 == 1, Forged: forged})
			if err != nil {
				t.Fatal(err)
			}
			gen += time.Since(g0)
			t0 := time.Now()
			m, _, err := decode(context.Background(), p.JPEG)
			if err != nil {
				t.Fatal(err)
			}
			s := newScene(m, now)
			f, err := s.findNumber(context.Background())
			el += time.Since(t0)
			st := ""
			switch {
			case f == nil:
				none++
				st = "none"
			case f.Verdict == idnumber.Accepted && f.Number == p.Truth.Person.Number:
				ok++
			case f.Verdict == idnumber.Accepted:
				wrong++
				st = "WRONG"
			case f.Verdict == idnumber.ChecksumFailed:
				cs++
				if !forged || f.Printed != p.Truth.Person.Number {
					st = "cs"
				}
			default:
				unread++
				st = "unread"
			}
			if st != "" {
				tx := ""
				mean := 0.0
				if f != nil {
					tx = f.Text
					mean = f.Mean
				}
				fmt.Println(l, i, st, tx, p.Truth.Person.Number, mean)
				os.WriteFile(fmt.Sprintf("/tmp/ocrx/f-%d-%d.jpg", l, i), p.JPEG, 0o644)
			}
		}
		fmt.Printf("L%d ok %d wrong %d cs %d unread %d none %d of %d  read %v gen %v\n", l, ok, wrong, cs, unread, none, n, el/time.Duration(n), gen/time.Duration(n))
	}
}
