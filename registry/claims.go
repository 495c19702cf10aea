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

var errClaimsOld = kangma.E(kangma.Unavailable, "claims_old", "the registration took too long; try again")

// A claim's data are the person (16 bytes) and when it was made (Unix seconds, 8 bytes, big-endian). Earlier versions wrote no
// time; those are as old as can be.
func (s *Service) putClaim(ctx context.Context, key string, version uint64, who kangma.PersonID) error {
	data := binary.BigEndian.AppendUint64(who[:], uint64(s.cfg.Now().Unix()))
	return s.cfg.Records.Put(ctx, store.Record{Kind: claimKind, ID: key, Version: version, Data: data})
}

func readClaim(r store.Record) (who kangma.PersonID, made time.Time, ok bool) {
	switch len(r.Data) {
	case len(who):
		return kangma.PersonID(r.Data), time.Time{}, true
	case len(who) + 8:
		return kangma.PersonID(r.Data[:len(who)]), time.Unix(int64(binary.BigEndian.Uint64(r.Data[len(who):])), 0), true
	}
	return who, made, false
}

// claimAgeing says that claims go that nobody let go of. They are in no journal.
func claimAgeing() AgeRule {
	return AgeRule{Kind: claimKind, Plain: true, Over: func(r store.Record, now time.Time) bool {
		_, made, _ := readClaim(r)
		return now.Sub(made) > claimLife
	}}
}

// claim makes an index belong to a person, once for all nodes, and returns whose it is. A claim left by a registration
// that never finished is taken up by the next one.
// indexes are one value under each index key in use, the newest first; a person found under any of them has it already.
func (s *Service) claim(ctx context.Context, indexes []kangma.BlindIndex, want kangma.PersonID) (kangma.PersonID, error) {
	if owner, err := s.lookup(ctx, indexes); !errors.Is(err, kangma.NotFound) {
		return owner, err
	}
	key := hex.EncodeToString(indexes[0][:])
	rec, err := s.cfg.Records.Get(ctx, claimKind, key)
	if errors.Is(err, kangma.NotFound) {
		err = s.putClaim(ctx, key, rec.Version+1, want)
		if err == nil {
			return s.claimed(ctx, indexes, want)
		}
		if !errors.Is(err, kangma.Conflict) {
			return kangma.PersonID{}, err
		}
		rec, err = s.cfg.Records.Get(ctx, claimKind, key) // somebody else was first
	}
	if err != nil {
		return kangma.PersonID{}, err
	}
	owner, made, ok := readClaim(rec)
	if !ok {
		return kangma.PersonID{}, kangma.E(kangma.Internal, "damaged", "a claim record is damaged")
	}
	if s.cfg.Now().Sub(made) > claimLife/2 { // taken up: it must not go before the person is there
		err = s.putClaim(ctx, key, rec.Version+1, owner)
		if errors.Is(err, kangma.Conflict) { // somebody else takes it up in this moment, or it has just gone
			err = kangma.E(kangma.Unavailable, "claim_busy", "somebody is registering this document or phone now; try again in a moment").Because(err)
		}
	}
	return owner, err
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
