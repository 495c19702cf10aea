package areas

import (
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// zoneKinds are the ways of writing a kind of zone, by the one that stands for all of them.
var zoneKinds = map[string][]string{
	"高新区": {"高新技术产业开发区", "高新技术开发区", "高新技术产业园区", "高技术产业开发区", "高新技术产业区"},
	"经开区": {"经济技术开发区", "经济开发区", "开发区"},
}

// zoneWords bring them to one; 开发区 alone is left to zoneKey, since it is also the end of other kinds.
var zoneWords = strings.NewReplacer(
	"高新技术产业开发区", "高新区", "高新技术开发区", "高新区", "高新技术产业园区", "高新区", "高技术产业开发区", "高新区", "高新技术产业区", "高新区",
	"经济技术开发区", "经开区", "经济开发区", "经开区",
)

// zoneSpellings lists the usual ways of writing a zone of this key, so that nearly every name is found as it is written.
func zoneSpellings(under kangma.Division, key string) []string {
	words := []string{key}
	for kind, more := range zoneKinds {
		for _, w := range more {
			if head, ok := strings.CutSuffix(key, kind); ok {
				words = append(words, head+w)
			}
		}
	}
	fronts := []string{"", "国家"}
	for _, d := range []kangma.Division{under.Province(), under.City(), under.County()} {
		if full := divisions.Name(d); full != "" {
			fronts = append(fronts, full, divisions.Stem(full), full+"国家", divisions.Stem(full)+"国家")
		}
	}
	var out []string
	for _, f := range fronts {
		for _, w := range words {
			for _, end := range []string{"", "管委会"} {
				if name := f + w + end; zoneKey(under, name) == key {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// zoneKey gives the text by which a zone under a division is found: without brackets and without the names of the province
// and city it lies in, and with one word for its kind. 湛江经济技术开发区, 经济技术开发区 and 经开区 under 湛江市 are one zone.
func zoneKey(under kangma.Division, name string) string {
	name = zoneWords.Replace(dropBracket(divisions.Fold(name)))
	name = strings.TrimSuffix(name, "管委会")
	for _, d := range []kangma.Division{under.Province(), under.City(), under.County()} {
		full := divisions.Name(d)
		for _, p := range []string{full, divisions.Stem(full)} {
			if rest, ok := strings.CutPrefix(name, p); p != "" && ok && rest != "" && rest != "区" {
				name = rest
				break
			}
		}
	}
	if rest, ok := strings.CutPrefix(name, "国家"); ok && rest != "" {
		name = rest
	}
	if name == "开发区" {
		return "经开区"
	}
	return name
}

// codedZone finds the zone among those that the bureau's table lists as counties of the city (their codes end in 71 to 79;
// they are statistical codes, not of GB/T 2260 itself), or 0.
func codedZone(city kangma.Division, name string) (found kangma.Division) {
	if city.Rank() != kangma.City {
		return 0
	}
	key := zoneKey(city, name)
	for _, d := range divisions.Children(city) {
		if n := d / 1000 % 100; n < 71 || n > 79 || zoneKey(city, divisions.Name(d)) != key {
			continue
		}
		if found != 0 {
			return 0
		}
		found = d
	}
	return found
}

// dropBracket removes what stands in brackets; a name that is all bracket keeps it.
func dropBracket(name string) string {
	i := strings.IndexByte(name, '(')
	if i < 0 {
		return name
	}
	j := strings.LastIndexByte(name, ')')
	if j < i {
		j = len(name) - 1
	}
	if rest := name[:i] + name[j+1:]; rest != "" {
		return rest
	}
	return name
}
