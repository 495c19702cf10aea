package rules

import (
	"fmt"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// factText says what a piece of evidence says, for who it is about; the empty Text where its kind says enough.
func (w writer) factText(e *kangma.Evidence) kangma.Text {
	switch {
	case e.Stay != nil:
		to := kangma.Text{Zh: "至今", En: "now"}
		if !e.Stay.To.IsZero() {
			to = kangma.Text{Zh: w.at(e.Stay.To), En: w.at(e.Stay.To)}
		}
		p, from := placeText(e.Stay.Place), w.at(e.Stay.From)
		return kangma.Text{Zh: fmt.Sprintf("%s，%s—%s", p, from, to.Zh), En: fmt.Sprintf("%s, %s to %s", p, from, to.En)}
	case e.Trip != nil:
		return same(fmt.Sprintf("%s %s → %s", e.Trip.Number, placeText(e.Trip.From), placeText(e.Trip.To)))
	case e.Entry != nil:
		return same(e.Entry.Country)
	case e.Clinic != nil:
		t := word(e.Clinic.What)
		for _, more := range []string{e.Clinic.Diagnosis, e.Clinic.Drug} {
			if more != "" {
				m := word(more)
				t = kangma.Text{Zh: t.Zh + "：" + m.Zh, En: t.En + ": " + m.En}
			}
		}
		return t
	case e.Test != nil:
		m, r := word(e.Test.Method), word(e.Test.Result)
		return kangma.Text{Zh: m.Zh + r.Zh, En: m.En + " " + r.En}
	case e.Contact != nil:
		return word(e.Contact.Degree)
	case e.Management != nil:
		m := word(e.Management.Measure)
		from := w.at(e.Management.From)
		return kangma.Text{Zh: fmt.Sprintf("%s，%s起", m.Zh, from), En: fmt.Sprintf("%s from %s", m.En, from)}
	case e.Temperature != nil:
		return same(fmt.Sprintf("%d.%d ℃", e.Temperature.Tenths/10, e.Temperature.Tenths%10))
	case e.ForeignCode != nil:
		c, p := colourWords[e.ForeignCode.Colour], divisions.Path(e.ForeignCode.Region)
		return kangma.Text{Zh: p + c.Zh, En: p + " " + c.En}
	case e.Override != nil:
		c := colourWords[e.Override.Colour]
		return kangma.Text{Zh: c.Zh + "，" + e.Override.Reason, En: c.En + ", " + e.Override.Reason}
	}
	return kangma.Text{}
}

func same(s string) kangma.Text { return kangma.Text{Zh: s, En: s} }

func placeText(p kangma.Place) string {
	s := divisions.Path(p.Division) + p.Zone
	if p.Community != "" {
		s += " " + p.Community
	}
	return s
}

// word gives the words people use for those of the closed sets of package kangma; another one stands for itself.
func word(w string) kangma.Text {
	if t, ok := factWords[w]; ok {
		return t
	}
	return same(w)
}

var factWords = map[string]kangma.Text{
	"close": {Zh: "密切接触者", En: "close contact"}, "secondary": {Zh: "次密接", En: "contact of a close contact"},
	"co-traveller": {Zh: "同乘", En: "same journey as a case"}, "spatiotemporal": {Zh: "时空伴随", En: "near a case in space and time"},
	"general": {Zh: "一般接触", En: "other contact"},
	"pcr":     {Zh: "核酸", En: "nucleic acid"}, "antigen": {Zh: "抗原", En: "antigen"}, "antibody": {Zh: "抗体", En: "antibodies"},
	"negative": {Zh: "阴性", En: "negative"}, "positive": {Zh: "阳性", En: "positive"}, "pending": {Zh: "待出结果", En: "pending"},
	"inconclusive": {Zh: "可疑", En: "inconclusive"},
	"central":      {Zh: "集中隔离", En: "central isolation"}, "home": {Zh: "居家隔离", En: "isolation at home"},
	"home-monitoring": {Zh: "居家健康监测", En: "monitoring at home"}, "self-monitoring": {Zh: "自我健康监测", En: "watching one's own health"},
	"fever-clinic": {Zh: "发热门诊", En: "fever clinic"}, "outpatient": {Zh: "门诊", En: "outpatient visit"}, "admission": {Zh: "住院", En: "admission"},
	"discharge": {Zh: "出院", En: "discharge"}, "diagnosis": {Zh: "诊断", En: "diagnosis"}, "drug": {Zh: "购药", En: "medicine bought"},
	"confirmed": {Zh: "确诊", En: "confirmed"}, "asymptomatic": {Zh: "无症状感染", En: "infection without symptoms"}, "suspected": {Zh: "疑似", En: "suspected"},
	"clinical": {Zh: "临床诊断", En: "clinical diagnosis"}, "excluded": {Zh: "已排除", En: "ruled out"},
	"antipyretic": {Zh: "退热药", En: "antipyretic"}, "cough": {Zh: "止咳药", En: "cough medicine"}, "antibiotic": {Zh: "抗菌药", En: "antibiotic"},
	"antiviral": {Zh: "抗病毒药", En: "antiviral"},
}
