package divisions_test

import (
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

func code(t *testing.T, s string) kangma.Division {
	t.Helper()
	d, err := kangma.ParseDivision(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return d
}

func TestNamesAndPaths(t *testing.T) {
	for _, c := range []struct{ code, name, path string }{
		{"44", "广东省", "广东省"},
		{"441581", "陆丰市", "广东省汕尾市陆丰市"},
		{"110105", "朝阳区", "北京市朝阳区"},
		{"441900103", "茶山镇", "广东省东莞市茶山镇"},
		{"469006", "万宁市", "海南省万宁市"},
		{"441502999", "", "广东省汕尾市城区"},
		{"990000", "", ""},
		{"81", "香港特别行政区", "香港特别行政区"},
	} {
		d := code(t, c.code)
		if got := divisions.Name(d); got != c.name {
			t.Errorf("Name(%s) = %q, want %q", c.code, got, c.name)
		}
		if got := divisions.Path(d); got != c.path {
			t.Errorf("Path(%s) = %q, want %q", c.code, got, c.path)
		}
		if got := divisions.Exists(d); got != (c.name != "") {
			t.Errorf("Exists(%s) = %v", c.code, got)
		}
	}
}

func TestChildrenAreOneStepBelow(t *testing.T) {
	for _, c := range []struct {
		code string
		n    int
		one  string
	}{
		{"4415", 4, "441581"},
		{"4419", 36, "441900103"}, // a city of towns
		{"46", 5, "4690"},
		{"441900103", 0, ""},
	} {
		kids := divisions.Children(code(t, c.code))
		found := c.one == ""
		for _, k := range kids {
			found = found || k == code(t, c.one)
		}
		if len(kids) != c.n || !found {
			t.Errorf("Children(%s) = %v, want %d with %s", c.code, kids, c.n, c.one)
		}
	}
	if n := len(divisions.Provinces()); n != 34 {
		t.Errorf("%d provinces, want 34", n)
	}
}

func TestFindKnowsTheWaysOfLists(t *testing.T) {
	for _, c := range []struct {
		province, city, county, want string
		all                          bool
	}{
		{"广东省", "汕尾市", "陆丰市", "441581", true},
		{"广东", "汕尾", "陆丰", "441581", true},
		{"广东省", "汕尾市", "", "4415", true},
		{"上海市", "上海市", "徐汇区", "310104", true},
		{"北京市", "朝阳区", "酒仙桥街道", "110105011", true},
		{"北京市", "昌平区", "东小口（地区）镇", "110114007", true},
		{"北京市", "海淀区", "海淀（万柳地区）镇", "110108023", true},
		{"广东省", "东莞市", "茶山镇", "441900103", true},
		{"海南省", "省直辖县级行政单位", "万宁市", "469006", true},
		{"河北省", "雄县", "雄县", "130638", true},
		{"黑龙江省", "大兴安岭地区", "加格达奇区(虚拟)", "232761", true},
		{"河南省", "洛阳市", "偃师市", "410307", true},
		{"陕西省", "西安市", "高新区", "6101", false},
		{"广东省", "汕尾市", "无此县", "4415", false},
		{"无此省", "汕尾市", "陆丰市", "", false},
	} {
		d, all := divisions.Find(c.province, c.city, c.county)
		want := kangma.Division(0)
		if c.want != "" {
			want = code(t, c.want)
		}
		if d != want || all != c.all {
			t.Errorf("Find(%s, %s, %s) = %v %v, want %v %v", c.province, c.city, c.county, d, all, want, c.all)
		}
	}
}

func TestStem(t *testing.T) {
	for in, want := range map[string]string{
		"广西壮族自治区": "广西", "三间房地区": "三间房", "三间房（地区）乡": "三间房", "杨镇（地区）镇": "杨镇", "杨镇地区": "杨镇",
		"雄县": "雄县", "酒仙桥街道": "酒仙桥", "檀营（地区）满族蒙族乡": "檀营", "": "",
	} {
		if got := divisions.Stem(in); got != want {
			t.Errorf("Stem(%q) = %q, want %q", in, got, want)
		}
	}
}
