package api

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/interop"
	"github.com/kangma/kangma/risk/feeds"
)

// gbtOK is the return code of success. Failures are problem documents, as everywhere in this API.
const gbtOK = "0"

type gbtDone struct {
	Status int
	Body   struct {
		Code  string         `json:"code"`
		Event kangma.EventID `json:"eventId" doc:"by which 纠错 takes it back"`
		Held  bool           `json:"held,omitempty" doc:"kept back until a second person has looked"`
	}
}

type gbtDeclareIn struct {
	Key  string `header:"Idempotency-Key" doc:"UUIDv7; the same one is the same declaration"`
	Body struct {
		Name             string `json:"name" minLength:"1" maxLength:"240" doc:"姓名"`
		CardType         string `json:"cardType,omitempty" maxLength:"2" doc:"证件类型; left out: 10"`
		CardID           string `json:"cardId" minLength:"5" maxLength:"20" doc:"证件号码"`
		Date             string `json:"date" maxLength:"25" doc:"2022-08-11 12:00:00, China time"`
		Temperature      string `json:"temperature,omitempty" maxLength:"6" doc:"degrees Celsius"`
		Symptom          string `json:"symptom" maxLength:"20" doc:"^-separated: 1 none, 2 cold-like, 3 breath, 4 nausea or diarrhoea, 5 chest, 6 conjunctivitis"`
		IsContactPatient string `json:"isContactPatient,omitempty" maxLength:"1" doc:"1 yes, 2 no, 3 not sure"`
	}
}

func (s *Server) gbtDeclare(ctx context.Context, in *gbtDeclareIn) (*gbtDone, error) {
	b := &in.Body
	var faults []kangma.Fault
	note := func(where string, err error) {
		if err != nil {
			faults = append(faults, faultOf("body."+where, err))
		}
	}
	at, err := interop.ParseTime(b.Date)
	note("date", err)
	d := &kangma.Declaration{}
	d.Symptoms, err = interop.ParseSymptoms(b.Symptom)
	note("symptom", err)
	d.Contact, err = interop.ParseContact(b.IsContactPatient)
	note("isContactPatient", err)
	d.Temperature, err = interop.ParseTemperature(b.Temperature)
	note("temperature", err)
	if err := invalid(faults); err != nil {
		return nil, err
	}
	ev := kangma.Evidence{Kind: kangma.KindDeclaration, Observed: at, Declaration: d}
	return s.gbtTake(ctx, &gbtPerson{b.Name, b.CardType, b.CardID}, in.Key, ev)
}

type gbtTripIn struct {
	Key  string `header:"Idempotency-Key"`
	Body struct {
		Name      string `json:"name" minLength:"1" maxLength:"240" doc:"姓名"`
		CardType  string `json:"cardType,omitempty" maxLength:"2" doc:"证件类型; left out: 10"`
		CardID    string `json:"cardId" minLength:"5" maxLength:"20" doc:"证件号码"`
		Vehicle   string `json:"vehicleType" enum:"train,flight,ship,coach,metro,taxi,car"`
		Number    string `json:"vehicleNo,omitempty" maxLength:"20"`
		Start     string `json:"startTime" maxLength:"25"`
		End       string `json:"endTime,omitempty" maxLength:"25"`
		StartXzqh string `json:"startXzqh" maxLength:"9" doc:"GB/T 2260"`
		EndXzqh   string `json:"endXzqh" maxLength:"9" doc:"GB/T 2260"`
		Carriage  string `json:"carriage,omitempty" maxLength:"10"`
		Seat      string `json:"seatNo,omitempty" maxLength:"10"`
	}
}

func (s *Server) gbtDeclareTrip(ctx context.Context, in *gbtTripIn) (*gbtDone, error) {
	b := &in.Body
	var faults []kangma.Fault
	note := func(where string, err error) {
		if err != nil {
			faults = append(faults, faultOf("body."+where, err))
		}
	}
	t := &kangma.Trip{Mode: b.Vehicle, Number: b.Number, Carriage: b.Carriage, Seat: b.Seat}
	var err error
	t.Departed, err = interop.ParseTime(b.Start)
	note("startTime", err)
	if b.End != "" {
		t.Arrived, err = interop.ParseTime(b.End)
		note("endTime", err)
	}
	t.From.Division, err = knownDivision(b.StartXzqh)
	note("startXzqh", err)
	t.To.Division, err = knownDivision(b.EndXzqh)
	note("endXzqh", err)
	if err := invalid(faults); err != nil {
		return nil, err
	}
	ev := kangma.Evidence{Kind: kangma.KindTrip, Observed: t.Departed, Trip: t}
	return s.gbtTake(ctx, &gbtPerson{b.Name, b.CardType, b.CardID}, in.Key, ev)
}

