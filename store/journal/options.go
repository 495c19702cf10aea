package journal

import (
	"log/slog"
	"time"

	"github.com/kangma/kangma"
)

// Options of Open. The zero value is a journal on the real disk that never removes anything.
type Options struct {
	FS              FS               // nil: OS
	Now             func() time.Time // nil: time.Now. The only clock; Recorded never goes back even if it does
	MaxSegmentBytes int64            // a segment of this size or more is followed by a new one; 0: 256 MiB
	Retention       time.Duration    // released segments go this long after their last record; 0: never
	ReadOnly        bool             // take no lock, change nothing, refuse Append: for fsck beside a running node
	MaxPendingBytes int              // what writers may have waiting before Append refuses; 0: 64 MiB
	BallastBytes    int64            // kept in a file that is given up first when the disk is full; 0: none
	AheadBytes      int64            // zeros kept in front of the records, while the disk has room, so that few fsyncs have a new size to record; 0: none
	Pace            time.Duration    // least time from one commit of many appends to the next while more come all the time; 0: none
	CheckpointEvery time.Duration    // how often the background notes how far the journal is durable; 0: 1 s
	Alarm           func(Alarm)      // told once of each alarm, from any goroutine; nil: only logged
	Logger          *slog.Logger     // nil: slog.Default
}

// Alarm is something a human must look at.
type Alarm struct {
	Code string // closed set: damage, disk-full, disk-broken, ballast-freed, clock-back
	What string // English, no personal data
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = OS{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxSegmentBytes <= 0 {
		o.MaxSegmentBytes = 256 << 20
	}
	if o.MaxPendingBytes <= 0 {
		o.MaxPendingBytes = 64 << 20
	}
	if o.CheckpointEvery <= 0 {
		o.CheckpointEvery = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

var (
	errReadOnly = kangma.E(kangma.Unavailable, "journal_read_only", "the journal is read-only; repair it (kangma audit fsck) and start again")
	errClosed   = kangma.E(kangma.Unavailable, "journal_closed", "the node is stopping; try another one")
	errBusy     = &kangma.Error{Kind: kangma.Unavailable, Code: "journal_busy", Public: "too many writes are waiting for the disk; try again", RetryAfter: 1}
	errDisk     = &kangma.Error{Kind: kangma.Unavailable, Code: "journal_disk", Public: "the journal cannot be written now; try again", RetryAfter: 1}
	errGiveUp   = kangma.E(kangma.Unavailable, "journal_gave_up", "the caller stopped waiting for the journal; it may have been written")
	errDamaged  = kangma.E(kangma.Unavailable, "journal_damaged", "this part of the journal is damaged; repair it (kangma audit fsck)")
	errGone     = kangma.E(kangma.NotFound, "journal_gone", "this part of the journal is older than what retention kept")
	errInUse    = kangma.E(kangma.Conflict, "journal_in_use", "another process uses this journal; stop it first")
)
