package kangma

import "time"

// EvidenceKind names what sort of fact a piece of evidence is.
type EvidenceKind string

// The closed set of kinds. Each but KindWithdrawal has its own payload field in Evidence.
const (
	KindStay        EvidenceKind = "stay"         // 旅居
	KindTrip        EvidenceKind = "trip"         // 行程
	KindEntry       EvidenceKind = "entry"        // 入境
	KindClinic      EvidenceKind = "clinic"       // 就诊、购药、诊断、出院
	KindTest        EvidenceKind = "test"         // 核酸、抗原
	KindVaccination EvidenceKind = "vaccination"  // 疫苗
	KindContact     EvidenceKind = "contact"      // 密接、次密接、同乘、时空伴随
	KindManagement  EvidenceKind = "management"   // 集中隔离、居家隔离
	KindDeclaration EvidenceKind = "declaration"  // 健康申报、打卡
	KindTemperature EvidenceKind = "temperature"  // 体温
	KindForeignCode EvidenceKind = "foreign-code" // 外地码
	KindOverride    EvidenceKind = "override"     // 人工赋码、转码
	KindWithdrawal  EvidenceKind = "withdrawal"   // 纠错: takes back one event or a whole batch
)

// Evidence is one observed fact about one person. Exactly one payload pointer is set, the one of its Kind. Three clocks
// are kept apart: when it happened, when its provider reported it, when we received it.
type Evidence struct {
	ID       EventID      `json:"id" cbor:"1,keyasint"`
	Kind     EvidenceKind `json:"kind" cbor:"2,keyasint"`
	Observed time.Time    `json:"observed_at" cbor:"3,keyasint"`
	Reported time.Time    `json:"reported_at,omitzero" cbor:"4,keyasint,omitzero"`
	Received time.Time    `json:"received_at,omitzero" cbor:"5,keyasint,omitzero"`
	Source   string       `json:"source" cbor:"6,keyasint,omitempty"`           // who says so: "self", a feed's name, "gate:ID", "staff:ID"
	Batch    string       `json:"batch,omitempty" cbor:"7,keyasint,omitempty"`  // the feed batch it came in, for exact undo
	Replaces EventID      `json:"replaces,omitzero" cbor:"8,keyasint,omitzero"` // correction: this stands in the place of that

	Stay        *Stay        `json:"stay,omitempty" cbor:"20,keyasint,omitempty"`
	Trip        *Trip        `json:"trip,omitempty" cbor:"21,keyasint,omitempty"`
	Entry       *Entry       `json:"entry,omitempty" cbor:"22,keyasint,omitempty"`
	Clinic      *Clinic      `json:"clinic,omitempty" cbor:"23,keyasint,omitempty"`
	Test        *Test        `json:"test,omitempty" cbor:"24,keyasint,omitempty"`
	Vaccination *Vaccination `json:"vaccination,omitempty" cbor:"25,keyasint,omitempty"`
	Contact     *Contact     `json:"contact,omitempty" cbor:"26,keyasint,omitempty"`
	Management  *Management  `json:"management,omitempty" cbor:"27,keyasint,omitempty"`
	Declaration *Declaration `json:"declaration,omitempty" cbor:"28,keyasint,omitempty"`
	Temperature *Temperature `json:"temperature,omitempty" cbor:"29,keyasint,omitempty"`
	ForeignCode *ForeignCode `json:"foreign_code,omitempty" cbor:"30,keyasint,omitempty"`
	Override    *Override    `json:"override,omitempty" cbor:"31,keyasint,omitempty"`
	Withdrawal  *Withdrawal  `json:"withdrawal,omitempty" cbor:"32,keyasint,omitempty"`
}

// Stay is time spent at a place, half-open [From, To). A zero To means "still there as far as known at Observed".
type Stay struct {
	Place Place     `json:"place" cbor:"1,keyasint"`
	From  time.Time `json:"from" cbor:"2,keyasint"`
	To    time.Time `json:"to,omitzero" cbor:"3,keyasint,omitzero"`
}

// Trip is one journey on a public or private vehicle.
type Trip struct {
	Mode     string    `json:"mode" cbor:"1,keyasint"`                       // train, flight, ship, coach, metro, taxi, car
	Number   string    `json:"number,omitempty" cbor:"2,keyasint,omitempty"` // train or flight number
	Departed time.Time `json:"departed" cbor:"3,keyasint"`
	Arrived  time.Time `json:"arrived,omitzero" cbor:"4,keyasint,omitzero"`
	From     Place     `json:"from" cbor:"5,keyasint"`
	To       Place     `json:"to" cbor:"6,keyasint"`
	Carriage string    `json:"carriage,omitempty" cbor:"7,keyasint,omitempty"` // carriage, compartment or cabin
	Seat     string    `json:"seat,omitempty" cbor:"8,keyasint,omitempty"`     // row and letter, e.g. 12F
	Sealed   bool      `json:"sealed,omitempty" cbor:"9,keyasint,omitempty"`   // sealed, air-conditioned vehicle
	Crew     bool      `json:"crew,omitempty" cbor:"10,keyasint,omitempty"`
}

// Entry is an arrival from abroad (入境).
type Entry struct {
	Country string   `json:"country" cbor:"1,keyasint"` // ISO 3166-1 alpha-2
	Port    Division `json:"port,omitempty" cbor:"2,keyasint,omitempty"`
}

