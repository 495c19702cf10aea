package codegen

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"sync"
)

// Recent remembers the signatures that were made here lately, so that they are recognised when they come back within their
// minute: by a keyed hash of 16 bytes each, made of the public key, the digest and the signature. What is found in it is what
// was signed here, bit by bit; what is not found takes the ordinary verification, so forgetting costs only time. It is bounded, and
// the oldest give way. It may be used concurrently. A nil Recent remembers nothing. docs/adr/0019
type Recent struct {
	secret [32]byte
	shards [recentShards]recentShard
}

type tag [16]byte

// recentGroup is where a tag may lie: the newest first. Two lines of a processor's cache.
type recentGroup [8]tag

type recentShard struct {
	mu     sync.Mutex
	groups []recentGroup
}

const recentShards = 64

// NewRecent makes a Recent of so many bytes, 16 for each signature. Half as many as there is room for are all remembered but a few.
func NewRecent(bytes int) *Recent {
	r := new(Recent)
	rand.Read(r.secret[:]) // never fails: crypto/rand aborts the process instead
	groups := max(1, bytes/recentShards/len(recentGroup{})/len(tag{}))
	for i := range r.shards {
		r.shards[i].groups = make([]recentGroup, groups)
	}
	return r
}

// keyOf gives the key of the hashes of what a public key verifies.
func (r *Recent) keyOf(pub *ecdsa.PublicKey) ([32]byte, error) {
	if r == nil {
		return [32]byte{}, nil
	}
	raw, err := pub.Bytes()
	if err != nil {
		return [32]byte{}, errKeyType.Because(err)
	}
	sum := sha256.Sum256(raw)
	return hmac256(r.secret, sum[:]), nil
}

func tagOf(key *[32]byte, digest *[32]byte, sig []byte) tag {
	var both [96]byte
	copy(both[:], digest[:])
	copy(both[32:], sig)
	sum := hmac256(*key, both[:])
	return tag(sum[:])
}

// group gives where a tag lies, with the lock held.
func (r *Recent) group(t tag) (*recentShard, *recentGroup) {
	s := &r.shards[t[0]%recentShards]
	at := uint64(t[1])<<32 | uint64(t[2])<<24 | uint64(t[3])<<16 | uint64(t[4])<<8 | uint64(t[5])
	s.mu.Lock()
	return s, &s.groups[at%uint64(len(s.groups))]
}

// add remembers a signature of a digest.
func (r *Recent) add(key, digest *[32]byte, sig []byte) {
	if r == nil {
		return
	}
	t := tagOf(key, digest, sig)
	s, g := r.group(t)
	copy(g[1:], g[:])
	g[0] = t
	s.mu.Unlock()
}

// has reports whether a signature of a digest is remembered.
func (r *Recent) has(key, digest *[32]byte, sig []byte) bool {
	if r == nil || len(sig) != 64 {
		return false
	}
	t := tagOf(key, digest, sig)
	if t == (tag{}) {
		return false // an empty place
	}
	s, g := r.group(t)
	defer s.mu.Unlock()
	for i := range g {
		if g[i] == t {
			return true
		}
	}
	return false
}
