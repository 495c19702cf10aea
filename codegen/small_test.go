package codegen_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

func TestANumericCodeProvesThatThePersonWasGivenItJustNow(t *testing.T) {
	coder, err := codegen.NewShortCoder([32]byte{5})
	if err != nil {
		t.Fatal(err)
	}
	digits, until := coder.Code(person, now, 0)
	if len(digits) != codegen.ShortDigits || until.Sub(now) < codegen.ShortWindow || until.Sub(now) > 2*codegen.ShortWindow {
		t.Fatalf("%s until %v", digits, until)
	}
	other := kangma.PersonID{1}
	for _, tc := range []struct {
		name   string
		person kangma.PersonID
		typed  string
		at     time.Time
		want   kangma.CannotTell
	}{
		{"at once", person, digits, now, ""},
		{"typed with spaces", person, " " + digits[:4] + " " + digits[4:], now, ""},
		{"to its last second", person, digits, until.Add(-time.Second), ""},
		{"then expired", person, digits, until, kangma.TellExpired},
		{"after hours nobody's", person, digits, now.Add(5 * time.Hour), kangma.TellForged},
		{"not before its time", person, digits, now.Add(-time.Hour), kangma.TellForged},
		{"another person's", other, digits, now, kangma.TellForged},
		{"too short", person, digits[:7], now, kangma.TellMalformed},
		{"too long", person, digits + "0", now, kangma.TellMalformed},
		{"letters", person, "1234567O", now, kangma.TellMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := coder.Check(tc.person, tc.typed, tc.at); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	t.Run("every wrong digit and every exchange of neighbours is heard", func(t *testing.T) {
		for i := range digits {
			for d := byte('0'); d <= '9'; d++ {
				b := []byte(digits)
				b[i] = d
				if _, tell := codegen.ParseShortCode(string(b)); (tell == "") != (d == digits[i]) {
					t.Errorf("digit %d as %c: %q", i, d, tell)
				}
			}
			if i > 0 && digits[i] != digits[i-1] {
				b := []byte(digits)
				b[i], b[i-1] = b[i-1], b[i]
				if _, tell := codegen.ParseShortCode(string(b)); tell == "" {
					t.Errorf("digits %d and %d exchanged and not noticed", i-1, i)
				}
			}
		}
	})
	t.Run("a second try gives other digits, accepted as well", func(t *testing.T) {
		second, _ := coder.Code(person, now, 1)
		if second == digits || coder.Check(person, second, now) != "" {
			t.Errorf("%s after %s", second, digits)
		}
	})
}

// T24: an offline gate's clock must not bring an expired code back.
func TestAClockThatWasTurnedBackIsNoticed(t *testing.T) {
	const skew = 30 * time.Second
	var w codegen.Watermark
	w, tell := w.Observe(now, skew)
	if tell != "" {
		t.Fatal(tell)
	}
	for _, tc := range []struct {
		name string
		at   time.Duration
		want kangma.CannotTell
	}{
		{"30 s back is skew", -30 * time.Second, ""}, {"31 s back", -31 * time.Second, kangma.TellClock},
		{"an hour back", -time.Hour, kangma.TellClock}, {"25 h back", -25 * time.Hour, kangma.TellClock}, {"forward", time.Hour, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next, got := w.Observe(now.Add(tc.at), skew)
			if got != tc.want || next.Seen.Before(w.Seen) {
				t.Errorf("got %q, mark %v", got, next.Seen)
			}
		})
	}
	t.Run("a signed list proves the time to a gate that was always slow", func(t *testing.T) {
		late := w.Document(now.Add(25 * time.Hour))
		if _, got := late.Observe(now.Add(time.Minute), skew); got != kangma.TellClock {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a jump to 2038 is undone by the server, not below a signed document", func(t *testing.T) {
		jumped, _ := w.Document(now).Observe(time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), skew)
		if _, got := jumped.Observe(now.Add(time.Minute), skew); got != kangma.TellClock {
			t.Errorf("before: %q", got)
		}
		if _, got := jumped.Sync(now.Add(time.Minute)).Observe(now.Add(time.Minute), skew); got != "" {
			t.Errorf("after: %q", got)
		}
		if got := jumped.Sync(now.Add(-time.Hour)); got.Seen.Before(now) {
			t.Errorf("the mark fell to %v", got.Seen)
		}
	})
}
