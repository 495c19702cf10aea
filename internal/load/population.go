package load

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/kangma/kangma"
)

// Population says how to be the people, staff and devices that Prepare made: their tokens are derived from a seed. Whoever
// has the file can log in as any of them, so it is a secret of a test installation.
type Population struct {
	Format string          `json:"format"` // "kangma load population 1"
	Seed   string          `json:"seed"`   // 32 bytes, hexadecimal
	People int             `json:"people"`
	Logins int             `json:"logins,omitempty"` // of them evenly spread over the people; 0: everybody is logged in
	Gates  int             `json:"gates"`
	Region kangma.Division `json:"region"`

	seed []byte
}

const populationFormat = "kangma load population 1"

// PopulationFile is where Prepare leaves it inside the data folder.
const PopulationFile = "load-population.json"

// OpenPopulation reads a population file.
func OpenPopulation(path string) (*Population, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, kangma.E(kangma.NotFound, "population", "there is no population: make one with kangma load prepare (server stopped)").Because(err)
	}
	defer f.Close()
	return ReadPopulation(f)
}

// ReadPopulation reads and checks a population. An unknown key is an error.
func ReadPopulation(r io.Reader) (*Population, error) {
	var p Population
	dec := json.NewDecoder(io.LimitReader(r, 1<<16))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return nil, kangma.E(kangma.Invalid, "population", "this is no population file").Because(err)
	}
	return &p, p.check()
}

func (p *Population) check() (err error) {
	p.seed, err = hex.DecodeString(p.Seed)
	if err != nil || p.Format != populationFormat || len(p.seed) != 32 || p.People < 1 || p.People > 50_000_000 || p.Logins < 0 || p.Logins > p.People || p.Gates < 1 || p.Gates > 100_000 {
		return kangma.E(kangma.Invalid, "population", "this is no population file")
	}
	return nil
}

// Residents is how many people are logged in.
func (p *Population) Residents() int {
	if p.Logins == 0 {
		return p.People
	}
	return p.Logins
}

// Resident gives which person the j-th who is logged in is. They are spread over all people, so that a load that asks for them
// reads as widely in a store as one that asks for everybody.
func (p *Population) Resident(j int) int {
	return int(int64(j) * int64(p.People) / int64(p.Residents()))
}

func (p *Population) secret(what string, i int) []byte {
	m := hmac.New(sha256.New, p.seed)
	m.Write(strconv.AppendInt(append([]byte(what), '/'), int64(i), 10))
	return m.Sum(nil)
}

func (p *Population) token(what string, i int) string {
	return base64.RawURLEncoding.EncodeToString(p.secret(what, i))
}

// Person gives the id of person i.
func (p *Population) Person(i int) (id kangma.PersonID) {
	copy(id[:], p.secret("person", i))
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// ResidentToken is the session token of person i.
func (p *Population) ResidentToken(i int) string { return p.token("resident", i) }

// GateID names gate j.
func (p *Population) GateID(j int) string { return fmt.Sprintf("load-%05d", j) }

// StaffName names the account that stands at gate j, StaffToken is its session token.
func (p *Population) StaffName(j int) string { return fmt.Sprintf("load-staff-%05d", j) }

// StaffToken is the session token of the staff at gate j.
func (p *Population) StaffToken(j int) string { return p.token("staff", j) }

// DeviceName names the fixed device at gate j.
func (p *Population) DeviceName(j int) string { return fmt.Sprintf("load-device-%05d", j) }

// DeviceKey is the key of the fixed device at gate j.
func (p *Population) DeviceKey(j int) string {
	return "kmd." + p.DeviceName(j) + "." + p.token("device", j)
}

// FeedName is the provider that FeederToken is logged in for; FeedKeyID names its key.
const (
	FeedName  = "load-feed"
	FeedKeyID = "load-feed-1"
)

// FeederToken is the session token of the account that brings evidence.
func (p *Population) FeederToken() string { return p.token("feeder", 0) }

// FeedKey signs the feed's manifests.
func (p *Population) FeedKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(p.secret("feed-key", 0))
}
