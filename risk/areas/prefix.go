package areas

import (
	"slices"
	"sort"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// newPrefixes gathers the names that may stand before a community text in an area; more are the names as a row spells them.
func newPrefixes(a Area, more ...string) *prefixes {
	p := &prefixes{}
	for _, name := range more {
		if name = divisions.Fold(name); name != "" && !strings.Contains(name, "直辖县级") && name != "市辖区" {
			p.add(name)
		}
	}
	for _, d := range []kangma.Division{a.Division.Province(), a.Division.City(), a.Division.County(), a.Division} {
		p.addNames(d)
	}
	if a.Zone != "" {
		p.add(a.Zone)
	}
	if a.Division.Rank() == kangma.Street { // the row's own street, under each word for its kind
		own := &prefixes{}
		own.addStreet(a.Division)
		for _, n := range own.streets {
			p.add(n.name)
		}
	}
	group := a.Division.County()
	if a.Division.Rank() == kangma.City { // a city of towns
		group = a.Division
	}
	if a.Division.Rank() != kangma.Street && group != 0 {
		for _, d := range divisions.Children(group) {
			if d.Rank() == kangma.Street {
				p.addStreet(d)
			}
		}
	}
	sort.SliceStable(p.names, func(i, j int) bool { return len(p.names[i].text) > len(p.names[j].text) })
	sort.SliceStable(p.streets, func(i, j int) bool {
		a, b := p.streets[i], p.streets[j]
		if a.first != b.first {
			return a.first < b.first
		}
		return len(a.name) > len(b.name)
	})
	return p
}

// add adds a name once.
func (p *prefixes) add(text string) {
	if n := (name{firstOf(text), text}); !slices.Contains(p.names, n) {
		p.names = append(p.names, n)
	}
}

// addNames adds a division's full name and the short one people write: 互助县 for 互助土族自治县.
func (p *prefixes) addNames(d kangma.Division) {
	name := divisions.Name(d)
	if name == "" || name == "市辖区" || name == "县" || strings.Contains(name, "直辖县级") {
		return
	}
	p.add(name)
	stem := divisions.Stem(name)
	if strings.Contains(name, "自治县") {
		p.add(stem + "县")
	}
	if strings.Contains(name, "自治州") {
		p.add(stem + "州")
	}
	if strings.Contains(name, "自治区") && stem != name {
		p.add(stem)
	}
}

// addStreet adds a street under each word for its kind, since lists and the bureau's table differ in it: 华林街 is 华林街道.
func (p *prefixes) addStreet(d kangma.Division) {
	name := divisions.Name(d)
	stem := divisions.Stem(name)
	first := firstOf(name)
	p.streets = append(p.streets, streetName{name, first, d})
	if stem == name {
		return
	}
	for _, kind := range []string{"街道", "地区", "镇", "乡", "街", "办"} {
		if stem+kind != name {
			p.streets = append(p.streets, streetName{stem + kind, first, d})
		}
	}
}
