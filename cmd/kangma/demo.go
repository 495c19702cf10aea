package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store/seal"
)

// The demo town: invented people in the real divisions of Shanwei. Its lists are made at start, in the official format,
// for the last days, so that the demo never grows old.

const demoRules = "national-9th-2022"

type demoPerson struct {
	name, number17, phone string // number17: the ID number without its check character
	home                  string
	what                  kangma.Text
	evidence              func(now time.Time) []kangma.Evidence
}

var demoPeople = []demoPerson{
	{"林小绿", "44150219900307882", "13800000001", "441502", kangma.Text{Zh: "绿码", En: "green: tested yesterday, was nowhere risky"}, func(now time.Time) []kangma.Evidence {
		return []kangma.Evidence{demoTest(now.Add(-20 * time.Hour))}
	}},
	{"陈家黄", "44152119851123661", "13800000002", "441521", kangma.Text{Zh: "黄码", En: "yellow: was in a medium-risk area three days ago"}, func(now time.Time) []kangma.Evidence {
		return []kangma.Evidence{demoStay(now, 3, kangma.Place{Division: 441521000, Community: "海城镇二环西路12号"})}
	}},
	{"黄山红", "44158119780615203", "13800000003", "441581", kangma.Text{Zh: "红码", En: "red: was in a high-risk area two days ago"}, func(now time.Time) []kangma.Evidence {
		return []kangma.Evidence{demoStay(now, 2, kangma.Place{Division: 441502000, Community: "马宫街道金町湾小区"})}
	}},
}

var demoGates = []checkpoint.Gate{
	{ID: "metro-1", Name: kangma.Text{Zh: "汕尾站一号口", En: "Shanwei station, gate 1"}, Kind: "metro", District: 441502000},
	{ID: "g15-haifeng", Name: kangma.Text{Zh: "沈海高速海丰检查站", En: "G15 expressway post, Haifeng"}, Kind: "highway", District: 441521000},
	{ID: "hospital-1", Name: kangma.Text{Zh: "市人民医院", En: "City hospital"}, Kind: "hospital", District: 441502000},
	{ID: "port-1", Name: kangma.Text{Zh: "汕尾港口岸", En: "Shanwei port"}, Kind: "border", District: 441502000, Policy: checkpoint.Policy{Challenge: true}},
}

var demoAccounts = []api.Account{
	{Name: "gate", Role: api.GateStaff, Organisation: "汕尾站", Gates: []string{"metro-1", "g15-haifeng", "hospital-1", "port-1"}},
	{Name: "feeder", Role: api.Feeder, Organisation: "市疾控中心", Feed: "cdc"},
	{Name: "official", Role: api.Official, Organisation: "市指挥部", Divisions: []kangma.Division{441500000}},
	{Name: "epi", Role: api.Epidemiologist, Organisation: "市疾控中心", Divisions: []kangma.Division{441500000}},
	{Name: "admin", Role: api.Admin, Organisation: "市政务数据局"},
}

func demoPassword(account string) string { return account + "-demo-2022" }

type demoCmd struct{}

func (demoCmd) Run(w *world) error {
	region, err := kangma.ParseDivision("441500")
	if err != nil {
		return err
	}
	return withStack(w, region, func(s *stack) error {
		if err := startDemo(w.ctx, s); err != nil {
			return err
		}
		printDemo(w.out, "http://127.0.0.1:8080")
		return nil
	})
}

// startDemo fills an empty data folder with the demo town; one that has it already is left alone.
func startDemo(ctx context.Context, s *stack) error {
	_, _, err := registry.GetDoc[api.Account](ctx, s.registry.Records(), "account", demoAccounts[0].Name)
	if err == nil {
		return nil
	}
	if !errors.Is(err, kangma.NotFound) {
		return err
	}
	preset, err := presetNow(demoRules)
	if err != nil {
		return err
	}
	if _, err := s.registry.PublishRules(ctx, demoRules, preset); err != nil {
		return err
	}
	now := s.registry.Now()
	for _, list := range demoLists(now) {
		if _, err := s.registry.PublishAreas(ctx, list); err != nil {
			return err
		}
	}
	for _, g := range demoGates {
		asks := g.Policy.Challenge
		g.Policy = checkpoint.DefaultPolicy(g.Kind)
		g.Policy.Challenge = asks
		if err := s.registry.PutDoc(ctx, "gate", g.ID, g, nil); err != nil {
			return err
		}
	}
	for _, p := range demoPeople {
		if err := p.enter(ctx, s, now); err != nil {
			return err
		}
	}
	if err := enterVehicle(ctx, s, now); err != nil {
		return err
	}
	for i := len(demoAccounts) - 1; i >= 0; i-- { // the first one last: it says that the demo is whole
		acc := demoAccounts[i]
		if err := acc.SetPassword(demoPassword(acc.Name), 6); err != nil {
			return err
		}
		if err := api.SaveAccount(ctx, s.registry, acc); err != nil {
			return err
		}
	}
	return nil
}

