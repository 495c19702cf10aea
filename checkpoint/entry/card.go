package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/seal"
)

// Card is a document as an officer has it in hand: typed in, or a draft that was read from a photo and then confirmed or
// corrected. What is not needed to know who it is (sex, nation, birth, address) is compared with the number and forgotten.
type Card struct {
	Type, Number, Name          string
	Sex, Nation, Birth, Address string          // as printed: 男 or 女, 汉 or 汉族, 2006-01-02; empty: not read
	Home                        kangma.Division // where they live, if they say so
	Confirmed                   bool            // the officer has compared it with the person and the document
}

// identity checks a card. Its faults name fields and never repeat them.
func (c Card) identity(where string, now time.Time) (id seal.Identity, faults []kangma.Fault) {
	note := func(field string, err error) {
		if err != nil {
			e := err.(*kangma.Error)
			faults = append(faults, kangma.Fault{Where: where + "." + field, Code: e.Code, What: e.Public})
		}
	}
	bad := func(field, what string) {
		faults = append(faults, kangma.Fault{Where: where + "." + field, Code: "card_differs", What: what})
	}
	if !c.Confirmed {
		faults = append(faults, kangma.Fault{Where: where + ".confirmed", Code: "not_confirmed", What: "the officer compares the draft with the document and the person, corrects it, and confirms"})
	}
	id.DocType = c.Type
	if id.DocType == "" {
		id.DocType = kangma.DocResidentID
	}
	var err error
	id.Number, err = kangma.NewIDNumber(id.DocType, c.Number, now)
	note("number", err)
	id.Name, err = kangma.NewName(c.Name)
	note("name", err)
	if c.Sex != "" && c.Sex != "男" && c.Sex != "女" {
		bad("sex", "the sex is 男 or 女 as printed")
	}
	if c.Birth != "" {
		if born, err := time.Parse(time.DateOnly, c.Birth); err != nil || born.After(now) {
			bad("birth", "the birth date is a possible date such as 1990-03-07")
		}
	}
	if c.Nation != "" && !slices.Contains(nations, strings.TrimSuffix(c.Nation, "族")) {
		bad("nation", "the nation is one of GB/T 3304")
	}
	if n := id.Number.Reveal(); id.DocType == kangma.DocResidentID && len(n) == 18 { // GB 11643-1999: digits 7 to 14, and 17
		if c.Birth != "" && strings.ReplaceAll(c.Birth, "-", "") != n[6:14] {
			bad("birth", "the birth date is not that of the number; read both again")
		}
		if male := (n[16]-'0')%2 == 1; c.Sex == "男" && !male || c.Sex == "女" && male {
			bad("sex", "the sex is not that of the number; read both again")
		}
	}
	return id, faults
}

// nations are the names of GB/T 3304-1991, and the two that cards print besides.
var nations = strings.Fields(`汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土
达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺 穿青人 其他`)
