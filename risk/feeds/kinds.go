package feeds

import (
	"slices"

	"time"

	"github.com/kangma/kangma"
)

// The closed sets of the payloads, as the comments of kangma.Evidence name them.
var (
	tripModes   = []string{"train", "flight", "ship", "coach", "metro", "taxi", "car"}
	clinicWhats = []string{"fever-clinic", "outpatient", "admission", "discharge", "diagnosis", "drug"}
	diagnoses   = []string{"confirmed", "asymptomatic", "suspected", "clinical", "excluded"}
	drugs       = []string{"antipyretic", "cough", "antibiotic", "antiviral"}
	methods     = []string{"pcr", "antigen", "antibody"}
	results     = []string{"negative", "positive", "pending", "inconclusive"}
	degrees     = []string{"close", "secondary", "co-traveller", "spatiotemporal", "general"}
	settings    = []string{"household", "meal", "work", "flight", "train", "coach", "ship", "venue"}
	measures    = []string{"central", "home", "home-monitoring", "self-monitoring"}
	causes      = []string{"contact", "secondary", "high-area", "mid-area", "entry", "case", "other"}
	symptoms    = []string{"fever", "cough", "fatigue", "throat", "breath", "taste", "nausea", "diarrhoea", "conjunctivitis", "chest", "headache", "muscle"}
	contactSays = []string{"yes", "no", "unsure"}
)

// Bounds that no real case passes.
const (
	maxManagement = 90 * 24 * time.Hour
	maxOverride   = 90 * 24 * time.Hour
	maxTrip       = 60 * 24 * time.Hour
	maxVisited    = 60
	maxDose       = 12
)

// payload checks that exactly the payload of the kind is there, and that payload.
func (c *check) payload(ev *kangma.Evidence) {
	if !slices.Contains(Kinds, ev.Kind) {
		c.fault("kind", UnknownValue, "not a kind of evidence")
		return
	}
	for _, k := range Kinds {
		if k != ev.Kind && given(ev, k) {
			c.fault(fieldOf(k), Unexpected, "only the payload of the kind may be given")
		}
	}
	if !given(ev, ev.Kind) {
		c.fault(fieldOf(ev.Kind), Required, "the payload of the kind")
		return
	}
	switch ev.Kind {
	case kangma.KindStay:
		c.stay(ev)
	case kangma.KindTrip:
		c.trip("trip", ev.Trip, true)
	case kangma.KindEntry:
		c.entry(ev.Entry)
	case kangma.KindClinic:
		c.clinic(ev.Clinic)
	case kangma.KindTest:
		c.test(ev)
	case kangma.KindVaccination:
		c.vaccination(ev.Vaccination)
	case kangma.KindContact:
		c.contact(ev.Contact)
	case kangma.KindManagement:
		c.management(ev.Management)
	case kangma.KindDeclaration:
		c.declaration(ev.Declaration)
	case kangma.KindTemperature:
		c.tenths("temperature.tenths", ev.Temperature.Tenths)
	case kangma.KindForeignCode:
		c.foreignCode(ev)
	case kangma.KindOverride:
		c.override(ev)
	case kangma.KindWithdrawal:
		c.withdrawal(ev)
	}
}

// given reports whether the payload of a kind is there.
func given(ev *kangma.Evidence, k kangma.EvidenceKind) bool {
	switch k {
	case kangma.KindStay:
		return ev.Stay != nil
	case kangma.KindTrip:
		return ev.Trip != nil
	case kangma.KindEntry:
		return ev.Entry != nil
	case kangma.KindClinic:
		return ev.Clinic != nil
	case kangma.KindTest:
		return ev.Test != nil
	case kangma.KindVaccination:
		return ev.Vaccination != nil
	case kangma.KindContact:
		return ev.Contact != nil
	case kangma.KindManagement:
		return ev.Management != nil
	case kangma.KindDeclaration:
		return ev.Declaration != nil
	case kangma.KindTemperature:
		return ev.Temperature != nil
	case kangma.KindForeignCode:
		return ev.ForeignCode != nil
	case kangma.KindOverride:
		return ev.Override != nil
	case kangma.KindWithdrawal:
		return ev.Withdrawal != nil
	}
	return false
}

