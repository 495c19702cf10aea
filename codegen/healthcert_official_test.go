package codegen_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// euCode is one official test code (eu-digital-green-certificates/dgc-testdata). Some countries write the names of fields in
// lower case, which encoding/json takes alike; those of the expected results are brought to one form in wants.
type euCode struct {
	Text    string `json:"PREFIX"`
	Content struct {
		Born string `json:"dob"`
	} `json:"-"`
	RawContent json.RawMessage `json:"JSON"` // an object, in some files a text of one
	Context    struct {
		Certificate string `json:"CERTIFICATE"`
		Clock       string `json:"VALIDATIONCLOCK"`
	} `json:"TESTCTX"`
	Want map[string]any `json:"EXPECTEDRESULTS"`
}

// wants tells what the file expects of a step.
func (c *euCode) wants(step string) (want, said bool) {
	for name, v := range c.Want {
		if strings.EqualFold(name, "EXPECTED"+step) {
			want, said = v.(bool)
		}
	}
	return want, said
}

func (c *euCode) clock() (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(layout, c.Context.Clock); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// euFolders are the folder beside the repository and whatever KANGMA_EU_DCC lists: a whole checkout of the test data will do.
func euFolders(t *testing.T) []string {
	if env := os.Getenv("KANGMA_EU_DCC"); env != "" {
		return filepath.SplitList(env)
	}
	return []string{sharedData(t, "eu-dcc")}
}

// euDiffers names the files in which we decide otherwise, and why; nothing else may differ.
var euDiffers = map[string]string{}

// TestTheOfficialEUTestCodes reads every test code that is at hand and compares each step with what its file expects:
//
//	KANGMA_EU_DCC=/path/to/dgc-testdata go test ./codegen -run OfficialEU -v
func TestTheOfficialEUTestCodes(t *testing.T) {
	var table strings.Builder
	files := 0
	for _, dir := range euFolders(t) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".json" {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var code euCode
			if json.Unmarshal(raw, &code) != nil || len(code.Want) == 0 {
				return nil // another sort of file: schemata, value sets
			}
			name, _ := filepath.Rel(dir, path)
			files++
			t.Run(name, func(t *testing.T) { fmt.Fprintf(&table, "%-40s %s\n", name, checkEUCode(t, name, &code)) })
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files == 0 {
		t.Fatal("no test codes in the folder")
	}
	t.Logf("%d files; + done, - refused, . not asked for, ! otherwise than expected\n%s", files, &table)
}

// checkEUCode gives the line of the table.
func checkEUCode(t *testing.T, name string, code *euCode) string {
	_ = json.Unmarshal(code.RawContent, &code.Content) // a text instead of an object has no date of birth for us
	got, cert, tell := euSteps(t, code)
	line := fmt.Sprintf("%-15s", tell)
	for _, step := range []string{"UNPREFIX", "B45DECODE", "COMPRESSION", "DECODE", "VERIFY", "KEYUSAGE", "SCHEMAVALIDATION", "EXPIRATIONCHECK"} {
		want, said := code.wants(step)
		did, reached := got[step]
		mark := "."
		switch {
		case said && did != want && !(reached == false && !want):
			mark = "!"
			if euDiffers[name+" "+step] == "" {
				t.Errorf("%s: %t, the file expects %t (verdict %q, flaws %q)", step, did, want, tell, cert.Flaws)
			}
		case said && did:
			mark = "+"
		case said:
			mark = "-"
		}
		line += fmt.Sprintf(" %s%s", strings.ToLower(step), mark)
	}
	return line
}

// euSteps does what the file asks for, step by step, and says how far it got.
func euSteps(t *testing.T, code *euCode) (got map[string]bool, cert codegen.HealthCert, tell kangma.CannotTell) {
	got = map[string]bool{"UNPREFIX": codegen.IsHealthCert(code.Text)}
	packed, err := codegen.DecodeBase45(nil, strings.TrimPrefix(code.Text, codegen.HealthCertPrefix))
	got["B45DECODE"] = got["UNPREFIX"] && err == nil
	if got["B45DECODE"] {
		z, err := zlib.NewReader(bytes.NewReader(packed))
		if err == nil {
			_, err = io.ReadAll(z)
		}
		got["COMPRESSION"] = err == nil
	}
	in := codegen.Inspect(code.Text)
	got["DECODE"] = in.HealthCert != nil && in.Problem == ""
	if in.HealthCert != nil {
		cert = *in.HealthCert
		got["SCHEMAVALIDATION"] = len(cert.Flaws) == 0
	}
	keys := euKeys(t, code, in)
	if keys == nil {
		return got, cert, in.Problem
	}
	at, said := code.clock()
	if !said {
		at = cert.Issued
	}
	if cert, tell = keys.Verify(code.Text, at); len(cert.Entries) == 0 && in.HealthCert != nil {
		cert.Flaws = in.HealthCert.Flaws
	}
	genuine := tell == "" || tell == kangma.TellExpired || tell == kangma.TellNotYetValid
	usage, asked := code.wants("KEYUSAGE")
	got["VERIFY"], got["KEYUSAGE"] = genuine || asked && !usage && tell == kangma.TellForged, genuine
	got["EXPIRATIONCHECK"] = tell == ""
	if tell == "" {
		checkEUContent(t, keys, code, cert, at)
	}
	return got, cert, tell
}

func checkEUContent(t *testing.T, keys *codegen.HealthCertKeys, code *euCode, got codegen.HealthCert, at time.Time) {
	if born := code.Content.Born; born != "" && got.Born != born || len(got.Entries) == 0 || got.Entries[0].ID == "" || got.Entries[0].Date == "" {
		t.Errorf("content %+v", got)
	}
	if _, tell := keys.Verify(code.Text, got.Expires.Add(time.Hour)); tell != kangma.TellExpired {
		t.Errorf("after its expiry: %q", tell)
	}
	mutateEU(t, keys, code, at)
}

// euKeys trusts the certificate that the file gives; nil: none. Some files were made with another key id than the
// certificate's; where the file says that it verifies, the certificate is trusted under that id too.
func euKeys(t *testing.T, code *euCode, in codegen.Inspection) *codegen.HealthCertKeys {
	t.Helper()
	verifies, _ := code.wants("VERIFY")
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(code.Context.Certificate), ""))
	if err != nil || len(der) == 0 {
		if verifies {
			t.Errorf("the file has no certificate: %v", err)
		}
		return nil
	}
	trusted, left, err := codegen.ParseHealthCertSigners(der)
	if err != nil || left > 0 {
		t.Errorf("the signer cannot be read: %v", err)
		return nil
	}
	if in.HealthCert != nil && verifies && in.HealthCert.Key != trusted[0].ID {
		t.Logf("key id %v, the certificate's is %v", in.HealthCert.Key, trusted[0].ID)
		alias := slices.Clone(trusted)
		alias[0].ID = in.HealthCert.Key
		trusted = append(trusted, alias...)
	}
	keys, err := codegen.NewHealthCertKeys(trusted, 0)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// mutateEU changes the signed bytes in every position: none may be accepted.
func mutateEU(t *testing.T, keys *codegen.HealthCertKeys, code *euCode, at time.Time) {
	packed, err := codegen.DecodeBase45(nil, code.Text[4:])
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < raw.Len(); i += 1 + i/16 { // the head byte by byte, then wider steps
		bad := bytes.Clone(raw.Bytes())
		bad[i] ^= 1 << (i % 8)
		if _, tell := keys.Verify(packHC1(bad), at); tell == "" {
			t.Fatalf("byte %d changed and accepted", i)
		}
	}
}
