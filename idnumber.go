package kangma

import (
	"strings"
	"time"
)

// Document types, as deployed systems number them (domain.md 1.4).
const (
	DocResidentID    = "10" // 居民身份证
	DocHKMacaoPermit = "14" // 港澳居民来往内地通行证
	DocTaiwanPermit  = "15" // 台湾居民来往大陆通行证
	DocTaiwanSingle  = "16" // 一次性台胞证
	DocPassport      = "20" // 护照
	DocForeignPR     = "34" // 外国人永久居留证
	DocOther         = "99"
)

// NewIDNumber checks a document number of a type. For resident ID cards it is GB 11643-1999: six digits of a division,
// a real birth date not after today, three digits of sequence, and the ISO 7064 MOD 11-2 check character. now bounds the
// birth date. Other documents are checked for shape only.
func NewIDNumber(docType, s string, now time.Time) (IDNumber, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if docType != DocResidentID {
		return newOtherNumber(docType, s)
	}
	if len(s) != 18 || !allDigits(s[:17]) || (s[17] != 'X' && (s[17] < '0' || s[17] > '9')) {
		return IDNumber{}, E(Invalid, "id_shape", "an ID number has 17 digits and a check character 0-9 or X")
	}
	born, err := time.Parse("20060102", s[6:14])
	if err != nil || born.Year() < 1850 || born.After(now) {
		return IDNumber{}, E(Invalid, "id_birth", "the birth date in the ID number (digits 7 to 14) is not a possible date")
	}
	if IDCheckChar(s[:17]) != s[17] {
		return IDNumber{}, E(Invalid, "id_checksum", "the last character of the ID number does not fit the others; read it again")
	}
	if d, err := ParseDivision(s[:6]); err != nil || !knownProvince(d) {
		return IDNumber{}, E(Invalid, "id_region", "the first two digits of the ID number are not a province")
	}
	return IDNumber{s}, nil
}

func newOtherNumber(docType, s string) (IDNumber, error) {
	switch docType {
	case DocHKMacaoPermit, DocTaiwanPermit, DocTaiwanSingle, DocPassport, DocForeignPR, DocOther:
	default:
		return IDNumber{}, E(Invalid, "id_type", "a document type is 10, 14, 15, 16, 20, 34 or 99")
	}
	bad := func(r rune) bool { return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z') }
	if len(s) < 5 || len(s) > 20 || strings.ContainsFunc(s, bad) {
		return IDNumber{}, E(Invalid, "id_shape", "a document number has 5 to 20 letters and digits")
	}
	return IDNumber{s}, nil
}

// IDCheckChar gives the ISO 7064 MOD 11-2 check character of the first 17 digits of a resident ID number.
func IDCheckChar(first17 string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(first17[i]-'0')
	}
	return "10X98765432"[sum%11]
}

// knownProvince accepts the province-level divisions of GB/T 2260 and 83, which residence cards of Taiwan, 81 Hong Kong
// and 82 Macao residents carry.
func knownProvince(d Division) bool {
	switch d / 10_000_000 {
	case 11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46,
		50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83:
		return true
	}
	return false
}
