package seal

// PackIdentity, UnpackIdentity and MAC are open to the tests.
var (
	MAC            = mac
	PackIdentity   = packIdentity
	UnpackIdentity = unpackIdentity
)
