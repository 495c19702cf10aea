package field

import (
	"testing"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// printed is a row of characters as clear as their means, 32 columns each; digits are half as wide.
func printed(t *testing.T, m *glyph.Model, text string) (chars []Char) {
	t.Helper()
	x := float32(0)
	for _, r := range text {
		c := Char{X0: x, X1: x + 30, em: 32, Narrow: isNarrow(r), Answers: []glyph.Answer{{R: r, Dist: 1}, {R: '#', Dist: 3}}}
		if c.Narrow {
			c.X1 = x + 15
		} else {
			for i := range m.Protos {
				if glyph.Classes()[m.Protos[i].Class] == r {
					c.V = m.Protos[i].V
					break
				}
			}
			c.Answers = m.NearestOf(c.V, mostAnswers)
		}
		x += c.X1 - c.X0 + 2
		chars = append(chars, c)
	}
	return chars
}

func TestAReaderOfRowsDecidesANameAsFarAsItIsConvinced(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, said string
		p          float32
		near       float32 // how much farther the truth looks than what we read
		read, want string
	}{
		{"what we misread is mended by a convinced reader", "骥", .9999, .4, "骡", "骥"},
		{"a doubtful reader does not change what is clear", "骥", .6, .4, "骡", "骡"},
		{"what it does not know it cannot take from us", "坛", .93, .4, "妘", "妘"},
		{"what looks like nothing else stays", "骥", .9999, 1.6, "骡", "骡"},
	} {
		t.Run(c.name, func(t *testing.T) {
			own, said := []rune(c.read)[0], []rune(c.said)[0]
			ch := Char{X1: 30, em: 32, V: make([]float32, m.Kept), Answers: []glyph.Answer{{R: own, Dist: 1}, {R: said, Dist: 1 + c.near}}}
			v := Value{Chars: []Char{{X0: -34, X1: -4, em: 32, V: ch.V, Answers: []glyph.Answer{{R: '王', Dist: 1}}}, ch}, Rows: []Row{{From: 0, To: 2}}}
			h := Hearing{Chars: []Heard{{R: '王', P: 1, X: -19}, {R: said, P: c.p, X: 15}}, Knows: func(r rune) bool { return r != '妘' }}
			v.Heed(m, v.Rows[0], &h)
			if v.Text != "王"+c.want {
				t.Errorf("the name is %s, confidence %.3f", v.Text, v.Confidence)
			}
		})
	}
}

func TestWhatIsSaidBelongsToTheNearestCharacter(t *testing.T) {
	chars := []Char{{X0: 0, X1: 30, em: 32}, {X0: 32, X1: 62, em: 32}}
	h := Hearing{Chars: []Heard{{R: '王', X: 18}, {R: '玉', X: 80}}}
	if s := h.at(chars, 0); s == nil || s.R != '王' {
		t.Errorf("the first hears %v", s)
	}
	if s := h.at(chars, 1); s != nil {
		t.Errorf("the second hears what is said elsewhere: %c", s.R)
	}
}

func TestAReaderOfRowsMendsAnAddress(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, ours, said string
		p                float32
		want             string
	}{
		{"both agree", "人民路12号", "人民路12号", .99, "人民路12号"},
		{"a look-alike that it is sure of", "玉家屯", "王家屯", .9999, "王家屯"},
		{"a look-alike that it doubts", "玉家屯", "王家屯", .5, "玉家屯"},
		{"two digits that we took for one character", "里们幢", "里31幢", .99, "里31幢"},
		{"of which it is not convinced", "里们幢", "里31幢", .6, "里们幢"},
		{"a character that we lost at the end", "18层7", "18层7号", .99, "18层7号"},
		{"a blank and a full-width digit are no changes", "1号", "１ 号", .99, "1号"},
		{"a character that it does not know stays", "仡佬族", "佬族", .99, "仡佬族"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Value{Chars: printed(t, m, c.ours)}
			v.Rows = []Row{{From: 0, To: len(v.Chars)}}
			h := Hearing{Knows: func(rune) bool { return true }}
			x := float32(0)
			for _, r := range []rune(c.said) {
				w := float32(30)
				if isNarrow(r) || r == ' ' || r == '１' {
					w = 15
				}
				if c.said == "佬族" && x == 0 {
					x = 32
				}
				h.Chars = append(h.Chars, Heard{R: r, P: c.p, X: x + w/2})
				if r != ' ' {
					x += w + 2
				}
			}
			v.HeedAddress(m, 0, &h)
			if v.Text != c.want || v.Rows[0].To != len(v.Chars) {
				t.Errorf("the address is %s", v.Text)
			}
		})
	}
}

func TestAReaderOfRowsTellsADoubtfulNation(t *testing.T) {
	say := func(text string, p float32) *Hearing {
		h := &Hearing{}
		for _, r := range text {
			h.Chars = append(h.Chars, Heard{R: r, P: p})
		}
		return h
	}
	for _, c := range []struct {
		name, ours string
		conf       float64
		said       string
		p          float32
		want, sex  string
	}{
		{"with its label", "白", .4, "女民族回", .99, "回", "女"},
		{"without", "", 0, "男汉", .99, "汉", "男"},
		{"the longest that fits", "土", .3, "女民族土家", .99, "土家", "女"},
		{"ours is sure", "白", .95, "女民族回", .99, "白", "女"},
		{"it doubts", "白", .4, "女民族回", .6, "白", ""},
		{"no nation", "白", .4, "女民族圆", .99, "白", "女"},
		{"another row", "白", .4, "1986年6月11日", .99, "白", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := Card{Nation: Value{Text: c.ours, Confidence: c.conf}}
			card.HeedNation(say(c.said, c.p))
			if card.Nation.Text != c.want || card.Sex.Text != c.sex {
				t.Errorf("nation %q, sex %q", card.Nation.Text, card.Sex.Text)
			}
		})
	}
}
