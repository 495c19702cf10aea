package divisions

import (
	"strings"
	"sync"

	"github.com/kangma/kangma"
)

// Find resolves names as forms and lists write them: a province, a city and a county, where city and county may be
// empty. It gives the finest division that the names surely mean and whether every name given was used. It knows the
// ways of the official lists: a municipality's district in the city's place, 省直辖县级行政单位 in the city's place, a
// county in the city's place, a street in the county's place where the city has no counties.
func Find(province, city, county string) (kangma.Division, bool) {
	p := FindProvince(province)
	if p == 0 {
		return 0, false
	}
	if city == "" || city == province {
		if county == "" {
			return p, true
		}
		d := FindIn(p, county, kangma.County)
		if d == 0 {
			return p, false
		}
		return d, true
	}
	c := FindIn(p, city, kangma.City)
	if c == 0 {
		if strings.Contains(city, "直辖县级") {
			c = p
		} else {
			c = FindIn(p, city, kangma.County)
		}
	}
	switch {
	case c == 0:
		return p, false
	case county == "" || county == city:
		return c, true
	}
	if d := findBelow(c, county); d != 0 {
		return d, true
	}
	return c, false
}

// findBelow finds a county in a province, a county or else a street in a city, a street in a county.
func findBelow(d kangma.Division, name string) kangma.Division {
	if d.Rank() < kangma.County {
		if found := FindIn(d, name, kangma.County); found != 0 || d.Rank() == kangma.Province {
			return found
		}
	}
	return FindIn(d, name, kangma.Street)
}

// FindProvince finds a province by its name, with or without the words that only say its rank (广西, 广西壮族自治区).
func FindProvince(name string) kangma.Division {
	name = Fold(name)
	for _, p := range provinceNames() {
		if p.full == name || p.stem == name {
			return p.division
		}
	}
	return 0
}

type provinceName struct {
	division   kangma.Division
	full, stem string
}

var provinceNames = sync.OnceValue(func() (out []provinceName) {
	for _, d := range Provinces() {
		out = append(out, provinceName{d, Name(d), Stem(Name(d))})
	}
	return out
})

// FindIn finds the one division of a rank inside d by its name. Brackets, spaces and the word for its kind do not
// matter (东小口（地区）镇 is 东小口地区), but an exact name wins, and a name that two divisions share is not found.
func FindIn(d kangma.Division, name string, rank kangma.DivisionRank) kangma.Division {
	name = Fold(name)
	if name == "" || d.Rank() == kangma.NoDivision {
		return 0
	}
	t := load()
	from, to := t.span(d)
	if found := t.pick(from, to, rank, func(s string) bool { return s == name }); found != 0 {
		return found
	}
	if now, ok := renamed[name]; ok && d.Contains(now) && now.Rank() == rank {
		return now
	}
	outer, inner := cutBracket(name)
	if inner != "" { // 海淀（万柳地区）镇 is 万柳地区, not 海淀街道
		if found := t.pick(from, to, rank, func(s string) bool { return s == inner }); found != 0 {
			return found
		}
	}
	stem := Stem(outer)
	return t.pick(from, to, rank, func(s string) bool { return stem != "" && Stem(s) == stem })
}

// pick gives the only division of a rank in the range whose name fits, or 0.
func (t *table) pick(from, to int, rank kangma.DivisionRank, fits func(string) bool) (found kangma.Division) {
	for i := from; i < to; i++ {
		if t.codes[i].Rank() != rank || !fits(t.name(i)) {
			continue
		}
		if found != 0 {
			return 0
		}
		found = t.codes[i]
	}
	return found
}

// cutBracket gives the name without its bracket, and what stood in the bracket.
func cutBracket(name string) (outer, inner string) {
	i := strings.IndexByte(name, '(')
	j := strings.LastIndexByte(name, ')')
	if i < 0 || j < i {
		return name, ""
	}
	return name[:i] + name[j+1:], name[i+1 : j]
}

// Fold removes spaces and brings brackets and other full-width forms to one form.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\u3000' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0' || r == '\u200b' || r == '\ufeff':
			return -1
		case r >= '！' && r <= '～': // full-width ASCII
			return r - '！' + '!'
		}
		return r
	}, s)
}

// kinds are the words at the end of a name that only say what kind of division it is, longest first.
var kinds = []string{
	"街道办事处", "特别行政区", "街道办", "自治区", "自治州", "自治县", "自治旗", "办事处", "民族乡", "街道", "地区", "林区", "特区",
	"省", "市", "区", "县", "旗", "盟", "州", "镇", "乡", "街", "苏木",
}

// peoples are the names of peoples in names of divisions; only those that stand before 自治… or 乡 are cut.
var peoples = []string{
	"壮族", "回族", "维吾尔", "蒙古族", "蒙古", "藏族", "苗族", "彝族", "布依族", "侗族", "瑶族", "白族", "土家族", "哈尼族", "傣族", "黎族",
	"傈僳族", "佤族", "畲族", "拉祜族", "水族", "纳西族", "景颇族", "柯尔克孜", "土族", "仫佬族", "羌族", "布朗族", "撒拉族", "毛南族", "仡佬族",
	"锡伯", "朝鲜族", "哈萨克族", "哈萨克", "满族", "蒙族", "独龙族", "怒族", "普米族", "裕固族", "保安族", "东乡族", "各族", "达斡尔族",
	"鄂温克族", "鄂伦春", "塔吉克", "阿昌族", "德昂族", "门巴族", "珞巴族", "基诺族", "京族", "高山族", "赫哲族",
}

// Stem gives a name without the words for its kind and for peoples: 广西壮族自治区 and 广西 are 广西, 三间房地区 and 三间房乡 are
// 三间房. A stem of one character is not taken, so that 雄县 stays 雄县. Brackets are dropped.
func Stem(name string) string {
	name, _ = cutBracket(Fold(name))
	for _, k := range kinds {
		rest, ok := strings.CutSuffix(name, k)
		if !ok || len(rest) < 2*len("一") {
			continue
		}
		if strings.HasPrefix(k, "自治") || k == "乡" || k == "民族乡" {
			rest = cutPeoples(rest)
		}
		return rest
	}
	return name
}

func cutPeoples(s string) string {
	for again := true; again; {
		again = false
		for _, p := range peoples {
			if rest, ok := strings.CutSuffix(s, p); ok && len(rest) >= 2*len("一") {
				s, again = rest, true
			}
		}
	}
	return s
}
