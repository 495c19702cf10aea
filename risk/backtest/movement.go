package backtest

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/kangma/kangma"
)

// Shares of people and events, guesses of the right order for the second half of 2022.
const (
	knowsEstate    = 0.80  // of homes: known by estate, as the grid registers them
	knowsHotel     = 0.30  // of stays elsewhere: known by the estate or hotel
	knowsStreet    = 0.30  // of the other stays: known by street, the rest by county
	travels        = 0.12  // of people in two weeks: leave their city
	withinProvince = 0.70  // of journeys
	inListedHome   = 0.15  // of people in a county with listed areas: live in one of them
	inListedTrip   = 0.05  // of journeys to such a county: stay in a listed area
	closeNear      = 0.004 // of people in a county with a high area: close contact in two weeks
	secondaryNear  = 0.012
	caseNear       = 0.0005
	entrants       = 0.0002
	buysDrugs      = 0.01
	declares       = 0.25 // daily health check-ins for some days
	vaccinated     = 0.90
	lateFeed       = 0.02 // of evidence: received two to four days late
)

const oneDay = 24 * time.Hour

// maker makes one person after the other in the same memory.
type maker struct {
	*world
	rnd     *rand.Rand
	dossier kangma.Dossier
	slab    slab
	home    kangma.Division
	endDay  int
}

// slab holds the payloads of one person.
type slab struct {
	stays        []kangma.Stay
	trips        []kangma.Trip
	tests        []kangma.Test
	managements  []kangma.Management
	declarations []kangma.Declaration
	contacts     []kangma.Contact
	clinics      []kangma.Clinic
	doses        []kangma.Vaccination
	entries      []kangma.Entry
}

// slabSize is more than most people get of one kind.
const slabSize = 64

// take gives the next free element of a slab. A full slab is left to the pointers into it and a larger one begun, so that
// no payload ever moves.
func take[T any](s *[]T) *T {
	if len(*s) == cap(*s) {
		*s = make([]T, 0, max(slabSize, 2*cap(*s)))
	}
	*s = (*s)[:len(*s)+1]
	e := &(*s)[len(*s)-1]
	var zero T
	*e = zero
	return e
}

func (s *slab) reset() {
	s.stays, s.trips, s.tests, s.managements = s.stays[:0], s.trips[:0], s.tests[:0], s.managements[:0]
	s.declarations, s.contacts, s.clinics, s.doses, s.entries = s.declarations[:0], s.contacts[:0], s.clinics[:0], s.doses[:0], s.entries[:0]
}

func (m *maker) chance(p float64) bool { return m.rnd.Float64() < p }

// at gives a moment of a day of the window (day 0 is two weeks before From), between two hours.
func (m *maker) at(day, fromHour, toHour int) time.Time {
	minutes := fromHour*60 + m.rnd.IntN((toHour-fromHour)*60)
	return m.start.Add(time.Duration(day)*oneDay + time.Duration(minutes)*time.Minute)
}

// add appends evidence; lag is how long its feed usually takes.
func (m *maker) add(kind kangma.EvidenceKind, at time.Time, source string, lag time.Duration) *kangma.Evidence {
	if m.chance(lateFeed) {
		lag += 2*oneDay + time.Duration(m.rnd.IntN(48))*time.Hour
	}
	m.dossier.Evidence = append(m.dossier.Evidence, kangma.Evidence{
		ID: eventID(at, m.rnd), Kind: kind, Observed: at, Reported: at.Add(lag / 2), Received: at.Add(lag), Source: source,
	})
	return &m.dossier.Evidence[len(m.dossier.Evidence)-1]
}

