package registry

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// A claim says who is registering a document or a phone now, once for all nodes. It is let go of when the person is stored.
// What a registration that died in between leaves is taken up by the next one of the same document, or goes after claimLife.

const claimKind = "claim"

// claimLife is how long a claim stands that nobody lets go of. A registration takes well under a second; one that has taken half
// of this does not go on.
const claimLife = time.Hour

// foreignClaimLife is how long other nodes leave a claim of a node alone. That node may be down with the registration in its journal,
// and brings the person in when it is back; somebody who was registered with the same document meanwhile would lose it to them.
const foreignClaimLife = 30 * 24 * time.Hour

const claimAttempts = 5

var (
	errClaimsOld = kangma.E(kangma.Unavailable, "claims_old", "the registration took too long; try again")
	errClaimBusy = kangma.E(kangma.Unavailable, "claim_busy", "somebody is registering this document or phone now; try again in a moment")
)

// reservation is what a claim record says: the person (16 bytes), when it was made (Unix seconds, 8 bytes, big-endian) and by which
// node; none where several took part. Earlier versions wrote no node, before that no time: those are as old as can be.
type reservation struct {
	who  kangma.PersonID
	made time.Time
	node string
}

func (s *Service) putClaim(ctx context.Context, key string, version uint64, who kangma.PersonID, node string) error {
	data := binary.BigEndian.AppendUint64(who[:], uint64(s.cfg.Now().Unix()))
	return s.cfg.Records.Put(ctx, store.Record{Kind: claimKind, ID: key, Version: version, Data: append(data, node...)})
}

func readClaim(r store.Record) (c reservation, ok bool) {
	whole := len(c.who) + 8
	switch {
	case len(r.Data) == len(c.who):
		c.who = kangma.PersonID(r.Data)
	case len(r.Data) >= whole:
		c.who, c.node = kangma.PersonID(r.Data[:len(c.who)]), string(r.Data[whole:])
		c.made = time.Unix(int64(binary.BigEndian.Uint64(r.Data[len(c.who):whole])), 0)
	default:
		return c, false
	}
	return c, true
}

// claimAgeing says that claims go that nobody let go of. They are in no journal.
func (s *Service) claimAgeing() AgeRule {
	return AgeRule{Kind: claimKind, Plain: true, Over: func(r store.Record, now time.Time) bool {
		c, _ := readClaim(r)
		age := now.Sub(c.made)
		return age > foreignClaimLife || age > claimLife && c.node == s.cfg.Node && s.appliedUntil(c.made.Add(claimLife))
	}}
}

// appliedUntil reports whether everything that was written to this node's journal before a moment is applied.
func (s *Service) appliedUntil(moment time.Time) bool {
	low, _ := s.applied.position()
	waits, err := s.cfg.Journal.After(s.run, low, 1)
	return err == nil && (len(waits) == 0 || waits[0].Recorded.After(moment))
}

// claim makes an index belong to a person, once for all nodes, and returns whose it is. A claim left by a registration
// that never finished is taken up by the next one.
// indexes are one value under each index key in use, the newest first; a person found under any of them has it already.
func (s *Service) claim(ctx context.Context, indexes []kangma.BlindIndex, want kangma.PersonID) (kangma.PersonID, error) {
	for range claimAttempts {
		owner, err := s.tryClaim(ctx, indexes, want)
		if !errors.Is(err, kangma.Conflict) {
			return owner, err
		}
	}
	return kangma.PersonID{}, errClaimBusy
}

// tryClaim is claim once; kangma.Conflict: somebody else changed the record meanwhile.
func (s *Service) tryClaim(ctx context.Context, indexes []kangma.BlindIndex, want kangma.PersonID) (kangma.PersonID, error) {
	if owner, err := s.lookup(ctx, indexes); !errors.Is(err, kangma.NotFound) {
		return owner, err
	}
	key := hex.EncodeToString(indexes[0][:])
	rec, err := s.cfg.Records.Get(ctx, claimKind, key)
	if errors.Is(err, kangma.NotFound) {
		if err = s.putClaim(ctx, key, rec.Version+1, want, s.cfg.Node); err != nil {
			return kangma.PersonID{}, err
		}
		return s.claimed(ctx, indexes, want)
	}
	if err != nil {
		return kangma.PersonID{}, err
	}
	c, ok := readClaim(rec)
	if !ok {
		return kangma.PersonID{}, kangma.E(kangma.Internal, "damaged", "a claim record is damaged")
	}
	node := s.cfg.Node
	if c.node != node { // either of us may have the person in its journal
		node = ""
	}
	if node == c.node && s.cfg.Now().Sub(c.made) <= claimLife/2 {
		return c.who, nil
	}
	return c.who, s.putClaim(ctx, key, rec.Version+1, c.who, node) // taken up: it must not go before the person is there
}

// claimed looks again once the claim is ours: whoever registered between the first look and the claim has let go of theirs,
// and their dossier was there before that.
func (s *Service) claimed(ctx context.Context, indexes []kangma.BlindIndex, want kangma.PersonID) (kangma.PersonID, error) {
	owner, err := s.lookup(ctx, indexes)
	switch {
	case errors.Is(err, kangma.NotFound):
		return want, nil
	case err != nil:
		return kangma.PersonID{}, err
	}
	return owner, s.unclaim(ctx, indexes[:1])
}

// unclaim lets go of the document and phone of an erased person, so that nothing keyed by them stays.
func (s *Service) unclaim(ctx context.Context, indexes []kangma.BlindIndex) error {
	for _, index := range indexes {
		key := hex.EncodeToString(index[:])
		rec, err := s.cfg.Records.Get(ctx, claimKind, key)
		if errors.Is(err, kangma.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		err = s.cfg.Records.Put(ctx, store.Record{Kind: claimKind, ID: key, Version: rec.Version + 1, Deleted: true})
		if err != nil && !errors.Is(err, kangma.Conflict) { // somebody else of the same registration did it
			return err
		}
	}
	return nil
}
