package checkpoint

import (
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// Offline decides at one gate without a network. It verifies by signature and does not learn the person.
type Offline struct {
	bundle Bundle
	keys   *codegen.Keyring
	shown  Shown

	mu    sync.Mutex
	state GateState
}

// NewOffline makes the gate of a bundle; a newer bundle makes a new one. kangma.Invalid: a key in it cannot be used.
func NewOffline(b Bundle) (*Offline, error) {
	keys, err := b.Trust.Keyring(0)
	if err != nil {
		return nil, err
	}
	state, err := GateState{}.take(b)
	return &Offline{bundle: b, keys: keys, state: state}, err
}

// Resume goes on from what the gate has kept: it refuses a bundle older than one it has had, and a clock that was turned
// back is noticed. kangma.Conflict: the bundle goes back.
func (o *Offline) Resume(st GateState) error {
	next, err := st.take(o.bundle)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.state = next
	return nil
}

// State is what the gate keeps on its disk, after each scan and each new bundle.
func (o *Offline) State() GateState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state
}

// observe takes a reading of the gate's clock.
func (o *Offline) observe(at time.Time) kangma.CannotTell {
	o.mu.Lock()
	defer o.mu.Unlock()
	clock, tell := o.state.Clock.Observe(at, codegen.DefaultSkew)
	o.state.Clock = clock
	return tell
}

// recall says whether the proof was seen before the device was last started, and remembers it for the next start.
func (o *Offline) recall(c *codegen.Claims, event kangma.EventID, at time.Time) (replayed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.state.Marks, replayed = o.state.Marks.note(c, event, at)
	return replayed
}

// Ages is how old the gate's data are; staff see it. Amber says that they should be renewed: over half an hour.
type Ages struct {
	Bundle time.Duration `json:"bundle"`
	Trust  time.Duration `json:"trust_list"`
	Status time.Duration `json:"status_list"` // negative: there is none
	Amber  bool          `json:"amber"`
}

// Ages tells how old the gate's data are at a moment.
func (o *Offline) Ages(at time.Time) Ages {
	a := Ages{Bundle: at.Sub(o.bundle.Issued), Trust: at.Sub(o.bundle.Trust.Issued), Status: -1}
	if o.bundle.Status != nil {
		a.Status = o.bundle.Status.Age(at)
	}
	a.Amber = a.Bundle > amberAge || a.Status > amberAge || a.Status < 0
	return a
}

const amberAge = 30 * time.Minute

// Scan verifies and decides at the moment at. The passage has the id and time of the verdict; the device keeps it sealed
// (Seal) until Sync has taken it. in.Gate is not looked at: the gate is the bundle's.
func (o *Offline) Scan(in Scan, at time.Time) (kangma.Verdict, kangma.Passage, error) {
	if err := in.check(); err != nil {
		return kangma.Verdict{}, kangma.Passage{}, err
	}
	at = at.UTC().Truncate(time.Millisecond) // as the event's id has it
	if in.Event.IsZero() {
		in.Event = kangma.NewEventID(at)
	}
	g, flags := o.bundle.Gate, []string{FlagOffline}
	a, claims, stale := o.assess(in, at)
	if stale {
		flags = append(flags, FlagStale)
	}
	var good codegen.Claims
	if a.Told {
		good = claims
	}
	before := o.recall(&good, in.Event, at) // also after a bad code: what is over is forgotten
	if a.Told {
		replayed, odd := o.shown.note(&claims, g, in.Event, at)
		if before && !replayed {
			replayed, odd = true, append(odd, FlagReplay)
		}
		if flags = append(flags, odd...); replayed {
			a = kangma.Assessment{CannotTell: kangma.TellReplayed}
		}
	}
	out := Decide(g.Policy, Facts{Assessment: a, LatestNegative: claims.LatestNegative, Temperature: in.Temperature, At: at, Direction: in.Direction})
	v := kangma.Verdict{
		Event: in.Event, At: at, Decision: out.Decision, Told: a.Told, Colour: a.Colour, Reason: out.Reason,
		Why: out.Why, Guidance: out.Guidance, MaskedName: claims.MaskedName, IDTail: claims.IDTail, Flags: flags,
	}
	if !a.Told {
		v.CannotTell = kangma.CannotTell(out.Reason)
	}
	return v, kangma.Passage{
		ID: in.Event, At: at, Gate: g.ID, GateKind: g.Kind, District: g.District, Operator: in.Operator, Told: a.Told, Colour: a.Colour,
		Decision: out.Decision, Reason: out.Reason, Verified: "offline", Direction: in.Direction, Temperature: in.Temperature, Flags: flags,
	}, nil
}

// assess says what the code says, as far as the bundle lets it be believed.
func (o *Offline) assess(in Scan, at time.Time) (a kangma.Assessment, c codegen.Claims, stale bool) {
	untold := func(why kangma.CannotTell) kangma.Assessment { return kangma.Assessment{CannotTell: why} }
	switch {
	case at.Before(o.bundle.Issued.Add(-codegen.DefaultSkew)) || o.observe(at) != "":
		return untold(kangma.TellClock), c, false
	case !at.Before(o.bundle.Expires):
		return untold(kangma.TellStaleGate), c, true
	}
	c, bad := o.keys.Verify(in.Code, at)
	if bad == "" {
		bad = in.answered(o.bundle.Gate.Policy, &c)
	}
	if bad != "" {
		return untold(bad), c, false
	}
	list := o.bundle.Status
	if list != nil && !at.Before(list.Expires) {
		list = nil
	}
	if list != nil && list.Hit(c.ID) || list == nil && c.Kind == codegen.Paper {
		return untold(kangma.TellCheckOnline), c, false // a hit may be chance: never red by itself
	}
	colour := c.Colour
	if c.Kind == codegen.Paper {
		colour = kangma.Green // a paper code carries no colour; that it is not on the list is certain
	}
	a = kangma.Assessment{Told: true, At: at, Colour: colour}
	if colour != kangma.Green {
		a.Assignments = []kangma.Assignment{offlineColour(colour)}
	}
	return a, c, false
}
