package kangma_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
)

var now = time.Date(2022, 7, 10, 11, 0, 0, 0, time.UTC)

func TestZeroValuesDeny(t *testing.T) {
	var a kangma.Assessment
	var v kangma.Verdict
	if a.Told || a.Colour != kangma.Red || a.ReasonCode() != string(kangma.TellNoRules) {
		t.Errorf("zero assessment: %+v", a)
	}
	if v.Decision != kangma.Refer || v.Told {
		t.Errorf("zero verdict: %+v", v)
	}
	if kangma.KindOf(errors.New("foreign")) != kangma.Internal {
		t.Error("a foreign error must be internal")
	}
}

func TestColoursSpeakNamesAndWireCodes(t *testing.T) {
	for name, wire := range map[string]string{"red": "10", "yellow": "01", "green": "00"} {
		for _, text := range []string{name, wire} {
			c, err := kangma.ParseColour(text)
			if err != nil || c.String() != name || c.Wire() != wire {
				t.Errorf("%q: got %v %v %v, want %s %s", text, c, c.Wire(), err, name, wire)
			}
		}
	}
	if _, err := kangma.ParseColour("grey"); !errors.Is(err, kangma.Invalid) {
		t.Errorf("grey: got %v, want Invalid", err)
	}
	if !kangma.Red.Worse(kangma.Yellow) || kangma.Green.Worse(kangma.Yellow) || kangma.Colour(9).Wire() != "10" {
		t.Error("order or unknown colour")
	}
}

func TestIDNumbersAreChecked(t *testing.T) {
	good := "44150219900307882" + string(kangma.IDCheckChar("44150219900307882"))
	for text, code := range map[string]string{
		good:                           "",
		strings.ToLower(good):          "",
		good[:17] + other(good[17]):    "id_checksum",
		withCheck("44150220991231001"): "id_birth", // not born yet
		withCheck("44150219900230001"): "id_birth", // 30 February
		withCheck("44150219901307001"): "id_birth", // month 13
		withCheck("09150219900307001"): "id_region",
		"44150219900307882":            "id_shape",
		"4415021990030788２1":           "id_shape",
		"":                             "id_shape",
		strings.Repeat("1", 17) + "Y":  "id_shape",
		good + "1":                     "id_shape",
	} {
		_, err := kangma.NewIDNumber(kangma.DocResidentID, text, now)
		if got := codeOrNone(err); got != code {
			t.Errorf("%d characters: got %q, want %q", len(text), got, code)
		}
	}
	if _, err := kangma.NewIDNumber(kangma.DocPassport, "E12345678", now); err != nil {
		t.Errorf("passport: %v", err)
	}
	if _, err := kangma.NewIDNumber("77", "E12345678", now); codeOrNone(err) != "id_type" {
		t.Errorf("unknown type: %v", err)
	}
}

func withCheck(first17 string) string { return first17 + string(kangma.IDCheckChar(first17)) }

func other(c byte) string {
	if c == '1' {
		return "2"
	}
	return "1"
}

func codeOrNone(err error) string {
	if err == nil {
		return ""
	}
	return kangma.CodeOf(err)
}

func TestPersonalDataIsMaskedHoweverItIsPrinted(t *testing.T) {
	name, _ := kangma.NewName("欧阳娜娜")
	number, _ := kangma.NewIDNumber(kangma.DocResidentID, withCheck("44150219900307882"), now)
	phone, _ := kangma.NewPhone("138 1234-5678")
	secrets := []string{"阳娜", "19900307", "1234"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "name", name, "number", number, "phone", phone, "all", struct {
		N kangma.Name
		I kangma.IDNumber
		P kangma.Phone
	}{name, number, phone})
	asJSON, err := json.Marshal(map[string]any{"n": name, "i": number, "p": phone})
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"log": log.String(), "json": string(asJSON), "%v": fmt.Sprintf("%v %v %v", name, number, phone),
		"%+v": fmt.Sprintf("%+v", []any{name, number, phone}), "%#v": fmt.Sprintf("%#v %#v %#v", name, number, phone),
		"%s": fmt.Sprintf("%s%q%x", name, number, phone), "struct": fmt.Sprintf("%+v", struct{ N kangma.IDNumber }{number}),
	} {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s shows %q: %s", what, s, text)
			}
		}
	}
	if name.Masked() != "欧**娜" || phone.Masked() != "138****5678" || !strings.HasPrefix(number.Masked(), "4415**********") {
		t.Errorf("masks: %s %s %s", name, phone, number)
	}
}

func TestDivisionsNest(t *testing.T) {
	street, err := kangma.ParseDivision("441502003")
	if err != nil || street.Rank() != kangma.Street {
		t.Fatal(street, err)
	}
	for text, rank := range map[string]kangma.DivisionRank{"44": kangma.Province, "4415": kangma.City, "441500": kangma.City, "441502": kangma.County} {
		d, err := kangma.ParseDivision(text)
		if err != nil || d.Rank() != rank || !d.Contains(street) || street.Contains(d) {
			t.Errorf("%s: %v rank %d %v", text, d, d.Rank(), err)
		}
	}
	for _, bad := range []string{"", "4", "44150", "4415020031", "abcdef", "000000", "+44150", "-44150", "０44150"} {
		if _, err := kangma.ParseDivision(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if street.County().String() != "441502" || street.City().String() != "441500" || street.Province().String() != "440000" || kangma.Division(0).Contains(street) {
		t.Error("parents")
	}
}

func TestIDsHaveOneText(t *testing.T) {
	id := kangma.NewEventID(now)
	back, err := kangma.ParseEventID(id.String())
	if err != nil || back != id || !id.Time().Equal(now) {
		t.Errorf("%v %v %v", back, err, id.Time())
	}
	for _, bad := range []string{"", strings.ToUpper(id.String()), id.String()[1:], strings.ReplaceAll(id.String(), "-", ""), id.String() + "0", "g" + id.String()[1:]} {
		if _, err := kangma.ParseEventID(bad); err == nil && bad != id.String() {
			t.Errorf("%q was taken", bad)
		}
	}
	if p := kangma.NewPersonID(); p[6]>>4 != 4 || p.IsZero() || kangma.EventID(p).Time() != (time.Time{}) {
		t.Error("a person id is version 4 and tells no time")
	}
}

func TestErrorsAreFoundByKindAndByCause(t *testing.T) {
	cause := errors.New("disk")
	err := fmt.Errorf("wrapped: %w", kangma.E(kangma.Unavailable, "store", "try again").Because(cause))
	if !errors.Is(err, kangma.Unavailable) || !errors.Is(err, cause) || errors.Is(err, kangma.Conflict) || kangma.CodeOf(err) != "store" {
		t.Error(err)
	}
}

func FuzzIDNumber(f *testing.F) {
	f.Add("44150219900307882X")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := kangma.NewIDNumber(kangma.DocResidentID, s, now)
		if err == nil && (len(n.Reveal()) != 18 || kangma.IDCheckChar(n.Reveal()[:17]) != n.Reveal()[17]) {
			t.Errorf("%q was taken", s)
		}
	})
}
