package codegen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// zbarimg finds the independent QR reader (Debian package zbar-tools).
func zbarimg(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("zbarimg")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must have zbarimg (apt-get install zbar-tools)")
		}
		t.Skip("zbarimg is not installed (apt-get install zbar-tools)")
	}
	return path
}

func TestZbarReadsThePNG(t *testing.T) {
	reader := zbarimg(t)
	d := newDesk(t, shenzhen)
	shown := d.shown(t, 17)
	dyn := d.issue(t, dynamic())
	for _, tc := range []struct {
		name, text string
		look       codegen.Look
	}{
		{"dynamic, plain", dyn.Text, codegen.Look{}},
		{"dynamic, green frame", dyn.Text, codegen.LookOf(dyn.Claims)},
		{"yellow frame", dyn.Text, codegen.Look{Framed: true, Kind: codegen.Dynamic, Colour: kangma.Yellow, Label: "10:32"}},
		{"red frame, small", dyn.Text, codegen.Look{Framed: true, Kind: codegen.Dynamic, Scale: 3}},
		{"shown credential", shown, codegen.Look{Framed: true, Kind: codegen.Credential, Colour: kangma.Green}},
		{"paper", d.issue(t, paper()).Text, codegen.Look{Framed: true, Kind: codegen.Paper}},
		{"specimen", d.issue(t, specimen()).Text, codegen.Look{Framed: true, Kind: codegen.Specimen}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			png, err := codegen.PNG(tc.text, tc.look)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "code.png")
			if err := os.WriteFile(file, png, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(reader, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
			if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != tc.text {
				t.Errorf("zbarimg read %q (%v), want %q", got, err, tc.text)
			}
		})
	}
}

func TestATextOverVersionNineIsNotDrawn(t *testing.T) {
	long := strings.Repeat("A", 336)
	if _, err := codegen.SVG(long, codegen.Look{}); kangma.KindOf(err) != kangma.TooLarge {
		t.Errorf("SVG: %v", err)
	}
	if _, err := codegen.PNG(long, codegen.Look{}); kangma.KindOf(err) != kangma.TooLarge {
		t.Errorf("PNG: %v", err)
	}
	if _, err := codegen.Matrix("lower case", 0); kangma.KindOf(err) != kangma.Invalid {
		t.Errorf("lower case: %v", err)
	}
}

func TestThePredictedVersionIsTheDrawnOne(t *testing.T) {
	for level := codegen.LevelL; level <= codegen.LevelQ; level++ {
		last := 0
		for n := 1; n <= 336; n++ {
			size, err := codegen.SizeOf(strings.Repeat("A", n), level)
			if err == nil && size.Version == last {
				continue
			}
			last++ // n is the first length of a version: draw it and the longest of the version before
			for _, n := range []int{n - 1, n} {
				text := strings.Repeat("A", n)
				if size, err = codegen.SizeOf(text, level); err != nil {
					continue
				}
				m, err := codegen.Matrix(text, level)
				if err != nil || len(m) != size.Modules {
					t.Fatalf("level %v, %d characters: %d modules, want %+v (%v)", level, n, len(m), size, err)
				}
			}
			if last == codegen.MaxVersion+1 {
				break
			}
		}
		if last != codegen.MaxVersion+1 {
			t.Errorf("level %v has %d versions", level, last-1)
		}
	}
}
