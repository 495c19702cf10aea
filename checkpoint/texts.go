package checkpoint

import (
	"fmt"

	"github.com/kangma/kangma"
)

// Untold is the outcome when there is no colour: the barrier stays shut and the screen says why.
func Untold(why kangma.CannotTell) Outcome {
	t, ok := untold[why]
	if !ok {
		t = untold[kangma.TellNoRules]
	}
	return Outcome{Decision: kangma.Refer, Reason: string(why), Why: t[0], Guidance: t[1]}
}

var (
	greenWhy      = kangma.Text{Zh: "绿码：没有生效的风险赋码", En: "Green: no risk assignment is in force"}
	greenGuidance = kangma.Text{Zh: "可以通行", En: "May pass"}

	feverOutcome = Outcome{
		Decision: kangma.Refer, Reason: "fever",
		Why:      kangma.Text{Zh: "现场测温达到发热标准", En: "The temperature taken here is a fever"},
		Guidance: kangma.Text{Zh: "复测体温；仍发热请引导至发热门诊", En: "Measure again; if it stays, guide to the fever clinic"},
	}
)

// offlineColour stands for the rules where only the code's own colour is known.
func offlineColour(c kangma.Colour) kangma.Assignment {
	a := kangma.Assignment{
		Rule: "code_yellow", Colour: c,
		Reason:   kangma.Text{Zh: "签发时为黄码", En: "The code was yellow when it was issued"},
		Guidance: kangma.Text{Zh: "按黄码处置，联网后可查原因", En: "Treat as yellow; the reason can be read online"},
	}
	if c == kangma.Red {
		a.Rule = "code_red"
		a.Reason = kangma.Text{Zh: "签发时为红码", En: "The code was red when it was issued"}
		a.Guidance = kangma.Text{Zh: "按红码处置，联网后可查原因", En: "Treat as red; the reason can be read online"}
	}
	return a
}

func testOutcome(hours int) Outcome {
	return Outcome{
		Decision: kangma.Refer, Reason: "test_missing",
		Why:      kangma.Text{Zh: fmt.Sprintf("没有 %d 小时内核酸阴性结果", hours), En: fmt.Sprintf("No negative test within %d hours", hours)},
		Guidance: kangma.Text{Zh: "请查看纸质或外地检测结果，或引导就近检测", En: "Look at a paper or foreign result, or guide to the nearest test point"},
	}
}

var untold = map[kangma.CannotTell][2]kangma.Text{
	kangma.TellNoRules:       {{Zh: "当前没有生效的规则", En: "No rule set is in force"}, {Zh: "无法判定颜色，请人工核验", En: "No colour can be told; check by hand"}},
	kangma.TellUnknownPerson: {{Zh: "查无此人", En: "Nobody of this code is registered here"}, {Zh: "请核对身份证件并登记", En: "Check the ID document and register the person"}},
	kangma.TellExpired:       {{Zh: "二维码已过期", En: "The code has expired"}, {Zh: "请对方刷新健康码后再扫", En: "Ask the person to refresh the code and scan again"}},
	kangma.TellNotYetValid:   {{Zh: "二维码签发时间在未来", En: "The code was issued in the future"}, {Zh: "时钟可能有误，请核对时间", En: "A clock is wrong; check the time"}},
	kangma.TellUnknownKey:    {{Zh: "签发密钥不在信任列表中", En: "The signing key is not on the trust list"}, {Zh: "请更新信任列表或人工核验", En: "Update the trust list, or check by hand"}},
	kangma.TellForged:        {{Zh: "签名不符，疑似伪造", En: "The signature does not fit: probably forged"}, {Zh: "请留住人员并报告", En: "Keep the person here and report"}},
	kangma.TellMalformed:     {{Zh: "二维码损坏，无法读取", En: "The code is damaged and cannot be read"}, {Zh: "请调亮屏幕、靠近后重扫", En: "Brighten the screen, come closer, scan again"}},
	kangma.TellNotOurs:       {{Zh: "不是健康码", En: "This is not a health code"}, {Zh: "请对方打开本地健康码", En: "Ask the person to open the local health code"}},
	kangma.TellSpecimen:      {{Zh: "样码，不能通行", En: "A specimen; it never passes"}, {Zh: "请出示本人健康码", En: "Ask for the person's own code"}},
	kangma.TellStaleGate:     {{Zh: "本卡口数据过旧", En: "This gate's data are too old"}, {Zh: "请联网更新，期间人工核验", En: "Connect and update; check by hand until then"}},
	kangma.TellClock:         {{Zh: "时钟偏差过大", En: "A clock is off by too much"}, {Zh: "请校准设备时间", En: "Set the device's clock"}},
	kangma.TellReplayed:      {{Zh: "该动态码已被使用", En: "This one-time code was shown before"}, {Zh: "请对方刷新后重扫，并核对姓名", En: "Ask for a fresh code and compare the name"}},
	kangma.TellNoAnswer:      {{Zh: "本卡口要求验证数字，此码没有", En: "This gate asks for its number; the code carries none"}, {Zh: "请对方在健康码页面输入屏幕上的数字后再扫", En: "Ask the person to enter the number on the screen, then scan again"}},
	kangma.TellWrongAnswer:   {{Zh: "验证数字不符", En: "The code carries another number"}, {Zh: "请按屏幕上的新数字重新输入后再扫", En: "Ask for the number that is on the screen now, then scan again"}},
	kangma.TellCannotAnswer:  {{Zh: "纸质码和数字码不能带验证数字", En: "A paper code or digits cannot carry the gate's number"}, {Zh: "请核对身份证件，人工核验", En: "Look at the ID document and check by hand"}},
	kangma.TellRevoked:       {{Zh: "该码已作废", En: "This code has been voided"}, {Zh: "请对方重新申领", En: "Ask the person to apply for a new one"}},
	kangma.TellCheckOnline:   {{Zh: "离线无法判定该码", En: "This code cannot be told without a network"}, {Zh: "请联网核验，或人工核验", En: "Check it online, or by hand"}},
	kangma.TellForeign:       {{Zh: "外地或境外证明，本地无颜色", En: "A foreign document: it has no colour here"}, {Zh: "请按证件核验流程办理", En: "Follow the procedure for documents"}},
}