// Clinic is a contact with medicine that rules care about.
type Clinic struct {
	What      string   `json:"what" cbor:"1,keyasint"`                          // fever-clinic, outpatient, admission, discharge, diagnosis, drug
	Diagnosis string   `json:"diagnosis,omitempty" cbor:"2,keyasint,omitempty"` // confirmed, asymptomatic, suspected, clinical, excluded
	Drug      string   `json:"drug,omitempty" cbor:"3,keyasint,omitempty"`      // antipyretic, cough, antibiotic, antiviral
	Place     Division `json:"place,omitempty" cbor:"4,keyasint,omitempty"`
}

// Test is one test for the infection. Observed is when the sample was taken, Reported when the result was published.
type Test struct {
	Method   string    `json:"method" cbor:"1,keyasint"`                         // pcr, antigen, antibody
	Result   string    `json:"result" cbor:"2,keyasint"`                         // negative, positive, pending, inconclusive
	Received time.Time `json:"lab_received,omitzero" cbor:"3,keyasint,omitzero"` // when the laboratory had the sample
	Lab      string    `json:"lab,omitempty" cbor:"4,keyasint,omitempty"`
}

// Vaccination is one dose.
type Vaccination struct {
	Dose    int    `json:"dose" cbor:"1,keyasint"`
	Product string `json:"product,omitempty" cbor:"2,keyasint,omitempty"`
}

// Contact is exposure to a case, as judged by an investigator or a matching feed. Observed is the last exposure.
type Contact struct {
	Degree       string `json:"degree" cbor:"1,keyasint"`                        // close, secondary, co-traveller, spatiotemporal, general
	Case         string `json:"case,omitempty" cbor:"2,keyasint,omitempty"`      // reference of the case, never a name
	Setting      string `json:"setting,omitempty" cbor:"3,keyasint,omitempty"`   // household, meal, work, flight, train, coach, ship, venue
	Trip         *Trip  `json:"trip,omitempty" cbor:"4,keyasint,omitempty"`      // the shared journey, for contact geometry
	CaseSeat     string `json:"case_seat,omitempty" cbor:"5,keyasint,omitempty"` // seat of the case on it
	CaseCarriage string `json:"case_carriage,omitempty" cbor:"6,keyasint,omitempty"`
}

// Management is a measure on a person: isolation or monitoring, half-open [From, Until).
type Management struct {
	Measure string    `json:"measure" cbor:"1,keyasint"` // central, home, home-monitoring, self-monitoring
	From    time.Time `json:"from" cbor:"2,keyasint"`
	Until   time.Time `json:"until,omitzero" cbor:"3,keyasint,omitzero"`   // planned or real end; zero: not ended
	Cause   string    `json:"cause,omitempty" cbor:"4,keyasint,omitempty"` // contact, secondary, high-area, mid-area, entry, case, other
	Done    bool      `json:"done,omitempty" cbor:"5,keyasint,omitempty"`  // released: Until is the real end
}

// Declaration is what a resident says of their own health; a daily check-in (打卡) is one too.
type Declaration struct {
	Symptoms    []string `json:"symptoms,omitempty" cbor:"1,keyasint,omitempty"`    // fever, cough, fatigue, throat, breath, taste, nausea, diarrhoea, conjunctivitis, chest, headache, muscle; empty: none
	Temperature int      `json:"temperature,omitempty" cbor:"2,keyasint,omitempty"` // tenths of a degree Celsius; 0: not measured
	Contact     string   `json:"contact,omitempty" cbor:"3,keyasint,omitempty"`     // contact with a patient: yes, no, unsure
	Visited     []Place  `json:"visited,omitempty" cbor:"4,keyasint,omitempty"`     // places of the last 14 days
	CheckIn     bool     `json:"check_in,omitempty" cbor:"5,keyasint,omitempty"`
}

// Temperature is one measured body temperature.
type Temperature struct {
	Tenths int `json:"tenths" cbor:"1,keyasint"` // tenths of a degree Celsius: 373 is 37.3 °C
}

// ForeignCode is the colour another region gave this person. It keeps its source and age.
type ForeignCode struct {
	Region Division  `json:"region" cbor:"1,keyasint"`
	Colour Colour    `json:"colour" cbor:"2,keyasint"`
	Issued time.Time `json:"issued,omitzero" cbor:"3,keyasint,omitzero"`
	Reason string    `json:"reason,omitempty" cbor:"4,keyasint,omitempty"`
}

// Override is a colour set by hand: two people of different organisations, a reason from a closed list, and an end.
type Override struct {
	Colour    Colour    `json:"colour" cbor:"1,keyasint"`
	Reason    string    `json:"reason" cbor:"2,keyasint"` // closed list, see OverrideReasons
	Until     time.Time `json:"until" cbor:"3,keyasint"`
	Reference string    `json:"reference,omitempty" cbor:"4,keyasint,omitempty"` // the case, order or area it rests on
	Requested string    `json:"requested_by" cbor:"5,keyasint"`                  // account
	Approved  string    `json:"approved_by" cbor:"6,keyasint"`                   // account of another organisation
}

// OverrideReasons is the closed list of reasons for a colour set by hand.
var OverrideReasons = []string{"confirmed-case", "close-contact", "isolation-order", "entry-isolation", "released-early", "correction", "foreign-clearance", "appeal-granted"}

// Withdrawal takes back one event of this person, or everything of theirs that came in a batch.
type Withdrawal struct {
	Event  EventID `json:"event,omitzero" cbor:"1,keyasint,omitzero"`
	Batch  string  `json:"batch,omitempty" cbor:"2,keyasint,omitempty"`
	Reason string  `json:"reason,omitempty" cbor:"3,keyasint,omitempty"`
}
