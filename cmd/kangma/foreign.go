package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// foreignAnswer is what verify says of an EU digital COVID certificate: genuine or not, it has no colour here.
type foreignAnswer struct {
	Good        bool                `json:"good"` // always false
	CannotTell  kangma.CannotTell   `json:"cannot_tell"`
	Genuine     bool                `json:"genuine"` // the signature is a trusted signer's, in time or not
	InTime      bool                `json:"in_time"`
	Certificate *codegen.HealthCert `json:"certificate,omitempty"`
}

// verifyForeign verifies an HC1 code against the signers' certificates in a file. Exit code 0 means genuine and in time.
func verifyForeign(w *world, text, signers string, now time.Time) error {
	keys, err := readSigners(signers)
	if err != nil {
		return err
	}
	cert, bad := keys.Verify(text, now)
	ans := foreignAnswer{CannotTell: kangma.TellForeign, InTime: bad == ""}
	ans.Genuine = ans.InTime || bad == kangma.TellExpired || bad == kangma.TellNotYetValid
	if !ans.InTime {
		ans.CannotTell = bad
	}
	if len(cert.Entries) > 0 {
		ans.Certificate = &cert
	}
	if err := ans.print(w); err != nil {
		return err
	}
	if !ans.InTime {
		return denied
	}
	return nil
}

// readSigners reads a file of trusted signers; "" trusts nobody.
func readSigners(path string) (*codegen.HealthCertKeys, error) {
	var trusted []codegen.HealthCertKey
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, kangma.E(kangma.Invalid, "signers", "the file of signers cannot be read").Because(err)
		}
		if trusted, _, err = codegen.ParseHealthCertSigners(data); err != nil {
			return nil, err
		}
	}
	return codegen.NewHealthCertKeys(trusted, codegen.DefaultSkew)
}

func (a foreignAnswer) print(w *world) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(a)
	}
	switch {
	case a.InTime:
		fmt.Fprintln(w.out, "genuine foreign document; it has no colour here")
	case a.Genuine:
		fmt.Fprintln(w.out, "NOT good: a genuine foreign document, but", a.CannotTell)
	default:
		fmt.Fprintln(w.out, "NOT good:", a.CannotTell)
	}
	if a.Certificate != nil {
		return printHealthCert(w.out, a.Certificate)
	}
	return nil
}

// printHealthCert says field by field what a certificate claims, the name masked.
func printHealthCert(out io.Writer, c *codegen.HealthCert) error {
	line := func(what string, v any) { fmt.Fprintf(out, "%-16s %v\n", what, v) }
	line("issuer", c.Country)
	line("name", c.Name)
	line("issued", c.Issued.Format(time.RFC3339))
	line("expires", c.Expires.Format(time.RFC3339))
	line("key", c.Key)
	for _, e := range c.Entries {
		line(string(e.Type), fmt.Sprintf("%s %s %s", e.Date, e.Country, e.Product))
		if e.Doses > 0 {
			line("dose", fmt.Sprintf("%d of %d", e.Dose, e.Doses))
		}
		if e.Result != "" {
			line("result", e.Result)
		}
		line("certificate", e.ID)
	}
	for _, f := range c.Flaws {
		line("against schema", f)
	}
	return nil
}
