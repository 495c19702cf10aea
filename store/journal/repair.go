package journal

import (
	"context"
	"errors"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Source gives entries with positions in [from, to], in order, as many as it has: from a backup, from another copy, or
// made again from the rows of the warehouse. An entry whose Recorded is zero gets the time of its neighbour.
type Source func(ctx context.Context, from, to store.Position) ([]store.Entry, error)

// RepairReport says what Repair did.
type RepairReport struct {
	Damage      []Damage
	Rebuilt     []string // segments written anew; the old files lie in quarantine/
	Proven      int      // entries put back whose chain proves that they are the ones first written
	Trusted     int      // entries put back on the word of the source alone; they are marked
	Lost        int      // positions nobody could give back; After gives an EventLost there
	Quarantined []string
}

// Repair puts a damaged journal in order. Damaged files are copied to quarantine/ and then replaced; nothing is deleted.
// sources are asked in turn for what is missing. Where the hash chain closes over what they gave, it is proven to be what
// was first written; otherwise it is marked as restored, which fsck shows for ever. Positions that no source has are an
// error of kind kangma.Unavailable and nothing is changed, unless giveUp says to mark them as lost. No process may have
// the journal open (kangma.Conflict).
func Repair(ctx context.Context, dir string, opt Options, giveUp bool, sources ...Source) (RepairReport, error) {
	opt.ReadOnly = false
	r := repairer{j: &Journal{dir: dir, opt: opt.withDefaults()}, ctx: ctx, sources: sources, giveUp: giveUp}
	defer r.j.release()
	if err := r.run(); err != nil {
		return RepairReport{}, err
	}
	return r.report, nil
}

type repairer struct {
	j       *Journal
	ctx     context.Context
	sources []Source
	giveUp  bool
	report  RepairReport

	next     store.Position // to be written
	chain    chain
	recorded int64
	rebuilt  []rebuilt
	open     bool // whether the last rebuilt segment may get more
}

// rebuilt is a segment in memory.
type rebuilt struct {
	head header
	raw  []byte
}

func (r *repairer) run() error {
	j := r.j
	if err := j.takeDir(); err != nil {
		return err
	}
	scans, err := j.load()
	if err != nil {
		return err
	}
	j.join(scans)
	r.report.Damage = j.damage
	if len(j.damage) == 0 {
		return nil
	}
	r.next = j.oldest
	if j.oldest == 1 {
		r.chain = genesis(j.id)
	} else if len(scans) > 0 {
		r.chain = scans[0].head.Prev
	}
	for _, s := range scans {
		if err := r.segment(s); err != nil {
			return err
		}
	}
	if err := r.stretch(j.ckpt.Durable+1, forever, nil, nil); err != nil {
		return err
	}
	if slices.ContainsFunc(j.damage, func(d Damage) bool { return d.Reason == "checkpoint" }) {
		if err := r.extend(); err != nil {
			return err
		}
	}
	return r.replace()
}

// segment takes over a segment as it is, or rebuilds it.
func (r *repairer) segment(s named) error {
	if s.head.First < r.next {
		return kangma.E(kangma.Conflict, "journal_overlap", "two segments of the journal hold the same positions; take "+s.name+" away by hand")
	}
	latest, link := s.head.Recorded, &s.head.Prev
	if !s.headOK {
		latest, link = s.earliest, nil
	}
	if err := r.stretch(s.head.First, latest, nil, link); err != nil {
		return err
	}
	sound := s.headOK && s.head.Journal == r.j.id && s.head.Prev == r.chain && len(s.damage) == 0 && !s.torn
	if !sound {
		return r.rebuild(s)
	}
	r.next, r.chain, r.recorded, r.open = s.head.First+store.Position(s.count), s.chain, s.recorded, false
	return nil
}

// rebuild writes a segment anew from its good records and what the sources give for those between. What is missing at its
// end is put back by the next stretch.
func (r *repairer) rebuild(s named) error {
	r.begin(s.head.Day)
	return r.goodRecords(s, func(rec record) error {
		at := s.head.First + store.Position(rec.index())
		if err := r.stretch(at, rec.recorded(), rec, nil); err != nil {
			return err
		}
		c := record(slices.Clone(rec))
		if stored := rec.chain(); c.flags()&flagAdopted == 0 && r.chain.next(c.body()) != stored {
			copy(c.body()[atChain:], stored[:])
			c.body()[atFlags] |= flagAdopted
			stamp(c)
		}
		r.take(c)
		return nil
	})
}

// begin starts a segment at r.next.
func (r *repairer) begin(day uint32) {
	h := header{Journal: r.j.id, First: r.next, Recorded: r.recorded, Day: day, Prev: r.chain}
	r.rebuilt, r.open = append(r.rebuilt, rebuilt{head: h, raw: h.encode()}), true
}

// take appends a finished record and goes on behind it.
func (r *repairer) take(rec record) {
	out := &r.rebuilt[len(r.rebuilt)-1]
	out.raw = append(out.raw, rec...)
	r.next++
	r.chain, r.recorded = rec.chain(), rec.recorded()
}

// goodRecords walks a segment once more and gives its good records.
func (r *repairer) goodRecords(s named, each func(record) error) error {
	var failed error
	_, err := scanFile(r.j.opt.FS, r.j.dir, s, func(rec record) {
		if failed == nil {
			failed = each(rec)
		}
	})
	return errors.Join(err, failed)
}
