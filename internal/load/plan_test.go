package load_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/load"
)

func good() load.Plan {
	return load.Plan{Mode: "show", Target: "127.0.0.1:8080", Rates: []float64{100}}
}

func TestAPlanIsFilledInAndChecked(t *testing.T) {
	p := good()
	if err := p.Check(); err != nil || p.Duration != 10*time.Second || p.Connections != 64 {
		t.Errorf("%+v, %v", p, err)
	}
	for name, spoil := range map[string]func(*load.Plan){
		"no mode":                 func(p *load.Plan) { p.Mode = "" },
		"another machine":         func(p *load.Plan) { p.Target = "192.0.2.1:80" },
		"a name":                  func(p *load.Plan) { p.Target = "localhost:80" },
		"no target":               func(p *load.Plan) { p.Target = "" },
		"no rate":                 func(p *load.Plan) { p.Rates = nil },
		"a negative rate":         func(p *load.Plan) { p.Rates = []float64{-1} },
		"too high a rate":         func(p *load.Plan) { p.Rates = []float64{1e9} },
		"too many requests":       func(p *load.Plan) { p.Rates, p.Duration = []float64{1e6}, time.Hour },
		"too long":                func(p *load.Plan) { p.Duration = 100 * time.Hour },
		"a negative drain":        func(p *load.Plan) { p.Drain = -1 },
		"no connections":          func(p *load.Plan) { p.Connections = -1 },
		"more loops than sockets": func(p *load.Plan) { p.Loops, p.Connections = 8, 4 },
		"more than one of shares": func(p *load.Plan) { p.ShowShare = 1.5 },
		"negative people":         func(p *load.Plan) { p.People = -1 },
		"more sockets than files": func(p *load.Plan) { p.Connections = 1 << 30 },
	} {
		p := good()
		spoil(&p)
		if err := p.Check(); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	p = good()
	p.Target, p.Allowed = "192.0.2.1:80", []string{"192.0.2.1:80"}
	if err := p.Check(); err != nil {
		t.Errorf("a target that is allowed: %v", err)
	}
}

func TestAPlanFileIsStrict(t *testing.T) {
	p, err := load.ReadPlan(strings.NewReader("mode: scan\ntarget: 127.0.0.1:1\nrates: [10, 20]\nduration: 3s\n"))
	if err != nil || p.Mode != "scan" || len(p.Rates) != 2 || p.Duration != 3*time.Second {
		t.Errorf("%+v, %v", p, err)
	}
	for _, text := range []string{"", "]", "mode: [", "moode: scan", "mode: scan\n---\nmode: show", "rates: lots", "duration: 3 weeks", "allowed: [192.0.2.1:80]", strings.Repeat("# ", 1<<20), "\x00\x01"} {
		if _, err := load.ReadPlan(strings.NewReader(text)); kangma.KindOf(err) != kangma.Invalid && kangma.KindOf(err) != kangma.TooLarge {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestAPopulationFileIsChecked(t *testing.T) {
	seed := strings.Repeat("ab", 32)
	for text, ok := range map[string]bool{
		`{"format":"kangma load population 1","seed":"` + seed + `","people":3,"gates":1,"region":"441500"}`:          true,
		`{"format":"kangma load population 1","seed":"` + seed + `","people":0,"gates":1,"region":"441500"}`:          false,
		`{"format":"kangma load population 1","seed":"ab","people":3,"gates":1,"region":"441500"}`:                    false,
		`{"format":"kangma load population 2","seed":"` + seed + `","people":3,"gates":1,"region":"441500"}`:          false,
		`{"format":"kangma load population 1","seed":"` + seed + `","people":3,"gates":1,"region":"441500","x":true}`: false,
		`nonsense`: false,
	} {
		p, err := load.ReadPopulation(strings.NewReader(text))
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
		if ok && (p.ResidentToken(1) == p.ResidentToken(2) || len(p.ResidentToken(1)) != 43 || p.ResidentToken(1) == p.StaffToken(1)) {
			t.Error("tokens are not each their own")
		}
	}
}
