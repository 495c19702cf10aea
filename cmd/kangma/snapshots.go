package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/snapshot"
)

// snapshots gives the folder of the data folder's snapshots.
func (c *cli) snapshots(key snapshot.Key) snapshot.Folder {
	dir := c.Snapshots
	if dir == "" {
		dir = filepath.Join(c.Data, "snapshots")
	}
	return snapshot.Folder{Dir: dir, Key: key}
}

// snapshotter writes a sealed copy of the state now and then, and says up to where the journal is in those that are kept: what is also in
// the warehouse and old enough may go.
type snapshotter struct {
	folder   snapshot.Folder
	node     string
	src      snapshot.Source
	every    time.Duration
	yield    func(context.Context) error // see snapshot.Options; nil: nobody is more urgent
	log      *slog.Logger
	release  func(context.Context) error // lets the journal go up to what everybody has
	released atomic.Uint64
	newest   atomic.Int64 // when the newest was begun, Unix seconds; 0: there is none
}

// restOf is how long a copy rests for each second it works: it takes a quarter of a processor.
const restOf = 3

// snapshotShare is the part of the time that a copy has at least, its rests counted as work: in all one in spareShare.
const snapshotShare = spareShare / (1 + restOf)

func (s *stack) newSnapshotter(c *cli, every time.Duration, log *slog.Logger) (*snapshotter, error) {
	key, err := s.copyKey()
	if err != nil {
		return nil, err
	}
	n := &snapshotter{folder: c.snapshots(key), node: c.Node, every: every, log: log, release: s.release,
		src: snapshot.Source{Dossiers: s.dossiers, Records: s.records}}
	return n, n.look()
}

// look reads what the folder has; another node may have added to it.
func (n *snapshotter) look() error {
	all, err := n.folder.List()
	if err != nil {
		return err
	}
	if len(all) > 0 {
		n.newest.Store(all[0].Head.Created.Unix())
	}
	pos, err := n.folder.Released(n.node)
	if err == nil {
		n.released.Store(uint64(pos))
	}
	return err
}

// Released is up to where the journal is in the snapshots that are kept.
func (n *snapshotter) Released() store.Position { return store.Position(n.released.Load()) }

// age is how old the newest snapshot is; 0: there is none.
func (n *snapshotter) age(now time.Time) time.Duration {
	if at := n.newest.Load(); at > 0 {
		return max(now.Sub(time.Unix(at, 0)), time.Second)
	}
	return 0
}

// run adds a snapshot whenever the newest is too old, until ctx is done.
func (n *snapshotter) run(ctx context.Context) {
	look := min(max(n.every/20, 100*time.Millisecond), time.Minute)
	for wait := look; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = look
		if err := n.step(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("no snapshot could be made; the journal keeps everything until one is", "err", err)
			wait = max(look, time.Minute)
		}
	}
}

func (n *snapshotter) step(ctx context.Context) error {
	if err := n.look(); err != nil {
		return err
	}
	began := time.Now()
	if age := n.age(began); age > 0 && age < n.every {
		return nil
	}
	e, sum, err := n.folder.Add(ctx, snapshot.Head{Node: n.node, Created: began.UTC()}, n.src, snapshot.Options{Rest: restOf, Yield: n.yield})
	if err != nil {
		return err
	}
	n.log.Info("snapshot", "name", e.Name, "people", sum.People, "bytes", sum.Bytes, "took", time.Since(began).Round(time.Millisecond))
	if err := n.look(); err != nil {
		return err
	}
	return n.release(ctx)
}
