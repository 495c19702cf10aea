package interop

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kangma/kangma"
)

// Verb is one of the seven services of GB/T 38963-2020 section 6.
type Verb struct {
	Clause string
	Name   string
	Path   string // of our adapter
}

// Verbs are the seven services.
var Verbs = []Verb{
	{"6.2", "用户健康信息申报", "declare"},
	{"6.3", "用户行程申报", "declare-trip"},
	{"6.4", "用户健康信息查询", "query"},
	{"6.5", "健康码调用申请", "apply"},
	{"6.6", "健康码制码请求", "make"},
	{"6.7", "健康码验码请求", "verify"},
	{"6.8", "用户健康信息纠错", "correct"},
}

// symptomCodes are the values of the "^"-separated symptom list of deployed systems. Each stands for a group; what comes in
// is the group's first symptom that rules know, what goes out is every group a symptom falls into.
var symptomCodes = [][]string{
	1: nil, // none
	2: {"cough", "fever", "fatigue", "muscle", "headache", "throat", "taste"},
	3: {"breath"},
	4: {"nausea", "diarrhoea"},
	5: {"chest"},
	6: {"conjunctivitis"},
}

// ParseSymptoms reads the "^"-separated codes 1 to 6. The group "cold-like" becomes a cough: a fever is what a temperature
// says. kangma.Invalid: another code.
func ParseSymptoms(list string) (symptoms []string, err error) {
	for code := range strings.SplitSeq(list, "^") {
		n, err := strconv.Atoi(code)
		if err != nil || n < 1 || n >= len(symptomCodes) || strconv.Itoa(n) != code {
			return nil, kangma.E(kangma.Invalid, "symptom", "symptom is a list of 1 to 6 with ^ between them; 1 is none")
		}
		if group := symptomCodes[n]; len(group) > 0 && !slices.Contains(symptoms, group[0]) {
			symptoms = append(symptoms, group[0])
		}
	}
	return symptoms, nil
}

// FormatSymptoms writes symptoms as codes; none is "1".
func FormatSymptoms(symptoms []string) string {
	var codes []string
	for n := 2; n < len(symptomCodes); n++ {
		if slices.ContainsFunc(symptoms, func(s string) bool { return slices.Contains(symptomCodes[n], s) }) {
			codes = append(codes, strconv.Itoa(n))
		}
	}
	if codes == nil {
		return "1"
	}
	return strings.Join(codes, "^")
}

// contactCodes are isContactPatient: 1 yes, 2 no, 3 not sure.
var contactCodes = map[string]string{"1": "yes", "2": "no", "3": "unsure"}

// ParseContact reads isContactPatient; "" stays "". kangma.Invalid: another code.
func ParseContact(code string) (string, error) {
	if code == "" {
		return "", nil
	}
	if c, ok := contactCodes[code]; ok {
		return c, nil
	}
	return "", kangma.E(kangma.Invalid, "is_contact_patient", "isContactPatient is 1 (yes), 2 (no) or 3 (not sure)")
}

// FormatContact writes isContactPatient.
func FormatContact(contact string) string {
	for code, c := range contactCodes {
		if c == contact {
			return code
		}
	}
	return ""
}

// ParseTemperature reads degrees Celsius as text ("36.5") into tenths; "" is 0, not taken. kangma.Invalid: not a body's.
func ParseTemperature(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if tenths := int(f*10 + 0.5); err == nil && tenths >= 300 && tenths <= 450 {
		return tenths, nil
	}
	return 0, kangma.E(kangma.Invalid, "temperature", "a temperature is given in degrees Celsius, 30 to 45")
}

// china is the zone of the times of deployed systems, which carry none.
var china = time.FixedZone("CST", 8*60*60)

const gbtTime = "2006-01-02 15:04:05"

// FormatTime writes a time as deployed systems do; zero is "".
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(china).Format(gbtTime)
}

// ParseTime reads a time as deployed systems write it: to the second, the minute or the day, or RFC 3339.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range []string{gbtTime, "2006-01-02 15:04", time.DateOnly, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, china); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, kangma.E(kangma.Invalid, "gbt_time", "a time is written 2022-08-11 12:00:00")
}

// Content is what 验码 and 查询 answer, with the field names of the deployed national payload (data.content, a JSON text).
type Content struct {
	Person        ContentPerson   `json:"person"`
	HealthyReport []HealthyReport `json:"healthyReport"` // one for each region that has a say, ours first
	YqReports     []YqReport      `json:"yqReports"`
	Hsjc          *Hsjc           `json:"hsjc,omitempty"` // latest nucleic acid test
	HasWarm       string          `json:"hasWarm"`        // 未见异常, or what the code says
	WarmMsgs      []string        `json:"warmMsgs,omitempty"`
}

// ContentPerson is who it is, masked.
type ContentPerson struct {
	Name string `json:"desensitizeName"`
	Card string `json:"desensitizeCardId"`
}

// HealthyReport is one region's colour. The misspelt name is the deployed one.
type HealthyReport struct {
	Region string `json:"province"`
	Status string `json:"healthyStaus"` // 00 green, 01 yellow, 10 red
	Date   string `json:"reportDate"`   // when that region gave it: its age is never lost
	Reason string `json:"reason,omitempty"`
	Guide  string `json:"guide,omitempty"`
}

// YqReport is one declaration.
type YqReport struct {
	Date             string `json:"date"`
	Temperature      string `json:"temperature,omitempty"`
	Symptom          string `json:"symptom"`
	IsContactPatient string `json:"isContactPatient,omitempty"`
}

// Hsjc is the latest nucleic acid test.
type Hsjc struct {
	Result string `json:"hsjcjg"`   // 阴性, 阳性
	Lab    string `json:"hsjcjgmc"` // name of the laboratory
	Time   string `json:"hsjcsj"`   // of sampling
}

// NoWarning is hasWarm of somebody whom nothing speaks against.
const NoWarning = "未见异常"
