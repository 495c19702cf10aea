package areas

import "github.com/kangma/kangma"

// Summary counts what became of the rows of the lists that were read. A row is one {province, city, county} entry of one
// level of one list; Rows is the sum of the five counters and of the unresolved.
type Summary struct {
	Files      int             `json:"files"`
	Rows       int             `json:"rows"`
	Resolved   ResolvedRows    `json:"resolved"`
	Unresolved []UnresolvedRow `json:"unresolved"`
}

// ResolvedRows counts rows by how finely they were resolved.
type ResolvedRows struct {
	Province int `json:"province"`
	City     int `json:"city"`
	Zone     int `json:"zone"`
	County   int `json:"county"`
	Street   int `json:"street"`
}

// UnresolvedRow names one row that was not resolved. It is still in the table, under Division where that is known.
type UnresolvedRow struct {
	File     string          `json:"file"`
	Row      int             `json:"row"` // from 1, in the order high, middle, low
	Level    kangma.Level    `json:"level"`
	Province string          `json:"province"`
	City     string          `json:"city"`
	County   string          `json:"county"`
	Division kangma.Division `json:"division"`
}

// NewSummary gives an empty summary whose JSON has an empty array, not null.
func NewSummary() *Summary { return &Summary{Unresolved: []UnresolvedRow{}} }

// Add counts one list read from a file of this name.
func (s *Summary) Add(file string, l *List) {
	s.Files++
	for i, r := range l.Rows {
		s.Rows++
		a := Resolve(r.Province, r.City, r.County)
		switch a.Rank {
		case RankProvince:
			s.Resolved.Province++
		case RankCity:
			s.Resolved.City++
		case RankZone:
			s.Resolved.Zone++
		case RankCounty:
			s.Resolved.County++
		case RankStreet:
			s.Resolved.Street++
		default:
			s.Unresolved = append(s.Unresolved, UnresolvedRow{file, i + 1, r.Level, r.Province, r.City, r.County, a.Division})
		}
	}
}
