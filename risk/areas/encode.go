package areas

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kangma/kangma"
)

// AppendJSON appends the list in the service's own format, so that a stored list, a demo list and a downloaded one are
// read by the same code: ParseList gives back a list of the same Digest.
func (l *List) AppendJSON(b []byte) []byte {
	type row struct {
		Type        string   `json:"type"`
		Province    string   `json:"province"`
		City        string   `json:"city"`
		County      string   `json:"county"`
		AreaName    string   `json:"area_name"`
		Communities []string `json:"communitys"`
	}
	high, mid, low := l.Areas()
	at := l.At.In(shanghai)
	out := struct {
		Data any    `json:"data"`
		Code int    `json:"code"`
		Msg  string `json:"msg"`
	}{Msg: "查询成功"}
	lists := map[kangma.Level][]row{kangma.HighLevel: {}, kangma.MidLevel: {}, kangma.LowLevel: {}}
	for _, r := range l.Rows {
		texts := r.Communities
		if texts == nil {
			texts = []string{}
		}
		lists[r.Level] = append(lists[r.Level], row{r.Type, r.Province, r.City, r.County, strings.Join([]string{r.Province, r.City, r.County}, " "), texts})
	}
	out.Data = struct {
		At   string `json:"end_update_time"`
		H    int    `json:"hcount"`
		M    int    `json:"mcount"`
		L    int    `json:"lcount"`
		HL   []row  `json:"highlist"`
		ML   []row  `json:"middlelist"`
		LowL []row  `json:"lowlist"`
	}{fmt.Sprintf("%s %d时", at.Format("2006-01-02"), at.Hour()), high, mid, low,
		lists[kangma.HighLevel], lists[kangma.MidLevel], lists[kangma.LowLevel]}
	j, _ := json.Marshal(out) // strings and numbers only
	return append(append(b, j...), '\n')
}
