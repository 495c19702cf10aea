package keystore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"sync"

	"github.com/miekg/pkcs11"

	"github.com/kangma/kangma"
)

// TokenConfig names a PKCS#11 token: an HSM, a smart card or SoftHSM.
type TokenConfig struct {
	Module string // path of the vendor's library
	Label  string // of the token
	PIN    string // of its user; read it from a file that only we may read, never from the environment
}

// Token is a Provider whose private keys never leave a PKCS#11 token: they are made there, marked sensitive and not
// extractable. It may be used concurrently.
type Token struct {
	lib   *pkcs11.Ctx
	slot  uint
	pin   string
	mu    sync.Mutex
	login pkcs11.SessionHandle   // stays open, so that the login lasts
	idle  []pkcs11.SessionHandle // logged-in sessions that nobody uses

	shared bool // somebody else initialised the library
}

// p256 is the curve's object identifier (1.2.840.10045.3.1.7), DER.
var p256 = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}

func errToken(cause error) error {
	return kangma.E(kangma.Unavailable, "keystore_token", "the PKCS#11 token did not answer").Because(cause)
}

// OpenToken loads the library and logs in. One process opens one library once. kangma.Invalid: no such library, token or
// PIN. kangma.Unavailable: the token failed.
func OpenToken(cfg TokenConfig) (*Token, error) {
	lib := pkcs11.New(cfg.Module)
	if lib == nil {
		return nil, kangma.E(kangma.Invalid, "keystore_module", "the PKCS#11 library cannot be loaded: "+cfg.Module)
	}
	t := &Token{lib: lib, pin: cfg.PIN}
	switch err := lib.Initialize(); {
	case isCode(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED):
		t.shared = true // another part of this process uses the library too, and ends it
	case err != nil:
		lib.Destroy()
		return nil, errToken(err)
	}
	if err := t.find(cfg.Label); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	s, err := t.open()
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.login = s
	return t, nil
}

func (t *Token) find(label string) error {
	slots, err := t.lib.GetSlotList(true)
	if err != nil {
		return errToken(err)
	}
	for _, slot := range slots {
		if info, err := t.lib.GetTokenInfo(slot); err == nil && info.Label == label {
			t.slot = slot
			return nil
		}
	}
	return kangma.E(kangma.Invalid, "keystore_token_label", "there is no PKCS#11 token with this label")
}

// open makes a logged-in session.
func (t *Token) open() (pkcs11.SessionHandle, error) {
	s, err := t.lib.OpenSession(t.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return 0, errToken(err)
	}
	err = t.lib.Login(s, pkcs11.CKU_USER, t.pin)
	if err == nil || isCode(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		return s, nil
	}
	_ = t.lib.CloseSession(s) // the login's error says more
	if isCode(err, pkcs11.CKR_PIN_INCORRECT) || isCode(err, pkcs11.CKR_PIN_LEN_RANGE) || isCode(err, pkcs11.CKR_PIN_LOCKED) {
		return 0, kangma.E(kangma.Invalid, "keystore_pin", "the PKCS#11 token refuses the PIN").Because(err)
	}
	return 0, errToken(err)
}

func isCode(err error, code uint) bool {
	var e pkcs11.Error
	return errors.As(err, &e) && uint(e) == code
}

// with runs f in a session of its own. A session that fails is closed and replaced once: after the token was restarted or
// taken out and put in again, the first try finds dead handles.
func (t *Token) with(f func(pkcs11.SessionHandle) error) error {
	for attempt := 0; ; attempt++ {
		s, err := t.take()
		if err != nil {
			return err
		}
		err = f(s)
		var dead pkcs11.Error
		if !errors.As(err, &dead) {
			t.give(s)
			return err
		}
		_ = t.lib.CloseSession(s) // it may be dead already
		if attempt > 0 {
			return errToken(err)
		}
	}
}

func (t *Token) take() (pkcs11.SessionHandle, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.idle); n > 0 {
		s := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return s, nil
	}
	return t.open()
}

func (t *Token) give(s pkcs11.SessionHandle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = append(t.idle, s)
}

// Close logs out and unloads the library. No key of the token may be used afterwards.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shared {
		var err error
		for _, s := range append(t.idle, t.login) {
			if s != 0 {
				err = errors.Join(err, t.lib.CloseSession(s))
			}
		}
		t.idle, t.login = nil, 0
		return err
	}
	err := t.lib.CloseAllSessions(t.slot)
	if isCode(err, pkcs11.CKR_SLOT_ID_INVALID) {
		err = nil // there was no token to begin with
	}
	err = errors.Join(err, t.lib.Finalize())
	t.lib.Destroy()
	if err != nil {
		return errToken(err)
	}
	return nil
}