// person makes person number n.
func (m *maker) person(n uint64) {
	m.slab.reset()
	m.endDay = m.Days + 14
	sums, counties := m.weight, m.counties
	if len(m.homes) > 0 {
		sums, counties = m.homeSum, m.homes
	}
	m.home = counties[drawn(m.rnd, sums)]
	m.dossier = kangma.Dossier{
		Person: personID(m.Seed, n), Version: 1, Registered: m.start.AddDate(-1, 0, 0),
		Home: m.place(m.home, knowsEstate), Evidence: m.dossier.Evidence[:0],
	}
	atHome := m.dossier.Home
	if near := m.listed[0].near[m.home]; len(near) > 0 && m.chance(inListedHome) {
		atHome = m.listed[0].all[near[m.rnd.IntN(len(near))]].Place
	}
	m.life(atHome)
	m.medicine()
	m.epidemic()
	sortEvidence(m.dossier.Evidence)
}

// place gives a county, or a street in it, or with some chance an estate in a street.
func (m *maker) place(county kangma.Division, estate float64) kangma.Place {
	named := m.chance(estate)
	s := m.streets[county]
	p := kangma.Place{Division: county}
	if len(s) > 0 && (named || m.chance(knowsStreet)) {
		p.Division = s[m.rnd.IntN(len(s))]
	}
	if named {
		p.Community = estates[m.rnd.IntN(len(estates))]
	}
	return p
}

// estates are names that no list has.
var estates = func() (out [256]string) {
	for i := range out {
		out[i] = "虚拟家园第" + strconv.Itoa(i/8+1) + "区" + strconv.Itoa(i%8+1) + "号楼"
	}
	return out
}()

// life makes the stays at home and the journeys between them.
func (m *maker) life(home kangma.Place) {
	from := m.start.AddDate(0, -6, 0)
	day := 0
	for m.chance(travels*float64(m.endDay-day)/14) && day < m.endDay-4 {
		leave := day + m.rnd.IntN(m.endDay-day-3)
		away := 1 + m.rnd.IntN(5)
		m.stay(home, from, m.at(leave, 6, 12), leave)
		back := m.journey(leave, away)
		from = back
		day = leave + away + 2
	}
	e := m.add(kangma.KindStay, from.Add(time.Hour), "grid", 6*time.Hour)
	s := take(&m.slab.stays)
	s.Place, s.From, s.To = home, from, m.start.Add(time.Duration(m.endDay)*oneDay)
	if !s.To.After(from) { // came home on the last day
		s.To = from.Add(oneDay)
	}
	e.Stay = s
}

func (m *maker) stay(p kangma.Place, from, to time.Time, day int) {
	e := m.add(kangma.KindStay, to, "grid", 12*time.Hour)
	s := take(&m.slab.stays)
	s.Place, s.From, s.To = p, from, to
	e.Stay = s
}

// journey goes somewhere by train or flight, stays some days and comes back; it gives the moment of return.
func (m *maker) journey(leave, away int) time.Time {
	to := m.destination()
	where := m.place(to, knowsHotel)
	if near := m.near(leave, to); len(near) > 0 && m.chance(inListedTrip) {
		where = m.listed[min(leave, len(m.listed)-1)].all[near[m.rnd.IntN(len(near))]].Place
	}
	out, back := m.at(leave, 12, 20), m.at(leave+away, 12, 20)
	m.trip(m.home, to, out)
	m.stay(where, out.Add(3*time.Hour), back, leave)
	m.trip(to, m.home, back)
	return back.Add(3 * time.Hour)
}

func (m *maker) trip(from, to kangma.Division, at time.Time) {
	e := m.add(kangma.KindTrip, at.Add(3*time.Hour), "rail", 2*time.Hour)
	t := take(&m.slab.trips)
	*t = kangma.Trip{Mode: "train", Number: "G100", Departed: at, Arrived: at.Add(3 * time.Hour), From: kangma.Place{Division: from}, To: kangma.Place{Division: to}, Carriage: "07", Seat: "10C", Sealed: true}
	e.Trip = t
}

func (m *maker) destination() kangma.Division {
	if r := m.province[m.home.Province()]; m.chance(withinProvince) && r[1] > r[0] {
		return m.counties[r[0]+m.rnd.IntN(r[1]-r[0])]
	}
	return m.counties[drawn(m.rnd, m.weight)]
}

func (m *maker) near(day int, county kangma.Division) []int {
	return m.listed[min(day, len(m.listed)-1)].near[county]
}
