package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// A fixed device (数字哨兵, turnstile) is an account of role gate without a password. It speaks with a key that does not
// expire and names the device, so that each request costs the one read of its account; what is stored is the key's hash.

const devicePrefix = "kmd."

var (
	errIsDevice  = kangma.E(kangma.Conflict, "is_device", "this account is a fixed device; change it as one")
	errIsAccount = kangma.E(kangma.Conflict, "is_account", "this name belongs to a person's account")
)

func newDeviceKey(name string) string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return devicePrefix + name + "." + base64.RawURLEncoding.EncodeToString(raw)
}

// deviceOf gives the name in a device key.
func deviceOf(token string) (name string, ok bool) {
	if !strings.HasPrefix(token, devicePrefix) || len(token) > 256 {
		return "", false
	}
	name, _, ok = cutLast(token[len(devicePrefix):])
	return name, ok
}

// cutLast cuts around the last dot: names may have dots, keys have none.
func cutLast(s string) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, '.'); i > 0 {
		return s[:i], s[i+1:], true
	}
	return "", "", false
}

// device is the principal of a device key.
func (a *auth) device(ctx context.Context, name, key string) (Principal, error) {
	found, err := registry.ReadDoc[Account](ctx, a.registry.Records(), accountKind, name)
	if errors.Is(err, kangma.NotFound) {
		return Principal{}, errNoLogin
	}
	if err != nil {
		return Principal{}, unavailable(err)
	}
	if found.Device == "" || found.Disabled || found.Role != GateStaff || !isKey(found.Device, key) {
		return Principal{}, errNoLogin
	}
	p := Principal{Role: GateStaff, Account: *found, Device: true}
	p.Account.Hash, p.Account.Device = nil, ""
	return p, nil
}

// isKey reports whether a key is the one that is stored, as tokenID makes it of a key, without leaving garbage behind at every scan.
func isKey(stored, key string) bool {
	var text [256]byte // deviceOf refuses longer ones
	sum := sha256.Sum256(append(text[:0], key...))
	var id [2 * sha256.Size]byte
	hex.Encode(id[:], sum[:])
	var want [2 * sha256.Size]byte
	return len(stored) == len(want) && copy(want[:], stored) == len(id) && subtle.ConstantTimeCompare(want[:], id[:]) == 1
}

type putDeviceIn struct {
	ID   string `path:"id" minLength:"2" maxLength:"64" pattern:"^[a-z0-9][a-z0-9._-]*$"`
	Body struct {
		Organisation string   `json:"organisation" minLength:"1" maxLength:"200"`
		Gates        []string `json:"gates" minItems:"1" maxItems:"20" doc:"where it stands"`
		Disabled     bool     `json:"disabled,omitempty" doc:"its key is refused from now on"`
	}
}

type deviceOut struct {
	Body struct {
		ID    string   `json:"id"`
		Gates []string `json:"gates"`
		Key   string   `json:"key,omitempty" doc:"send it as Authorization: Bearer KEY; it is shown this once, and the one before is refused from now on"`
	}
}

// putDevice creates a device or replaces its key: whoever lost the key asks again, and a stolen one is dead.
func (s *Server) putDevice(ctx context.Context, in *putDeviceIn) (*deviceOut, error) {
	old, _, err := registry.GetDoc[Account](ctx, s.cfg.Registry.Records(), accountKind, in.ID)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return nil, unavailable(err)
	}
	if err == nil && old.Device == "" {
		return nil, errIsAccount
	}
	for _, id := range in.Body.Gates {
		if _, err := s.gateFor(ctx, id); err != nil {
			return nil, err
		}
	}
	key := newDeviceKey(in.ID)
	acc := Account{Name: in.ID, Role: GateStaff, Organisation: in.Body.Organisation, Gates: in.Body.Gates, Disabled: in.Body.Disabled, Device: tokenID(key)}
	if err := SaveAccount(ctx, s.cfg.Registry, acc); err != nil {
		return nil, unavailable(err)
	}
	out := &deviceOut{}
	out.Body.ID, out.Body.Gates = acc.Name, acc.Gates
	if !acc.Disabled {
		out.Body.Key = key
	}
	return out, nil
}
