package checkpoint

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/codegen"
)

// Item is what a passage made without a network says besides its event: the form in which it is sealed, and in which POST
// /v1/scans/sync takes it in plain. Temperature is in degrees Celsius.
type Item struct {
	Code        string   `json:"code"`
	Decision    string   `json:"decision"`
	Colour      string   `json:"colour,omitempty"` // left out: none could be told
	Reason      string   `json:"reason"`
	Direction   string   `json:"direction,omitempty"`
	Temperature float64  `json:"temperature,omitempty"`
	Flags       []string `json:"flags,omitempty"`
}

// ItemOf gives the item of a passage and the code that was shown.
func ItemOf(code string, p kangma.Passage) Item {
	it := Item{Code: code, Decision: p.Decision.String(), Reason: p.Reason, Direction: p.Direction, Temperature: float64(p.Temperature) / 10, Flags: p.Flags}
	if p.Told {
		it.Colour = p.Colour.String()
	}
	return it
}

// Made reads an item; one that says nothing sensible has no event, which Sync refuses for this passage alone.
func (it Item) Made(event kangma.EventID) Made {
	m := Made{Code: it.Code, Passage: kangma.Passage{
		ID: event, Reason: it.Reason, Direction: it.Direction, Temperature: int(it.Temperature*10 + 0.5), Flags: it.Flags, Told: it.Colour != "",
	}}
	err := m.Passage.Decision.UnmarshalText([]byte(it.Decision))
	if it.Colour != "" {
		err = errors.Join(err, m.Passage.Colour.UnmarshalText([]byte(it.Colour)))
	}
	if err != nil {
		m.Passage.ID = kangma.EventID{}
	}
	return m
}

var errItem = kangma.E(kangma.Invalid, "offline_item", "an offline passage has a UUIDv7, the code, a decision and a reason")

// parseItem reads the content of a seal. kangma.Invalid: not an item and nothing else.
func parseItem(content []byte) (it Item, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&it); err != nil {
		return it, errItem.Because(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return it, errItem
	}
	return it, nil
}

// Seal seals a passage of this gate with the code that was shown, as the device keeps it. kangma.Invalid: a code that is too long.
func (o *Offline) Seal(code string, p kangma.Passage) (queue.Sealed, error) {
	content, err := json.Marshal(ItemOf(code, p))
	if err != nil {
		return queue.Sealed{}, errItem.Because(err)
	}
	return queue.Seal(o.bundle.Queue, o.bundle.Gate.ID, o.bundle.Number, p.ID, content)
}

// QueueKeys gives the private halves of the keys in gate bundles. kangma.NotFound: none of this id, or no longer.
// kangma.Unavailable: it cannot be used now.
type QueueKeys interface {
	Exchange(id codegen.KeyID, now time.Time) (ecdh.KeyExchanger, error)
}

// OpenQueues has sealed passages opened with these keys; without, they are refused one by one. Call it before the service is in use.
func (s *Service) OpenQueues(keys QueueKeys) { s.queues = keys }

var (
	errQueueKey  = kangma.E(kangma.Invalid, "queue_key", "this server has no such queue key, or no longer: the passage was sealed for another server or long ago")
	errQueueGate = kangma.E(kangma.Invalid, "queue_gate", "the passage was sealed at another gate; send it under that gate")
)

// unseal opens what a gate has sealed. refused says why it is never taken; err that it cannot be opened now.
func (s *Service) unseal(g Gate, q *queue.Sealed, now time.Time) (m Made, refused, err error) {
	m.Passage.ID = q.Event
	if refused = inTime(q.Event, now); refused != nil {
		return m, refused, nil
	}
	if q.Gate != g.ID {
		return m, errQueueGate, nil
	}
	if s.queues == nil {
		return m, errQueueKey, nil
	}
	key, err := s.queues.Exchange(q.Key, now)
	if kangma.KindOf(err) == kangma.NotFound {
		return m, errQueueKey.Because(err), nil
	}
	if err != nil {
		return m, nil, err
	}
	content, err := q.Open(key)
	if kangma.KindOf(err) == kangma.Unavailable {
		return m, nil, err
	}
	if err != nil {
		return m, err, nil
	}
	it, err := parseItem(content)
	if err != nil {
		return m, err, nil
	}
	made := it.Made(q.Event)
	return made, made.check(now), nil
}

// inTime bounds the moment that an event's id claims.
func inTime(event kangma.EventID, now time.Time) error {
	switch at := event.Time(); {
	case at.IsZero():
		return errItem
	case at.After(now.Add(syncSkew)):
		return kangma.E(kangma.Invalid, "offline_future", "the passage is in the future: the device's clock is off")
	case now.Sub(at) > offlineAge:
		return kangma.E(kangma.Invalid, "offline_old", "the passage is older than 14 days")
	}
	return nil
}
