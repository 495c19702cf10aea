package replica

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// progress is what the copy remembers of itself, as a record of its own in the copy.
type progress struct {
	Epoch   string                   `json:"epoch"`   // of the shared records
	Changes [store.Partitions]string `json:"changes"` // as they were when the copying of the partition began
	AsOf    [store.Partitions]int64  `json:"as_of"`   // Unix microseconds of then; 0: never copied as a whole
	Records int64                    `json:"records"` // Unix microseconds of when the records were last copied; 0: never
}

const progressKind, progressID = "copy-progress", "state"

func (c *Copy) load(ctx context.Context) error {
	rec, err := c.local.Records().Get(ctx, progressKind, progressID)
	if errors.Is(err, kangma.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(rec.Data, &c.state); err != nil {
		c.state = progress{} // it is copied anew
		return nil
	}
	for i, at := range c.state.AsOf {
		c.asOf[i].Store(at)
	}
	c.recorded.Store(c.state.Records)
	return nil
}

func (c *Copy) save(ctx context.Context) error {
	data, err := json.Marshal(&c.state)
	if err != nil {
		return err
	}
	return c.local.Copy(ctx, []store.Record{{Kind: progressKind, ID: progressID, Version: 1, Data: data}})
}

func (c *Copy) wanted(kind string) bool {
	return kind != progressKind && !slices.Contains(c.o.Skip, kind)
}

// Run copies until ctx ends. What fails is tried again in the next round; while the shared state does not answer the copy
// stays as it is.
func (c *Copy) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.Round(ctx); err != nil && ctx.Err() == nil {
			c.o.Log.Debug("the state could not be copied now", "err", err)
		}
		c.rest(ctx)
	}
}

// rest waits for the next round and meanwhile puts in what this node writes.
func (c *Copy) rest(ctx context.Context) {
	over := time.NewTimer(c.o.Pause)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case w := <-c.queue:
			if err := c.putIn(ctx, w); err != nil && ctx.Err() == nil {
				c.o.Log.Warn("the copy of the state cannot be written", "err", err)
			}
		}
	}
}

// Round looks at everything once and copies what changed.
func (c *Copy) Round(ctx context.Context) error {
	counted := c.o.Now()
	changes, err := c.shared.Changes(ctx)
	if err != nil {
		return err
	}
	if err := c.sameState(ctx, changes[0]); err != nil {
		return err
	}
	for p, change := range changes {
		switch {
		case change == "": // lost: what the copy has is the best there is
			continue
		case change == c.state.Changes[p] && c.state.AsOf[p] != 0:
			c.state.AsOf[p] = counted.UnixMicro() // nobody had written until then
		default:
			began := c.o.Now()
			if err := c.partition(ctx, p); err != nil {
				return errors.Join(err, c.save(ctx))
			}
			// The count is of before the copying: what was written meanwhile is copied again.
			c.state.Changes[p], c.state.AsOf[p] = change, began.UnixMicro()
		}
		c.asOf[p].Store(c.state.AsOf[p])
	}
	if now := c.o.Now(); now.Sub(timeOf(c.state.Records)) >= recordsRest {
		if err := c.dump(ctx); err != nil {
			return errors.Join(err, c.save(ctx))
		}
		c.state.Records = now.UnixMicro()
		c.recorded.Store(c.state.Records)
	}
	c.rounds.Add(1)
	return c.save(ctx)
}

// sameState forgets the copy where the shared state was made anew: who is in it may not be in the other.
func (c *Copy) sameState(ctx context.Context, change string) error {
	epoch, _, _ := strings.Cut(change, "/")
	if epoch == "" || epoch == c.state.Epoch {
		return nil
	}
	for i := range c.asOf {
		c.asOf[i].Store(0)
	}
	c.recorded.Store(0)
	c.state = progress{Epoch: epoch}
	return c.local.Clear(ctx)
}

// partition copies the people of one partition.
func (c *Copy) partition(ctx context.Context, p int) error {
	var after, last kangma.PersonID
	for i := range last {
		last[i] = 0xff
	}
	last[0] = byte(p)
	if p > 0 { // everybody before the partition is another's affair
		after = last
		after[0]--
	}
	for at := (kangma.PersonID{}); ; {
		page, err := c.shared.Dossiers.Scan(ctx, p, at, pageSize)
		if err != nil {
			return err
		}
		through := last
		if len(page) > 0 {
			through = page[len(page)-1].Person
		}
		if err := c.local.Page(ctx, after, through, page); err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		at, after = through, through
		if err := c.catchUp(ctx, len(page)); err != nil {
			return err
		}
	}
}

// dump copies the records.
func (c *Copy) dump(ctx context.Context) error {
	return c.shared.Records.(store.Dumper).Dump(ctx, func(page []store.Record) error {
		page = slices.DeleteFunc(page, func(r store.Record) bool { return !c.wanted(r.Kind) })
		if len(page) == 0 {
			return nil
		}
		if err := c.local.Copy(ctx, page); err != nil {
			return err
		}
		return c.catchUp(ctx, len(page))
	})
}

// catchUp keeps to the rate and puts in what this node wrote meanwhile.
func (c *Copy) catchUp(ctx context.Context, n int) error {
	for len(c.queue) > 0 {
		if err := c.putIn(ctx, <-c.queue); err != nil {
			return err
		}
	}
	return c.limit.WaitN(ctx, n)
}

// putIn puts one write and those that wait behind it into the copy, unless it has later ones.
func (c *Copy) putIn(ctx context.Context, first written) error {
	all := []written{first}
	for len(all) < batchSize {
		select {
		case w := <-c.queue:
			all = append(all, w)
			continue
		default:
		}
		break
	}
	var dossiers []kangma.Dossier
	var records []store.Record
	for _, w := range all {
		if w.dossier == nil {
			records = append(records, w.record)
			continue
		}
		d, err := wire.DecodeDossier(w.dossier)
		if err != nil {
			return err
		}
		dossiers = append(dossiers, d)
	}
	to := c.local.Loader()
	if err := errors.Join(to.Dossiers(ctx, dossiers...), to.Records(ctx, records...)); err != nil {
		return err
	}
	return c.limit.WaitN(ctx, len(all))
}
