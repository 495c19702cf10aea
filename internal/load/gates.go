package load

import (
	"context"
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
