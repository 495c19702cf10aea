package divisions

import "testing"

func TestRenamedTargetsExist(t *testing.T) {
	for name, d := range renamed {
		if !Exists(d) {
			t.Errorf("%s points at %v, which does not exist", name, d)
			continue
		}
		for i, c := range load().codes { // an exact current name needs no entry, unless it means another place
			if c == d && load().name(i) == name {
				t.Errorf("%s is still the name of %v", name, d)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := read(packed); err != nil {
			b.Fatal(err)
		}
	}
}
