package areas

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/kangma/kangma"
)

// step says: from list number List on, the level is Level, for instance because of area number Cause.
type step struct {
	list  uint32
	cause uint32
	level kangma.Level
}

// noCause marks the steps of a single area, which is known to who asks.
const noCause = ^uint32(0)

// timeline is a range of Table.steps: a step function over list numbers. Before its first step the level is NoLevel.
type timeline struct{ from, to uint32 }

// mergeMax gives the highest level of several step functions at every list. A step ends when the level changes or when
// its cause no longer has it, so that the area named as the cause was listed at that level in all of the step.
func mergeMax(parts [][]step) []step {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	type event struct {
		part uint32
		step
	}
	var events []event
	for i, p := range parts {
		for _, s := range p {
			events = append(events, event{uint32(i), s})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.list, b.list) })
	now := make([]kangma.Level, len(parts))
	var count [kangma.HighLevel + 1]int
	var seen [kangma.HighLevel + 1][]event // who reached a level, newest last; stale entries are dropped when met
	count[kangma.NoLevel] = len(parts)
	var out []step
	level, cause := kangma.NoLevel, uint32(0) // cause is the part that holds the level up
	for i := 0; i < len(events); {
		list := events[i].list
		for ; i < len(events) && events[i].list == list; i++ {
			e := events[i]
			count[now[e.part]]--
			count[e.level]++
			now[e.part] = e.level
			seen[e.level] = append(seen[e.level], e)
		}
		top := kangma.HighLevel
		for top > kangma.NoLevel && count[top] == 0 {
			top--
		}
		if top == level && (top == kangma.NoLevel || now[cause] == top) {
			continue
		}
		level = top
		s := step{list: list, cause: noCause, level: top}
		for k := len(seen[top]); top > kangma.NoLevel && k > 0; k-- {
			if last := seen[top][k-1]; now[last.part] == top {
				s.cause, cause = last.cause, last.part
				break
			}
			seen[top] = seen[top][:k-1]
		}
		out = append(out, s)
	}
	return out
}

// pool keeps every different step function once.
type pool struct {
	steps []step
	seen  map[string]timeline
	buf   []byte
}

func (p *pool) add(steps []step) timeline {
	if len(steps) == 0 {
		return timeline{}
	}
	p.buf = p.buf[:0]
	for _, s := range steps {
		p.buf = binary.LittleEndian.AppendUint32(p.buf, s.list)
		p.buf = binary.LittleEndian.AppendUint32(p.buf, s.cause)
		p.buf = append(p.buf, byte(s.level))
	}
	if t, ok := p.seen[string(p.buf)]; ok {
		return t
	}
	t := timeline{uint32(len(p.steps)), uint32(len(p.steps) + len(steps))}
	p.steps = append(p.steps, steps...)
	p.seen[string(p.buf)] = t
	return t
}
