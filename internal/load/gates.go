package load

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
)

// FillGates makes the gates, each with an account that is logged in and a fixed device.
func (p *Population) FillGates(ctx context.Context, r *registry.Service, now time.Time, watch Watch) error {
	tell := gently(watch, "gates")
	for j := range p.Gates {
		id, kind := p.GateID(j), checkpoint.GateKinds[j%len(checkpoint.GateKinds)]
		g := checkpoint.Gate{ID: id, Name: kangma.Text{Zh: "压测卡口", En: "load gate"}, Kind: kind, District: homes[j%len(homes)], Policy: checkpoint.DefaultPolicy(kind)}
		if err := r.PutDoc(ctx, "gate", id, g, nil); err != nil {
			return err
		}
		staff := api.Account{Name: p.StaffName(j), Role: api.GateStaff, Organisation: "load", Gates: []string{id}}
		if err := staff.SetPassword(p.token("password", j), 4); err != nil { // nobody logs in with it: cheap, and 256 bits
			return err
		}
		if err := api.SaveAccount(ctx, r, staff); err != nil {
			return err
		}
		device := api.Account{Name: p.DeviceName(j), Role: api.GateStaff, Organisation: "load", Gates: []string{id}}
		device.SetDeviceKey(p.DeviceKey(j))
		if err := api.SaveAccount(ctx, r, device); err != nil {
			return err
		}
		rec, err := api.SessionRecord(p.StaffToken(j), api.GateStaff, kangma.PersonID{}, staff.Name, now.Add(sessionLife))
		if err != nil {
			return err
		}
		if err := r.Records().Put(ctx, rec); err != nil {
			return err
		}
		tell(j+1, p.Gates)
	}
	return nil
}

// FillFeeder makes the account of a feed, logged in, and the key of its manifests.
func (p *Population) FillFeeder(ctx context.Context, r *registry.Service, now time.Time) error {
	feeder := api.Account{Name: FeedName, Role: api.Feeder, Organisation: "load", Feed: FeedName}
	if err := feeder.SetPassword(p.token("password of the feeder", 0), 4); err != nil { // nobody logs in with it
		return err
	}
	if err := api.SaveAccount(ctx, r, feeder); err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(p.FeedKey().Public())
	if err != nil {
		return err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	if err := api.SaveFeedKey(ctx, r, FeedKeyID, FeedName, text, now.UTC()); err != nil {
		return err
	}
	rec, err := api.SessionRecord(p.FeederToken(), api.Feeder, kangma.PersonID{}, feeder.Name, now.Add(sessionLife))
	if err != nil {
		return err
	}
	return r.Records().Put(ctx, rec)
}
