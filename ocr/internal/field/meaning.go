package field

import (
	"math"
	"strings"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// nations are the 56 nations of GB/T 3304 as cards print them, without 族.
var nations = strings.Fields(`汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉
毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺`)

// groups splits a line at white wider than gap ems.
func groups(l Line, gap float32) []Line {
	var out []Line
	for i, ch := range l.Chars {
		if i == 0 || ch.X0-l.Chars[i-1].X1 > gap*l.Em {
			out = append(out, Line{Y0: l.Y0, Y1: l.Y1, Em: l.Em})
		}
		g := &out[len(out)-1]
		g.Chars = append(g.Chars, ch)
	}
	return out
}

// sexAndNation reads the line 男 汉 or, where the labels were read too, 性别男民族汉.
func (r *Region) sexAndNation(m *glyph.Model, l Line) (sex, nation Value) {
	bestAt, bestMargin := -1, math.Inf(-1)
	for i := range l.Chars {
		if l.Chars[i].Narrow {
			continue
		}
		male, _ := m.DistTo(l.Chars[i].V, '男')
		female, _ := m.DistTo(l.Chars[i].V, '女')
		d := float64(min(male, female))
		// how much worse than the best answer it is to call it a sex
		if s := float64(l.Chars[i].Answers[0].Dist) - d - .02*float64(i); s > bestMargin {
			bestAt, bestMargin = i, s
		}
	}
	if bestAt < 0 || bestMargin < -mostWorse {
		return sex, nation
	}
	ch := l.Chars[bestAt]
	sex = r.sexOf(m, l, ch, -bestMargin)
	return sex, r.nationBehind(m, l, ch.X1)
}

// nationBehind reads the nation from the characters of a line behind the column x.
func (r *Region) nationBehind(m *glyph.Model, l Line, x float32) (nation Value) {
	i := 0
	for i < len(l.Chars) && l.Chars[i].X0 < x {
		i++
	}
	rest := Line{Y0: l.Y0, Y1: l.Y1, Em: l.Em, Chars: l.Chars[i:]}
	for _, g := range groups(rest, 1.2) { // the label may stand apart, and so may the edge of the portrait
		if n := r.nation(m, g); n.Confidence > nation.Confidence {
			nation = n
		}
	}
	return nation
}

// nation compares the characters with every nation as a whole; a leading label is dropped by trying every start.
func (r *Region) nation(m *glyph.Model, l Line) Value {
	best, second, bestStart := math.Inf(1), math.Inf(1), 0
	name := ""
	for start := range l.Chars {
		rest := l.Chars[start:]
		for _, n := range nations {
			d, ok := wordDistance(m, rest, n)
			if !ok {
				continue
			}
			d += .1 * float64(start)
			switch {
			case d < best:
				if n != name {
					second = best
				}
				best, name, bestStart = d, n, start
			case d < second && n != name:
				second = d
			}
		}
	}
	if name == "" {
		return Value{}
	}
	v := r.value([]Line{{Y0: l.Y0, Y1: l.Y1, Em: l.Em, Chars: l.Chars[bestStart:]}})
	v.Text = name
	v.Confidence = 1 / (1 + math.Exp(-7*(second-best)+1.5*(best-1.3)))
	return v
}

// wordDistance is the mean distance of characters to the letters of a word, with a price for a wrong count.
func wordDistance(m *glyph.Model, chars []Char, word string) (float64, bool) {
	letters := []rune(word)
	off := len(chars) - len(letters)
	if off < 0 || off > 1 {
		return 0, false
	}
	sum := 0.0
	for i, r := range letters {
		d, ok := m.DistTo(chars[i].V, r)
		if !ok {
			return 0, false
		}
		sum += float64(d)
	}
	return sum/float64(len(letters)) + .8*float64(off), true
}

// mean is the mean distance of a line's characters from what they were read as.
func (l *Line) mean() float32 {
	var s float32
	for i := range l.Chars {
		s += l.Chars[i].Answers[0].Dist / float32(len(l.Chars))
	}
	return s
}

// dropLabel removes the characters of a label that was read at the start of a line.
func dropLabel(m *glyph.Model, l Line, label string) Line {
	letters := []rune(label)
	n := len(letters)
	if len(l.Chars) <= n {
		return l
	}
	if d, ok := wordDistance(m, l.Chars[:n], label); ok && d < 2 {
		l.Chars = l.Chars[n:]
	}
	return l
}
