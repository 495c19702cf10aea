package checkpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"github.com/kangma/kangma/checkpoint/queue"
)

// queueKey opens what gates in tests seal. It is in the vectors too and guards nothing.
var queueKey = func() *ecdsa.PrivateKey {
	d := make([]byte, 32)
	new(big.Int).SetUint64(20221105).FillBytes(d)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		panic(err)
	}
	return key
}()

var sealTo = func() queue.Key {
	k, err := queue.KeyOf(&queueKey.PublicKey)
	if err != nil {
		panic(err)
	}
	return k
}()
