package checkpoint

import (
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/facts"
)

// Facts is all a decision rests on.
type Facts struct {
	Assessment     kangma.Assessment
	LatestNegative time.Time // zero: none known
	Temperature    int       // tenths of °C; 0: not taken
	At             time.Time
	Direction      string // in, out or ""

	Known    bool // the dossier was read; without a network doses and trips are not known
	Doses    int  // of vaccine
	LastDose time.Time
	Trips    []Trip
}

// Trip is one place somebody was in, and until when as far as known.
type Trip struct {
	Division kangma.Division
	Until    time.Time
}

// FactsOf gathers the facts of a dossier (nil: nobody registered here) that decisions ask for.
func FactsOf(a kangma.Assessment, d *kangma.Dossier, at time.Time) Facts {
	f := Facts{Assessment: a, At: at}
	if d == nil {
		return f
	}
	standing := facts.Standing(d.Evidence)
	f.Known, f.LatestNegative = true, registry.LatestNegativeOf(standing)
	for _, e := range standing {
		switch {
		case e.Observed.After(at):
		case e.Vaccination != nil:
			f.Doses = max(f.Doses, e.Vaccination.Dose)
			if e.Observed.After(f.LastDose) {
				f.LastDose = e.Observed
			}
		case e.Stay != nil:
			until := e.Stay.To
			if until.IsZero() || until.After(at) {
				until = at
			}
			f.Trips = append(f.Trips, Trip{e.Stay.Place.Division, until})
		case e.Trip != nil:
			arrived := e.Trip.Arrived
			if arrived.IsZero() {
				arrived = e.Trip.Departed
			}
			f.Trips = append(f.Trips, Trip{e.Trip.From.Division, e.Trip.Departed}, Trip{e.Trip.To.Division, arrived})
		}
	}
	return f
}
