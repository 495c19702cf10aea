package keystore

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kangma/kangma"
)

// tokenFile says in the key folder that the signing keys live in a PKCS#11 token.
type tokenFile struct {
	Module  string `json:"module"`
	Label   string `json:"label"`
	PINFile string `json:"pin_file"` // absolute; mode 0600
}

// UseToken makes every later Open of the folder keep its signing keys in a PKCS#11 token, after having logged in once. The
// PIN is read from a file of mode 0600, which ends with one line break or none. kangma.Conflict: the folder has signing
// keys already; they cannot be moved into a token. Other errors are those of OpenToken and Open.
func UseToken(dir string, cfg TokenConfig, pinFile string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errDisk.Because(err)
	}
	if err := checkMode(dir, true); err != nil {
		return err
	}
	pinFile, err := filepath.Abs(pinFile)
	if err != nil {
		return errDisk.Because(err)
	}
	f := tokenFile{Module: cfg.Module, Label: cfg.Label, PINFile: pinFile}
	token, err := f.open()
	if err != nil {
		return err
	}
	if err := token.Close(); err != nil {
		return err
	}
	s := &Store{dir: dir}
	return s.change(func() error {
		if len(s.list.Keys) > 0 {
			return kangma.E(kangma.Conflict, "keystore_token_late", "the key folder has signing keys already; use a token from the first start on")
		}
		raw, err := json.Marshal(f)
		if err != nil {
			return errDisk.Because(err)
		}
		return replace(filepath.Join(dir, "token.json"), append(raw, '\n'))
	})
}

// providerOf gives the Provider that the folder names: a token, or files beside the list.
func providerOf(dir string) (Provider, error) {
	path := filepath.Join(dir, "token.json")
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return fileProvider{filepath.Join(dir, "signing")}, nil
	}
	raw, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	var f tokenFile
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, errMissing(path)
	}
	token, err := f.open()
	if err != nil && kangma.CodeOf(err) != "keystore_pin" { // trying a wrong PIN again would lock the token
		return &awayToken{file: f, err: err, next: time.Now().Add(tokenAgain)}, nil
	}
	return token, err
}

func (f tokenFile) open() (*Token, error) {
	pin, err := readPrivate(f.PINFile)
	if err != nil {
		return nil, err
	}
	return OpenToken(TokenConfig{Module: f.Module, Label: f.Label, PIN: string(bytes.TrimRight(pin, "\r\n"))})
}

// Close lets go of the token, if the store opened one. Keys got from Signer may not be used afterwards.
func (s *Store) Close() error {
	if !s.owned {
		return nil
	}
	switch t := s.provider.(type) {
	case *Token:
		return t.Close()
	case *awayToken:
		return t.close()
	}
	return nil
}
