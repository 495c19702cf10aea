package wire

// words are the texts that stand as a number in the wire form: the closed sets of the root package and the texts met
// most often. In the CBOR form the first 24 take one byte, the first 256 two; in the packed form the first 128 take one. The
// list may only grow at its end and together with the version of a form: bytes written before spell the new word out, and
// a strict reader of the same version would refuse them. So the CBOR form knows the first wordsCBOR, the packed form all.
var words = [...]string{
	// one byte
	"test", "stay", "trip", "management", "contact", "declaration", "clinic", "vaccination", "pcr", "negative",
	"self", "train", "flight", "home", "central", "close", "online", "offline", "in", "out", "ok", "name", "id_number", "phone",
	// kinds of evidence
	"entry", "temperature", "foreign-code", "override", "withdrawal",
	// tests
	"antigen", "antibody", "positive", "pending", "inconclusive",
	// trips
	"ship", "coach", "metro", "taxi", "car",
	// clinics
	"fever-clinic", "outpatient", "admission", "discharge", "diagnosis", "drug", "confirmed", "asymptomatic", "suspected",
	"clinical", "excluded", "antipyretic", "cough", "antibiotic", "antiviral",
	// contacts
	"secondary", "co-traveller", "spatiotemporal", "general", "household", "meal", "work", "venue",
	// management
	"home-monitoring", "self-monitoring", "high-area", "mid-area", "case", "other",
	// declarations
	"fever", "fatigue", "throat", "breath", "taste", "nausea", "diarrhoea", "conjunctivitis", "chest", "headache", "muscle",
	"yes", "no", "unsure",
	// overrides
	"confirmed-case", "close-contact", "isolation-order", "entry-isolation", "released-early", "correction",
	"foreign-clearance", "appeal-granted",
	// guardianships and identities
	"child", "elder", "ward", "id_type", "document",
	// passages
	"community", "hospital", "school", "highway", "border", "id-card", "short-code", "device",
	"replay", "travel", "stale", "conflict",
	"no_rules", "unknown_person", "expired", "not_yet_valid", "unknown_key", "forged", "malformed", "not_ours", "specimen",
	"stale_gate", "clock", "replayed", "revoked", "foreign",
	// records and events
	"gate", "organisation", "account", "vehicle", "rule-set", "area-list", "owner", "status",
	"person", "evidence", "passage", "record", "access", "erase",
	// from the packed dossier on
	"identity",
}

const wordsCBOR = 135

var wordNumbers = func() map[string]uint64 {
	m := make(map[string]uint64, len(words))
	for i, w := range words {
		m[w] = uint64(i)
	}
	return m
}()

// wordNumber gives the number of a word. No word is longer than longestWord, which spares most other texts the look-up.
func wordNumber(s string) (uint64, bool) {
	if len(s) > longestWord {
		return 0, false
	}
	n, ok := wordNumbers[s]
	return n, ok
}

const longestWord = 17
