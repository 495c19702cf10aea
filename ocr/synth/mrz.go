package synth

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kangma/kangma/ocr/internal/mrz"
)

func letters(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('A' + rng.IntN(26))
	}
	return string(b)
}

func digits(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rng.IntN(10))
	}
	return string(b)
}

func fill(s string, n int) string { return (s + strings.Repeat("<", n))[:n] }

func checked(s string) string { return s + string(mrz.CheckDigit(s)) }

// Zone draws the lines of a machine readable zone: a Chinese passport in half of the TD3 cases, whose second line has no
// filler.
func Zone(rng *rand.Rand, format string) []string {
	state := pick(rng, []string{"CHN", "CHN", "UTO", "GBR", "USA", "KOR", "D<<", "FRA"})
	birth := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(60*365)).Format("060102")
	expiry := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(9*365)).Format("060102")
	sex := pick(rng, []string{"M", "F", "<"})
	name := letters(rng, 2+rng.IntN(5)) + "<<" + letters(rng, 2+rng.IntN(8))
	if rng.IntN(3) == 0 {
		name += "<" + letters(rng, 2+rng.IntN(6))
	}
	doc := letters(rng, 1) + digits(rng, 8)
	switch rng.IntN(4) {
	case 0:
		doc = letters(rng, 2) + digits(rng, 7) // Chinese passports since 2017: E, a letter and seven digits
	case 1:
		doc = fill(digits(rng, 8+rng.IntN(2)), 9)
	}
	switch format {
	case "TD1":
		l1 := fill(pick(rng, []string{"I<", "I<", "ID", "AC", "C<"})+state+checked(doc), 30)
		l2 := checked(birth) + sex + checked(expiry) + state + strings.Repeat("<", 11)
		l2 += string(mrz.CheckDigit(l1[5:30] + l2[0:7] + l2[8:15] + l2[18:29]))
		return []string{l1, l2, fill(name, 30)}
	case "TD2":
		l2 := checked(doc) + state + checked(birth) + sex + checked(expiry) + strings.Repeat("<", 7)
		return []string{fill("I<"+state+name, 36), l2 + string(mrz.CheckDigit(l2[0:10]+l2[13:20]+l2[21:35]))}
	}
	personal := strings.Repeat("<", 14)
	if state == "CHN" {
		personal = letters(rng, 10) + letters(rng, 2) + letters(rng, 2)
	}
	l2 := checked(doc) + state + checked(birth) + sex + checked(expiry) + checked(personal)
	return []string{fill(pick(rng, []string{"P<", "P<", "PO", "PD"})+state+name, 44), l2 + string(mrz.CheckDigit(l2[0:10]+l2[13:20]+l2[21:43]))}
}
