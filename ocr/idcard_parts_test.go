package ocr

import "testing"

func TestOddPartsOfADateOfBirth(t *testing.T) {
	for date, want := range map[string]int{
		"19800627": 0, "20091231": 0, "1????2??": 0, "18991201": 0, "????????": 0,
		"19803627": 1, "39800627": 1, "19801140": 1, "198?0032": 1,
		"36626345": 3, "27021233": 2, "44444444": 3,
	} {
		if got := oddParts(date); got != want {
			t.Errorf("%s has %d odd parts, want %d", date, got, want)
		}
	}
}
