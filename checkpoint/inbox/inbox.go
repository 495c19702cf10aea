// Package inbox is what officials have to read and confirm: who was let into their township, and what went wrong at a
// gate. An item is one record, made once under the id of the event it speaks of, and found by every division that holds
// its place. It holds no name, number or phone: those are opened from the dossier when an official reads the item.
package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Kinds of item.
const (
	Arrival         = "arrival"          // somebody was let in, or sent into home isolation, at a vehicle post
	OfflineConflict = "offline_conflict" // a gate without a network let pass whom the register has red
)

// Status of an item.
const (
	New          = "new"
	Acknowledged = "acknowledged"
)

const recordKind = "inbox" // id: the event's id, so a list is in order of time

// Item is one thing to read. District is where it belongs: the receiving township, or the gate's division.
type Item struct {
	Kind     string          `json:"kind"`
	Event    kangma.EventID  `json:"event"`
	At       time.Time       `json:"at"`
	Gate     string          `json:"gate"`
	District kangma.Division `json:"district"`
	Operator string          `json:"operator"`
	Reason   string          `json:"reason"` // code: the rule that decided, or why a code was bad
	Person   kangma.PersonID `json:"person,omitzero"`

	Decision  string       `json:"decision,omitempty"`  // of an arrival: pass or home-isolate
	Entry     string       `json:"entry,omitempty"`     // of an arrival: the vehicle entry
	Infant    bool         `json:"infant,omitempty"`    // an infant without a document: Person is who answers for it
	Community string       `json:"community,omitempty"` // of an arrival: where they go, as declared
	Guidance  *kangma.Text `json:"guidance,omitempty"`

	Status       string    `json:"status"`
	Account      string    `json:"account,omitempty"` // who acknowledged
	Organisation string    `json:"organisation,omitempty"`
	Confirmed    time.Time `json:"acknowledged_at,omitzero"`
}

// index lets every division that holds the item's place list it, by status: one index a rank.
func (i Item) index() map[string]string {
	ix := map[string]string{"status": i.Status, "district": i.District.String()}
	for name, d := range map[string]kangma.Division{"in-province": i.District.Province(), "in-city": i.District.City(), "in-county": i.District.County()} {
		if d.Rank() != kangma.NoDivision {
			ix[name] = i.Status + "/" + d.String()
		}
	}
	if i.District.Rank() == kangma.Street {
		ix["in-street"] = i.Status + "/" + i.District.String()
	}
	return ix
}

// Put stores items that are not there yet, each once by its event. A retry changes nothing, not even after somebody has
// acknowledged the item.
func Put(ctx context.Context, r *registry.Service, items ...Item) error {
	for _, it := range items {
		it.Status = New
		data, err := json.Marshal(it)
		if err != nil {
			return err
		}
		if err := r.PutOnce(ctx, store.Record{Kind: recordKind, ID: it.Event.String(), Data: data, Index: it.index()}); err != nil {
			return err
		}
	}
	return nil
}

// Query asks for a page of items.
type Query struct {
	Within []kangma.Division // the divisions looked after; none: everywhere
	Status string            // New or Acknowledged
	After  string            // cursor of the page before
	Limit  int               // 1 to 200
}

var (
	errCursor = kangma.E(kangma.Invalid, "cursor", "this is not the cursor of an earlier page")
	errNoItem = kangma.E(kangma.NotFound, "no_inbox_item", "there is no such item in your inbox")
)

// List gives a page of items, oldest first within each division asked for, and the cursor to go on with ("" at the end).
// A division inside another one that is asked for too is listed with that one only.
func List(ctx context.Context, r store.Records, q Query) (items []Item, next string, err error) {
	within := outermost(q.Within)
	at, after := 0, ""
	if q.After != "" {
		head, rest, ok := strings.Cut(q.After, ".")
		if at, err = strconv.Atoi(head); err != nil || !ok || at < 0 || at >= max(1, len(within)) {
			return nil, "", errCursor
		}
		after = rest
	}
	for ; at < max(1, len(within)) && len(items) < q.Limit; at++ {
		rq := store.RecordQuery{Kind: recordKind, Index: "status", Value: q.Status, After: after, Limit: q.Limit - len(items)}
		if len(within) > 0 {
			rq.Index, rq.Value = indexOf(within[at]), q.Status+"/"+within[at].String()
		}
		recs, more, err := r.List(ctx, rq)
		if err != nil {
			return nil, "", err
		}
		for _, rec := range recs {
			it, err := decode(rec)
			if err != nil {
				return nil, "", err
			}
			items = append(items, it)
		}
		if more != "" {
			return items, strconv.Itoa(at) + "." + more, nil
		}
		after = ""
	}
	if at < len(within) { // the page is full and a division is left
		next = strconv.Itoa(at) + "."
	}
	return items, next, nil
}

func indexOf(d kangma.Division) string {
	switch d.Rank() {
	case kangma.Province:
		return "in-province"
	case kangma.City:
		return "in-city"
	case kangma.County:
		return "in-county"
	}
	return "in-street"
}

// outermost leaves out divisions that lie in another one, so that nothing is listed twice.
func outermost(all []kangma.Division) (out []kangma.Division) {
	for i, d := range all {
		inside := slices.Contains(all[:i], d) || slices.ContainsFunc(all, func(o kangma.Division) bool { return o != d && o.Contains(d) })
		if !inside {
			out = append(out, d)
		}
	}
	return out
}

func decode(rec store.Record) (it Item, err error) {
	if err := json.Unmarshal(rec.Data, &it); err != nil {
		return it, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return it, nil
}

// Get reads one item of these divisions. kangma.NotFound: none, or elsewhere.
func Get(ctx context.Context, r store.Records, id kangma.EventID, within []kangma.Division) (Item, uint64, error) {
	rec, err := r.Get(ctx, recordKind, id.String())
	if errors.Is(err, kangma.NotFound) {
		return Item{}, 0, errNoItem
	}
	if err != nil {
		return Item{}, 0, err
	}
	it, err := decode(rec)
	if err == nil && len(within) > 0 && !slices.ContainsFunc(within, func(d kangma.Division) bool { return d.Contains(it.District) }) {
		return Item{}, 0, errNoItem
	}
	return it, rec.Version, err
}

// Acknowledge marks an item as read by somebody, durably, and returns it. Who was first stays: a second acknowledgement
// changes nothing and shows the first.
func Acknowledge(ctx context.Context, s *registry.Service, id kangma.EventID, within []kangma.Division, by registry.Actor) (Item, error) {
	for {
		it, version, err := Get(ctx, s.Records(), id, within)
		if err != nil || it.Status == Acknowledged {
			return it, err
		}
		it.Status, it.Account, it.Organisation, it.Confirmed = Acknowledged, by.Account, by.Organisation, s.Now().UTC()
		data, err := json.Marshal(it)
		if err != nil {
			return it, err
		}
		err = s.PutRecord(ctx, store.Record{Kind: recordKind, ID: id.String(), Version: version + 1, Data: data, Index: it.index()})
		if !errors.Is(err, kangma.Conflict) {
			return it, err
		}
	}
}
