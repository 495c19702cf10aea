package idnumber_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/idnumber"
)

var now = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

const valid = "44010319900307801" // 17 digits; the tests add the check character

func number() string { return valid + string(kangma.IDCheckChar(valid)) }

// reading makes log probabilities in which each character of s has probability p and the rest is spread.
func reading(s string, p float64) [][]float32 {
	out := make([][]float32, len(s))
	for k := range out {
		lp := make([]float32, 12)
		for c := range lp {
			lp[c] = float32(math.Log((1 - p) / 11))
		}
		lp[class(s[k])] = float32(math.Log(p))
		out[k] = lp
	}
	return out
}

func class(b byte) int {
	if b == 'X' {
		return 10
	}
	return int(b - '0')
}

func TestJudge(t *testing.T) {
	s := number()
	forged := []byte(s)
	forged[3] = '0' + (forged[3]-'0'+1)%10
	doubt := func(lp [][]float32, k int, a, b byte, pa, pb float64) [][]float32 {
		for c := range lp[k] {
			lp[k][c] = -9
		}
		lp[k][class(a)], lp[k][class(b)] = float32(math.Log(pa)), float32(math.Log(pb))
		return lp
	}
	hidden := func(lp [][]float32, k int) [][]float32 {
		for c := range lp[k] {
			lp[k][c] = -6
		}
		lp[k][11] = -0.01
		return lp
	}
	for name, c := range map[string]struct {
		lp       [][]float32
		want     idnumber.Verdict
		number   string
		test     string
		doubtful int
	}{
		"a clear valid number is accepted":                     {reading(s, .98), idnumber.Accepted, s, "", 0},
		"a clear invalid number is reported as printed":        {reading(string(forged), .98), idnumber.ChecksumFailed, "", "checksum", 0},
		"a near tie is not broken by the checksum":             {doubt(reading(s, .98), 3, forged[3], s[3], .55, .44), idnumber.Unreadable, "", "", 1},
		"a hidden digit is never completed from the checksum":  {hidden(reading(s, .98), 9), idnumber.Unreadable, "", "", 1},
		"a line that is unclear everywhere is not accepted":    {reading(s, .5), idnumber.Unreadable, "", "", 18},
		"an impossible date is told from a wrong checksum":     {reading("440103199013078010", .98), idnumber.ChecksumFailed, "", "date", 0},
		"seventeen characters are not a number":                {reading(s[:17], .98), idnumber.Unreadable, "", "length", 0},
		"a birth date after today is not accepted":             {reading("440103203003078019", .98), idnumber.ChecksumFailed, "", "date", 0},
		"a first division that is no province is not accepted": {reading("99010319900307801"+string(kangma.IDCheckChar("99010319900307801")), .98), idnumber.ChecksumFailed, "", "region", 0},
	} {
		t.Run(name, func(t *testing.T) {
			j := idnumber.DefaultPolicy.Judge(c.lp, now)
			if j.Verdict != c.want || j.Number != c.number {
				t.Fatalf("verdict %v, number %q, test %q; want %v %q", j.Verdict, j.Number, j.Test, c.want, c.number)
			}
			if c.want == idnumber.ChecksumFailed && j.Test != c.test {
				t.Errorf("test %q, want %q", j.Test, c.test)
			}
			if len(j.Doubtful) != c.doubtful {
				t.Errorf("doubtful places %v, want %d", j.Doubtful, c.doubtful)
			}
		})
	}
}

func TestOnlyTheCorrectingPolicyBreaksANearTie(t *testing.T) {
	s := number()
	lp := reading(s, .98)
	other := '0' + (s[3]-'0'+1)%10
	for c := range lp[3] {
		lp[3][c] = -9
	}
	lp[3][class(other)], lp[3][class(s[3])] = float32(math.Log(.55)), float32(math.Log(.44))
	if j := idnumber.CorrectingPolicy.Judge(lp, now); j.Verdict != idnumber.Accepted || j.Number != s || !j.Corrected {
		t.Errorf("verdict %v", j.Verdict)
	}
	if j := idnumber.DefaultPolicy.Judge(lp, now); j.Verdict == idnumber.Accepted {
		t.Error("the default policy corrected")
	}
}

func TestAnAcceptedNumberIsAlwaysValidAndNearTheReading(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		lp := reading(number(), .6+.39*rng.Float64())
		for range rng.IntN(5) {
			k := rng.IntN(18)
			for c := range lp[k] {
				lp[k][c] = float32(-6 * rng.Float64())
			}
		}
		j := idnumber.CorrectingPolicy.Judge(lp, now)
		if j.Verdict != idnumber.Accepted {
			continue
		}
		if idnumber.Test(j.Number, now) != "" {
			t.Fatal("an invalid number was accepted")
		}
		changed := 0
		for k := range j.Number {
			if j.Number[k] != j.Printed[k] {
				changed++
			}
		}
		if changed > 2 {
			t.Fatalf("%d places were changed", changed)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte("some bytes to make probabilities of"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lp := make([][]float32, 18)
		for k := range lp {
			lp[k] = make([]float32, 12)
			for c := range lp[k] {
				if i := k*12 + c; i < len(b) {
					lp[k][c] = -float32(b[i]) / 16
				} else {
					lp[k][c] = -8
				}
			}
		}
		if j := idnumber.DefaultPolicy.Judge(lp, now); j.Verdict == idnumber.Accepted && idnumber.Test(j.Number, now) != "" {
			t.Error("an invalid number was accepted")
		}
	})
}

// TestNumbersOfResidencePermitsAreTaken uses the numbers of the published specimens of residence permits for residents of
// Hong Kong (810000) and Taiwan (830000), and a Macao one (820000) made by the same rule.
func TestNumbersOfResidencePermitsAreTaken(t *testing.T) {
	macao := "82000019940823001"
	for _, n := range []string{"810000199408230021", "830000199201300022", macao + string(kangma.IDCheckChar(macao))} {
		if j := idnumber.DefaultPolicy.Judge(reading(n, .99), now); j.Verdict != idnumber.Accepted || j.Number != n {
			t.Errorf("%s: %v %s", n, j.Verdict, j.Test)
		}
	}
}
