package ocr

import "github.com/kangma/kangma"

// What can be wrong with a picture. Each is a kangma.Error; none repeats anything that was read.
var (
	errEmpty       = kangma.E(kangma.Invalid, "empty_input", "the picture is empty; send the file again")
	errNotImage    = kangma.E(kangma.Invalid, "not_an_image", "this is not a picture; send a JPEG or PNG photo")
	errFormat      = kangma.E(kangma.Invalid, "unsupported_format", "only JPEG and PNG pictures are read; set the camera to JPEG")
	errTooLarge    = kangma.E(kangma.TooLarge, "image_too_large", "the picture is over 10 MiB, 50 megapixels (24 for PNG) or 12,000 pixels a side; send a smaller one")
	errTooSmall    = kangma.E(kangma.Invalid, "image_too_small", "the picture is too small to read; go closer, the card should fill most of it")
	errDecode      = kangma.E(kangma.Invalid, "decode_failed", "the picture is damaged; take it again")
	errDeadline    = kangma.E(kangma.Unavailable, "deadline_exceeded", "reading took too long; take the photo again, filling the frame with the card")
	errBusy        = kangma.E(kangma.Unavailable, "busy", "too many pictures are being read; try again in a moment")
	errTooDark     = kangma.E(kangma.Invalid, "too_dark", "the photo is too dark; use a light")
	errOverExposed = kangma.E(kangma.Invalid, "over_exposed", "the photo is over-exposed; avoid reflections")
	errBlurry      = kangma.E(kangma.Invalid, "too_blurry", "the photo is blurred; hold still and focus")
	errNoDocument  = kangma.E(kangma.Invalid, "no_document", "no document was found; lay the card flat and fill the frame")
	errBack        = kangma.E(kangma.Invalid, "idcard_back", "this is the back of the card; turn it over")
	errMultiple    = kangma.E(kangma.Invalid, "multiple_cards", "more than one card is on the photo; photograph one at a time")
	errNoNumber    = kangma.E(kangma.Invalid, "number_not_found", "a card was found but not its number; the whole card must be on the photo")
)

// problems are outcomes of a reading that still carries a draft: what was read is shown, but must not be used unasked.
var problems = map[string]*kangma.Error{
	"number_unreadable": kangma.E(kangma.Invalid, "number_unreadable", "some digits of the number cannot be read; photograph the card again or type the number"),
	"checksum_failed":   kangma.E(kangma.Invalid, "checksum_failed", "the number is clear but not a valid ID number; look at the card"),
	"inconsistent":      kangma.E(kangma.Invalid, "inconsistent", "the number does not agree with the printed birth date or sex; look at the card"),
	"partial":           kangma.E(kangma.Invalid, "partial", "the number was read, but other fields are unsure; check them"),
}
