package api

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/kangma/kangma"
)

func TestALoginIsRememberedAsItIsStored(t *testing.T) {
	at := time.Date(2022, 11, 22, 8, 0, 0, 123456789, time.FixedZone("CST", 8*3600))
	for _, want := range []session{
		{}, {Role: Resident, Person: kangma.PersonID{1, 15: 2}, Expires: at}, {Role: GateStaff, Account: "post-1", Expires: at.UTC()},
		{Role: "something else", Account: "一", Expires: time.Unix(0, 0)}, {Role: Admin, Expires: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		raw, err := json.Marshal(want)
		var stored, got session
		if err != nil || json.Unmarshal(raw, &stored) != nil {
			t.Fatal(err)
		}
		packed, err := stored.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.UnmarshalBinary(packed); err != nil || !got.Expires.Equal(stored.Expires) {
			t.Errorf("%v: ends at %v, %v, want %v", want, got.Expires, err, stored.Expires)
		}
		if stored.Expires = got.Expires; got != stored {
			t.Errorf("got %+v, want %+v", got, stored)
		}
	}
}

func FuzzRememberedLogin(f *testing.F) {
	good, _ := (&session{Role: GateStaff, Account: "post-1", Expires: time.Unix(1e9, 5)}).AppendBinary(nil)
	f.Add(good)
	f.Add([]byte{})
	f.Add([]byte{255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again session
		if s.UnmarshalBinary(b) != nil {
			return
		}
		form, err := s.AppendBinary(nil)
		if err != nil || again.UnmarshalBinary(form) != nil || again != s {
			t.Errorf("%x reads as %+v and again as %+v, %v", b, s, again, err)
		}
		if len(form) > len(b) || len(form) == len(b) && !bytes.Equal(form, b) {
			t.Errorf("%x was read, %x is written", b, form)
		}
	})
}
