package checkpoint

import (
	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// FoundByCard is how somebody was found whose ID card staff hold in their hand.
const FoundByCard = "id-card"

// answered says whether a genuine code answers the number that the gate showed, where its policy asks for one. A gate that
// shows none can let nobody pass. Who was found by the ID card they hold needs no code.
func (in Scan) answered(p Policy, c *codegen.Claims) kangma.CannotTell {
	switch {
	case !p.Challenge || in.Found != nil && in.Found.How == FoundByCard:
		return ""
	case in.Found != nil || c.Kind == codegen.Paper:
		return kangma.TellCannotAnswer
	case c.Challenge == 0 || in.Challenge == 0:
		return kangma.TellNoAnswer
	case c.Challenge != in.Challenge:
		return kangma.TellWrongAnswer
	}
	return ""
}
