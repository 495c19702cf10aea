package clickhouse_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/clickhouse"
	"github.com/kangma/kangma/store/storetest"
)

var update = flag.Bool("update", false, "write portability/statements.json anew")

const statementsFile = "portability/statements.json"

// statements is what the script portability/run.cjs runs on a current engine: the tables, some rows, and questions with
// what 18.16 answers.
type statements struct {
	Comment   string     `json:"comment"`
	Tables    []string   `json:"tables"`
	Rows      []string   `json:"rows"`
	Questions []question `json:"questions"`
	Upkeep    []string   `json:"upkeep"`  // merge and drop a day
	Current   []string   `json:"current"` // only on current versions
}

type question struct {
	SQL  string `json:"sql"`
	Want string `json:"want"`
}

func portable(t *testing.T) statements {
	town := storetest.NewTown(rand.New(rand.NewPCG(31, 1)))
	all := town.Passages(120)
	for i := range all { // ids are drawn at random in part
		copy(all[i].ID[6:9], []byte{0x70, byte(i), 0x80})
	}
	s := statements{Comment: "Made by: go test ./store/clickhouse -run Portab -update. The answers are those of ClickHouse 18.16."}
	row := func(p kangma.Passage, i int) string {
		return fmt.Sprintf("(%s, %s, %d, %s, %s, %d, %s, %s, %d, %d, %d, %s, %s, %s, %d, %s, %s, [], 'n1', %d)", p.At.UTC().Format("20060102"),
			clickhouse.Quote(string(p.ID[:])), p.At.UnixMicro(), clickhouse.Quote(p.Gate), clickhouse.Quote(p.GateKind), p.District,
			clickhouse.Quote(p.Operator), clickhouse.Quote(string(p.Person[:])), map[bool]int{true: 1}[p.Told], p.Colour, p.Decision,
			clickhouse.Quote(p.Reason), clickhouse.Quote(p.Verified), clickhouse.Quote(p.Direction), p.Temperature, clickhouse.Quote(p.Vehicle),
			clickhouse.Quote(p.Rules), i+1)
	}
	insert := "INSERT INTO kangma.passages (day, id, at, gate, gate_kind, district, operator, person, told, colour, decision, reason, verified, direction, temperature, vehicle, rules, flags, node, position) VALUES "
	for _, part := range [][]kangma.Passage{all[:60], all[40:]} { // twenty of them twice
		var rows []string
		for i, p := range part {
			rows = append(rows, row(p, i))
		}
		s.Rows = append(s.Rows, insert+strings.Join(rows, ", "))
	}
	var queries []store.Query
	for range 25 {
		queries = append(queries, town.Query())
	}
	passages := []store.PassageQuery{{Gates: town.Gates[:3], Since: town.Start, Until: town.Start.Add(town.Span), Limit: 7},
		{Person: town.People[1:4], Since: town.Start, Until: town.Start.Add(48 * time.Hour), Limit: 100}}
	tables, questions, err := clickhouse.Statements(clickhouse.Config{Shards: [][]string{{"x"}}}, queries, passages)
	if err != nil {
		t.Fatal(err)
	}
	s.Tables = append([]string{"CREATE DATABASE IF NOT EXISTS kangma"}, tables...)
	for i, q := range questions {
		if i >= len(questions)-len(passages) { // raw ids do not go into a JSON file
			q = "SELECT hex(id), at, gate, hex(person), district, told, colour, decision, temperature, flags FROM (" + q + ")"
		}
		s.Questions = append(s.Questions, question{SQL: q})
	}
	s.Upkeep, s.Current = clickhouse.Upkeep(2022_07_10)
	return s
}

// TestPortabilityStatementsAreTheShippedSQL keeps the file in step with the code and its answers with 18.16.
func TestPortabilityStatementsAreTheShippedSQL(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	s := portable(t)
	for _, sql := range append(s.Tables, s.Rows...) {
		srv.Must(sql)
	}
	for i := range s.Questions {
		s.Questions[i].Want = srv.Must(s.Questions[i].SQL + " FORMAT TabSeparated")
	}
	for _, sql := range s.Upkeep {
		srv.Must(sql)
	}
	if *update {
		b, err := json.MarshalIndent(s, "", " ")
		if err == nil {
			err = os.WriteFile(statementsFile, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(statementsFile)
	if err != nil {
		t.Fatal(err)
	}
	var kept statements
	if err := json.Unmarshal(b, &kept); err != nil || !reflect.DeepEqual(kept, s) {
		t.Errorf("%s is not what the code says (%v); run with -update and the script after it", statementsFile, err)
	}
}

// TestTheShippedSQLRunsOnACurrentEngine runs the same on chdb, where scripts/portability installed it.
func TestTheShippedSQLRunsOnACurrentEngine(t *testing.T) {
	if _, err := os.Stat("portability/node_modules/chdb"); err != nil {
		t.Skip("NOT TESTED on a current ClickHouse: scripts/portability does it")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("NOT TESTED on a current ClickHouse: node is not installed")
	}
	cmd := exec.Command(node, "run.cjs")
	cmd.Dir = "portability"
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
