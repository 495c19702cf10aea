package wire

import "github.com/kangma/kangma"

// EncodeDossierCBOR writes a dossier in version 1, as older programs did.
func EncodeDossierCBOR(d kangma.Dossier) []byte { return encode(&d, 768, dossier) }
