package codegen_test

import (
	"bytes"
	"crypto/ecdsa"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma/codegen"
)

// The CDDL says bytes and arrays; what is empty is an empty one, and null is not.
func TestAnEmptyListIsEmptyAndNotNull(t *testing.T) {
	root := newKey(t)
	roots := []*ecdsa.PublicKey{&root.PublicKey}
	until := now.Add(time.Hour)
	status, err := codegen.NewStatusList(nil, 1, now, until, nil)
	if err != nil {
		t.Fatal(err)
	}
	later, err := codegen.NewStatusList(status, 2, now, until, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tc := range []struct {
		name, kind string
		data       []byte
		open       func([]byte) error
		keys       []int
	}{
		{"trust list", codegen.TypeTrustList, signed(codegen.TrustList{Number: 1, Issued: now, Expires: until}.Sign(root)), func(b []byte) error {
			_, err := codegen.OpenTrustList(b, roots, 0, now, 0)
			return err
		}, []int{-65539}},
		{"status list", codegen.TypeStatusList, signed(status.Sign(root)), func(b []byte) error {
			_, err := codegen.OpenStatusList(b, roots, 0, now, 0)
			return err
		}, []int{-65543}},
		{"delta", codegen.TypeStatusDelta, signed(later.SignDelta(status, root)), func(b []byte) error {
			_, err := status.Apply(b, roots, now, 0)
			return err
		}, []int{-65546, -65548}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.open(tc.data); err != nil {
				t.Fatal(err)
			}
			payload, err := codegen.VerifyDocument(tc.data, tc.kind, roots)
			if err != nil {
				t.Fatal(err)
			}
			var fields map[int]cbor.RawMessage
			if err := cbor.Unmarshal(payload, &fields); err != nil {
				t.Fatal(err)
			}
			for _, key := range tc.keys {
				if v := fields[key]; !bytes.Equal(v, []byte{0x40}) && !bytes.Equal(v, []byte{0x80}) {
					t.Errorf("field %d is written as %x", key, v)
				}
				was := fields[key]
				fields[key] = []byte{0xf6}
				raw, err := cbor.Marshal(fields)
				if err != nil {
					t.Fatal(err)
				}
				wantCode(t, tc.open(signed(codegen.SignDocument(root, tc.kind, raw))), "document_malformed")
				fields[key] = was
			}
		})
	}
}
