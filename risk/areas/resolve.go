package areas

import (
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// Rank says how finely the names of a row were resolved.
type Rank uint8

// Ranks of a resolved row. The zero Rank is Unresolved.
const (
	Unresolved   Rank = iota // some name means nothing to us; the area still stands under what was found
	RankProvince             // only the province is named
	RankCity                 // only the city is named
	RankZone                 // a functional zone without a code, named under its city or province
	RankCounty
	RankStreet
)

// Area is where a row is: a division, and a zone by name where it has no code of its own.
type Area struct {
	Division kangma.Division
	Zone     string
	Rank     Rank
}

// corps is the Xinjiang corps, which stands in the province's place and has no code.
const corps = "新疆生产建设兵团"

// xinjiang holds the corps.
const xinjiang = kangma.Division(650_000_000)

// Resolve finds where the names of a row are. It never fails: what it does not know it puts under the finest division it
// does know, with Rank Unresolved and the unknown names as Zone, so that nothing of a list is dropped. The zero Division
// means that not even the province is known.
func Resolve(province, city, county string) Area {
	province, city, county = divisions.Fold(province), divisions.Fold(city), divisions.Fold(county)
	if province == corps || city == corps {
		return Area{xinjiang, zoneName(corps, without(city, corps), without(county, corps, city)), RankZone}
	}
	p := divisions.FindProvince(province)
	if p == 0 {
		return Area{Zone: zoneName(province, city, county)}
	}
	if city == "" || city == province {
		return inside(p, without(county, province))
	}
	c := findCity(p, city)
	switch {
	case c != 0:
		return inside(c, without(county, city))
	case isZone(city): // 长白山保护开发区, 宁东能源化工基地 in the city's place
		return Area{p, zoneName(city, without(county, city)), RankZone}
	case divisions.FindIn(p, county, kangma.County) != 0: // 杨凌示范区 杨陵区; a city that was renamed
		return Area{divisions.FindIn(p, county, kangma.County), "", RankCounty}
	}
	return Area{p, zoneName(city, without(county, city)), Unresolved}
}

// findCity finds what stands in the city's place: a city, the nameless group, or a county (雄县, a municipality's district).
func findCity(p kangma.Division, city string) kangma.Division {
	if strings.Contains(city, "直辖县级") {
		return p
	}
	if d := divisions.FindIn(p, city, kangma.City); d != 0 && !divisions.IsMunicipality(p) {
		return d
	}
	return divisions.FindIn(p, city, kangma.County)
}

// inside resolves the name in the county's place, inside a province, city or county.
func inside(d kangma.Division, name string) Area {
	if name == "" || wholeWords[name] {
		return whole(d)
	}
	if d.Rank() < kangma.County {
		if found := divisions.FindIn(d, name, kangma.County); found != 0 {
			return Area{found, "", RankCounty}
		}
	}
	if d.Rank() == kangma.City && name == "市辖区" { // 嘉峪关, 儋州: the city's only county, or the city itself
		return whole(d)
	}
	if d.Rank() > kangma.Province && !zoneLike(name) {
		if found := divisions.FindIn(d, name, kangma.Street); found != 0 {
			return Area{found, "", RankStreet}
		}
	}
	if isZone(name) {
		if found := codedZone(d, name); found != 0 {
			return Area{found, "", RankCounty}
		}
		return Area{d, name, RankZone}
	}
	if d.Rank() == kangma.County { // the district is sure, its part only has a name
		return Area{d, name, RankCounty}
	}
	return Area{d, name, Unresolved}
}

// whole is a division named alone. A city whose only county is itself counts as that county, as in the bureau's table.
func whole(d kangma.Division) Area {
	switch d.Rank() {
	case kangma.Province:
		return Area{d, "", RankProvince}
	case kangma.City:
		kids := divisions.Children(d)
		if len(kids) == 1 && kids[0].Rank() == kangma.County {
			return Area{kids[0], "", RankCounty}
		}
		if len(kids) > 0 && kids[0].Rank() == kangma.Street {
			return Area{d, "", RankCounty}
		}
		return Area{d, "", RankCity}
	case kangma.County:
		return Area{d, "", RankCounty}
	case kangma.Street:
		return Area{d, "", RankStreet}
	}
	return Area{}
}

// without gives s unless it only repeats one of the names before it.
func without(s string, before ...string) string {
	for _, b := range before {
		if s == b {
			return ""
		}
	}
	return s
}

// zoneName joins the names that are given.
func zoneName(parts ...string) string { return strings.Join(parts, "") }

// wholeWords in the county's place mean the whole of what stands before.
var wholeWords = map[string]bool{"全市": true, "全区": true, "全县": true, "全域": true, "全省": true, "市本级": true}

// zoneEnds are how names of functional zones end. Counties and districts also end in 区, so they are looked up first.
var zoneEnds = []string{
	"区", "园", "基地", "新城", "科学城", "科技城", "空港城", "港城", "兵团", "农场", "林场", "牧场", "垦区", "管理局", "管委会", "农垦", "口岸",
	"示范带", "景区", "南部山区", "起步区", "建三江", "岛",
}

// isZone reports whether a name that is no division looks like a functional zone.
func isZone(name string) bool {
	name = dropBracket(name)
	for _, end := range zoneEnds {
		if strings.HasSuffix(name, end) && !strings.HasSuffix(name, "自治区") {
			return true
		}
	}
	return zoneLike(name)
}

// zoneLike reports whether a name carries the words of a development zone. The bureau's table has a few of them as
// streets of one county; the lists mean the whole zone, which is not bound to a county.
func zoneLike(name string) bool {
	name = dropBracket(name)
	for _, w := range []string{"开发区", "高新区", "经开区", "经济区", "新区", "产业园", "工业园", "保税区", "合作区", "管理区", "度假区", "示范区", "试验区"} {
		if strings.Contains(name, w) {
			return !strings.HasSuffix(name, "街道") && !strings.HasSuffix(name, "镇") && !strings.HasSuffix(name, "乡")
		}
	}
	return false
}
