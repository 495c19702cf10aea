package rules

import (
	"fmt"
	"time"

	"github.com/kangma/kangma"
)

var colourWords = map[kangma.Colour]kangma.Text{
	kangma.Red:    {Zh: "红码", En: "Red"},
	kangma.Yellow: {Zh: "黄码", En: "Yellow"},
	kangma.Green:  {Zh: "绿码", En: "Green"},
}

var cannotTellWords = map[kangma.CannotTell]kangma.Text{
	kangma.TellNoRules:       {Zh: "现在无法判定颜色：没有生效的规则或风险地区数据。请走人工核验通道。", En: "The colour cannot be told now: no rules or no risk-area data are in force. Use the lane for manual checks."},
	kangma.TellUnknownPerson: {Zh: "现在无法判定颜色：没有您的登记信息。请先登记。", En: "The colour cannot be told: you are not registered here. Please register first."},
}

// Paragraph is one part of an explanation: a heading, and lines under it.
type Paragraph struct {
	Head  kangma.Text   `json:"head"`
	Lines []kangma.Text `json:"lines,omitempty"`
}

// Explain says an assessment in sentences, the same in both languages, so that a resident understands it: Paragraphs, one
// line after the other.
func Explain(a kangma.Assessment, zone *time.Location) (out []kangma.Text) {
	for _, p := range Paragraphs(a, nil, zone) {
		out = append(append(out, p.Head), p.Lines...)
	}
	return out
}

// Paragraphs says an assessment so that a resident understands it: the colour; then, each under its number, every rule that
// holds: why, what to do, what clears it and how far that is, since and until when and how long that still is, on what
// evidence, how old that is and under which id to ask about it, and which published rule says so; then the same for what is to
// be done without a colour; then until when nothing changes, and by which rules and area list this was said. d, where it is
// given, is the dossier that was judged: then the evidence also says where or what it was, which is for that person's eyes and
// for who may see the dossier. Times are given in zone; nil is UTC.
func Paragraphs(a kangma.Assessment, d *kangma.Dossier, zone *time.Location) []Paragraph {
	if zone == nil {
		zone = time.UTC
	}
	w := writer{a.At, zone, d}
	if !a.Told {
		t, ok := cannotTellWords[a.CannotTell]
		if !ok {
			t = cannotTellWords[kangma.TellNoRules]
		}
		out := []Paragraph{{Head: t}}
		if !a.NextChange.IsZero() {
			out = append(out, Paragraph{Head: w.nextChange(a.NextChange)})
		}
		return out
	}
	c, label := colourWords[a.Colour], ""
	if a.Label != "" {
		label = " (" + a.Label + ")"
	}
	top := Paragraph{Head: kangma.Text{
		Zh: fmt.Sprintf("%s%s，%s判定。", c.Zh, label, w.at(a.At)), En: fmt.Sprintf("%s%s, as of %s.", c.En, label, w.at(a.At))}}
	switch n := len(a.Assignments); {
	case n == 0:
		top.Lines = []kangma.Text{{Zh: "没有影响颜色的情况。", En: "Nothing on record gives you a colour."}}
	case n > 1:
		top.Lines = []kangma.Text{{Zh: fmt.Sprintf("共%d项情况，按最严重的一项显示颜色。", n), En: fmt.Sprintf("%d rules hold; the worst gives the colour.", n)}}
	}
	out := []Paragraph{top}
	for i, x := range a.Assignments {
		out = append(out, w.assignment(i+1, colourWords[x.Colour], x, a.Rules))
	}
	for i, x := range a.Duties {
		todo := kangma.Text{Zh: "需要完成（不影响颜色）", En: "To do (it does not change the colour)"}
		out = append(out, w.assignment(len(a.Assignments)+i+1, todo, x, a.Rules))
	}
	if !a.NextChange.IsZero() {
		out = append(out, Paragraph{Head: w.nextChange(a.NextChange)})
	}
	return append(out, Paragraph{Head: byWhat(a)})
}

// byWhat names the rules and the area list.
func byWhat(a kangma.Assessment) kangma.Text {
	digest := a.Rules.Digest[:min(len(a.Rules.Digest), 16)]
	t := kangma.Text{
		Zh: fmt.Sprintf("依据规则 %s（%s版，摘要%s）", a.Rules.ID, a.Rules.Version, digest),
		En: fmt.Sprintf("By the rules %s (version %s, digest %s)", a.Rules.ID, a.Rules.Version, digest),
	}
	if a.Areas != "" {
		t.Zh += "和风险地区表 " + a.Areas
		t.En += " and the risk areas " + a.Areas
	}
	return kangma.Text{Zh: t.Zh + "。", En: t.En + "."}
}

// writer knows the moment that is spoken of, the zone of its reader, and perhaps the dossier.
type writer struct {
	now     time.Time
	zone    *time.Location
	dossier *kangma.Dossier
}

func (w writer) at(t time.Time) string { return t.In(w.zone).Format("2006-01-02 15:04") }

func (w writer) nextChange(t time.Time) kangma.Text {
	return kangma.Text{Zh: "如无新的信息，" + w.at(t) + "之前不会变化。", En: "Without news nothing changes before " + w.at(t) + "."}
}

