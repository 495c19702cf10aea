package mrz

import (
	"math"
	"strings"
)

// stateCodes are what may stand as issuing state or nationality: ISO 3166-1 alpha-3 and the further codes of Doc 9303 part 3,
// section 5 (D for Germany, organisations, British nationals, stateless persons and refugees, Utopia of the specimens).
const stateCodes = `ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ BMU
BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE D<< DJI DMA DNK DOM DZA ECU
EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI
HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC
MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL
OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD
STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR
VNM VUT WLF WSM YEM ZAF ZMB ZWE
GBD GBN GBO GBP GBS RKS EUE UNO UNA UNK XBA XIM XCC XCO XCE XEC XPO XES XMP XOM XDC XXA XXB XXC XXX UTO`

var states = strings.Fields(stateCodes)

// maxState is how much less probable, in nats, a known state may be than the letters that were seen.
const maxState = 14.0

// states are where a state stands: line and first column.
func (f *Format) states() [2][2]int {
	if f.Lines == 3 {
		return [2][2]int{{0, 2}, {1, 15}}
	}
	return [2][2]int{{0, 2}, {1, 10}}
}

// knownStates replaces letters that are no state's code by the most probable code, if one is near. What was changed so keeps
// the low confidence of its letters; letters that are a code are as sure as that code is among all codes.
func (f *Format) knownStates(text [][]byte, conf [][]float64, logp [][][]float32) {
	if f.permit {
		return
	}
	for _, at := range f.states() {
		row, lp := text[at[0]][at[1]:at[1]+3], logp[at[0]][at[1]:at[1]+3]
		seen := codeLogp(string(row), lp)
		best, top, all := "", seen-maxState, 0.0
		for _, s := range states {
			v := codeLogp(s, lp)
			all += math.Exp(v)
			if v > top {
				best, top = s, v
			}
		}
		switch {
		case best == "":
		case best == string(row):
			for i := range row {
				c := &conf[at[0]][at[1]+i]
				*c = max(*c, top-math.Log(all))
			}
		default:
			copy(row, best)
			for i := range row {
				conf[at[0]][at[1]+i] = float64(lp[i][strings.IndexByte(Alphabet, best[i])])
			}
		}
	}
}

// codeLogp is the log probability that three places hold a code.
func codeLogp(code string, logp [][]float32) (sum float64) {
	for i := range 3 {
		sum += float64(logp[i][strings.IndexByte(Alphabet, code[i])])
	}
	return sum
}
