package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/checkpoint/venue"
)

// otherCode explains a code of ours that is no health code.
type otherCode struct {
	Format  string    `json:"format"`
	Kind    string    `json:"kind"`
	Venue   string    `json:"venue,omitempty"`
	Serial  uint32    `json:"serial,omitempty"`
	Entry   string    `json:"entry,omitempty"`
	Issued  time.Time `json:"issued,omitzero"`
	Expires time.Time `json:"expires"`
	Length  int       `json:"length"`
	Trusted bool      `json:"trusted"` // always false: nothing was verified
}

// inspectOther explains venue codes and vehicle passes; shown is false for every other text.
func inspectOther(w *world, text string) (shown bool, err error) {
	var o otherCode
	if c, ok := venue.Inspect(text); ok {
		o = otherCode{Format: "KML", Kind: "venue code on a screen", Venue: c.Venue, Serial: c.Serial, Issued: c.Issued, Expires: c.Expires}
		if c.Serial != 0 {
			o.Kind = "printed venue code"
		}
	} else if p, err := entry.ParsePass(text); err == nil {
		o = otherCode{Format: "KMV", Kind: "vehicle pass", Entry: p.Entry.String(), Issued: p.Entry.Time(), Expires: p.Expires}
	} else {
		return false, nil
	}
	o.Length = len(text)
	if w.JSON {
		return true, json.NewEncoder(w.out).Encode(o)
	}
	line := func(what string, v any) { fmt.Fprintf(w.out, "%-16s %v\n", what, v) }
	line("format", o.Format)
	line("kind", o.Kind)
	if o.Venue != "" {
		line("venue", o.Venue)
	}
	if o.Serial != 0 {
		line("printing no.", o.Serial)
	}
	if o.Entry != "" {
		line("entry", o.Entry)
	}
	line("issued", o.Issued.Format(time.RFC3339))
	line("expires", o.Expires.Format(time.RFC3339))
	line("characters", o.Length)
	_, err = fmt.Fprintln(w.out, "NOT verified: only the server does that")
	return true, err
}
