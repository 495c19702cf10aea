package rules

import (
	"fmt"
	"time"

	"github.com/kangma/kangma"
)

// RuleDoc is one rule for people who maintain rules.
type RuleDoc struct {
	ID       string      `json:"id"`
	Colour   string      `json:"colour"` // red, yellow, or none for a duty
	Label    string      `json:"label,omitempty"`
	On       string      `json:"on,omitempty"`
	When     string      `json:"when,omitempty"`
	Since    string      `json:"since,omitempty"`
	Until    string      `json:"until"`
	Progress string      `json:"progress,omitempty"`
	Reason   kangma.Text `json:"reason"`
	Guidance kangma.Text `json:"guidance"`
	Clears   kangma.Text `json:"clears"`
	Source   string      `json:"source,omitempty"`
}

// Rules describes the rules in the order of the file, those for colours set by hand last.
func (s *Set) Rules() []RuleDoc {
	out := make([]RuleDoc, 0, len(s.rules))
	for i := range s.rules {
		r := &s.rules[i]
		colour := r.colour.String()
		if r.duty {
			colour = "none"
		}
		out = append(out, RuleDoc{r.id, colour, r.label, r.texts.on, r.texts.when, r.texts.since, r.texts.until, r.texts.progress,
			r.reason, r.guidance, r.clears, r.source})
	}
	return out
}

// FunctionDoc is one function or field of the rule language.
type FunctionDoc struct {
	Name   string // as written: it.within(int)
	Result string
	Doc    string
}

// Language lists every function of the rule language and every field of it, in the order of the manual.
func Language() []FunctionDoc {
	var out []FunctionDoc
	for _, f := range functions {
		name := f.name
		switch f.recv {
		case itemType:
			name = "it." + name
		case personType:
			name = "person." + name
		}
		name += "("
		for i, a := range f.args {
			if i > 0 {
				name += ", "
			}
			name += shortType(a.String())
		}
		out = append(out, FunctionDoc{name + ")", shortType(f.result.String()), f.doc})
	}
	for _, name := range fieldNames() {
		f := itemFields[name]
		out = append(out, FunctionDoc{"it." + name, shortType(f.node.typ.String()), f.doc})
	}
	return out
}

func shortType(s string) string {
	switch s {
	case "kangma.selector":
		return "selection"
	case "kangma.schedule":
		return "schedule"
	case "google.protobuf.Timestamp":
		return "timestamp"
	}
	return s
}

var colourWords = map[kangma.Colour]kangma.Text{
	kangma.Red:    {Zh: "红码", En: "Red"},
	kangma.Yellow: {Zh: "黄码", En: "Yellow"},
	kangma.Green:  {Zh: "绿码", En: "Green"},
}

var cannotTellWords = map[kangma.CannotTell]kangma.Text{
	kangma.TellNoRules:       {Zh: "现在无法判定颜色：没有生效的规则或风险地区数据。请走人工核验通道。", En: "The colour cannot be told now: no rules or no risk-area data are in force. Use the lane for manual checks."},
	kangma.TellUnknownPerson: {Zh: "现在无法判定颜色：没有您的登记信息。请先登记。", En: "The colour cannot be told: you are not registered here. Please register first."},
}

// Explain says an assessment in sentences, the same in both languages, so that a resident understands it: the colour, and
// for each assignment why, by what evidence, since and until when, what clears it and how far that is, and what to do.
// Times are given in zone.
func Explain(a kangma.Assessment, zone *time.Location) []kangma.Text {
	if zone == nil {
		zone = time.UTC
	}
	if !a.Told {
		t, ok := cannotTellWords[a.CannotTell]
		if !ok {
			t = cannotTellWords[kangma.TellNoRules]
		}
		return []kangma.Text{t}
	}
	at := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	c := colourWords[a.Colour]
	label := ""
	if a.Label != "" {
		label = " (" + a.Label + ")"
	}
	out := []kangma.Text{both("%s%s，%s判定。", "%s%s, as of %s.", c, label, at(a.At))}
	for _, x := range a.Assignments {
		out = append(out, explainOne(x, at)...)
	}
	for _, x := range a.Duties {
		out = append(out, kangma.Text{Zh: "需要完成（不影响颜色）：", En: "To do (it does not change the colour):"})
		out = append(out, explainOne(x, at)...)
	}
	if !a.NextChange.IsZero() {
		out = append(out, both("如无新的信息，%s将有变化。", "Without news it changes at %s.", kangma.Text{}, at(a.NextChange)))
	}
	return append(out, kangma.Text{
		Zh: fmt.Sprintf("依据规则 %s（%s版）。", a.Rules.ID, a.Rules.Version),
		En: fmt.Sprintf("By the rules %s, version %s.", a.Rules.ID, a.Rules.Version),
	})
}

