package backtest

import (
	"time"

	"github.com/kangma/kangma"
)

// medicine makes tests, doses, check-ins and drug purchases.
func (m *maker) medicine() {
	every := []int{2, 3, 7, 14, 30}[m.rnd.IntN(5)] // how often this person is tested, in days
	tests := 0
	for day := m.rnd.IntN(every); day < m.endDay && tests < 12; day += every {
		m.test(m.at(day, 7, 20), "negative")
		tests++
	}
	if m.chance(vaccinated) {
		e := m.add(kangma.KindVaccination, m.start.AddDate(-1, -m.rnd.IntN(6), 0), "vaccine", oneDay)
		e.Vaccination = take(&m.slab.doses)
		e.Vaccination.Dose = 1 + m.rnd.IntN(3)
	}
	if m.chance(declares) {
		first := m.rnd.IntN(m.endDay)
		for day := first; day < min(m.endDay, first+5); day++ {
			at := m.at(day, 7, 10)
			e := m.add(kangma.KindDeclaration, at, "self", 0)
			d := take(&m.slab.declarations)
			d.CheckIn, d.Temperature, d.Contact = true, 362+m.rnd.IntN(8), "no"
			if m.chance(0.01) {
				d.Temperature = 378
			}
			e.Declaration = d
		}
	}
	if m.chance(buysDrugs) {
		e := m.add(kangma.KindClinic, m.at(m.rnd.IntN(m.endDay), 9, 20), "pharmacy", 8*time.Hour)
		e.Clinic = take(&m.slab.clinics)
		e.Clinic.What, e.Clinic.Drug, e.Clinic.Place = "drug", "antipyretic", m.home
	}
}

func (m *maker) test(at time.Time, result string) {
	e := m.add(kangma.KindTest, at, "laboratory", 10*time.Hour)
	e.Test = take(&m.slab.tests)
	e.Test.Method, e.Test.Result, e.Test.Received = "pcr", result, at.Add(2*time.Hour)
}

// epidemic makes contacts, isolation and cases where high areas are near, and arrivals from abroad.
func (m *maker) epidemic() {
	for day := m.rnd.IntN(14); day < m.endDay; day += 14 {
		if m.highNear(day) {
			switch p := m.rnd.Float64(); {
			case p < caseNear:
				m.sick(day)
			case p < caseNear+closeNear:
				m.contact(day, "close", "central", 7)
			case p < caseNear+closeNear+secondaryNear:
				m.contact(day, "secondary", "home", 7)
			}
		}
		if m.chance(entrants) {
			e := m.add(kangma.KindEntry, m.at(day, 6, 22), "border", 4*time.Hour)
			e.Entry = take(&m.slab.entries)
			e.Entry.Country = "SG"
			m.manage(day, "central", 7, "entry")
		}
	}
}

func (m *maker) highNear(day int) bool {
	l := &m.listed[min(day, len(m.listed)-1)]
	for _, i := range l.near[m.home] {
		if l.all[i].Level == kangma.HighLevel {
			return true
		}
	}
	return false
}

func (m *maker) contact(day int, degree, measure string, days int) {
	e := m.add(kangma.KindContact, m.at(day, 8, 22), "tracing", 20*time.Hour)
	e.Contact = take(&m.slab.contacts)
	e.Contact.Degree, e.Contact.Setting = degree, "venue"
	if m.chance(0.8) {
		m.manage(day+1, measure, days, "contact")
	}
}

// manage orders a measure and, mostly, releases from it.
func (m *maker) manage(day int, measure string, days int, cause string) {
	from := m.at(day, 8, 20)
	e := m.add(kangma.KindManagement, from, "isolation", 3*time.Hour)
	e.Management = take(&m.slab.managements)
	*e.Management = kangma.Management{Measure: measure, From: from, Until: from.Add(time.Duration(days) * oneDay), Cause: cause}
	order := e.ID
	for i := 1; i <= days; i += 2 {
		m.test(m.at(day+i, 7, 12), "negative")
	}
	if m.chance(0.9) {
		until := from.Add(time.Duration(days) * oneDay)
		e := m.add(kangma.KindManagement, until, "isolation", 3*time.Hour)
		e.Replaces = order
		e.Management = take(&m.slab.managements)
		*e.Management = kangma.Management{Measure: measure, From: from, Until: until, Cause: cause, Done: true}
	}
}

func (m *maker) sick(day int) {
	m.test(m.at(day, 7, 20), "positive")
	e := m.add(kangma.KindClinic, m.at(day+1, 8, 20), "hospital", 5*time.Hour)
	e.Clinic = take(&m.slab.clinics)
	e.Clinic.What, e.Clinic.Diagnosis, e.Clinic.Place = "diagnosis", "confirmed", m.home
	if m.chance(0.8) {
		e := m.add(kangma.KindClinic, m.at(day+10, 8, 20), "hospital", 5*time.Hour)
		e.Clinic = take(&m.slab.clinics)
		e.Clinic.What, e.Clinic.Place = "discharge", m.home
	}
}
