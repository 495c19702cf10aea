package divisions

import "github.com/kangma/kangma"

// renamed maps names that lists of 2022 and older documents use to the division of the table that holds the place now:
// counties that were merged or renamed before the table of 2023, and one zone whose bounds are those of a county. General
// knowledge of changes that the State Council approved; a name that is not here stays unresolved and is listed.
var renamed = map[string]kangma.Division{
	"平潭综合实验区": 350_128_000, // the bounds of 平潭县
	"江干区":     330_102_000, // Hangzhou 2021: to 上城区
	"下城区":     330_105_000, // Hangzhou 2021: to 拱墅区
	"海门市":     320_614_000, // Nantong 2020: a district
	"港闸区":     320_613_000, // Nantong 2020: to 崇川区
	"梅列区":     350_404_000, // Sanming 2021: to 三元区
	"沙县":      350_405_000, // Sanming 2021: 沙县区
	"吉利区":     410_308_000, // Luoyang 2021: to 孟津区
	"孟津县":     410_308_000, // Luoyang 2021: a district
	"偃师市":     410_307_000, // Luoyang 2021: a district
	"祁阳县":     431_181_000, // a city since 2021
	"横县":      450_181_000, // 横州市 since 2021
	"黔西县":     520_581_000, // a city since 2021
	"旬阳县":     610_981_000, // a city since 2021
	"米林县":     540_481_000, // a city since 2023
	"错那县":     540_581_000, // a city since 2023
	"子长县":     610_681_000, // a city since 2019
	"滦县":      130_284_000, // 滦州市 since 2018
	"长垣县":     410_783_000, // a city since 2019
	"怀仁县":     140_681_000, // a city since 2018
	"彬县":      610_482_000, // 彬州市 since 2018
	"京山县":     420_882_000, // a city since 2018
	"邹平县":     371_681_000, // a city since 2018
	"荔浦县":     450_381_000, // a city since 2018
	"玉环县":     331_083_000, // a city since 2017
}