// Generate makes a key pair inside the token.
func (t *Token) Generate(label string) (crypto.Signer, error) {
	err := t.generate(label, pkcs11.NewAttribute(pkcs11.CKA_SIGN, true), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true))
	if err != nil {
		return nil, err
	}
	return t.Load(label)
}

// generate makes a key pair whose halves have these uses.
func (t *Token) generate(label string, private, public *pkcs11.Attribute) error {
	return t.with(func(s pkcs11.SessionHandle) error {
		if _, err := t.object(s, label, pkcs11.CKO_PRIVATE_KEY); err == nil {
			return kangma.E(kangma.Conflict, "keystore_taken", "the token already has a key of this label")
		} else if kangma.KindOf(err) != kangma.NotFound {
			return err
		}
		common := []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, label), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(label)),
		}
		publics := append([]*pkcs11.Attribute{public, pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p256)}, common...)
		privates := append([]*pkcs11.Attribute{
			private, pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
			pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		}, common...)
		_, _, err := t.lib.GenerateKeyPair(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)}, publics, privates)
		return err
	})
}

// Load finds a key pair in the token.
func (t *Token) Load(label string) (crypto.Signer, error) { return t.load(label) }

func (t *Token) load(label string) (*tokenKey, error) {
	k := &tokenKey{token: t, label: label}
	err := t.with(func(s pkcs11.SessionHandle) error {
		public, err := t.object(s, label, pkcs11.CKO_PUBLIC_KEY)
		if err != nil {
			return err
		}
		attrs, err := t.lib.GetAttributeValue(s, public, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, nil), pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
		if err != nil {
			return err
		}
		var point []byte
		if rest, err := asn1.Unmarshal(attrs[1].Value, &point); err != nil || len(rest) != 0 || !bytes.Equal(attrs[0].Value, p256) {
			return errMissing(label)
		}
		if k.public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
			return errMissing(label)
		}
		k.private, err = t.object(s, label, pkcs11.CKO_PRIVATE_KEY)
		return err
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Destroy removes both halves of a key pair from the token.
func (t *Token) Destroy(label string) error {
	return t.with(func(s pkcs11.SessionHandle) error {
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
			o, err := t.object(s, label, class)
			if kangma.KindOf(err) == kangma.NotFound {
				continue
			}
			if err == nil {
				err = t.lib.DestroyObject(s, o)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// object finds the one object of a class and label.
func (t *Token) object(s pkcs11.SessionHandle, label string, class uint) (pkcs11.ObjectHandle, error) {
	err := t.lib.FindObjectsInit(s, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label)})
	if err != nil {
		return 0, err
	}
	found, _, err := t.lib.FindObjects(s, 2)
	err = errors.Join(err, t.lib.FindObjectsFinal(s))
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, kangma.E(kangma.NotFound, "keystore_key", "there is no such key in the token")
	case len(found) > 1:
		return 0, kangma.E(kangma.Conflict, "keystore_taken", "the token has two keys of this label")
	}
	return found[0], nil
}

// tokenKey signs inside the token.
type tokenKey struct {
	token   *Token
	label   string
	public  *ecdsa.PublicKey
	mu      sync.Mutex
	private pkcs11.ObjectHandle
}

// Public gives the *ecdsa.PublicKey.
func (k *tokenKey) Public() crypto.PublicKey { return k.public }

// Sign signs a SHA-256 digest and returns an ECDSA-Sig-Value (DER), as crypto.Signer wants. The random numbers are the token's.
func (k *tokenKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil || opts.HashFunc() != crypto.SHA256 || len(digest) != 32 {
		return nil, kangma.E(kangma.Invalid, "keystore_digest", "keys sign SHA-256 digests only")
	}
	var sig []byte
	err := k.token.with(func(s pkcs11.SessionHandle) (err error) {
		private := k.handle()
		err = k.token.lib.SignInit(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}, private)
		if err != nil {
			k.refresh(s)
			return err
		}
		sig, err = k.token.lib.Sign(s, digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(sig) != 64 {
		return nil, errToken(errors.New("a signature of another length than 64 bytes"))
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
}

func (k *tokenKey) handle() pkcs11.ObjectHandle {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.private
}

// refresh looks the private key up again, for the next try: a restarted token gives new handles.
func (k *tokenKey) refresh(s pkcs11.SessionHandle) {
	private, err := k.token.object(s, k.label, pkcs11.CKO_PRIVATE_KEY)
	if err != nil {
		return // the next try says what is wrong
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.private = private
}
