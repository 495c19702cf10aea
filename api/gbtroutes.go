package api

import "net/http"

// registerGBT is the part of the route table that speaks GB/T 38963-2020: its seven services as a thin adapter.
func (s *Server) registerGBT() {
	const post, root = http.MethodPost, "/v1/gbt38963/"
	other := []Role{Feeder} // another region's platform or an app speaks as a feed

	route(s, Route{post, root + "declare", "gbt-declare", other, maxBody, "用户健康信息申报: a declaration of health"}, s.gbtDeclare)
	route(s, Route{post, root + "declare-trip", "gbt-declare-trip", other, maxBody, "用户行程申报: a journey"}, s.gbtDeclareTrip)
	route(s, Route{post, root + "apply", "gbt-apply", other, maxBody, "健康码调用申请: ask the person's consent; they are sent a one-time password"}, s.gbtApply)
	route(s, Route{post, root + "query", "gbt-query", other, maxBody, "用户健康信息查询: with the person's consent"}, s.gbtQuery)
	route(s, Route{post, root + "make", "gbt-make", other, maxBody, "健康码制码请求: with the person's consent"}, s.gbtMake)
	route(s, Route{post, root + "verify", "gbt-verify", []Role{GateStaff}, maxBody, "健康码验码请求: a scan at a gate, answered in the deployed fields"}, s.gbtVerify)
	route(s, Route{post, root + "correct", "gbt-correct", other, maxBody, "用户健康信息纠错: take back what this system reported"}, s.gbtCorrect)
	route(s, Route{post, root + "transcode", "gbt-transcode", other, maxBody, "转码: the colour another region gave, with its age"}, s.gbtTranscode)
}
