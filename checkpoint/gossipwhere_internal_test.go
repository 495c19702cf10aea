package checkpoint

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
)

func TestNodesTellEachOtherWherePeopleWere(t *testing.T) {
	alias := func(p kangma.PersonID, since, until time.Time) (all []kangma.Pseudonym) {
		for day := since.Unix() / 86400; day <= until.Unix()/86400; day++ {
			all = append(all, kangma.Pseudonym{p[0], byte(day)})
		}
		return all
	}
	node := func() *Whereabouts { return &Whereabouts{alias: alias} }
	tell := func(from, to *Whereabouts, now time.Time) {
		to.learn(parseSeen(appendSeen(nil, from.lately(now))), now)
	}
	const shanwei, beijing = kangma.Division(441502000), kangma.Division(110101000)
	p, q := kangma.PersonID{1}, kangma.PersonID{2}

	a, b, alone := node(), node(), &Whereabouts{}
	a.Note(p, beijing, shownAt)
	alone.Note(p, beijing, shownAt)
	if b.TooFast(p, shanwei, shownAt.Add(2*time.Second)) {
		t.Error("it knows before it was told")
	}
	tell(a, b, shownAt.Add(2*time.Second))
	for after, want := range map[time.Duration]bool{3 * time.Second: true, 44 * time.Minute: true, 46 * time.Minute: false} {
		if got := b.TooFast(p, shanwei, shownAt.Add(after)); got != want {
			t.Errorf("%v later: %v", after, got)
		}
	}
	if b.TooFast(q, shanwei, shownAt.Add(3*time.Second)) || b.TooFast(p, beijing, shownAt.Add(3*time.Second)) {
		t.Error("somebody else, or the same place")
	}
	b.Note(p, shanwei, shownAt.Add(time.Hour)) // where they really are now
	tell(a, b, shownAt.Add(time.Hour))
	if b.TooFast(p, shanwei, shownAt.Add(time.Hour+time.Minute)) {
		t.Error("an older sighting of another node outlived a newer one of this one")
	}
	if len(alone.said) != 0 {
		t.Error("one node alone keeps lines")
	}
	if len(a.lately(shownAt.Add(time.Minute))) != 0 || len(a.said) != 0 {
		t.Error("what is old is still told")
	}
	if n := len(parseSeen(make([]byte, whereSize+7))); n != 1 {
		t.Errorf("%d lines of a record of another form", n)
	}
	old := node()
	a.Note(p, beijing, shownAt)
	old.learn(parseSeen(appendSeen(nil, a.lately(shownAt))), shownAt.Add(2*time.Hour))
	if old.TooFast(p, shanwei, shownAt.Add(30*time.Minute)) {
		t.Error("a line of two hours ago was taken in")
	}
}
