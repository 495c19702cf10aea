package entry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/codegen"
)

func TestPlatesOfEveryKindAreRead(t *testing.T) {
	for text, kind := range map[string]entry.PlateKind{
		"粤A12345": entry.Civil, "粤n·8k888": entry.Civil, " 京 A F0236 ": entry.Civil, "粤ＡＢ１２３４": entry.Civil,
		"粤AD12345": entry.NewEnergy, "粤AF12345": entry.NewEnergy, "沪ADA0001": entry.NewEnergy, "粤A12345D": entry.NewEnergyL, "粤B00001F": entry.NewEnergyL,
		"粤Z1234港": entry.HongKong, "粤ZAB12澳": entry.Macao, "粤A1234警": entry.Police, "粤A1234学": entry.Learner, "粤A1234挂": entry.Trailer,
		"粤A0123领": entry.Consulate, "使014578": entry.Embassy, "014578使": entry.Embassy,
	} {
		p, err := entry.ParsePlate(text)
		if err != nil || p.Kind() != kind {
			t.Errorf("%s: %v %q", text, err, p.Kind())
		}
	}
}

func TestFalsePlatesAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "A12345", "粤", "粤A1234", "粤A123456", "粤I12345", "粤O12345", "粤A1I345", "粤A1O345", "港A12345", "粤A1234港", "京Z1234港", "粤ZA1234港",
		"粤AD12A45", "粤AL12345", "粤AD123456", "粤A1234X警", "粤A警1234", "使01457", "使0145789", "使A14578", "领123456", "粤A1234使",
		"粤A12345\x00", "粤A1234５６", "粤A12345 OR 1=1", strings.Repeat("粤", 40), "ABC 123", "粤A<b>45",
	} {
		if p, err := entry.ParsePlate(text); err == nil || kangma.CodeOf(err) != "plate" {
			t.Errorf("%q: read as %q, %v", text, p.Kind(), err)
		}
	}
}

func TestAPlateIsMaskedHoweverItIsPrinted(t *testing.T) {
	p, err := entry.ParsePlate("粤AD12345")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(map[string]any{"p": p})
	for _, s := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v %s %q", p, p, p, p), string(raw), p.LogValue().String()} {
		if strings.Contains(s, "D123") || !strings.Contains(s, "粤A****45") {
			t.Errorf("shown as %s", s)
		}
	}
}

func TestAPassHasOneTextAndFitsASmallQR(t *testing.T) {
	p := entry.Pass{Entry: kangma.NewEventID(noon), Expires: noon.Add(24 * time.Hour).Truncate(time.Second), Secret: [12]byte{1, 2, 3}}
	text := p.String()
	back, err := entry.ParsePass(text)
	if err != nil || back != p {
		t.Errorf("%v %+v", err, back)
	}
	if size, err := codegen.SizeOf(text, codegen.LevelQ); err != nil || size.Version > 4 {
		t.Errorf("%+v %v", size, err)
	}
	for _, bad := range []string{"", "KM1:" + text[4:], text + "0", text[:len(text)-1], strings.ToLower(text), text[:4] + "ZZZ" + text[7:], "KMV:" + strings.Repeat("0", len(text)-4)} {
		if _, err := entry.ParsePass(bad); kangma.CodeOf(err) != "pass" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParsePass(f *testing.F) {
	f.Add(entry.Pass{Entry: kangma.NewEventID(noon), Expires: noon, Secret: [12]byte{9}}.String())
	f.Fuzz(func(t *testing.T, text string) {
		p, err := entry.ParsePass(text)
		if err == nil && p.String() != text {
			t.Errorf("%q also reads as %q", text, p.String())
		}
	})
}

func FuzzParsePlate(f *testing.F) {
	f.Add("粤A·12345")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := entry.ParsePlate(text)
		if err != nil {
			return
		}
		again, err := entry.ParsePlate(p.Reveal())
		if err != nil || again != p {
			t.Errorf("%q: normal form %q reads as %+v, %v", text, p.Reveal(), again, err)
		}
	})
}

var noon = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
