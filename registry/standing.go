package registry

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

// Standing is a colour, or that none could be told. The zero Standing: none could be told.
type Standing struct {
	Told   bool          `json:"told"`
	Colour kangma.Colour `json:"colour"`
}

var green = Standing{Told: true, Colour: kangma.Green}

// String gives the colour's name, or "untold".
func (s Standing) String() string {
	if !s.Told {
		return "untold"
	}
	return s.Colour.String()
}

func standingOf(a kangma.Assessment) Standing {
	if !a.Told {
		return Standing{}
	}
	return Standing{Told: true, Colour: a.Colour}
}

// stand evaluates a dossier down to what a batch is weighed by.
func (j *judgement) stand(d *kangma.Dossier, at time.Time) Standing {
	in := rules.Input{Dossier: d, At: at}
	if j.areas != nil {
		in.Areas = j.areas
	}
	b := j.set(at).Brief(in) // of no set it could not tell
	if !b.Told {
		return Standing{}
	}
	return Standing{Told: true, Colour: b.Colour}
}

// assess evaluates a dossier by the rules in force at the moment asked about.
func (j *judgement) assess(d *kangma.Dossier, at, known time.Time) kangma.Assessment {
	in := rules.Input{Dossier: d, At: at, Known: known}
	if j.areas != nil { // a nil table must stay a nil interface: then what depends on a level cannot be told
		in.Areas = j.areas
	}
	return j.rules.Evaluate(in)
}

// NotGreen is one person who was not green when the sweep last looked.
type NotGreen struct {
	Person   kangma.PersonID
	Home     kangma.Division // zero: not known
	Standing Standing
}

// NotGreenList is everyone of a region who was not green when the sweep last looked: what lists for gates without a
// network are made of. Colours themselves are always computed when they are read; only lists need this.
type NotGreenList struct {
	People   []NotGreen // by partition and id
	AsOf     time.Time  // the moment of the last whole sweep; zero: there was none, the list is not whole
	Revision uint64     // rises with every change of any part, so that an unchanged list need not be made again
}

// NotGreen lists who is not green of those who live in the region, and of those whose home is not known (zero: everyone).
// It may be called at any time; it is as old as AsOf says.
func (s *Service) NotGreen(ctx context.Context, region kangma.Division) (list NotGreenList, err error) {
	st, err := s.SweepStatus(ctx) // before the parts: they are at least as new
	if err != nil {
		return NotGreenList{}, err
	}
	list.AsOf = st.Since
	for p := range store.Partitions {
		part, version, err := s.part(ctx, p)
		if err != nil {
			return NotGreenList{}, err
		}
		list.Revision += version
		for _, g := range part.People {
			if region == 0 || g.Home == 0 || region.Contains(g.Home) || g.Home.Contains(region) {
				list.People = append(list.People, g)
			}
		}
	}
	return list, nil
}

// part is what the last sweep that changed anything in a partition found there. Everybody else who is registered is green.
type part struct {
	At     time.Time         `json:"at"`     // the moment of that sweep
	Swept  int64             `json:"swept"`  // people it looked at
	Counts []TransitionCount `json:"counts"` // transitions it found
	Packed []byte            `json:"people"` // 21 bytes each, by id: id, standing, home
	People []NotGreen        `json:"-"`
}

const (
	partKind   = "standing" // id: the partition, three digits; data: part
	packedSize = 16 + 1 + 4
)

func partID(p int) string { return fmt.Sprintf("%03d", p) }

// part reads a part; one that was never written is empty.
func (s *Service) part(ctx context.Context, p int) (part, uint64, error) {
	doc, version, err := GetDoc[part](ctx, s.cfg.Records, partKind, partID(p))
	if errors.Is(err, kangma.NotFound) {
		return part{}, version, nil
	}
	if err == nil && len(doc.Packed)%packedSize != 0 {
		err = kangma.E(kangma.Internal, "damaged", "a stored document is damaged")
	}
	if err != nil {
		return part{}, version, err
	}
	doc.People = make([]NotGreen, 0, len(doc.Packed)/packedSize)
	for b := range slices.Chunk(doc.Packed, packedSize) {
		g := NotGreen{Person: kangma.PersonID(b[:16]), Home: kangma.Division(binary.BigEndian.Uint32(b[17:]))}
		if b[16] > 0 {
			g.Standing = Standing{Told: true, Colour: kangma.Colour(b[16] - 1)}
		}
		doc.People = append(doc.People, g)
	}
	return doc, version, nil
}

// putPart replaces a part by compare-and-swap. It is derived, so it is not journaled: losing it means that the next sweep
// makes it again.
func (s *Service) putPart(ctx context.Context, p int, next part, version uint64) error {
	next.Packed = make([]byte, 0, packedSize*len(next.People))
	for _, g := range next.People {
		code := byte(0)
		if g.Standing.Told {
			code = 1 + byte(g.Standing.Colour)
		}
		next.Packed = append(append(next.Packed, g.Person[:]...), code)
		next.Packed = binary.BigEndian.AppendUint32(next.Packed, uint32(g.Home))
	}
	data, err := json.Marshal(next)
	if err != nil {
		return err
	}
	return s.cfg.Records.Put(ctx, store.Record{Kind: partKind, ID: partID(p), Version: version + 1, Data: data})
}

// has reports whether the part lists a person.
func (p *part) has(id kangma.PersonID) bool {
	_, found := p.find(id)
	return found
}

func (p *part) find(id kangma.PersonID) (int, bool) {
	return slices.BinarySearchFunc(p.People, id, func(g NotGreen, id kangma.PersonID) int { return bytes.Compare(g.Person[:], id[:]) })
}

// standing gives what the part says of a person. Whom the last whole sweep (zero: none) cannot have seen has none.
func (p *part) standing(d *kangma.Dossier, swept time.Time) Standing {
	at, found := p.find(d.Person)
	switch {
	case found:
		return p.People[at].Standing
	case swept.IsZero() || !d.Registered.Before(swept):
		return Standing{}
	}
	return green
}