type gbtCorrectIn struct {
	Key  string `header:"Idempotency-Key"`
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"240" doc:"姓名"`
		CardType string `json:"cardType,omitempty" maxLength:"2" doc:"证件类型; left out: 10"`
		CardID   string `json:"cardId" minLength:"5" maxLength:"20" doc:"证件号码"`
		Event    string `json:"eventId" maxLength:"36" doc:"what is to be taken back; only what this system reported"`
		Reason   string `json:"reason" minLength:"1" maxLength:"200"`
	}
}

func (s *Server) gbtCorrect(ctx context.Context, in *gbtCorrectIn) (*gbtDone, error) {
	event, err := kangma.ParseEventID(in.Body.Event)
	if err != nil {
		return nil, err
	}
	ev := kangma.Evidence{Kind: kangma.KindWithdrawal, Observed: s.auth.now().UTC(), Withdrawal: &kangma.Withdrawal{Event: event, Reason: in.Body.Reason}}
	return s.gbtTake(ctx, &gbtPerson{in.Body.Name, in.Body.CardType, in.Body.CardID}, in.Key, ev)
}

type gbtTranscodeIn struct {
	Key  string `header:"Idempotency-Key"`
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"240" doc:"姓名"`
		CardType string `json:"cardType,omitempty" maxLength:"2" doc:"证件类型; left out: 10"`
		CardID   string `json:"cardId" minLength:"5" maxLength:"20" doc:"证件号码"`
		Province string `json:"province" maxLength:"9" doc:"GB/T 2260 of the region that gave the colour"`
		Vendor   string `json:"vendor,omitempty" maxLength:"20" doc:"whose values these are; left out: gbt"`
		Status   string `json:"healthyStaus" maxLength:"10" doc:"00 green, 01 yellow, 10 red, or the vendor's value"`
		Date     string `json:"reportDate" maxLength:"25" doc:"when that region gave it"`
		Reason   string `json:"reason,omitempty" maxLength:"200"`
	}
}

// gbtTranscode takes in the colour another region gave. What tells no colour is refused: it must not stand for one.
func (s *Server) gbtTranscode(ctx context.Context, in *gbtTranscodeIn) (*gbtDone, error) {
	b := &in.Body
	if b.Vendor == "" {
		b.Vendor = "gbt"
	}
	var faults []kangma.Fault
	note := func(where string, err error) {
		if err != nil {
			faults = append(faults, faultOf("body."+where, err))
		}
	}
	r := interop.Report{Reason: b.Reason}
	var err error
	r.Region, err = knownDivision(b.Province)
	note("province", err)
	r.Issued, err = interop.ParseTime(b.Date)
	note("reportDate", err)
	r.Status, err = interop.FromVendor(b.Vendor, b.Status)
	note("vendor", err)
	if err := invalid(faults); err != nil {
		return nil, err
	}
	ev, ok := r.Evidence(kangma.EventID{}, s.auth.now().UTC())
	if !ok {
		return nil, invalid([]kangma.Fault{{Where: "body.healthyStaus", Code: "no_foreign_colour", What: "this value tells no colour, or its time is in the future"}})
	}
	return s.gbtTake(ctx, &gbtPerson{b.Name, b.CardType, b.CardID}, in.Key, ev)
}

