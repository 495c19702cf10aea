package mrz_test

import (
	"math"
	"strings"
	"testing"

	"github.com/kangma/kangma/ocr/internal/mrz"
)

// specimen lines of ICAO Doc 9303 parts 4 to 6 (the state of Utopia).
var specimens = map[string][]string{
	"TD3": {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
	"TD2": {"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"},
	"TD1": {"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
}

// permits are published specimens of permits.
var permits = map[string][]string{
	"CS": {"CSC000000004<2404200<8108038<6"},
	"CD": {"CDL000000007<2508197<8208031<6"},
	"CR": {"CRH1234567830002212119F8108038", "NGKELMPONBPJLBLOAABA1234567842", "ZHENG<JIAN<<YANG<BEN<<<<<<<<<<"},
	"CT": {"CT00000000<00262006084F8108038", "NGKELMPONBPJLBLOAABR0000000001", "ZHENG<JIAN<<YANG<BEN<<<<<<3500"},
}

func TestSpecimensOfPermitsPassEveryCheckAndAreSolved(t *testing.T) {
	for name, lines := range permits {
		f := format(t, "EEP")
		if len(lines) == 3 {
			f = format(t, "permit")
		}
		if bad := f.Failures(lines); len(bad) != 0 {
			t.Errorf("%s: %v", name, bad)
		}
		if z := mrz.Solve(f, logps(lines, .98)); strings.Join(z.Lines, "") != strings.Join(lines, "") || !z.Usable() {
			t.Errorf("%s: %v", name, z.Lines)
		}
	}
	bad := []string{strings.Replace(permits["CS"][0], "810803", "810703", 1)}
	if z := mrz.Solve(format(t, "EEP"), logps(bad, .99)); z.Usable() {
		t.Error("one line whose check digits are false is shown")
	}
}

func format(t *testing.T, name string) *mrz.Format {
	t.Helper()
	for i := range mrz.Formats {
		if mrz.Formats[i].Name == name {
			return &mrz.Formats[i]
		}
	}
	t.Fatal("no format", name)
	return nil
}

func TestSpecimensOfDoc9303PassEveryCheck(t *testing.T) {
	for name, lines := range specimens {
		if f := format(t, name).Failures(lines); len(f) != 0 {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestAChangedCharacterFailsACheck(t *testing.T) {
	for name, lines := range specimens {
		l := 1
		if name == "TD1" {
			l = 0
		}
		b := []byte(lines[l])
		b[6] = '0' + (b[6]-'0'+1)%10
		if name == "TD1" {
			b = []byte(strings.Replace(lines[0], "D231", "D232", 1))
		}
		bad := append([]string(nil), lines...)
		bad[l] = string(b)
		if f := format(t, name).Failures(bad); len(f) == 0 {
			t.Errorf("%s: nothing failed", name)
		}
	}
}

// logps makes a reading in which every character has probability p.
func logps(lines []string, p float64) [][][]float32 {
	var out [][][]float32
	for _, l := range lines {
		var row [][]float32
		for i := range l {
			lp := make([]float32, len(mrz.Alphabet)+1)
			for c := range lp {
				lp[c] = float32(math.Log((1 - p) / 37))
			}
			lp[strings.IndexByte(mrz.Alphabet, l[i])] = float32(math.Log(p))
			row = append(row, lp)
		}
		out = append(out, row)
	}
	return out
}

func TestSolveBreaksANearTieByTheCheckDigits(t *testing.T) {
	lines := specimens["TD3"]
	lp := logps(lines, .98)
	place := lp[1][3] // a digit of the document number, nearly read as another
	place[strings.IndexByte(mrz.Alphabet, '8')] = float32(math.Log(.5))
	place[strings.IndexByte(mrz.Alphabet, lines[1][3])] = float32(math.Log(.4))
	z := mrz.Solve(format(t, "TD3"), lp)
	if z.Lines[1] != lines[1] || len(z.Failures) != 0 {
		t.Errorf("%v %v", z.Lines, z.Failures)
	}
}

func TestSolveLeavesAClearlyReadFalseZoneAlone(t *testing.T) {
	lines := append([]string(nil), specimens["TD3"]...)
	lines[1] = strings.Replace(lines[1], "L898902C3", "L898902C4", 1)
	z := mrz.Solve(format(t, "TD3"), logps(lines, .99))
	if z.Lines[1] != lines[1] || len(z.Failures) == 0 {
		t.Errorf("%v %v", z.Lines, z.Failures)
	}
}

func TestFillersBehindANameAreNotDoubtful(t *testing.T) {
	lines := specimens["TD3"]
	lp := logps(lines, .98)
	tail := lp[0][35] // far behind the name a filler looks like a C
	tail[strings.IndexByte(mrz.Alphabet, 'C')] = float32(math.Log(.9))
	tail[strings.IndexByte(mrz.Alphabet, '<')] = float32(math.Log(.05))
	z := mrz.Solve(format(t, "TD3"), lp)
	if z.Lines[0] != lines[0] || z.Conf[0] < .5 {
		t.Errorf("%s, confidence %.2f", z.Lines[0], z.Conf[0])
	}
}

func TestTheLetterOIsTakenForZeroUnlessTheCheckDigitSaysOtherwise(t *testing.T) {
	lines := specimens["TD2"]
	number := strings.Replace(lines[1][:9], "D", "O", 1)
	l2 := number + string(mrz.CheckDigit(number)) + lines[1][10:35]
	l2 += string(mrz.CheckDigit(l2[0:10] + l2[13:20] + l2[21:35]))
	for _, want := range []string{lines[1], l2} {
		lp := logps([]string{lines[0], want}, .98)
		for c, row := range lp[1] { // every 0 and O is seen as either, O a little more likely
			if want[c] == '0' || want[c] == 'O' {
				row[strings.IndexByte(mrz.Alphabet, 'O')] = float32(math.Log(.55))
				row[strings.IndexByte(mrz.Alphabet, '0')] = float32(math.Log(.42))
			}
		}
		if z := mrz.Solve(format(t, "TD2"), lp); z.Lines[1] != want || len(z.Failures) != 0 {
			t.Errorf("%s %v, want %s", z.Lines[1], z.Failures, want)
		}
	}
}

func TestAMonthOrDayThatCannotBeIsNotRead(t *testing.T) {
	f := format(t, "TD1")
	for col, ch := range map[int]byte{2: '7', 4: '8', 10: '2', 12: '4'} {
		if f.Allowed(1, col, ch) {
			t.Errorf("%c may stand in column %d of the dates", ch, col)
		}
	}
}

func TestTheLettersOOfADocumentNumberAreMostlyZeros(t *testing.T) {
	l1 := "I<USASV<<OGAH<<<<<<<<<<<<<<<<<<<<<<<"
	for _, number := range []string{"O50452520", "050452520", "E00000000"} {
		want := number + string(mrz.CheckDigit(number)) + "USA5708172<3304190<<<<<<<"
		want += string(mrz.CheckDigit(want[0:10] + want[13:20] + want[21:35]))
		seen := strings.ReplaceAll(want[:9], "0", "O") + want[9:]
		z := mrz.Solve(format(t, "TD2"), logps([]string{l1, seen}, .995))
		if z.Lines[1] != want || len(z.Failures) != 0 || z.LetterO != (number[0] == 'O') {
			t.Errorf("%s: %s %v", number, z.Lines[1], z.Failures)
		}
	}
}

func TestAStateThatIsNoStateBecomesTheNearestOneButIsNotSure(t *testing.T) {
	lines := specimens["TD3"]
	lp := logps(lines, .98)
	place := lp[0][2] // the U of UTO, seen as a D
	place[strings.IndexByte(mrz.Alphabet, 'D')] = float32(math.Log(.9))
	place[strings.IndexByte(mrz.Alphabet, 'U')] = float32(math.Log(.08))
	z := mrz.Solve(format(t, "TD3"), lp)
	if z.Lines[0] != lines[0] {
		t.Errorf("%s", z.Lines[0])
	}
	if z.Bare[0] > .5 {
		t.Errorf("a state that was not seen so passes with %.2f", z.Bare[0])
	}
}

func FuzzSolve(f *testing.F) {
	f.Add([]byte("seed"), uint8(0), uint8(60))
	f.Add([]byte("0O1I2Z5S8B<<<<<<"), uint8(2), uint8(90))
	f.Fuzz(func(t *testing.T, b []byte, kind, sharp uint8) {
		form := &mrz.Formats[int(kind)%len(mrz.Formats)]
		lines := make([]string, form.Lines)
		for i := range lines {
			for c := range form.Columns {
				k := 0
				if n := i*form.Columns + c; n < len(b) {
					k = int(b[n]) % len(mrz.Alphabet)
				}
				lines[i] += mrz.Alphabet[k : k+1]
			}
		}
		z := mrz.Solve(form, logps(lines, .04+.95*float64(sharp)/255))
		if len(z.Lines) != form.Lines || len(z.Conf) != form.Lines {
			t.Fatal(z.Lines)
		}
		for i, l := range z.Lines {
			if len(l) != form.Columns || z.Conf[i] < 0 || z.Conf[i] > 1.0001 {
				t.Errorf("%q %v", l, z.Conf[i])
			}
		}
	})
}
