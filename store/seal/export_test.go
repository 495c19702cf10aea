package seal

// PackIdentity and UnpackIdentity are open to the tests.
var (
	PackIdentity   = packIdentity
	UnpackIdentity = unpackIdentity
)
