package venue

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

var (
	errNoVisit    = kangma.E(kangma.NotFound, "no_check_in", "there is no such check-in of yours at this venue")
	errCheckedOut = kangma.E(kangma.Conflict, "checked_out", "this check-in is checked out already")
	errNotThere   = kangma.E(kangma.Conflict, "not_verified", "this presence was not verified; there is nothing to check out of")
)

// CheckOut ends a verified check-in of a person and everybody who came along: one passage each, durable before it answers.
// The same event again changes nothing; another one is errCheckedOut.
func (s *Service) CheckOut(ctx context.Context, venue string, checkIn, event kangma.EventID, person kangma.PersonID) (*Visit, error) {
	now := s.registry.Now().UTC()
	switch {
	case event.Time().IsZero():
		return nil, kangma.E(kangma.Invalid, "bad_id", "an id is 8-4-4-4-12 lower-case hexadecimal digits")
	case event.Time().After(now.Add(screenSkew)):
		return nil, errEventFuture
	}
	v, err := s.Get(ctx, venue)
	if err != nil {
		return nil, err
	}
	for {
		rec, err := s.registry.Records().Get(ctx, visitKind, checkIn.String())
		if errors.Is(err, kangma.NotFound) {
			return nil, errNoVisit
		}
		if err != nil {
			return nil, err
		}
		visit, err := decodeVisit(rec)
		switch {
		case err != nil:
			return nil, err
		case visit.Venue != venue || visit.People[0].Pseudonym != s.registry.Sealer().Pseudonym(person, visit.At):
			return nil, errNoVisit
		case visit.Presence != Verified:
			return nil, errNotThere
		case !visit.Out.IsZero() && visit.Out != event:
			return nil, errCheckedOut
		case visit.Out == event: // a retry
			if err := s.registry.JournalRecord(ctx, rec); err != nil {
				return nil, err
			}
			return visit, s.leave(ctx, v, visit)
		}
		visit.Out, visit.OutAt = event, moment(event, now)
		if visit.OutAt.Before(visit.At) {
			visit.OutAt = now
		}
		data, err := json.Marshal(visit)
		if err != nil {
			return nil, err
		}
		err = s.registry.PutRecord(ctx, store.Record{Kind: visitKind, ID: rec.ID, Version: rec.Version + 1, Data: data})
		if err == nil {
			return visit, s.leave(ctx, v, visit)
		}
		if !errors.Is(err, kangma.Conflict) {
			return nil, err
		}
	}
}

// leave writes one passage for each of a visit, on the way out.
func (s *Service) leave(ctx context.Context, v Venue, visit *Visit) error {
	passages := make([]kangma.Passage, len(visit.People))
	for i := range visit.People {
		k := visit.People[i]
		k.Event, k.Decision, k.Reason = personEvent(visit.Out, i), kangma.Pass, "check_out"
		p := passageOf(v, visit, &k)
		p.At, p.Direction = visit.OutAt, "out"
		passages[i] = p
	}
	return s.registry.AppendPassages(ctx, passages, nil)
}

func (s *Service) visit(ctx context.Context, event kangma.EventID) (*Visit, error) {
	rec, err := s.registry.Records().Get(ctx, visitKind, event.String())
	if err != nil {
		return nil, err
	}
	return decodeVisit(rec)
}

func decodeVisit(rec store.Record) (*Visit, error) {
	v := &Visit{}
	if err := json.Unmarshal(rec.Data, v); err != nil || len(v.People) == 0 {
		return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return v, nil
}

func decodeVenue(rec store.Record) (v Venue, err error) {
	if err := json.Unmarshal(rec.Data, &v); err != nil {
		return v, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return v, nil
}

// unverified says why a presence is not verified, and what to do.
var unverified = map[string][2]kangma.Text{
	StaleCode: {{Zh: "场所码已过期，可能是照片", En: "The venue's code is over: perhaps a photo"}, {Zh: "请扫现场屏幕上的场所码", En: "Scan the code on the venue's screen"}},
	VoidCode:  {{Zh: "该场所码已作废", En: "This venue code was replaced"}, {Zh: "请扫现场最新的场所码", En: "Scan the code that hangs at the venue now"}},
	NoPosition: {{Zh: "没有位置信息，无法确认在现场", En: "Without a position nobody can tell that you are there"},
		{Zh: "请允许定位后重扫", En: "Allow the position and scan again"}},
	OldPosition: {{Zh: "位置信息过旧", En: "The position is old"}, {Zh: "请重新定位后再扫", En: "Measure the position again and scan"}},
	Vague:       {{Zh: "位置误差过大", En: "The position is too inexact"}, {Zh: "请到开阔处重新定位，或由工作人员核验", En: "Step into the open and try again, or ask the staff"}},
	Elsewhere:   {{Zh: "您不在该场所附近", En: "You are not near this venue"}, {Zh: "请到现场再扫；远程扫码不作为到访", En: "Scan it there; a scan from afar is no visit"}},
	TooFast:     {{Zh: "刚在别处出现，行程不可能", En: "You were just seen where nobody can have come from"}, {Zh: "请由工作人员核验", En: "Ask the staff to look"}},
}
