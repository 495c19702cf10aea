package field

import (
	"strings"
	"sync"
)

// addressWords are what parts of buildings, of villages and of towns are called, and the commonest names of streets.
const addressWords = `单元 大道 小区 花园 家园 新村 公寓 宿舍 大厦 广场 中心 学校 大学 学院 医院 工厂 机械厂 公司 集团 农场 林场 牧场 社区 居委会 村委会 村民小组 小组 村组 大队 生产队
中路 东路 西路 南路 北路 大街 东街 西街 南街 北街 中街 街道 街道办事处 开发区 高新区 新区 工业园 园区 人民路 人民街 解放路 中山路 中山街 中山大道 太平镇 建设路 和平路 新华路 文化路 胜利路 中山 北京路 南京路 上海路
长江路 黄河路 朝阳路 幸福路 友谊路 青年路 光明路 迎宾路 振兴路 公园路 学府路 环城路 滨河路 滨江路 家属院 家属区 小学 中学 国际 名苑 雅苑 花苑 佳苑 嘉园 豪庭 华庭 职工 教师 宿舍楼
自治区 自治州 自治县 自治旗 号楼 号院 号附 门牌 城关镇 镇政府 东方 阳光 碧水湾 锦绣 翠苑 中学 粮食局 供销社 城东 城西 城南 城北 河东 河西 前进 红旗 团结 新丰 龙泉 青山 石桥 太平 永和
平安 兴隆 白云 东山 西河 大同 清河 古城 高桥 双河 双桥 杨柳 王家 李家 张家 刘家 陈家 水口 岭南 茶园 竹林 柳树 桃源 月亮 凤凰 梧桐 桂花 金水 东风 天山 珠江 环城 工业 路口 桥头 山口 下街 上街 老街 新街`

var commonPairs = sync.OnceValue(func() map[[2]rune]bool {
	m := map[[2]rune]bool{}
	for _, w := range strings.Fields(addressWords) {
		r := []rune(w)
		for i := 1; i < len(r); i++ {
			m[[2]rune{r[i-1], r[i]}] = true
		}
	}
	return m
})

// counters may stand behind a digit or a letter: 3号, 2单元, B座. Others rarely do.
const counters = `号栋幢单层室组弄座楼队社区巷门户院支排里连团营房铺期段年米委之型线甲乙丙丁`

// houseCounters hardly ever stand behind anything but a number.
const houseCounters = `号栋幢层`

func isCounter(r rune) bool { return strings.ContainsRune(counters, r) }