// Kinds lists the kinds of evidence in the order of their payload fields.
var Kinds = []kangma.EvidenceKind{
	kangma.KindStay, kangma.KindTrip, kangma.KindEntry, kangma.KindClinic, kangma.KindTest, kangma.KindVaccination, kangma.KindContact,
	kangma.KindManagement, kangma.KindDeclaration, kangma.KindTemperature, kangma.KindForeignCode, kangma.KindOverride, kangma.KindWithdrawal,
}

// fieldOf gives the JSON field of a kind's payload.
func fieldOf(k kangma.EvidenceKind) string {
	if k == kangma.KindForeignCode {
		return "foreign_code"
	}
	return string(k)
}

func (c *check) stay(ev *kangma.Evidence) {
	s := ev.Stay
	c.place("stay.place", s.Place, true)
	c.span("stay", s.From, s.To, "from", "to")
	if s.To.IsZero() {
		if ev.Observed.Before(s.From) {
			c.fault("observed_at", BadOrder, "a stay that goes on was observed before it began")
		}
		c.notTooOld("observed_at", ev.Observed) // that is how far it is known to have lasted
		return
	}
	c.notFuture("stay.to", s.To)
	c.notTooOld("stay.to", s.To)
}

func (c *check) trip(where string, t *kangma.Trip, places bool) {
	c.oneOf(where+".mode", t.Mode, tripModes, true)
	c.text(where+".number", t.Number, 20)
	c.text(where+".carriage", t.Carriage, 10)
	c.text(where+".seat", t.Seat, 10)
	c.span(where, t.Departed, t.Arrived, "departed", "arrived")
	if !t.Arrived.IsZero() {
		c.notFuture(where+".arrived", t.Arrived)
		if t.Arrived.Sub(t.Departed) > maxTrip {
			c.fault(where+".arrived", OutOfRange, "no journey lasts over 60 days")
		}
	}
	c.place(where+".from", t.From, places)
	c.place(where+".to", t.To, places)
}

func (c *check) entry(e *kangma.Entry) {
	if len(e.Country) != 2 || e.Country[0] < 'A' || e.Country[0] > 'Z' || e.Country[1] < 'A' || e.Country[1] > 'Z' {
		c.fault("entry.country", BadShape, "a country is two capital letters of ISO 3166-1")
	}
	c.division("entry.port", e.Port, false)
}

func (c *check) clinic(k *kangma.Clinic) {
	c.oneOf("clinic.what", k.What, clinicWhats, true)
	c.oneOf("clinic.diagnosis", k.Diagnosis, diagnoses, k.What == "diagnosis")
	c.oneOf("clinic.drug", k.Drug, drugs, k.What == "drug")
	c.division("clinic.place", k.Place, false)
}

func (c *check) test(ev *kangma.Evidence) {
	t := ev.Test
	c.oneOf("test.method", t.Method, methods, true)
	c.oneOf("test.result", t.Result, results, true)
	c.text("test.lab", t.Lab, 100)
	if t.Received.IsZero() {
		return
	}
	c.notFuture("test.lab_received", t.Received)
	if t.Received.Before(ev.Observed) {
		c.fault("test.lab_received", BadOrder, "the laboratory had the sample before it was taken")
	}
	if !ev.Reported.IsZero() && ev.Reported.Before(t.Received) {
		c.fault("reported_at", BadOrder, "the result was reported before the laboratory had the sample")
	}
}

func (c *check) vaccination(v *kangma.Vaccination) {
	if v.Dose < 1 || v.Dose > maxDose {
		c.fault("vaccination.dose", OutOfRange, "a dose is numbered from 1 to 12")
	}
	c.text("vaccination.product", v.Product, 60)
}

