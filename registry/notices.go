package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Notice tells a person that their colour changed, and why. It names nobody and repeats no evidence.
type Notice struct {
	ID       kangma.EventID    `json:"id"`
	At       time.Time         `json:"at"`
	From     string            `json:"from"` // red, yellow, green or untold
	To       string            `json:"to"`
	Text     kangma.Text       `json:"text"`           // one sentence
	Rule     string            `json:"rule,omitempty"` // of the new colour; none when green
	Why      kangma.Text       `json:"why,omitzero"`
	Guidance kangma.Text       `json:"guidance,omitzero"`
	Clears   kangma.Text       `json:"clears,omitzero"`
	Until    time.Time         `json:"until,omitzero"`
	Rules    kangma.RuleSetRef `json:"rules,omitzero"`
}

const (
	noticeKind = "notice" // id: the person; data: their notices, newest last
	maxNotices = 50       // kept for a person
)

// Notices lists what a person was told, newest first, at most the latest 50.
func (s *Service) Notices(ctx context.Context, id kangma.PersonID) ([]Notice, error) {
	all, _, err := GetDoc[[]Notice](ctx, s.cfg.Records, noticeKind, id.String())
	if errors.Is(err, kangma.NotFound) {
		return nil, nil
	}
	slices.Reverse(all)
	return all, err
}

// notify puts a notice of each transition into the person's inbox, each once by person and moment, and makes all of them
// durable with one append.
func (s *Service) notify(ctx context.Context, found []Transition) error {
	now := s.cfg.Now().UTC()
	var events []kangma.Event
	for _, t := range found {
		rec, err := s.putNotice(ctx, t)
		if err != nil {
			return err
		}
		if rec.Version > 0 {
			events = append(events, wire.RecordEvent(kangma.NewEventID(now), now, rec))
		}
	}
	if len(events) == 0 {
		return nil
	}
	last, err := s.cfg.Journal.Append(ctx, events...)
	if err != nil {
		return err
	}
	s.applied.mark(last, len(events))
	return nil
}

// putNotice adds one notice; a zero record means that it was there.
func (s *Service) putNotice(ctx context.Context, t Transition) (store.Record, error) {
	n := t.notice()
	for range casAttempts {
		all, version, err := GetDoc[[]Notice](ctx, s.cfg.Records, noticeKind, t.Person.String())
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return store.Record{}, err
		}
		if slices.ContainsFunc(all, func(o Notice) bool { return o.ID == n.ID }) {
			return store.Record{}, nil
		}
		all = append(all, n)
		data, err := json.Marshal(all[max(0, len(all)-maxNotices):])
		if err != nil {
			return store.Record{}, err
		}
		rec := store.Record{Kind: noticeKind, ID: t.Person.String(), Version: version + 1, Data: data}
		if err = s.cfg.Records.Put(ctx, rec); !errors.Is(err, kangma.Conflict) {
			return rec, err
		}
	}
	return store.Record{}, kangma.E(kangma.Unavailable, "contended", "this record is being changed by many at once; try again")
}

// forgetNotices empties the inbox of an erased person.
func (s *Service) forgetNotices(ctx context.Context, id kangma.PersonID) error {
	for range casAttempts {
		rec, err := s.cfg.Records.Get(ctx, noticeKind, id.String())
		if errors.Is(err, kangma.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.cfg.Records.Put(ctx, store.Record{Kind: noticeKind, ID: rec.ID, Version: rec.Version + 1, Deleted: true})
		if !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this record is being changed by many at once; try again")
}

var standingWords = map[string]kangma.Text{
	"red": {Zh: "红码", En: "red"}, "yellow": {Zh: "黄码", En: "yellow"}, "green": {Zh: "绿码", En: "green"}, "untold": {Zh: "无法判定", En: "not told"},
}

func (t Transition) notice() Notice {
	n := Notice{ID: noticeID(t.Person, t.At), At: t.At, From: t.From.String(), To: t.To.String(), Rules: t.Answer.Rules}
	from, to := standingWords[n.From], standingWords[n.To]
	n.Text = kangma.Text{
		Zh: fmt.Sprintf("您的健康码已由%s变为%s。", from.Zh, to.Zh),
		En: fmt.Sprintf("Your health code changed from %s to %s.", from.En, to.En),
	}
	if !t.To.Told {
		n.Why = kangma.Text{Zh: "目前无法判定颜色：" + t.Answer.ReasonCode(), En: "No colour can be told now: " + t.Answer.ReasonCode()}
		return n
	}
	if len(t.Answer.Assignments) > 0 {
		worst := t.Answer.Assignments[0]
		n.Rule, n.Why, n.Guidance, n.Clears, n.Until = worst.Rule, worst.Reason, worst.Guidance, worst.Clears, worst.Until
		return n
	}
	n.Why = kangma.Text{Zh: "原有的原因均已解除。", En: "Nothing speaks against green any more."}
	return n
}

// noticeID is the same for the same person and moment, so that a sweep that is done again tells nobody twice.
func noticeID(person kangma.PersonID, at time.Time) kangma.EventID {
	h := sha256.New()
	fmt.Fprintf(h, "notice\x00%d\x00", at.UnixMicro())
	h.Write(person[:])
	return hashID(h)
}
