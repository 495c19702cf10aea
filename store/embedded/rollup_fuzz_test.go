package embedded

import (
	"testing"
)

// FuzzRollup: whatever lies behind a fitting checksum, reading it ends, and codes rise from 1.
func FuzzRollup(f *testing.F) {
	for _, counts := range []map[int64]uint64{{1: 1}, {3: 200, 4: 1, 70000: 1 << 40}, {}} {
		row, err := mergeCounts(7, nil, counts)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(row[:len(row)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		row := sealRow(hourKey(7), append([]byte(nil), body...))
		before := int64(0)
		counts := map[int64]uint64{}
		err := eachCount(7, row, func(code int64, n uint64) {
			if code <= before || n == 0 {
				t.Errorf("code %d after %d, count %d", code, before, n)
			}
			before = code
			counts[code] = n
		})
		if err != nil {
			return
		}
		again, err := mergeCounts(7, nil, counts)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := eachCount(7, again, func(code int64, c uint64) {
			if n++; counts[code] != c {
				t.Errorf("code %d: got %d, want %d", code, c, counts[code])
			}
		}); err != nil || n != len(counts) {
			t.Errorf("got %d codes, %v, want %d", n, err, len(counts))
		}
	})
}
