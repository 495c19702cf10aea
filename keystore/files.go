package keystore

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kangma/kangma"
)

// Provider holds private ECDSA P-256 keys under labels (letters, digits and '-', up to 64). Its methods may be called
// concurrently.
type Provider interface {
	// Generate makes a key that is durable on return. kangma.Conflict: the label is taken.
	Generate(label string) (crypto.Signer, error)
	// Load gives the key of a label. kangma.NotFound: none.
	Load(label string) (crypto.Signer, error)
	// Destroy removes the key for good. A label without a key is no error.
	Destroy(label string) error
}

var errDisk = kangma.E(kangma.Unavailable, "keystore_disk", "the key folder cannot be read or written")

func errMissing(path string) error {
	return kangma.E(kangma.Unavailable, "keystore_missing", "the key store lists a secret or key whose file is missing or damaged: "+
		filepath.Base(path)+"; restore it from the backup")
}

func errWide(path string) error {
	return kangma.E(kangma.Forbidden, "keystore_mode", "others may read "+path+"; the key folder must have mode 0700 and its files 0600")
}

// checkMode refuses what others may read or write, and anything that is not what it should be (a symbolic link).
func checkMode(path string, dir bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().IsDir() != dir || !dir && !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return errWide(path)
	}
	return nil
}

// readPrivate reads a small file that only we may read. kangma.Unavailable: absent.
func readPrivate(path string) ([]byte, error) {
	if err := checkMode(path, false); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errMissing(path)
		}
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, errDisk.Because(err)
	}
	return b, nil
}

// writeNew writes a file of mode 0600 that must not exist yet, durably: it is complete or absent after a power cut.
func writeNew(path string, b []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return kangma.E(kangma.Conflict, "keystore_taken", "there is already a "+filepath.Base(path))
	}
	return replace(path, b)
}

// replace writes a file of mode 0600 durably in place of an older one.
func replace(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return errDisk.Because(err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errDisk.Because(err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// fileProvider keeps each key as PKCS#8 PEM in a file of its own.
type fileProvider struct{ dir string }

func (p fileProvider) path(label string) string { return filepath.Join(p.dir, label+".pem") }

// Generate makes a key file.
func (p fileProvider) Generate(label string) (crypto.Signer, error) { return p.generate(label) }

func (p fileProvider) generate(label string) (*ecdsa.PrivateKey, error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, errDisk.Because(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, kangma.E(kangma.Internal, "keystore_generate", "no key could be made").Because(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, kangma.E(kangma.Internal, "keystore_generate", "no key could be made").Because(err)
	}
	if err := writeNew(p.path(label), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, err
	}
	return key, nil
}

// Load reads a key file.
func (p fileProvider) Load(label string) (crypto.Signer, error) { return p.load(label) }

// GenerateExchange makes a key file for key agreement; on the disk it is a P-256 key like the others.
func (p fileProvider) GenerateExchange(label string) (ecdh.KeyExchanger, error) {
	return exchangeOf(p.generate(label))
}

// LoadExchange reads a key file for key agreement.
func (p fileProvider) LoadExchange(label string) (ecdh.KeyExchanger, error) {
	return exchangeOf(p.load(label))
}

func exchangeOf(key *ecdsa.PrivateKey, err error) (ecdh.KeyExchanger, error) {
	if err != nil {
		return nil, err
	}
	return key.ECDH()
}

func (p fileProvider) load(label string) (*ecdsa.PrivateKey, error) {
	if _, err := os.Lstat(p.path(label)); errors.Is(err, fs.ErrNotExist) {
		return nil, kangma.E(kangma.NotFound, "keystore_key", "there is no such key")
	}
	if err := checkMode(p.dir, true); err != nil {
		return nil, err
	}
	b, err := readPrivate(p.path(label))
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(b)
	if block == nil || len(rest) != 0 {
		return nil, errMissing(p.path(label))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errMissing(p.path(label))
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok && key.Curve == elliptic.P256() {
		return key, nil
	}
	return nil, errMissing(p.path(label))
}

// Destroy removes a key file. The blocks it lay on may survive on the disk: only a token really forgets.
func (p fileProvider) Destroy(label string) error {
	err := os.Remove(p.path(label))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(p.dir)
	}
	if err != nil {
		return errDisk.Because(err)
	}
	return nil
}
