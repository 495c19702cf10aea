package main

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/store/seal"
)

// demoPlate is the plate of the demo's vehicle, on its way to the highway post with the first two demo people.
const demoPlate = "粤N12345"

var demoVenues = []venue.Venue{
	{ID: "mall-1", Name: kangma.Text{Zh: "信利广场", En: "Xinli mall"}, Kind: "mall", District: 441502000, Organisation: "汕尾站", Mode: venue.Screen},
	{ID: "forest-1", Name: kangma.Text{Zh: "莲花山护林点", En: "Lianhua forest post"}, Kind: "forest", District: 441521000, Organisation: "市指挥部", Mode: venue.Printed,
		Centre: &venue.Coordinates{Lat: 23.05, Lon: 115.25}, Radius: 500, CheckOut: true, Form: []venue.FormField{
			{ID: "purpose", Label: kangma.Text{Zh: "入山事由", En: "Why you come"}, Type: "choice", Required: true,
				Choices: []kangma.Text{{Zh: "祭扫", En: "Tomb sweeping"}, {Zh: "生产", En: "Work"}, {Zh: "游览", En: "Visit"}}},
			{ID: "fire", Label: kangma.Text{Zh: "是否携带火种", En: "Do you carry fire?"}, Type: "yes-no", Required: true},
		}},
}

// enterVehicle fills in venues and a vehicle that arrives in two hours.
func enterVehicle(ctx context.Context, s *stack, now time.Time) error {
	venues := venue.New(s.registry, s.checkpoint, s.codes, nobodyActs)
	for _, v := range demoVenues {
		v.Policy = checkpoint.DefaultPolicy("venue")
		if _, err := venues.Put(ctx, v); err != nil {
			return err
		}
	}
	plate, err := entry.ParsePlate(demoPlate)
	if err != nil {
		return err
	}
	var ids [2]seal.Identity
	for i, p := range demoPeople[:2] {
		var errs [2]error
		ids[i].DocType = kangma.DocResidentID
		ids[i].Name, errs[0] = kangma.NewName(p.name)
		ids[i].Number, errs[1] = kangma.NewIDNumber(kangma.DocResidentID, p.number(), now)
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
	}
	driver, err := s.registry.ByDocument(ctx, ids[0].DocType, ids[0].Number)
	if err != nil {
		return err
	}
	_, err = entry.New(s.registry, nobodyActs).File(ctx, entry.Filing{
		Driver: driver, Plate: plate, Origin: kangma.Place{Division: 440103000}, Destination: kangma.Place{Division: 441521101, Community: "莲花新村"},
		Arrival: now.Add(2 * time.Hour), Occupants: []entry.Filed{{Self: true}, {Identity: &ids[1]}},
	})
	return err
}

func nobodyActs(context.Context, kangma.PersonID, kangma.PersonID, time.Time) (bool, error) {
	return false, nil
}
