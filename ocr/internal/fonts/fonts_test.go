package fonts

import (
	"os"
	"testing"

	"golang.org/x/image/font/opentype"
)

func TestAFaceTakenOutOfACollectionIsAFontOfItsOwn(t *testing.T) {
	src := sources["sans"]
	raw, err := os.ReadFile("/usr/share/fonts/" + src.file)
	if err != nil {
		t.Fatal("install the Debian package ", src.pkg)
	}
	f, err := opentype.Parse(repacked(raw, src.index))
	if err != nil {
		t.Fatal(err)
	}
	if i, err := f.GlyphIndex(nil, '汉'); err != nil || i == 0 {
		t.Error("a character is missing", err)
	}
}

func FuzzRepacked(f *testing.F) {
	f.Add([]byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0)
	f.Fuzz(func(t *testing.T, b []byte, i int) {
		if i >= 0 {
			repacked(b, i)
		}
	})
}
