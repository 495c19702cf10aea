package venue

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
)

// Kinds is the closed set of what a venue is.
var Kinds = []string{"mall", "market", "restaurant", "hotel", "transport", "scenic", "forest", "school", "hospital", "pharmacy", "worksite", "office", "other"}

// Modes of a venue's code.
const (
	Screen  = "screen"  // changes every 30 s on a screen: a photo is worth a minute
	Printed = "printed" // on paper: counts only inside the geofence
)

// Venue is one place with a code, as kept in the records (kind "venue").
type Venue struct {
	ID           string            `json:"id"`
	Name         kangma.Text       `json:"name"`
	Kind         string            `json:"kind"`
	District     kangma.Division   `json:"district"`
	Organisation string            `json:"organisation"` // whose accounts show and print its code
	Mode         string            `json:"mode"`
	Centre       *Coordinates      `json:"centre,omitempty"` // of the geofence
	Radius       int               `json:"radius,omitempty"` // metres
	Positioned   bool              `json:"positioned,omitempty"`
	Policy       checkpoint.Policy `json:"policy"`
	Form         []FormField       `json:"form,omitempty"` // what a scenario asks besides
	CheckOut     bool              `json:"check_out,omitempty"`
	Serial       uint32            `json:"serial"` // of the printed code; a reprint voids the one before
	Closed       bool              `json:"closed,omitempty"`
}

const (
	venueKind = "venue"
	minRadius = 20
	maxRadius = 5000
)

// ID length is bounded so that the signed code stays at QR version 9.
var venueID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,23}$`)

// Check reports every fault of a venue.
func (v Venue) Check() error {
	var faults []kangma.Fault
	bad := func(where, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: "venue", What: what})
	}
	if !venueID.MatchString(v.ID) {
		bad("id", "a venue id has 2 to 24 characters of a-z 0-9 -")
	}
	if v.Name.Zh == "" || len(v.Name.Zh) > 200 || len(v.Name.En) > 200 {
		bad("name", "a venue has a name of at most 200 bytes in zh")
	}
	if !slices.Contains(Kinds, v.Kind) {
		bad("kind", fmt.Sprintf("a venue is one of %v", Kinds))
	}
	if v.District.Rank() < kangma.County {
		bad("district", "a venue stands in a county or street of GB/T 2260")
	}
	if v.Mode != Screen && v.Mode != Printed {
		bad("mode", "a venue's code is on a screen or printed")
	}
	if v.Organisation == "" || len(v.Organisation) > 200 {
		bad("organisation", "a venue belongs to an organisation")
	}
	v.checkFence(bad)
	if err := v.gate().Check(); err != nil {
		bad("policy", "the policy is not valid: "+kangma.CodeOf(err))
	}
	checkForm(v.Form, bad)
	if len(faults) > 0 {
		return &kangma.Error{Kind: kangma.Invalid, Code: "venue", Public: "the venue is not valid", Faults: faults}
	}
	return nil
}

func (v Venue) checkFence(bad func(where, what string)) {
	switch {
	case v.Centre == nil && (v.Mode == Printed || v.Positioned):
		bad("centre", "a printed code counts only inside a geofence: give the venue's centre and radius")
	case v.Centre == nil:
		if v.Radius != 0 {
			bad("radius", "a radius belongs to a centre")
		}
	case !v.Centre.valid():
		bad("centre", "a centre has a latitude of -90 to 90 and a longitude of -180 to 180")
	case v.Radius < minRadius || v.Radius > maxRadius:
		bad("radius", "a radius is 20 to 5000 metres")
	}
}

// gate is the venue as the gate that its policy is made for.
func (v Venue) gate() checkpoint.Gate {
	return checkpoint.Gate{ID: GateOf(v.ID, true), Kind: "venue", District: v.District, Policy: v.Policy}
}

// GateOf is the gate id that check-ins at a venue are kept under. An unverified presence has another one, and no district,
// so that no question about the venue or its district finds it.
func GateOf(venue string, verified bool) string {
	if verified {
		return "venue:" + venue
	}
	return "unverified:" + venue
}
