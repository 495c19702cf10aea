package keystore

import (
	"crypto/ecdh"
	"errors"

	"github.com/miekg/pkcs11"
)

// GenerateExchange makes a key pair inside the token that agrees and does not sign.
func (t *Token) GenerateExchange(label string) (ecdh.KeyExchanger, error) {
	err := t.generate(label, pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true), pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true))
	if err != nil {
		return nil, err
	}
	return t.LoadExchange(label)
}

// LoadExchange finds such a key pair in the token.
func (t *Token) LoadExchange(label string) (ecdh.KeyExchanger, error) {
	k, err := t.load(label)
	if err != nil {
		return nil, err
	}
	public, err := k.public.ECDH()
	if err != nil {
		return nil, errMissing(label)
	}
	return &tokenExchange{k, public}, nil
}

// tokenExchange agrees inside the token. The private key never leaves it; what leaves is one agreed secret, which opens one
// sealed item.
type tokenExchange struct {
	key    *tokenKey
	public *ecdh.PublicKey
}

// PublicKey gives the public half.
func (k *tokenExchange) PublicKey() *ecdh.PublicKey { return k.public }

// Curve is P-256.
func (k *tokenExchange) Curve() ecdh.Curve { return ecdh.P256() }

// ECDH gives the x-coordinate of the agreed point (PKCS#11 v2.40 section 2.3.9, CKD_NULL). kangma.Unavailable: the token failed.
func (k *tokenExchange) ECDH(remote *ecdh.PublicKey) ([]byte, error) {
	if remote.Curve() != ecdh.P256() {
		return nil, errors.New("another curve than P-256")
	}
	var secret []byte
	err := k.key.token.with(func(s pkcs11.SessionHandle) error {
		lib := k.key.token.lib
		mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDH1_DERIVE, pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, remote.Bytes()))}
		h, err := lib.DeriveKey(s, mechanism, k.key.handle(), []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
			pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false),
			pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true), pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		})
		if err != nil {
			k.key.refresh(s)
			return err
		}
		attrs, err := lib.GetAttributeValue(s, h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
		if err == nil {
			secret = attrs[0].Value
		}
		return errors.Join(err, lib.DestroyObject(s, h))
	})
	if err != nil {
		return nil, err
	}
	if len(secret) != 32 {
		return nil, errToken(errors.New("an agreed secret of another length than 32 bytes"))
	}
	return secret, nil
}
