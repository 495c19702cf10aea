package kangma

// Access says who looked at a person's data and why. The resident sees every one of them. Its time and person are those
// of the Event that carries it.
type Access struct {
	Account      string   `json:"account" cbor:"1,keyasint"` // account id; of a resident: "self" or the guardian's relation
	Organisation string   `json:"organisation,omitempty" cbor:"2,keyasint,omitempty"`
	Role         string   `json:"role" cbor:"3,keyasint"`
	Purpose      string   `json:"purpose" cbor:"4,keyasint"`                    // from the route's closed list
	Case         string   `json:"case,omitempty" cbor:"5,keyasint,omitempty"`   // tracing case, appeal or gate it was done for
	Fields       []string `json:"fields,omitempty" cbor:"6,keyasint,omitempty"` // what was shown, e.g. name, evidence
}