// assignment is the paragraph of one rule that holds.
func (w writer) assignment(n int, kind kangma.Text, x kangma.Assignment, set kangma.RuleSetRef) Paragraph {
	label := ""
	if x.Label != "" {
		label = " (" + x.Label + ")"
	}
	p := Paragraph{Head: kangma.Text{Zh: fmt.Sprintf("%d. %s%s：%s", n, kind.Zh, label, x.Reason.Zh), En: fmt.Sprintf("%d. %s%s: %s", n, kind.En, label, x.Reason.En)}}
	say := func(zh, en string) { p.Lines = append(p.Lines, kangma.Text{Zh: zh, En: en}) }
	p.Lines = append(p.Lines, x.Notes...)
	say("怎么做："+x.Guidance.Zh, "What to do: "+x.Guidance.En)
	say("如何解除："+x.Clears.Zh, "What clears it: "+x.Clears.En)
	if g := x.Progress; g != nil {
		zh, en := fmt.Sprintf("进度：%s %d/%d", g.What.Zh, g.Have, g.Need), fmt.Sprintf("So far: %d of %d %s", g.Have, g.Need, g.What.En)
		if g.Have < g.Need && !g.Next.IsZero() {
			if g.Next.After(w.now) {
				zh, en = zh+"；下一次："+w.at(g.Next)+"起", en+". Next: "+w.at(g.Next)+" or later"
			} else {
				zh, en = zh+"；现在即可进行下一次", en+". The next one can be done now"
			}
		}
		say(zh, en)
	}
	left := span(x.Until.Sub(w.now))
	say(fmt.Sprintf("期限：%s起，最迟%s自动解除（还有%s）", w.at(x.Since), w.at(x.Until), left.Zh),
		fmt.Sprintf("In force: since %s; it ends by itself at %s at the latest, in %s", w.at(x.Since), w.at(x.Until), left.En))
	for _, e := range x.Evidence {
		p.Lines = append(p.Lines, w.evidence(e))
	}
	zh, en := "规则："+x.Rule+"（"+set.ID+" "+set.Version+"）", "Rule: "+x.Rule+" ("+set.ID+" "+set.Version+")"
	if x.Source != "" {
		zh, en = zh+"，出处："+x.Source, en+"; published: "+x.Source
	}
	say(zh, en)
	return p
}

var kindWords = map[kangma.EvidenceKind]kangma.Text{
	kangma.KindStay: {Zh: "旅居", En: "a stay"}, kangma.KindTrip: {Zh: "行程", En: "a journey"}, kangma.KindEntry: {Zh: "入境", En: "an entry"},
	kangma.KindClinic: {Zh: "就诊或购药", En: "a visit to a clinic or pharmacy"}, kangma.KindTest: {Zh: "检测", En: "a test"},
	kangma.KindVaccination: {Zh: "疫苗接种", En: "a vaccination"}, kangma.KindContact: {Zh: "接触", En: "a contact"},
	kangma.KindManagement: {Zh: "管理措施", En: "a measure"}, kangma.KindDeclaration: {Zh: "健康申报", En: "a declaration"},
	kangma.KindTemperature: {Zh: "体温", En: "a temperature"}, kangma.KindForeignCode: {Zh: "外地健康码", En: "the code of another region"},
	kangma.KindOverride: {Zh: "人工赋码", En: "a colour set by hand"},
}

// evidence names one piece of evidence: what, when and how long ago, who says so, when we got it, under which id to ask
// about it.
func (w writer) evidence(e kangma.EvidenceRef) kangma.Text {
	kind, age := kindWords[e.Kind], span(w.now.Sub(e.Observed))
	source := kangma.Text{Zh: e.Source, En: e.Source}
	switch e.Source {
	case "self":
		source = kangma.Text{Zh: "本人申报", En: "yourself"}
	case "what-if":
		source = kangma.Text{Zh: "假设", En: "the question"}
	case "":
		source = kangma.Text{Zh: "不明", En: "unknown"}
	}
	received := kangma.Text{}
	if !e.Received.IsZero() {
		received = kangma.Text{Zh: "，" + w.at(e.Received) + "收到", En: ", received " + w.at(e.Received)}
	}
	if fact := w.factOf(e.ID); fact != (kangma.Text{}) {
		kind = kangma.Text{Zh: kind.Zh + "（" + fact.Zh + "）", En: kind.En + " (" + fact.En + ")"}
	}
	return kangma.Text{
		Zh: fmt.Sprintf("依据：%s，%s（%s前），来源：%s%s，编号%s", kind.Zh, w.at(e.Observed), age.Zh, source.Zh, received.Zh, e.ID),
		En: fmt.Sprintf("By: %s of %s (%s ago), from %s%s, id %s", kind.En, w.at(e.Observed), age.En, source.En, received.En, e.ID),
	}
}

// factOf finds the evidence in the dossier.
func (w writer) factOf(id kangma.EventID) kangma.Text {
	if w.dossier != nil {
		for i := range w.dossier.Evidence {
			if e := &w.dossier.Evidence[i]; e.ID == id {
				return w.factText(e)
			}
		}
	}
	return kangma.Text{}
}

// span says a length of time in its two largest units: 6 days 14 hours.
func span(d time.Duration) kangma.Text {
	minutes := int64(max(d, 0) / time.Minute)
	days, hours, minutes := minutes/1440, minutes/60%24, minutes%60
	unit := func(n int64, zh, en string) kangma.Text {
		if n != 1 {
			en += "s"
		}
		return kangma.Text{Zh: fmt.Sprintf("%d%s", n, zh), En: fmt.Sprintf("%d %s", n, en)}
	}
	join := func(a kangma.Text, n int64, zh, en string) kangma.Text {
		if n == 0 {
			return a
		}
		b := unit(n, zh, en)
		return kangma.Text{Zh: a.Zh + b.Zh, En: a.En + " " + b.En}
	}
	switch {
	case days > 0:
		return join(unit(days, "天", "day"), hours, "小时", "hour")
	case hours > 0:
		return join(unit(hours, "小时", "hour"), minutes, "分钟", "minute")
	}
	return unit(minutes, "分钟", "minute")
}