func (p demoPerson) enter(ctx context.Context, s *stack, now time.Time) error {
	id := seal.Identity{DocType: kangma.DocResidentID}
	var errs [3]error
	id.Name, errs[0] = kangma.NewName(p.name)
	id.Number, errs[1] = kangma.NewIDNumber(id.DocType, p.number(), now)
	id.Phone, errs[2] = kangma.NewPhone(p.phone)
	home, err := kangma.ParseDivision(p.home)
	if err := errors.Join(errs[0], errs[1], errs[2], err); err != nil {
		return err
	}
	person, _, err := s.registry.Register(ctx, registry.Registration{Identity: id, Home: kangma.Place{Division: home}})
	if err != nil {
		return err
	}
	var items []registry.Item
	for _, ev := range p.evidence(now.UTC()) {
		items = append(items, registry.Item{Person: person, Evidence: ev})
	}
	return s.registry.Submit(ctx, items...)
}

func (p demoPerson) number() string { return p.number17 + string(kangma.IDCheckChar(p.number17)) }

func demoTest(at time.Time) kangma.Evidence {
	return kangma.Evidence{ID: kangma.NewEventID(at), Kind: kangma.KindTest, Observed: at, Reported: at.Add(6 * time.Hour), Source: "cdc",
		Test: &kangma.Test{Method: "pcr", Result: "negative", Lab: "汕尾市第一检测点"}}
}

func demoStay(now time.Time, daysAgo int, place kangma.Place) kangma.Evidence {
	from := now.AddDate(0, 0, -daysAgo)
	return kangma.Evidence{ID: kangma.NewEventID(from), Kind: kangma.KindStay, Observed: from, Reported: from.Add(3 * time.Hour), Source: "cdc",
		Stay: &kangma.Stay{Place: place, From: from, To: from.Add(2 * time.Hour)}}
}

// demoLists makes four lists in the official format: the day before the stays, and each day since.
func demoLists(now time.Time) (lists [][]byte) {
	type row struct {
		Type     string   `json:"type"`
		Province string   `json:"province"`
		City     string   `json:"city"`
		County   string   `json:"county"`
		AreaName string   `json:"area_name"`
		Comms    []string `json:"communitys"`
	}
	entry := func(county string, comms ...string) row {
		return row{"2", "广东省", "汕尾市", county, "广东省 汕尾市 " + county, comms}
	}
	high := []row{entry("城区", "马宫街道金町湾小区")}
	mid := []row{entry("海丰县", "海城镇二环西路12号", "海城镇人民路市场")}
	low := []row{entry("城区", "高、中风险区以外的区域"), entry("海丰县", "高、中风险区以外的区域")}

	for _, days := range []int{5, 3, 1, 0} {
		at := now.In(beijing).AddDate(0, 0, -days)
		data := map[string]any{
			"end_update_time": at.Format("2006-01-02 15") + "时", "hcount": 1, "mcount": 2, "lcount": 2,
			"highlist": high, "middlelist": mid, "lowlist": low,
		}
		raw, err := json.Marshal(map[string]any{"data": data, "code": 0, "msg": "查询成功"})
		if err != nil {
			panic(err) // plain strings and numbers
		}
		lists = append(lists, raw)
	}
	return lists
}

// printDemo says what a newcomer can try.
func printDemo(out io.Writer, url string) {
	fmt.Fprintln(out, "\nKangma demo town (汕尾): everything in it is invented. NOT for real use.")
	fmt.Fprintln(out, "\nResidents: log in with the phone; the one-time password is printed here.")
	for _, p := range demoPeople {
		fmt.Fprintf(out, "  %s  %s  %s, %s\n", p.phone, p.name, p.what.Zh, p.what.En)
	}
	fmt.Fprintln(out, "\nStaff: user name and password.")
	for _, a := range demoAccounts {
		fmt.Fprintf(out, "  %-9s %-19s %s\n", a.Name, demoPassword(a.Name), a.Role)
	}
	fmt.Fprintf(out, `
Try:
  %[1]s/resident  log in as 13800000001 and see a green code (…02 yellow, …03 red)
  %[1]s/gate      log in as gate, choose a gate, paste the text under the QR: a verdict (port-1 shows a number that the code must carry)
  %[1]s/office    log in as epi: the passages, by hour
  POST %[1]s/v1/vehicle-entries/find {"gate":"g15-haifeng","plate":"`+demoPlate+`"} as gate: who is in the car, with colours
  %[1]s/openapi.json  the whole API

`, url)
}