// gbtTake gives one piece of evidence the way of every feed: checked, kept in a batch that can be taken back, held where
// it would recolour too many.
func (s *Server) gbtTake(ctx context.Context, p *gbtPerson, key string, ev kangma.Evidence) (*gbtDone, error) {
	person, _, err := s.gbtFind(ctx, p)
	if err != nil {
		return nil, err
	}
	if person.IsZero() {
		return nil, kangma.E(kangma.NotFound, "unknown_person", "nobody of this document and name is registered here")
	}
	if ev.ID, err = s.eventID("", key); err != nil {
		return nil, err
	}
	line, err := json.Marshal(struct {
		Person kangma.PersonID `json:"person"`
		kangma.Evidence
	}{person, ev})
	if err != nil {
		return nil, err
	}
	opt, err := s.feedOptions(ctx, &evidenceIn{RawBody: line}, feeds.NDJSON)
	if err != nil {
		return nil, err
	}
	var faults []kangma.Fault
	res, err := s.cfg.Registry.TakeIn(ctx, bytes.NewReader(line), opt, actor(ctx), func(r *feeds.Record) error {
		faults = r.Faults
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	if err := invalid(faults); err != nil {
		return nil, err
	}
	out := &gbtDone{Status: 200}
	out.Body.Code, out.Body.Event, out.Body.Held = gbtOK, ev.ID, res.Held != nil
	return out, nil
}

type gbtConsentIn struct {
	Body struct {
		ApplyID string `json:"applyId" pattern:"^[0-9a-f]{32}$"`
		OTP     string `json:"otp" pattern:"^[0-9]{6}$" doc:"that the person was sent"`
	}
}

type gbtContentOut struct {
	Body struct {
		Code string     `json:"code"`
		Data gbtContent `json:"data"`
	}
}

type gbtContent struct {
	Content  string           `json:"content" doc:"JSON text with person, healthyReport, yqReports, hsjc, hasWarm"`
	Decision *kangma.Decision `json:"decision,omitempty" doc:"验码 only: what the gate does"`
	Reason   string           `json:"reason,omitempty"`
	Event    string           `json:"eventId,omitempty"`
}

func (s *Server) gbtQuery(ctx context.Context, in *gbtConsentIn) (*gbtContentOut, error) {
	person, err := s.consented(ctx, in.Body.ApplyID, in.Body.OTP, "query")
	if err != nil {
		return nil, err
	}
	out := &gbtContentOut{}
	out.Body.Code = gbtOK
	out.Body.Data.Content, err = s.gbtTells(ctx, person)
	return out, err
}

// gbtTells writes what is known of a person in the deployed fields.
func (s *Server) gbtTells(ctx context.Context, person kangma.PersonID) (string, error) {
	now := s.auth.now().UTC()
	a, d, err := s.cfg.Registry.Assess(ctx, person, now)
	if err != nil {
		return "", err
	}
	c := interop.Content{HealthyReport: []interop.HealthyReport{}, YqReports: []interop.YqReport{}, HasWarm: interop.NoWarning}
	if d == nil {
		return "", kangma.E(kangma.NotFound, "unknown_person", "nobody of this document and name is registered here")
	}
	if id, err := s.cfg.Registry.Sealer().Open(d.Person, d.Sealed); err == nil {
		c.Person = interop.ContentPerson{Name: id.Name.Masked(), Card: id.Number.Masked()}
	}
	s.gbtColours(&c, &a, d, now)
	gbtHistory(&c, d)
	raw, err := json.Marshal(c)
	return string(raw), err
}

// gbtColours writes our colour first, then what other regions say, each with its own time.
func (s *Server) gbtColours(c *interop.Content, a *kangma.Assessment, d *kangma.Dossier, now time.Time) {
	if a.Told {
		r := interop.HealthyReport{Region: s.cfg.Region.String(), Status: a.Colour.Wire(), Date: interop.FormatTime(now)}
		if len(a.Assignments) > 0 {
			r.Reason, r.Guide = a.Assignments[0].Reason.Zh, a.Assignments[0].Guidance.Zh
			c.HasWarm, c.WarmMsgs = r.Reason, []string{r.Reason, r.Guide}
		}
		c.HealthyReport = append(c.HealthyReport, r)
	} else {
		c.HasWarm = string(a.ReasonCode())
	}
	newest := interop.Newest(d.Evidence, now)
	regions := make([]kangma.Division, 0, len(newest))
	for r := range newest {
		regions = append(regions, r)
	}
	slices.Sort(regions)
	for _, r := range regions {
		f := newest[r].ForeignCode
		c.HealthyReport = append(c.HealthyReport, interop.HealthyReport{Region: r.String(), Status: f.Colour.Wire(), Date: interop.FormatTime(f.Issued), Reason: f.Reason})
	}
}

const gbtReports = 14 // latest declarations

func gbtHistory(c *interop.Content, d *kangma.Dossier) {
	var latest time.Time
	for i := range d.Evidence {
		switch e := &d.Evidence[i]; {
		case e.Declaration != nil:
			y := interop.YqReport{Date: interop.FormatTime(e.Observed), Symptom: interop.FormatSymptoms(e.Declaration.Symptoms), IsContactPatient: interop.FormatContact(e.Declaration.Contact)}
			if t := e.Declaration.Temperature; t > 0 {
				y.Temperature = formatTenths(t)
			}
			c.YqReports = append(c.YqReports, y)
		case e.Test != nil && e.Test.Method == "pcr" && e.Observed.After(latest):
			latest = e.Observed
			c.Hsjc = &interop.Hsjc{Result: map[string]string{"negative": "阴性", "positive": "阳性"}[e.Test.Result], Lab: e.Test.Lab, Time: interop.FormatTime(e.Observed)}
		}
	}
	slices.SortFunc(c.YqReports, func(a, b interop.YqReport) int { return bytes.Compare([]byte(b.Date), []byte(a.Date)) })
	c.YqReports = c.YqReports[:min(len(c.YqReports), gbtReports)]
}

func formatTenths(t int) string {
	return string(rune('0'+t/100)) + string(rune('0'+t/10%10)) + "." + string(rune('0'+t%10))
}

type gbtMakeOut struct {
	Body struct {
		Code string  `json:"code"`
		Data gbtMade `json:"data"`
	}
}

type gbtMade struct {
	BizExtData string    `json:"bizExtData,omitempty" doc:"the text of the QR"`
	Status     string    `json:"healthyStaus,omitempty"`
	Expires    string    `json:"code_expire_time,omitempty" doc:"China time"`
	At         time.Time `json:"expires_at,omitzero"`
	CannotTell string    `json:"cannot_tell,omitempty" doc:"no colour, no code"`
}

func (s *Server) gbtMake(ctx context.Context, in *gbtConsentIn) (*gbtMakeOut, error) {
	person, err := s.consented(ctx, in.Body.ApplyID, in.Body.OTP, "make")
	if err != nil {
		return nil, err
	}
	v, err := s.issueFor(ctx, person, 0)
	if err != nil {
		return nil, err
	}
	out := &gbtMakeOut{}
	out.Body.Code = gbtOK
	data := &out.Body.Data
	if data.CannotTell = string(v.CannotTell); v.Told {
		data.BizExtData, data.Status, data.Expires, data.At = v.Code, v.Colour.Wire(), interop.FormatTime(v.Expires), v.Expires
	}
	return out, nil
}

type gbtVerifyIn struct {
	Key  string `header:"Idempotency-Key"`
	Body struct {
		BizExtData string `json:"bizExtData" minLength:"1" maxLength:"4096" doc:"the text of the QR"`
		Gate       string `json:"gate" minLength:"1" maxLength:"64"`
	}
}

// gbtVerify is a scan: it is decided by the gate's policy and kept as a passage before it is answered.
func (s *Server) gbtVerify(ctx context.Context, in *gbtVerifyIn) (*gbtContentOut, error) {
	event, err := s.eventID("", in.Key)
	if err != nil {
		return nil, err
	}
	gate, err := s.gateFor(ctx, in.Body.Gate)
	if err != nil {
		return nil, err
	}
	if err := s.spendScans(ctx, 1); err != nil {
		return nil, err
	}
	acc := who(ctx).Account
	v, err := s.cfg.Checkpoint.Scan(ctx, checkpoint.Scan{Event: event, Code: in.Body.BizExtData, Gate: gate,
		Operator: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role)})
	if err != nil {
		return nil, err
	}
	c := interop.Content{Person: interop.ContentPerson{Name: v.MaskedName}, HealthyReport: []interop.HealthyReport{}, YqReports: []interop.YqReport{}, HasWarm: interop.NoWarning}
	if v.IDTail != "" {
		c.Person.Card = "**************" + v.IDTail
	}
	if v.Told {
		c.HealthyReport = append(c.HealthyReport, interop.HealthyReport{Region: s.cfg.Region.String(), Status: v.Colour.Wire(),
			Date: interop.FormatTime(v.At), Reason: v.Why.Zh, Guide: v.Guidance.Zh})
	}
	if !v.Told || v.Colour != kangma.Green {
		c.HasWarm, c.WarmMsgs = v.Why.Zh, []string{v.Guidance.Zh}
	}
	raw, err := json.Marshal(c)
	out := &gbtContentOut{}
	out.Body.Code = gbtOK
	out.Body.Data.Content, out.Body.Data.Decision, out.Body.Data.Reason, out.Body.Data.Event = string(raw), &v.Decision, v.Reason, v.Event.String()
	return out, err
}
