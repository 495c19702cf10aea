package api

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// SessionRecord gives the record of a session with a token of the caller's choice, for tools that prepare an installation
// for tests. A token has 32 random bytes as a server draws them; what is stored is its hash.
func SessionRecord(token string, role Role, person kangma.PersonID, account string, expires time.Time) (store.Record, error) {
	owner := account
	if role == Resident {
		owner = person.String()
	}
	data, err := json.Marshal(session{Role: role, Person: person, Account: account, Expires: expires})
	return store.Record{Kind: sessionKind, ID: tokenID(token), Version: 1, Data: data, Index: map[string]string{"owner": owner}}, err
}

// SessionOrder gives a number by which the sessions of tokens lie in order in a store, to put many in.
func SessionOrder(token string) uint64 { return binary.BigEndian.Uint64([]byte(tokenID(token)[:8])) }

// SetDeviceKey makes the account a fixed device that speaks with this key.
func (a *Account) SetDeviceKey(key string) { a.Device = tokenID(key) }

// SaveFeedKey keeps a provider's public key in PEM, by which its manifests are checked.
func SaveFeedKey(ctx context.Context, r *registry.Service, id, provider, publicPEM string, from time.Time) error {
	k := feedKey{ID: id, Provider: provider, PEM: publicPEM, From: from}
	if _, err := k.key(); err != nil {
		return err
	}
	return r.PutDoc(ctx, feedKeyKind, id, k, map[string]string{"provider": provider})
}