// both fills one sentence in both languages: a word of the language first where word is set, then the arguments.
func both(zh, en string, word kangma.Text, args ...any) kangma.Text {
	if word == (kangma.Text{}) {
		return kangma.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)}
	}
	return kangma.Text{Zh: fmt.Sprintf(zh, append([]any{word.Zh}, args...)...), En: fmt.Sprintf(en, append([]any{word.En}, args...)...)}
}

func explainOne(x kangma.Assignment, at func(time.Time) string) []kangma.Text {
	out := []kangma.Text{{Zh: "原因：" + x.Reason.Zh, En: "Why: " + x.Reason.En}}
	out = append(out, x.Notes...)
	for _, e := range x.Evidence {
		out = append(out, evidenceText(e, at))
	}
	out = append(out,
		both("自%s起，最迟%s自动解除。", "Since %s; it ends by itself at %s at the latest.", kangma.Text{}, at(x.Since), at(x.Until)),
		kangma.Text{Zh: "如何解除：" + x.Clears.Zh, En: "What clears it: " + x.Clears.En})
	if p := x.Progress; p != nil {
		out = append(out, kangma.Text{
			Zh: fmt.Sprintf("进度：%s %d/%d", p.What.Zh, p.Have, p.Need),
			En: fmt.Sprintf("So far: %d of %d %s", p.Have, p.Need, p.What.En)})
		if !p.Next.IsZero() && p.Have < p.Need {
			out = append(out, both("下一次：%s", "Next: %s", kangma.Text{}, at(p.Next)))
		}
	}
	return append(out, kangma.Text{Zh: "请您：" + x.Guidance.Zh, En: "Please: " + x.Guidance.En})
}

var kindWords = map[kangma.EvidenceKind]kangma.Text{
	kangma.KindStay: {Zh: "旅居", En: "a stay"}, kangma.KindTrip: {Zh: "行程", En: "a journey"}, kangma.KindEntry: {Zh: "入境", En: "an entry"},
	kangma.KindClinic: {Zh: "就诊或购药", En: "a visit to a clinic or pharmacy"}, kangma.KindTest: {Zh: "检测", En: "a test"},
	kangma.KindVaccination: {Zh: "疫苗接种", En: "a vaccination"}, kangma.KindContact: {Zh: "接触", En: "a contact"},
	kangma.KindManagement: {Zh: "管理措施", En: "a measure"}, kangma.KindDeclaration: {Zh: "健康申报", En: "a declaration"},
	kangma.KindTemperature: {Zh: "体温", En: "a temperature"}, kangma.KindForeignCode: {Zh: "外地健康码", En: "the code of another region"},
	kangma.KindOverride: {Zh: "人工赋码", En: "a colour set by hand"},
}

// evidenceText names one piece of evidence: what, when, who says so, when we got it, under which id to ask about it.
func evidenceText(e kangma.EvidenceRef, at func(time.Time) string) kangma.Text {
	w := kindWords[e.Kind]
	received := kangma.Text{}
	if !e.Received.IsZero() {
		received = kangma.Text{Zh: "，" + at(e.Received) + "收到", En: ", received " + at(e.Received)}
	}
	return kangma.Text{
		Zh: fmt.Sprintf("依据：%s，%s，来源%s%s，编号%s", w.Zh, at(e.Observed), e.Source, received.Zh, e.ID),
		En: fmt.Sprintf("By: %s of %s, from %s%s, id %s", w.En, at(e.Observed), e.Source, received.En, e.ID),
	}
}
