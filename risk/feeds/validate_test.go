package feeds_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

var now = time.Date(2022, 8, 10, 12, 0, 0, 0, time.UTC)

const (
	lufeng    kangma.Division = 441_581_000
	retention                 = 60 * 24 * time.Hour
)

func eventID(n byte) kangma.EventID {
	return kangma.EventID{0x01, 0x82, 0x80, 0, 0, n, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, n}
}

func hours(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }

// good gives one sound piece of evidence of every kind.
func good() map[kangma.EvidenceKind]*kangma.Evidence {
	here := kangma.Place{Division: lufeng}
	trip := kangma.Trip{Mode: "train", Number: "D2313", Departed: hours(-5), Arrived: hours(-3), From: here, To: kangma.Place{Division: 440_300_000}, Carriage: "05", Seat: "12F"}
	all := map[kangma.EvidenceKind]*kangma.Evidence{
		kangma.KindStay:        {Stay: &kangma.Stay{Place: here, From: hours(-50), To: hours(-2)}},
		kangma.KindTrip:        {Trip: &trip},
		kangma.KindEntry:       {Entry: &kangma.Entry{Country: "SG", Port: 440_300_000}},
		kangma.KindClinic:      {Clinic: &kangma.Clinic{What: "drug", Drug: "antipyretic", Place: lufeng}},
		kangma.KindTest:        {Reported: hours(-1), Test: &kangma.Test{Method: "pcr", Result: "negative", Received: now.Add(-90 * time.Minute)}},
		kangma.KindVaccination: {Observed: hours(-24 * 500), Vaccination: &kangma.Vaccination{Dose: 2, Product: "灭活"}},
		kangma.KindContact:     {Contact: &kangma.Contact{Degree: "close", Setting: "train", Trip: &trip, CaseSeat: "11A", CaseCarriage: "05"}},
		kangma.KindManagement:  {Management: &kangma.Management{Measure: "home", From: hours(-40), Until: hours(100), Cause: "mid-area"}},
		kangma.KindDeclaration: {Declaration: &kangma.Declaration{Symptoms: []string{"cough"}, Temperature: 366, Contact: "no", Visited: []kangma.Place{here}, CheckIn: true}},
		kangma.KindTemperature: {Temperature: &kangma.Temperature{Tenths: 373}},
		kangma.KindForeignCode: {ForeignCode: &kangma.ForeignCode{Region: 110_000_000, Colour: kangma.Yellow, Issued: hours(-4)}},
		kangma.KindOverride:    {Override: &kangma.Override{Colour: kangma.Red, Reason: "confirmed-case", Until: hours(200), Requested: "a", Approved: "b"}},
		kangma.KindWithdrawal:  {Withdrawal: &kangma.Withdrawal{Batch: "lab-7"}},
	}
	for k, ev := range all {
		ev.ID, ev.Kind, ev.Source = eventID(1), k, "test-feed"
		if ev.Observed.IsZero() {
			ev.Observed = hours(-2)
		}
	}
	return all
}

func TestSoundEvidenceOfEveryKindStands(t *testing.T) {
	all := good()
	if len(all) != len(feeds.Kinds) {
		t.Fatalf("%d kinds tried of %d", len(all), len(feeds.Kinds))
	}
	for k, ev := range all {
		if f := feeds.Validate(ev, now, retention); f != nil {
			t.Errorf("%s: %+v", k, f)
		}
	}
}

func TestEveryFaultIsFoundAndNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  kangma.EvidenceKind
		spoil func(*kangma.Evidence)
		want  string // where:code
	}{
		{"no id", kangma.KindStay, func(e *kangma.Evidence) { e.ID = kangma.EventID{} }, "id:required"},
		{"no source", kangma.KindStay, func(e *kangma.Evidence) { e.Source = "" }, "source:required"},
		{"a control character", kangma.KindStay, func(e *kangma.Evidence) { e.Source = "a\x00b" }, "source:bad_text"},
		{"not UTF-8", kangma.KindStay, func(e *kangma.Evidence) { e.Batch = "\xff" }, "batch:bad_text"},
		{"replaces itself", kangma.KindStay, func(e *kangma.Evidence) { e.Replaces = e.ID }, "replaces:same"},
		{"an unknown kind", kangma.KindStay, func(e *kangma.Evidence) { e.Kind = "rumour" }, "kind:unknown_value"},
		{"no payload", kangma.KindStay, func(e *kangma.Evidence) { e.Stay = nil }, "stay:required"},
		{"two payloads", kangma.KindStay, func(e *kangma.Evidence) { e.Temperature = &kangma.Temperature{Tenths: 370} }, "temperature:unexpected"},
		{"observed nowhere in time", kangma.KindTest, func(e *kangma.Evidence) { e.Observed = time.Time{} }, "observed_at:required"},
		{"observed six minutes ahead", kangma.KindTemperature, func(e *kangma.Evidence) { e.Observed = now.Add(6 * time.Minute) }, "observed_at:future"},
		{"observed before retention", kangma.KindTemperature, func(e *kangma.Evidence) { e.Observed = now.Add(-retention - 1) }, "observed_at:before_retention"},
		{"reported before it happened", kangma.KindTemperature, func(e *kangma.Evidence) { e.Reported = hours(-3) }, "reported_at:bad_order"},
		{"reported in the future", kangma.KindTest, func(e *kangma.Evidence) { e.Reported = hours(1) }, "reported_at:future"},
		{"received in the future", kangma.KindTest, func(e *kangma.Evidence) { e.Received = hours(1) }, "received_at:future"},
		{"a stay nowhere", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.Place = kangma.Place{} }, "stay.place.division:required"},
		{"a stay in no known division", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.Place.Division = 441_599_000 }, "stay.place.division:unknown_division"},
		{"a stay that ends first", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.To = e.Stay.From }, "stay.to:bad_order"},
		{"a stay that ends in the future", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.To = hours(2) }, "stay.to:future"},
		{"a stay over before retention", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.From, e.Stay.To = hours(-3000), hours(-2999) }, "stay.to:before_retention"},
		{"a stay without a beginning", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.From = time.Time{} }, "stay.from:required"},
		{"an open stay seen before it began", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.To, e.Observed = time.Time{}, hours(-60) }, "observed_at:bad_order"},
		{"a long community", kangma.KindStay, func(e *kangma.Evidence) { e.Stay.Place.Community = strings.Repeat("长", 201) }, "stay.place.community:too_long"},
		{"an unknown vehicle", kangma.KindTrip, func(e *kangma.Evidence) { e.Trip.Mode = "rocket" }, "trip.mode:unknown_value"},
		{"a trip of 61 days", kangma.KindTrip, func(e *kangma.Evidence) { e.Trip.Departed = hours(-24*61 - 4) }, "trip.arrived:out_of_range"},
		{"a trip to nowhere", kangma.KindTrip, func(e *kangma.Evidence) { e.Trip.To = kangma.Place{} }, "trip.to.division:required"},
		{"a country in small letters", kangma.KindEntry, func(e *kangma.Evidence) { e.Entry.Country = "sg" }, "entry.country:bad_shape"},
		{"a drug without its class", kangma.KindClinic, func(e *kangma.Evidence) { e.Clinic.Drug = "" }, "clinic.drug:required"},
		{"a diagnosis without its result", kangma.KindClinic, func(e *kangma.Evidence) { e.Clinic.What = "diagnosis" }, "clinic.diagnosis:required"},
		{"a test method we do not know", kangma.KindTest, func(e *kangma.Evidence) { e.Test.Method = "smell" }, "test.method:unknown_value"},
		{"a sample in the laboratory before it was taken", kangma.KindTest, func(e *kangma.Evidence) { e.Test.Received = hours(-3) }, "test.lab_received:bad_order"},
		{"a result before the laboratory had the sample", kangma.KindTest, func(e *kangma.Evidence) { e.Reported = now.Add(-100 * time.Minute) }, "reported_at:bad_order"},
		{"a dose before vaccines", kangma.KindVaccination, func(e *kangma.Evidence) { e.Observed = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }, "observed_at:out_of_range"},
		{"dose 0", kangma.KindVaccination, func(e *kangma.Evidence) { e.Vaccination.Dose = 0 }, "vaccination.dose:out_of_range"},
		{"an unknown degree of contact", kangma.KindContact, func(e *kangma.Evidence) { e.Contact.Degree = "friend" }, "contact.degree:unknown_value"},
		{"a fault in the shared journey", kangma.KindContact, func(e *kangma.Evidence) { e.Contact.Trip = &kangma.Trip{Mode: "train"} }, "contact.trip.departed:required"},
		{"a measure without an end that is done", kangma.KindManagement, func(e *kangma.Evidence) { e.Management.Until, e.Management.Done = time.Time{}, true }, "management.until:required"},
		{"a measure of 91 days", kangma.KindManagement, func(e *kangma.Evidence) { e.Management.Until = e.Management.From.Add(91 * 24 * time.Hour) }, "management.until:out_of_range"},
		{"a real end in the future", kangma.KindManagement, func(e *kangma.Evidence) { e.Management.Done = true }, "management.until:future"},
		{"a symptom twice", kangma.KindDeclaration, func(e *kangma.Evidence) { e.Declaration.Symptoms = []string{"cough", "cough"} }, "declaration.symptoms:same"},
		{"an unknown symptom", kangma.KindDeclaration, func(e *kangma.Evidence) { e.Declaration.Symptoms = []string{"love"} }, "declaration.symptoms:unknown_value"},
		{"a temperature in degrees", kangma.KindDeclaration, func(e *kangma.Evidence) { e.Declaration.Temperature = 37 }, "declaration.temperature:out_of_range"},
		{"61 places", kangma.KindDeclaration, func(e *kangma.Evidence) { e.Declaration.Visited = make([]kangma.Place, 61) }, "declaration.visited:too_long"},
		{"29.9 degrees", kangma.KindTemperature, func(e *kangma.Evidence) { e.Temperature.Tenths = 299 }, "temperature.tenths:out_of_range"},
		{"45.1 degrees", kangma.KindTemperature, func(e *kangma.Evidence) { e.Temperature.Tenths = 451 }, "temperature.tenths:out_of_range"},
		{"a colour beyond green", kangma.KindForeignCode, func(e *kangma.Evidence) { e.ForeignCode.Colour = 7 }, "foreign_code.colour:unknown_value"},
		{"an override for petitioners", kangma.KindOverride, func(e *kangma.Evidence) { e.Override.Reason = "petition" }, "override.reason:unknown_value"},
		{"an override by one person", kangma.KindOverride, func(e *kangma.Evidence) { e.Override.Approved = "a" }, "override.approved_by:same"},
		{"an override that never ends", kangma.KindOverride, func(e *kangma.Evidence) { e.Override.Until = time.Time{} }, "override.until:required"},
		{"a withdrawal of nothing", kangma.KindWithdrawal, func(e *kangma.Evidence) { e.Withdrawal.Batch = "" }, "withdrawal:bad_shape"},
		{"a withdrawal of itself", kangma.KindWithdrawal, func(e *kangma.Evidence) { e.Withdrawal.Batch, e.Withdrawal.Event = "", e.ID }, "withdrawal.event:same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ev := good()[c.kind]
			c.spoil(ev)
			var got []string
			for _, f := range feeds.Validate(ev, now, retention) {
				got = append(got, f.Where+":"+f.Code)
				if f.What == "" {
					t.Errorf("%s has no words", f.Where)
				}
			}
			if !slices.Contains(got, c.want) {
				t.Errorf("got %v, want %s among them", got, c.want)
			}
		})
	}
}

func TestTheEdgesOfTimeAreInside(t *testing.T) {
	ev := good()[kangma.KindTemperature]
	for _, at := range []time.Time{now.Add(feeds.MaxAhead), now.Add(-retention)} {
		ev.Observed = at
		if f := feeds.Validate(ev, now, retention); f != nil {
			t.Errorf("observed at %v: %+v", at, f)
		}
	}
	ev.Observed = now.Add(-100 * retention)
	if f := feeds.Validate(ev, now, 0); f != nil {
		t.Errorf("retention 0 bounds nothing: %+v", f)
	}
}
