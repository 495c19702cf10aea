package ship

import (
	"log/slog"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Config of a Shipper. Node, Journal and Warehouse are required.
type Config struct {
	Node      string          // the journal's name in the warehouse
	Journal   store.Journal   // one that also has First and Last is watched for having been rolled back
	Warehouse store.Warehouse // the only one to load this node's batches

	BatchSize   int           // positions a batch: batches end at multiples of it; 0: 50,000
	Linger      time.Duration // how long a batch that is not full waits for more; 0: 1 s
	MinInterval time.Duration // between the beginnings of two loads; 0: none
	LoadTimeout time.Duration // of one Load; 0: 2 min
	RetryMin    time.Duration // first wait after a failure, doubled up to RetryMax; 0: 100 ms
	RetryMax    time.Duration // 0: 30 s
	StallAfter  time.Duration // without progress although there is something to load: alarm; 0: 5 min
	HighWater   uint64        // entries not loaded: alarm; 0: 10,000,000

	// Busy reports whether loading would now be at the cost of somebody more urgent. While it does, what is to be loaded waits in the
	// journal, so that a short rush costs nothing here and a long one is loaded in full batches, but never longer than StandBack, nor
	// once there are StandMost entries; what Drain asks for does not wait, nor do fewer than Few entries. nil: nobody is.
	Busy      func() bool
	Few       uint64        // 0: 2,000
	StandBack time.Duration // 0: 1 min
	StandMost uint64        // 0: 1,000,000

	// Others says up to where all other consumers of the journal are; nil: there are none. The journal is released up to
	// what everybody has.
	Others func() store.Position
	// Decode gives the passage of an EventPassage; nil: wire.DecodePassage.
	Decode func(kangma.Event) (kangma.Passage, error)
	Alarm  func(Alarm)      // told once of each alarm, from any goroutine; nil: only logged
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default
}

// Alarm is something a human must look at.
type Alarm struct {
	Code string // closed set: stalled, high-water, undecodable, gap, rolled-back
	What string // English, no personal data
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&c.Linger, time.Second)
	set(&c.LoadTimeout, 2*time.Minute)
	set(&c.RetryMin, 100*time.Millisecond)
	set(&c.RetryMax, 30*time.Second)
	set(&c.StallAfter, 5*time.Minute)
	set(&c.StandBack, time.Minute)
	if c.BatchSize <= 0 {
		c.BatchSize = 50_000
	}
	if c.Few == 0 {
		c.Few = 2_000
	}
	if c.StandMost == 0 {
		c.StandMost = 1_000_000
	}
	if c.HighWater == 0 {
		c.HighWater = 10_000_000
	}
	if c.Decode == nil {
		c.Decode = func(e kangma.Event) (kangma.Passage, error) { return wire.DecodePassage(e.Data) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// bounds is what a journal may tell of itself beyond its contract.
type bounds interface {
	First() store.Position
	Last() store.Position
}