func (c *check) contact(k *kangma.Contact) {
	c.oneOf("contact.degree", k.Degree, degrees, true)
	c.oneOf("contact.setting", k.Setting, settings, false)
	c.text("contact.case", k.Case, 60)
	c.text("contact.case_seat", k.CaseSeat, 10)
	c.text("contact.case_carriage", k.CaseCarriage, 10)
	if k.Trip != nil {
		c.trip("contact.trip", k.Trip, false)
	}
}

func (c *check) management(m *kangma.Management) {
	c.oneOf("management.measure", m.Measure, measures, true)
	c.oneOf("management.cause", m.Cause, causes, false)
	c.span("management", m.From, m.Until, "from", "until")
	switch {
	case m.Until.IsZero():
		if m.Done {
			c.fault("management.until", Required, "a measure that is done has its real end")
		}
	case m.Until.Sub(m.From) > maxManagement:
		c.fault("management.until", OutOfRange, "no measure lasts over 90 days")
	default:
		c.notTooOld("management.until", m.Until)
		if m.Done {
			c.notFuture("management.until", m.Until)
		}
	}
}

func (c *check) declaration(d *kangma.Declaration) {
	for i, s := range d.Symptoms {
		c.oneOf("declaration.symptoms", s, symptoms, true)
		if slices.Contains(d.Symptoms[:i], s) {
			c.fault("declaration.symptoms", Same, "each symptom once")
			break
		}
	}
	if d.Temperature != 0 {
		c.tenths("declaration.temperature", d.Temperature)
	}
	c.oneOf("declaration.contact", d.Contact, contactSays, false)
	if len(d.Visited) > maxVisited {
		c.fault("declaration.visited", TooLong, "at most 60 places")
		return
	}
	for _, p := range d.Visited {
		c.place("declaration.visited", p, true)
	}
}

func (c *check) foreignCode(ev *kangma.Evidence) {
	f := ev.ForeignCode
	c.division("foreign_code.region", f.Region, true)
	if f.Colour > kangma.Green {
		c.fault("foreign_code.colour", UnknownValue, "a colour is red, yellow or green")
	}
	c.text("foreign_code.reason", f.Reason, 200)
	if !f.Issued.IsZero() {
		c.notFuture("foreign_code.issued", f.Issued)
	}
}

func (c *check) override(ev *kangma.Evidence) {
	o := ev.Override
	if o.Colour > kangma.Green {
		c.fault("override.colour", UnknownValue, "a colour is red, yellow or green")
	}
	c.oneOf("override.reason", o.Reason, kangma.OverrideReasons, true)
	c.text("override.reference", o.Reference, 100)
	c.text("override.requested_by", o.Requested, 100)
	c.text("override.approved_by", o.Approved, 100)
	switch {
	case o.Requested == "" || o.Approved == "":
		c.fault("override.approved_by", Required, "a colour set by hand is asked for by one account and approved by another")
	case o.Requested == o.Approved:
		c.fault("override.approved_by", Same, "the approver is another person than who asked")
	}
	switch {
	case o.Until.IsZero():
		c.fault("override.until", Required, "every colour set by hand ends")
	case !o.Until.After(ev.Observed):
		c.fault("override.until", BadOrder, "it ends after it begins")
	case o.Until.Sub(ev.Observed) > maxOverride:
		c.fault("override.until", OutOfRange, "no colour set by hand lasts over 90 days")
	}
}

func (c *check) withdrawal(ev *kangma.Evidence) {
	w := ev.Withdrawal
	if w.Event.IsZero() == (w.Batch == "") {
		c.fault("withdrawal", BadShape, "either one event or one batch is taken back")
	}
	if !w.Event.IsZero() && w.Event == ev.ID {
		c.fault("withdrawal.event", Same, "a withdrawal takes back another event")
	}
	c.text("withdrawal.batch", w.Batch, 100)
	c.text("withdrawal.reason", w.Reason, 200)
}
