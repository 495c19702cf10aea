package field

import (
	"sort"
	"strings"
	"sync"

	"github.com/kangma/kangma/ocr/internal/hanzi"
)

// addressChars are characters that addresses use over and over: ranks of divisions and streets, parts of buildings,
// directions, and syllables common in the names of places and roads.
const addressChars = `省市区县旗州盟镇乡村组号路街道巷弄栋幢座单元室层楼户里园苑府城坊门院段支队社屯庄寨沟坪坝坡湾港桥河江湖海洋溪泉井塘池沙滩洲岛山峰岭岗冲头口
东西南北中上下前后左右内外大小高低长新老古旧金银铜铁玉石土木水火田林竹松柏柳杨桃李杏梅兰荷花草龙凤马牛羊虎白黑红黄青绿紫阳光明月星云天地人民解放建设和平胜利友谊幸福
团结文化教育学府工业商贸科技经济开发小花佳锦碧翠雅居庭墅公寓宿舍家属机关国际自治回族壮藏维吾尔蒙朝鲜满苗彝土特别行政委会生产大队农场林牧渔广州深圳京津沪渝沈哈长春
济郑武汉成都重庆贵昆兰银西宁乌鲁木齐拉萨呼和浩特石家太原合肥福厦杭宁波苏锡常温台绍嘉湖舟丽衢徽安吉辽黑内疆甘青陕晋永清平兴隆顺义通昌延怀`

// addressParts are those of them that nearly every address has several of.
const addressParts = `省市区县州镇乡村组号路街道巷弄栋幢座单元室层楼委会屯`

var addressSet = sync.OnceValue(func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range strings.ReplaceAll(addressChars, "\n", "") {
		m[r] = true
	}
	return m
})

// prior is added to a distance: characters of the higher grades of the standard table are rarer, and in an address the
// characters of addresses are much more likely than their look-alikes: a nat is 0.07.
func prior(r rune) float32 {
	switch {
	case strings.ContainsRune(addressParts, r):
		return -.45
	case addressSet()[r]:
		return -.3
	case r == '·':
		return .5
	}
	switch grade(r) {
	case 2:
		return .1
	case 3, 4:
		return .22
	}
	return 0
}

// grade is the grade of the standard table that a character is in, 4 for none.
func grade(r rune) int {
	switch i, ok := hanzi.Index()[r]; {
	case !ok:
		return 4
	case i < hanzi.Grade1:
		return 1
	case i < hanzi.Grade1+hanzi.Grade2:
		return 2
	}
	return 3
}

// weigh sorts the answers of the characters again with the prior added.
func weigh(chars []Char) {
	for i := range chars {
		a := chars[i].Answers
		for k := range a {
			a[k].Dist += prior(a[k].R)
		}
		sort.SliceStable(a, func(x, y int) bool { return a[x].Dist < a[y].Dist })
	}
}
