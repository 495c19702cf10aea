package checkpoint

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/kangma/kangma"
)

// Where people were surely seen is told in the same way as where codes were shown (gossip.go), in a record of its own. A line
// holds the person's pseudonym, as passages do, and no name, number or person id.

const (
	whereKind = "seen-where" // id: the node
	whereSize = len(kangma.Pseudonym{}) + 4 + 4
)

// seenLine is one line: a person in a division.
type seenLine struct {
	who kangma.Pseudonym
	sighting
}

// aliases gives the pseudonyms of a person in a span of time.
type aliases func(person kangma.PersonID, since, until time.Time) []kangma.Pseudonym

// tells notes a sighting for the other nodes. The caller holds the lock.
func (w *Whereabouts) tells(person kangma.PersonID, s sighting) {
	if w.alias == nil || len(w.said) >= 2*maxGossip {
		return
	}
	for _, who := range w.alias(person, s.at, s.at.Add(1)) {
		w.said = append(w.said, seenLine{who, s})
	}
}

// elsewhere gives what other nodes said of a person last. The caller holds the lock.
func (w *Whereabouts) elsewhere(person kangma.PersonID, at time.Time) (last sighting, ok bool) {
	if w.alias == nil {
		return last, false
	}
	for _, who := range w.alias(person, at.Add(-shownLife), at.Add(1)) {
		if s, known := w.others.get(who, at, shownLife); known && (!ok || s.at.After(last.at)) {
			last, ok = s, true
		}
	}
	return last, ok
}

// lately gives what was noted here in the last gossipWindow, and forgets what is older.
func (w *Whereabouts) lately(now time.Time) []seenLine {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := 0
	for i < len(w.said) && now.Sub(w.said[i].at) > gossipWindow {
		i++
	}
	w.said = append(w.said[:0], w.said[max(i, len(w.said)-maxGossip):]...)
	return append([]seenLine(nil), w.said...)
}

// learn takes in what another node saw.
func (w *Whereabouts) learn(lines []seenLine, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range lines {
		if age := now.Sub(l.at); age > shownLife || age < -time.Minute {
			continue
		}
		if before, ok := w.others.get(l.who, now, shownLife); !ok || l.at.After(before.at) {
			w.others.put(l.who, l.sighting, now, shownLife)
		}
	}
}

// exchangeWhere writes what was noted here lately and takes in what was noted elsewhere.
func (s *Service) exchangeWhere(ctx context.Context, node string, now time.Time) error {
	if err := s.writeLines(ctx, whereKind, node, appendSeen(nil, s.where.lately(now))); err != nil {
		return err
	}
	return s.eachLines(ctx, whereKind, node, func(data []byte) { s.where.learn(parseSeen(data), now) })
}

func appendSeen(b []byte, lines []seenLine) []byte {
	for _, l := range lines {
		b = append(b, l.who[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(l.place))
		b = binary.BigEndian.AppendUint32(b, uint32(l.at.Unix()))
	}
	return b
}

func parseSeen(b []byte) (lines []seenLine) {
	for ; len(b) >= whereSize && len(lines) < maxGossip; b = b[whereSize:] {
		lines = append(lines, seenLine{kangma.Pseudonym(b), sighting{kangma.Division(binary.BigEndian.Uint32(b[16:])),
			time.Unix(int64(binary.BigEndian.Uint32(b[20:])), 0).UTC()}})
	}
	return lines
}
