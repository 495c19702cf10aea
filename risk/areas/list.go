package areas

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// List is one list of the risk-area service: what was in force from At until the next list.
type List struct {
	At        time.Time // end_update_time, whole hours, Asia/Shanghai
	Published time.Time // when it became public; the service says no other time than At
	Rows      []Row
}

// Row is one {province, city, county} entry of a list.
type Row struct {
	Level       kangma.Level
	Type        string // "2": communities are listed; "1": the whole area. Other texts are kept as they are
	Province    string
	City        string
	County      string
	Communities []string
}

// Areas counts what the list's own counters count: the communities, a row without any counting as one.
func (l *List) Areas() (high, mid, low int) {
	n := map[kangma.Level]int{}
	for _, r := range l.Rows {
		n[r.Level] += max(1, len(r.Communities))
	}
	return n[kangma.HighLevel], n[kangma.MidLevel], n[kangma.LowLevel]
}

// Digest is the SHA-256 of the list's content in a canonical order, in hexadecimal: two files that say the same have the
// same digest, however they order their rows.
func (l *List) Digest() string {
	lines := make([]string, 0, len(l.Rows))
	for _, r := range l.Rows {
		r.Communities = slices.Sorted(slices.Values(r.Communities))
		b, _ := json.Marshal(r) // a struct of strings cannot fail
		lines = append(lines, string(b))
	}
	slices.Sort(lines)
	h := sha256.New()
	h.Write([]byte(l.At.UTC().Format(time.RFC3339) + "\n"))
	h.Write([]byte(l.Published.UTC().Format(time.RFC3339Nano) + "\n"))
	for _, s := range lines {
		h.Write([]byte(s + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// CheckAt refuses a list that is not of the day asked for (a list sent for another day), or that lies more than an hour
// ahead of now. A zero day asks for none.
func (l *List) CheckAt(day, now time.Time) error {
	if !day.IsZero() {
		y, m, d := day.In(shanghai).Date()
		if ly, lm, ld := l.At.In(shanghai).Date(); y != ly || m != lm || d != ld {
			return kangma.E(kangma.Invalid, "area_list_day", "the list is of another day than the one it was sent for; send the list of that day")
		}
	}
	if l.At.After(now.Add(time.Hour)) {
		return kangma.E(kangma.Invalid, "area_list_future", "the list's end_update_time lies in the future; check the clock of who made it")
	}
	return nil
}

// shanghai is the zone of end_update_time. China has kept one offset since 1991, so no zone file is needed.
var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)
