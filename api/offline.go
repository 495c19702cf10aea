package api

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/codegen"
)

// ListKeys gives the key that signs lists and bundles, and what else is in bundles.
type ListKeys interface {
	// ListKey gives the key that signs, and the keys that codes are verified with.
	ListKey(now time.Time) (crypto.Signer, []codegen.VerifyKey, error)
	// QueueKey gives the key that gates seal to what they keep.
	QueueKey(now time.Time) (queue.Key, error)
}

type gateIn struct {
	ID string `path:"id" maxLength:"64"`
}

type bundleOut struct {
	ContentType string `header:"Content-Type"`
	ListKey     string `header:"Kangma-List-Key" doc:"the public key that signed it: SubjectPublicKeyInfo, Base64; a browser pins it, having no better way"`
	Body        []byte
}

func (s *Server) gateBundle(ctx context.Context, in *gateIn) (*bundleOut, error) {
	g, err := s.gateFor(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if s.cfg.Lists == nil {
		return nil, kangma.E(kangma.Unavailable, "no_bundles", "this server signs no gate bundles")
	}
	now := s.auth.now()
	key, trusted, err := s.cfg.Lists.ListKey(now)
	if err != nil {
		return nil, unavailable(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, unavailable(err)
	}
	data, err := s.packBundle(ctx, key, g, trusted, now)
	return &bundleOut{codegen.TypeGateBundle, base64.StdEncoding.EncodeToString(spki), data}, err
}

// packBundle puts the published lists into a gate's bundle, or without them a trust list of its own and no status list.
func (s *Server) packBundle(ctx context.Context, key crypto.Signer, g checkpoint.Gate, trusted []codegen.VerifyKey, now time.Time) ([]byte, error) {
	to, err := s.cfg.Lists.QueueKey(now)
	if err != nil {
		return nil, unavailable(err)
	}
	if s.cfg.Issuance == nil {
		return checkpoint.SignBundle(key, g, trusted, nil, to, now)
	}
	trust, status, err := s.cfg.Issuance.ForBundle(ctx, key)
	if err != nil {
		return nil, unavailable(err)
	}
	return checkpoint.PackBundle(key, g, trust.Data, status.Data, to, now)
}

type syncIn struct {
	Body struct {
		Gate     string     `json:"gate" minLength:"1" maxLength:"64"`
		Passages []syncItem `json:"passages" minItems:"1" maxItems:"1000" doc:"in any order; what was sent before counts once"`
	}
}

// syncItem is a passage, sealed or in plain. What a seal holds is checked when it is open, so its fields are optional here.
type syncItem struct {
	Event  string `json:"event" maxLength:"36" doc:"UUIDv7 made by the device at the scan; its time is the passage's"`
	Gate   string `json:"gate,omitempty" doc:"of a sealed passage: the gate it was sealed at"`
	Bundle uint64 `json:"bundle,omitempty" doc:"of a sealed passage: number of the bundle it was decided by"`
	Key    string `json:"key,omitempty" doc:"of a sealed passage: id of the queue key in that bundle, 8 hexadecimal digits"`
	Sealed string `json:"sealed,omitempty" doc:"the rest, sealed by HPKE to that key (docs/gates.md); Base64"`

	Code        string   `json:"code,omitempty" maxLength:"4096" doc:"in plain: the text read from the QR"`
	Decision    string   `json:"decision,omitempty" enum:"pass,home-isolate,central-isolate,turn-back,refer"`
	Colour      string   `json:"colour,omitempty" enum:"red,yellow,green" doc:"left out: none could be told"`
	Reason      string   `json:"reason,omitempty" maxLength:"64"`
	Direction   string   `json:"direction,omitempty" enum:"in,out"`
	Temperature float64  `json:"temperature,omitempty" doc:"degrees Celsius; leave it out if not taken"`
	Flags       []string `json:"flags,omitempty" maxItems:"8"`
}

type syncOut struct {
	Body struct {
		Kept    int          `json:"kept"`
		Results []syncResult `json:"results" doc:"one for each passage, in the order sent"`
	}
}

type syncResult struct {
	Event    string `json:"event"`
	Kept     bool   `json:"kept" doc:"durable; the device may forget it"`
	Code     string `json:"code,omitempty" doc:"why it was refused for good"`
	Conflict bool   `json:"conflict,omitempty" doc:"it let somebody pass who was red; officials were told"`
}

func (s *Server) syncScans(ctx context.Context, in *syncIn) (*syncOut, error) {
	gate, err := s.gateFor(ctx, in.Body.Gate)
	if err != nil {
		return nil, err
	}
	made := make([]checkpoint.Made, len(in.Body.Passages))
	for i, it := range in.Body.Passages {
		made[i] = it.made()
	}
	acc := who(ctx).Account
	taken, err := s.cfg.Checkpoint.Sync(ctx, gate, checkpoint.Scan{Operator: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role)}, made)
	if err != nil {
		return nil, err
	}
	out := &syncOut{}
	for i, t := range taken {
		r := syncResult{Event: in.Body.Passages[i].Event, Kept: t.Err == nil, Conflict: t.Conflict}
		if t.Err != nil {
			r.Code = kangma.CodeOf(t.Err)
		} else {
			out.Body.Kept++
		}
		out.Body.Results = append(out.Body.Results, r)
	}
	return out, nil
}

// made reads one passage; what cannot be read is refused for this passage alone.
func (it syncItem) made() checkpoint.Made {
	id, err := kangma.ParseEventID(it.Event)
	if err != nil {
		id = kangma.EventID{} // which is refused
	}
	plain := checkpoint.Item{Code: it.Code, Decision: it.Decision, Colour: it.Colour, Reason: it.Reason, Direction: it.Direction, Temperature: it.Temperature, Flags: it.Flags}
	if it.Sealed == "" {
		return plain.Made(id)
	}
	if it.Code+it.Decision+it.Colour+it.Reason+it.Direction != "" || it.Temperature != 0 || len(it.Flags) > 0 {
		return checkpoint.Made{Err: errHalfSealed, Passage: kangma.Passage{ID: id}}
	}
	q := queue.Sealed{Event: id, Gate: it.Gate, Bundle: it.Bundle}
	if len(it.Sealed) > base64.StdEncoding.EncodedLen(queue.MaxSealed) || q.Key.UnmarshalText([]byte(it.Key)) != nil {
		return checkpoint.Made{Err: queue.ErrSealed, Passage: kangma.Passage{ID: id}}
	}
	q.Text, err = base64.StdEncoding.Strict().DecodeString(it.Sealed)
	if err != nil || base64.StdEncoding.EncodedLen(len(q.Text)) != len(it.Sealed) { // the decoder overlooks line ends
		return checkpoint.Made{Err: queue.ErrSealed, Passage: kangma.Passage{ID: id}}
	}
	return checkpoint.Made{Sealed: &q}
}

var errHalfSealed = kangma.E(kangma.Invalid, "queue_plain", "a passage is sealed or in plain, not both")
