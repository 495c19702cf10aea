package areas

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"time"

	"github.com/kangma/kangma"
)

// Table is the bitemporal risk-area table: every area with its levels, each in the interval from the list that first
// showed it to the list that first lacked it, and what of that was public when. It is immutable and safe for any number
// of readers. A nil *Table is empty: no area is on any list.
type Table struct {
	hist    *history
	lists   []listed1
	digests map[string]bool
	version string
	index
}

// listed1 is what the table keeps of one hour's list or lists.
type listed1 struct {
	at, published int64    // Unix seconds
	digests       []string // sorted; two where the service corrected a list within its hour
}

// Build makes a table of lists in any order. The same list twice counts once. Lists of the same hour with different
// content (the service corrects itself: 3 of 74 real ones) are joined: an area on any of them counts at its highest
// level until the next hour's list, so the table depends on the set of lists only. Lists with a zero time are refused.
func Build(lists ...*List) (*Table, error) {
	sorted := slices.Clone(lists)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].At.Before(sorted[j].At) })
	t := &Table{hist: newHistory(), digests: map[string]bool{}}
	for _, l := range sorted {
		if err := t.add(l); err != nil {
			return nil, err
		}
	}
	t.finish()
	return t, nil
}

// With gives a table that also holds l; t is unchanged. A list older than the newest in t that t does not already hold
// is a Conflict (use Build to load a past): colours that were computed would change without a trace. The same list again
// gives t itself. A correction within the newest hour is joined, see Build.
func (t *Table) With(l *List) (*Table, error) {
	if t == nil {
		return Build(l)
	}
	if t.digests[l.Digest()] {
		return t, nil
	}
	if n := len(t.lists); n > 0 && l.At.Unix() < t.lists[n-1].at {
		return nil, kangma.E(kangma.Conflict, "area_list_older", "the list is older than the newest one loaded; nothing was changed")
	}
	next := &Table{hist: t.hist.clone(), lists: slices.Clone(t.lists), digests: map[string]bool{}}
	for d := range t.digests {
		next.digests[d] = true
	}
	if err := next.add(l); err != nil {
		return nil, err
	}
	next.finish()
	return next, nil
}

// add takes in a list that is not older than the newest.
func (t *Table) add(l *List) error {
	at := l.At.Unix()
	if l.At.IsZero() || at%3600 != 0 {
		return kangma.E(kangma.Invalid, "area_list_time", "a risk-area list is of a whole hour; this one has no usable end_update_time")
	}
	digest := l.Digest()
	if t.digests[digest] {
		return nil
	}
	t.digests[digest] = true
	published := max(at, l.Published.Unix())
	n := len(t.lists)
	if n > 0 && t.lists[n-1].at == at {
		last := &t.lists[n-1]
		t.hist.join(uint32(n-1), l)
		last.digests = append(slices.Clone(last.digests), digest)
		slices.Sort(last.digests)
		last.published = max(last.published, published)
		return nil
	}
	if n > 0 { // who knows a list knows those before it
		published = max(published, t.lists[n-1].published)
	}
	t.lists = append(t.lists, listed1{at, published, []string{digest}})
	t.hist.append(uint32(n), l)
	return nil
}

func (t *Table) finish() {
	h := sha256.New()
	for _, l := range t.lists {
		for _, d := range l.digests {
			h.Write([]byte(d))
		}
	}
	t.version = "areas-empty"
	if n := len(t.lists); n > 0 {
		t.version = time.Unix(t.lists[n-1].at, 0).In(shanghai).Format("2006-01-02T15") + "-" + hex.EncodeToString(h.Sum(nil))[:16]
	}
	t.hist.areas = slices.Clone(t.hist.areas) // without the room they grew in
	t.index = newIndex(t.hist, t.lists)
}

// Version names the content: the hour of the newest list in Asia/Shanghai and 16 hexadecimal digits over all lists. Two
// tables of the same lists have the same version. An empty table is "areas-empty".
func (t *Table) Version() string {
	if t == nil {
		return "areas-empty"
	}
	return t.version
}

// Newest gives the hour of the newest list, zero when there is none. What is older than the service's rhythm is stale.
func (t *Table) Newest() time.Time {
	if t == nil || len(t.lists) == 0 {
		return time.Time{}
	}
	return time.Unix(t.lists[len(t.lists)-1].at, 0).In(shanghai)
}

// Holds reports whether the list of this digest is in the table.
func (t *Table) Holds(digest string) bool { return t != nil && t.digests[digest] }

// Stats are sizes of a table.
type Stats struct {
	Lists       int `json:"lists"`       // hours with a list
	Areas       int `json:"areas"`       // different areas that ever stood on one
	Divisions   int `json:"divisions"`   // divisions with something listed in them
	Zones       int `json:"zones"`       // named zones
	Communities int `json:"communities"` // texts by which an area can be found
	Steps       int `json:"steps"`       // changes of level kept
}

// Stats counts.
func (t *Table) Stats() Stats {
	if t == nil {
		return Stats{}
	}
	return Stats{len(t.lists), len(t.hist.areas), len(t.nodes), t.zoneNodes, len(t.keys), len(t.steps)}
}
