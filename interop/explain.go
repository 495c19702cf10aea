package interop

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Explanation says what a text of another system claims. Nothing in it is verified.
type Explanation struct {
	Format   string             `json:"format"`             // GB/T payload, vendor value
	Statuses []ExplainedStatus  `json:"statuses,omitempty"` // of a payload: one for each report
	Value    *Status            `json:"value,omitempty"`    // of a vendor value
	Readings map[string]*Status `json:"readings,omitempty"` // of a bare value: what each vendor means by it
	Content  *Content           `json:"content,omitempty"`
}

// ExplainedStatus is one colour a payload claims.
type ExplainedStatus struct {
	Field  string `json:"field"`
	Value  string `json:"value"`
	Region string `json:"region,omitempty"`
	Date   string `json:"date,omitempty"`
	Status Status `json:"status"`
}

const maxExplained = 64 << 10

// Explain reads a GB/T payload (JSON), a vendor's value as vendor:value, or a bare value of one to six characters. ok is
// false for anything else.
func Explain(text string) (e Explanation, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) > maxExplained {
		return e, false
	}
	if strings.HasPrefix(text, "{") {
		return explainPayload([]byte(text))
	}
	if vendor, value, cut := strings.Cut(text, ":"); cut && find(vendor) != nil {
		st, _ := FromVendor(vendor, value) // it was found
		return Explanation{Format: "vendor value", Value: &st}, true
	}
	if len(text) == 0 || len(text) > 6 {
		return e, false
	}
	e = Explanation{Format: "vendor value", Readings: map[string]*Status{}}
	for _, v := range Vendors {
		if _, has := v.Values[text]; has {
			st, _ := FromVendor(v.Name, text)
			e.Readings[v.Name] = &st
		}
	}
	return e, len(e.Readings) > 0
}

// payload is what deployed systems send, in one of four wraps: data.content as JSON text, the content itself, one report
// of it, or the flat answer of a gate's verification.
type payload struct {
	Data *struct {
		Content json.RawMessage `json:"content"`
	} `json:"data"`
	BizExtData *string          `json:"bizExtData"`
	Reports    *json.RawMessage `json:"healthyReport"`
	Grade      *string          `json:"risk_assessment_grade"`
	Status     *string          `json:"healthyStaus"` // of one report alone
	Date       string           `json:"report_date"`
	Reason     string           `json:"reason"`
}

func explainPayload(raw []byte) (e Explanation, ok bool) {
	var p payload
	if json.Unmarshal(raw, &p) != nil {
		return e, false
	}
	e.Format = "GB/T payload"
	switch {
	case p.Data != nil && len(p.Data.Content) > 0:
		content := p.Data.Content
		var text string
		if json.Unmarshal(content, &text) == nil {
			content = []byte(text)
		}
		return e.content(content)
	case p.Reports != nil:
		return e.content(raw)
	case p.Status != nil:
		return e.content(slices.Concat([]byte(`{"healthyReport":[`), raw, []byte("]}")))
	case p.Grade != nil:
		st, _ := FromVendor("gbt", *p.Grade)
		e.Statuses = []ExplainedStatus{{Field: "risk_assessment_grade", Value: *p.Grade, Date: p.Date, Status: st}}
		return e, true
	case p.BizExtData != nil: // a request of 验码: the code is in it
		e.Format = "GB/T request: bizExtData holds the code"
		return e, true
	}
	return e, false
}

func (e Explanation) content(raw []byte) (Explanation, bool) {
	var c Content
	if json.NewDecoder(bytes.NewReader(raw)).Decode(&c) != nil {
		return e, false
	}
	e.Content = &c
	for _, r := range c.HealthyReport {
		status := r.Status
		st, _ := FromVendor("hebei", status)
		if st.Means == "unknown" && status != "" { // the deployed client takes whatever else for high risk; we ask
			st.Means = "unknown, red with the deployed client"
		}
		e.Statuses = append(e.Statuses, ExplainedStatus{Field: "healthyStaus", Value: status, Region: r.Region, Date: r.Date, Status: st})
	}
	return e, true
}
