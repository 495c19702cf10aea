package main

import (
	"fmt"
	"io"
	"time"

	"github.com/kangma/kangma"
)

// explain prints an assessment so that a resident understands it.
func explain(out io.Writer, a kangma.Assessment, lang string) {
	say := func(zh, en string) string {
		if lang == "zh" {
			return zh
		}
		return en
	}
	pick := func(t kangma.Text) string { return say(t.Zh, t.En) }
	when := func(t time.Time) string { return t.In(beijing).Format("2006-01-02 15:04") }
	if !a.Told {
		fmt.Fprintf(out, "%s: %s\n", say("无法判定", "cannot tell"), a.ReasonCode())
		return
	}
	fmt.Fprintf(out, "%s  (%s)\n", say(map[kangma.Colour]string{kangma.Red: "红码", kangma.Yellow: "黄码", kangma.Green: "绿码"}[a.Colour], a.Colour.String()), when(a.At))
	for _, as := range a.Assignments {
		explainOne(out, as, as.Colour.String(), pick, say, when)
	}
	for _, as := range a.Duties {
		explainOne(out, as, say("待办", "to do"), pick, say, when)
	}
	if !a.NextChange.IsZero() {
		fmt.Fprintf(out, "%s %s\n", say("下次自动变化：", "changes by itself next:"), when(a.NextChange))
	}
	digest := a.Rules.Digest
	if len(digest) > 16 {
		digest = digest[:16]
	}
	fmt.Fprintf(out, "%s %s %s (%s), %s %s\n", say("规则", "rules"), a.Rules.ID, a.Rules.Version, digest, say("风险地区表", "risk areas"), a.Areas)
}

func explainOne(out io.Writer, as kangma.Assignment, head string, pick func(kangma.Text) string, say func(zh, en string) string, when func(time.Time) string) {
	fmt.Fprintf(out, "- %s [%s] %s\n", head, as.Rule, pick(as.Reason))
	fmt.Fprintf(out, "    %s %s — %s\n", say("期限", "in force"), when(as.Since), when(as.Until))
	fmt.Fprintf(out, "    %s %s\n", say("怎么做：", "what to do:"), pick(as.Guidance))
	fmt.Fprintf(out, "    %s %s\n", say("如何解除：", "what clears it:"), pick(as.Clears))
	if p := as.Progress; p != nil {
		fmt.Fprintf(out, "    %s %d/%d %s\n", say("进度", "progress"), p.Have, p.Need, pick(p.What))
	}
	for _, n := range as.Notes {
		fmt.Fprintf(out, "    %s\n", pick(n))
	}
	for _, e := range as.Evidence {
		fmt.Fprintf(out, "    %s %s, %s, %s %s (%s)\n", say("依据", "evidence"), e.Kind, e.Source, say("发生于", "observed"), when(e.Observed), e.ID)
	}
	if as.Source != "" {
		fmt.Fprintf(out, "    %s %s\n", say("来源：", "source:"), as.Source)
	}
}

var beijing = time.FixedZone("CST", 8*3600)
