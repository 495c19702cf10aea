package api

import (
	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// faultOf turns one error of a constructor into a fault at a place.
func faultOf(where string, err error) kangma.Fault {
	p := asProblem(err)
	return kangma.Fault{Where: where, Code: p.Code, What: p.Detail}
}

// invalid makes one error of all faults; nil when there are none. The code is that of the first fault.
func invalid(faults []kangma.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &kangma.Error{Kind: kangma.Invalid, Code: faults[0].Code, Public: faults[0].What, Faults: faults}
}

// knownDivision reads a division that exists.
func knownDivision(text string) (kangma.Division, error) {
	d, err := kangma.ParseDivision(text)
	if err != nil {
		return 0, err
	}
	if !divisions.Exists(d) {
		return 0, kangma.E(kangma.Invalid, "unknown_division", "there is no such division in GB/T 2260")
	}
	return d, nil
}

// eventID gives the event id of a write: from the body, else from the Idempotency-Key header, else a new one.
func (s *Server) eventID(body, header string) (kangma.EventID, error) {
	for _, text := range []string{body, header} {
		if text != "" {
			return kangma.ParseEventID(text)
		}
	}
	return kangma.NewEventID(s.auth.now()), nil
}
