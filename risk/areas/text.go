package areas

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// The community of a list is free text: 胜芳镇欧韵城小区, 团山街道全域, 韦集镇除高风险区外的其他区域, 富力城12号楼、13号楼.
// reading is what we take from it.
type reading struct {
	street kangma.Division // the street the text begins with, or 0
	whole  bool            // the text means all of the row's area, or of that street, but for what is listed apart
	keys   []textKey       // by what a person's own text can find it
}

// textKey is the hash of a folded piece of text. Exact: who writes this is in the area; otherwise the area may be only a
// part of what they wrote (a building of the estate).
type textKey struct {
	hash  uint64
	exact bool
}

// place names that may stand before a text and say nothing new.
type prefixes struct {
	names   []name       // province, city, county, zone in every usual spelling, longest first
	streets []streetName // by first character, then longest first
}

// name is a text and its first character, by which nearly all others are told apart at once.
type name struct {
	first rune
	text  string
}

type streetName struct {
	name     string
	first    rune
	division kangma.Division
}

// maxPieces bounds how many estates of one text are indexed.
const maxPieces = 16

// read analyses one community text of a row that lies in the area p was made for.
func (p *prefixes) read(text string) reading {
	text = divisions.Fold(text)
	rest, street := p.strip(text)
	r := reading{street: street, whole: rest == "" || wholePattern.MatchString(p.drop(rest))}
	if r.whole {
		return r
	}
	r.add(text, true)
	r.add(rest, true)
	pieces := strings.FieldsFunc(rest, func(c rune) bool { return c == '、' || c == ';' || c == ',' || c == '，' || c == '。' })
	for i, piece := range pieces[:min(len(pieces), maxPieces)] {
		if i > 0 {
			piece, _ = p.strip(piece)
		}
		head := headOf(piece)
		r.add(head, head == piece)
		r.add(strings.TrimSuffix(head, estate), head == piece)
	}
	return r
}

// foundBy reports whether who writes the listed text finds the area by what p leaves of it.
func (a *listed) foundBy(p *prefixes) bool {
	rest, _ := p.strip(a.text)
	hash, _ := hashText(rest)
	return slices.Contains(a.read.keys, textKey{hash, true})
}

func (r *reading) add(s string, exact bool) {
	h, runes := hashText(s)
	if runes < 3 { // two characters name nothing safely
		return
	}
	for i := range r.keys {
		if r.keys[i].hash == h {
			r.keys[i].exact = r.keys[i].exact || exact
			return
		}
	}
	r.keys = append(r.keys, textKey{h, exact})
}

// strip removes the names of the row's province, city and county, and then a street's name, from the front.
func (p *prefixes) strip(s string) (rest string, street kangma.Division) {
	var first rune
	for again := true; again; {
		again = false
		if first = firstOf(s); first < '一' || first > '龥' { // people write spaces between the names
			s = trimSpace(s)
			if first = firstOf(s); first == 0 {
				return s, 0
			}
		}
		for i := range p.names {
			if n := &p.names[i]; n.first == first && strings.HasPrefix(s, n.text) {
				s, again = s[len(n.text):], true
				break
			}
		}
	}
	i, end := 0, len(p.streets)
	for i < end { // the first street that begins with this character or a later one
		if mid := int(uint(i+end) >> 1); p.streets[mid].first < first {
			i = mid + 1
		} else {
			end = mid
		}
	}
	for ; i < len(p.streets) && p.streets[i].first == first; i++ {
		if r, ok := strings.CutPrefix(s, p.streets[i].name); ok {
			return strings.TrimPrefix(r, "办事处"), p.streets[i].division
		}
	}
	return s, 0
}

// drop removes the row's own names after an exception: 中高风险区以外的城关区其他所有区域.
func (p *prefixes) drop(s string) string {
	i := strings.LastIndex(s, "外")
	if i < 0 {
		return s
	}
	i += len("外")
	tail := strings.TrimPrefix(s[i:], "的")
	for _, n := range p.names {
		if rest, ok := strings.CutPrefix(tail, n.text); ok {
			return s[:i] + rest
		}
	}
	return s
}

// wholePattern matches what stays of a text, once the names in front are gone, when it means the whole area: 全域, 全区
// (除高风险区外), 除中高风险区以外的其他区域, 中高风险区以外的其他所有区域, 其余地区. What follows the exception may only say "the rest":
// 除高风险区外石桥镇其他区域 is not the whole county.
var wholePattern = regexp.MustCompile(`^(全区域|全区|全县|全市|全镇区?|全街道|全乡)?(全域|全境|区域范围|辖区|辖|域|区域|范围|境)?内?的?[,，]?[(（]?(` +
	exception + rest + `|(其他|其余|其它|剩余)(的)?(所有|全部)?(区域|地区|地方|范围)?(均?为低风险区)?)?[)）]?。?$`)

const (
	levels    = `(中高|高中|[中高低]风险区?[、和及][中高低]|[中高低][、和及][中高低]|[中高低])风险(区域|地区|区)?`
	exception = `(除(上述|已划[分定]为)?` + levels + `(以外|之外|外)?|除[^。;,，(（]{1,40}(以外|之外|外)|(已?划[分定]为)?` + levels + `(以外|之外|除外|外))`
	rest      = `(的)?(其他|其余|其它|剩余)?(的)?(所有|全部)?(区域|地区|地方|地域|范围|部分|全域|区)?(均?为低风险区)?`
)
