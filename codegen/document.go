package codegen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
)

// Content types of signed documents. They are signed too, so that one kind is never taken for another.
const (
	TypeTrustList   = "application/vnd.kangma.trust-list+cbor"
	TypeStatusList  = "application/vnd.kangma.status-list+cbor"
	TypeStatusDelta = "application/vnd.kangma.status-delta+cbor"
	TypeGateBundle  = "application/vnd.kangma.gate-bundle+cbor"
)

// MaxDocument bounds what is read of a signed document, in bytes.
const MaxDocument = 16 << 20

// documentHeader is the protected header: ES256, content type, key id.
type documentHeader struct {
	Alg  int    `cbor:"1,keyasint"`
	Type string `cbor:"3,keyasint"`
	Kid  []byte `cbor:"4,keyasint"`
}

// sign1 is a COSE_Sign1 (RFC 9052 section 4.2).
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int]cbor.RawMessage
	Payload     []byte
	Signature   []byte
}

var (
	canonicalCBOR = mustEnc(deterministic())
	strictCBOR    = mustDec(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: 8,
		MaxArrayElements: 1 << 16, MaxMapPairs: 64, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, TagsMd: cbor.TagsForbidden,
	})
)

// deterministic is RFC 8949 section 4.2.1, with what is empty written as empty and not as null.
func deterministic() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	return o
}

func mustEnc(o cbor.EncOptions) cbor.EncMode {
	m, err := o.EncMode()
	if err != nil {
		panic(err) // constant options: fails at every start or never
	}
	return m
}

func mustDec(o cbor.DecOptions) cbor.DecMode {
	m, err := o.DecMode()
	if err != nil {
		panic(err) // constant options: fails at every start or never
	}
	return m
}

var (
	errDocForged = kangma.E(kangma.Forbidden, "document_forged", "the signature of the document does not fit")
	errDocBad    = kangma.E(kangma.Invalid, "document_malformed", "this is not a signed document of the expected type")
	errDocKey    = kangma.E(kangma.Forbidden, "document_key", "the document is signed by a key that is not trusted for it")
	errDocLarge  = kangma.E(kangma.TooLarge, "document_size", "the document is larger than 16 MiB")
)

// SignDocument wraps a payload as a COSE_Sign1 (tag 18, ES256) of a content type. kangma.Unavailable: the key did not sign.
func SignDocument(key crypto.Signer, contentType string, payload []byte) ([]byte, error) {
	if len(payload) > MaxDocument-1024 {
		return nil, errDocLarge
	}
	pub, _ := key.Public().(*ecdsa.PublicKey)
	id, err := KeyIDOf(pub)
	if err != nil {
		return nil, err
	}
	protected, err := canonicalCBOR.Marshal(documentHeader{Alg: -7, Type: contentType, Kid: id[:]})
	if err != nil {
		return nil, errSign.Because(err)
	}
	digest := sha256.Sum256(documentToSign(protected, payload))
	der, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, errSign.Because(err)
	}
	sig, ok := fromDER(nil, der)
	if !ok {
		return nil, errSign
	}
	body, err := canonicalCBOR.Marshal(sign1{Protected: protected, Unprotected: map[int]cbor.RawMessage{}, Payload: payload, Signature: sig})
	if err != nil {
		return nil, errSign.Because(err)
	}
	return append([]byte{0xd2}, body...), nil
}

func documentToSign(protected, payload []byte) []byte {
	head := append(appendUint(nil, 2, uint64(len(protected))), protected...)
	return appendToSign(nil, head, payload)
}

// VerifyDocument checks the signature of a document by one of the keys, then its content type, and returns the payload.
// kangma.Forbidden: forged, or a key that is not among them. kangma.Invalid: not a document of this type.
// kangma.TooLarge: over MaxDocument.
func VerifyDocument(data []byte, contentType string, keys []*ecdsa.PublicKey) ([]byte, error) {
	if len(data) > MaxDocument {
		return nil, errDocLarge
	}
	if len(data) < 1 || data[0] != 0xd2 {
		return nil, errDocBad
	}
	var msg sign1
	if err := strictCBOR.Unmarshal(data[1:], &msg); err != nil {
		return nil, errDocBad.Because(err)
	}
	if len(msg.Unprotected) != 0 || len(msg.Signature) != 64 || len(msg.Protected) > 256 {
		return nil, errDocBad
	}
	digest := sha256.Sum256(documentToSign(msg.Protected, msg.Payload))
	var signer *ecdsa.PublicKey
	for _, k := range keys {
		if canonical(msg.Signature) && verifySig(k, digest[:], msg.Signature) {
			signer = k
			break
		}
	}
	var head documentHeader
	if err := strictCBOR.Unmarshal(msg.Protected, &head); err != nil {
		return nil, errDocBad.Because(err)
	}
	if signer == nil {
		return nil, documentFault(head, keys)
	}
	id, err := KeyIDOf(signer)
	if err != nil {
		return nil, err
	}
	if head.Alg != -7 || string(head.Kid) != string(id[:]) || head.Type != contentType {
		return nil, errDocBad.Because(fmt.Errorf("content type %q", head.Type))
	}
	return msg.Payload, nil
}

// documentFault says whether the key is unknown or the signature wrong.
func documentFault(head documentHeader, keys []*ecdsa.PublicKey) error {
	for _, k := range keys {
		if id, err := KeyIDOf(k); err == nil && string(id[:]) == string(head.Kid) {
			return errDocForged
		}
	}
	return errDocKey
}
