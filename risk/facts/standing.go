package facts

import "github.com/kangma/kangma"

// Standing gives the evidence of a dossier that counts now, each once, without what was withdrawn or replaced: what
// every reader of single pieces of evidence must start from.
func Standing(all []kangma.Evidence) []*kangma.Evidence {
	return effective(all, Never, make([]*kangma.Evidence, 0, len(all)))
}
