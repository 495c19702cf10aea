package seal_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/seal"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWhatTheFirstProgramSealedStillOpens holds bytes that were sealed before identities had one field.
func TestWhatTheFirstProgramSealedStillOpens(t *testing.T) {
	s := plain(t)
	old := kangma.SealedIdentity{KeyID: "k1", Revision: 7,
		DataKey: unhex(t, "747d766a3c1b09cdf944544894318c0c836851fa543afe6c78bfe569291e549183f98da70e16dafcfb86edbe8eb159d5267ac103a3198fe22525a311"),
		Fields: map[string][]byte{
			"document": unhex(t, "474a3e40966cdc8cc83fff30cb7bc8580b76648f2247359a8be48bd964bddb9de96ecd01"),
			"name":     unhex(t, "8f6e5c19344dfffdf31655cf4768522a86167bdff0b6705700"),
			"phone":    unhex(t, "9c7258c142b359c70470a5922571b48ee362b2750d57249cff9bf3"),
		}}
	got, err := s.Open(person, old)
	if err != nil || got.Name.Reveal() != "张三七" || got.Number.Reveal()[:17] != "44010319510101001" || got.Phone.Reveal() != "13800000007" {
		t.Errorf("got %v, %v", got, err)
	}
	if name, err := s.OpenName(person, old); err != nil || name != got.Name {
		t.Errorf("name: got %v, %v", name, err)
	}
	again := mustSeal(t, s, person, got, 8)
	if back, err := s.Open(person, again); err != nil || back != got {
		t.Errorf("sealed anew: got %v, %v", back, err)
	}
	size := func(x kangma.SealedIdentity) (n int) {
		for _, f := range x.Fields {
			n += len(f)
		}
		return n
	}
	if size(old) != 88 || size(again) != 39 {
		t.Errorf("fields of %d bytes became %d, want 88 and 39", size(old), size(again))
	}
	old.Fields["name"][0] ^= 1
	if _, err := s.Open(person, old); kangma.CodeOf(err) != "seal_damaged" {
		t.Errorf("a changed old field: got %v", err)
	}
}

func TestEveryShapeOfDocumentAndPhoneComesBack(t *testing.T) {
	s := plain(t)
	for _, doc := range [][2]string{{kangma.DocResidentID, "110101190001010008"}, {kangma.DocPassport, "E12345678"}, {kangma.DocPassport, "12345678901234567890"},
		{kangma.DocPassport, "00000"}, {kangma.DocOther, "110101190001010008"}, {kangma.DocForeignPR, "CHN110101190001"}} {
		for _, phone := range []string{"", "13800000007", "19999999999", "+8521234567", "+100000000000000"} {
			for _, name := range []string{"李", "欧阳·买买提", "Ångström, X"} {
				t.Run(fmt.Sprint(doc, phone, name), func(t *testing.T) {
					var id seal.Identity
					var err error
					if doc[0] == kangma.DocResidentID { // with its true check character
						doc[1] = doc[1][:17] + string(kangma.IDCheckChar(doc[1]))
					}
					id.DocType = doc[0]
					if id.Number, err = kangma.NewIDNumber(doc[0], doc[1], time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
						t.Fatal(err)
					}
					if id.Name, err = kangma.NewName(name); err != nil {
						t.Fatal(err)
					}
					if phone != "" {
						if id.Phone, err = kangma.NewPhone(phone); err != nil {
							t.Fatal(err)
						}
					}
					if got, err := s.Open(person, mustSeal(t, s, person, id, 1)); err != nil || got != id {
						t.Errorf("got %v, %v", got, err)
					}
				})
			}
		}
	}
}

// FuzzUnpack: whatever is accepted is packed to the same bytes again or is refused as an identity.
func FuzzUnpack(f *testing.F) {
	f.Add(seal.PackIdentity(identity(f, 1)))
	f.Add([]byte{2, '1', '4', 5, 'E', '1', '2', '3', '4', 8, '+', '8', '5', '2', '1', '2', '3', '4', 'a'})
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := seal.UnpackIdentity(b)
		if err != nil {
			return
		}
		if back, err := seal.UnpackIdentity(seal.PackIdentity(id)); err != nil || back != id {
			t.Errorf("%x is %v, and that is %v, %v", b, id, back, err)
		}
	})
}
