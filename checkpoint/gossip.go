package checkpoint

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store"
)

// Nodes tell each other where codes were shown, so that a copied code is noticed at whichever node the second gate asks. A scan
// only adds a line to a list; every two seconds a node writes the lines of the last ten into one record of its own and reads those
// of the others. Two shows within these seconds at two nodes are noticed when the lines meet, and logged. A line names no person:
// the id of a code is random, and new with each code.

const (
	gossipKind   = "shown-codes" // id: the node
	gossipSize   = len(codegen.CodeID{}) + 4 + 4 + 4
	gossipWindow = 10 * time.Second
	maxGossip    = 1 << 17 // lines of one record: 3 MB

	// GossipEvery is how often to call Exchange.
	GossipEvery = 2 * time.Second
)

// sighted is one line: a code at a gate.
type sighted struct {
	code  codegen.CodeID
	place kangma.Division
	at    time.Time
	gate  uint32
}

// hashOf is FNV-1a (32 bits), in place: it is on the way of every scan.
func hashOf(gate string) uint32 {
	h := uint32(2166136261)
	for i := range len(gate) {
		h = (h ^ uint32(gate[i])) * 16777619
	}
	return h
}

// ShareShown makes the flag travel know the gates of all nodes that have the same records, and Whereabouts the places. Call it before
// the service is in use, and Exchange every GossipEvery.
func (s *Service) ShareShown() {
	s.shown.tell = true
	s.where.alias = s.registry.Sealer().Pseudonyms
}

// Exchange writes what was shown here lately and takes in what was shown elsewhere. It returns how many codes turned out to have
// been at two gates sooner than anybody travels, of which neither scan could know.
func (s *Service) Exchange(ctx context.Context, node string) (late int, err error) {
	now := s.registry.Now().UTC()
	if err := s.writeLines(ctx, gossipKind, node, appendSighted(nil, s.shown.lately(now))); err != nil {
		return 0, err
	}
	err = s.eachLines(ctx, gossipKind, node, func(data []byte) { late += s.shown.learn(parseSighted(data), now) })
	if err != nil {
		return late, err
	}
	return late, s.exchangeWhere(ctx, node, now)
}

// eachLines reads what the other nodes wrote.
func (s *Service) eachLines(ctx context.Context, kind, node string, f func(data []byte)) error {
	for after := ""; ; {
		recs, next, err := s.registry.Records().List(ctx, store.RecordQuery{Kind: kind, After: after, Limit: 100})
		if err != nil {
			return err
		}
		for _, rec := range recs {
			if rec.ID != node {
				f(rec.Data)
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

// writeLines replaces what this node tells the others.
func (s *Service) writeLines(ctx context.Context, kind, node string, data []byte) error {
	rec, err := s.registry.Records().Get(ctx, kind, node)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return err
	}
	if len(data) == 0 && len(rec.Data) == 0 {
		return nil
	}
	err = s.registry.Records().Put(ctx, store.Record{Kind: kind, ID: node, Version: rec.Version + 1, Data: data})
	if errors.Is(err, kangma.Conflict) { // another process of the same name: next time
		return nil
	}
	return err
}

// lately gives what was shown here in the last gossipWindow, and forgets what is older.
func (s *Shown) lately(now time.Time) []sighted {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := 0
	for i < len(s.said) && now.Sub(s.said[i].at) > gossipWindow {
		i++
	}
	s.said = append(s.said[:0], s.said[max(i, len(s.said)-maxGossip):]...)
	return append([]sighted(nil), s.said...)
}

// learn takes in what another node saw.
func (s *Shown) learn(lines []sighted, now time.Time) (late int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range lines {
		if age := now.Sub(l.at); age > shownLife || age < -time.Minute {
			continue
		}
		before, ok := s.codes.get(l.code, now, shownLife)
		if ok && before.hash == l.gate && !l.at.After(before.at) {
			continue // known already
		}
		newer := !l.at.Before(before.at.Truncate(time.Second)) // where it is older, the other node counts it
		if ok && newer && before.hash != l.gate && l.at.Sub(before.at).Abs() < leastTravel(before.place, l.place) {
			late++
		}
		if !ok || newer {
			s.codes.put(l.code, showing{place: l.place, at: l.at, hash: l.gate}, now, shownLife)
		}
	}
	return late
}

func appendSighted(b []byte, lines []sighted) []byte {
	for _, l := range lines {
		b = append(b, l.code[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(l.place))
		b = binary.BigEndian.AppendUint32(b, uint32(l.at.Unix()))
		b = binary.BigEndian.AppendUint32(b, l.gate)
	}
	return b
}

func parseSighted(b []byte) (lines []sighted) {
	for ; len(b) >= gossipSize && len(lines) < maxGossip; b = b[gossipSize:] {
		lines = append(lines, sighted{codegen.CodeID(b), kangma.Division(binary.BigEndian.Uint32(b[12:])),
			time.Unix(int64(binary.BigEndian.Uint32(b[16:])), 0).UTC(), binary.BigEndian.Uint32(b[20:])})
	}
	return lines
}
